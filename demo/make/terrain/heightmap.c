// Draws one square, seamlessly tiling height map and lets rain run over it.
//   heightmap <seed> <size> <drops> <out.f32> [island]
// Output: size * size little-endian float32, 0 = sea floor, 1 = highest peak. With `island` the edges sink into the sea.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t mix(uint32_t value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  value *= 0x846ca68bu;
  return value ^ (value >> 16);
}

static float corner(int cell_x, int cell_y, uint32_t seed, float offset_x, float offset_y) {
  uint32_t hash = mix((uint32_t)cell_x * 0x9e3779b1u ^ mix((uint32_t)cell_y + seed * 0x85ebca6bu));
  float angle = (float)(hash & 0xffff) * (6.2831853f / 65536.0f);
  return cosf(angle) * offset_x + sinf(angle) * offset_y;
}

// Gradient noise that repeats after `period` cells, about -0.7 to 0.7.
static float noise(float x, float y, int period, uint32_t seed) {
  int left = (int)floorf(x), top = (int)floorf(y);
  float u = x - (float)left, v = y - (float)top;
  int x0 = ((left % period) + period) % period, y0 = ((top % period) + period) % period;
  int x1 = (x0 + 1) % period, y1 = (y0 + 1) % period;
  float a = corner(x0, y0, seed, u, v), b = corner(x1, y0, seed, u - 1, v);
  float c = corner(x0, y1, seed, u, v - 1), d = corner(x1, y1, seed, u - 1, v - 1);
  float s = u * u * u * (u * (u * 6 - 15) + 10), t = v * v * v * (v * (v * 6 - 15) + 10);
  return (a + (b - a) * s) * (1 - t) + (c + (d - c) * s) * t;
}

static float layers(float x, float y, int period, int octaves, uint32_t seed) {
  float sum = 0, strength = 1;
  for (int octave = 0; octave < octaves; octave++) {
    sum += strength * noise(x * (float)period, y * (float)period, period, seed + (uint32_t)octave);
    period *= 2;
    strength *= 0.5f;
  }
  return sum;
}

static float ridges(float x, float y, int period, int octaves, uint32_t seed) {
  float sum = 0, strength = 0.5f, carry = 1;
  for (int octave = 0; octave < octaves; octave++) {
    float crest = 1 - fabsf(noise(x * (float)period, y * (float)period, period, seed + (uint32_t)octave)) * 1.7f;
    crest *= crest;
    sum += strength * crest * carry;
    carry = fminf(1, crest * 1.4f);
    period *= 2;
    strength *= 0.5f;
  }
  return sum;
}

static float smooth(float low, float high, float value) {
  float t = fminf(1, fmaxf(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

static float *height;
static int size;

static float *cell(int x, int y) { return &height[(y & (size - 1)) * size + (x & (size - 1))]; }

static void raise_land(uint32_t seed, int island) {
  for (int row = 0; row < size; row++) {
    for (int column = 0; column < size; column++) {
      float x = (float)column / (float)size, y = (float)row / (float)size;
      float bent_x = x + 0.05f * layers(x, y, 4, 4, seed + 40), bent_y = y + 0.05f * layers(x, y, 4, 4, seed + 50);
      float plain = 0.22f + 0.20f * layers(bent_x, bent_y, 4, 8, seed + 10);
      float range = 0.12f + 0.95f * ridges(bent_x, bent_y, 4, 9, seed + 20);
      float where = smooth(-0.18f, 0.34f, layers(bent_x, bent_y, 3, 3, seed + 30));
      float land = plain + (range - plain) * where;
      if (island) {
        float east = (x - 0.5f) * 2.0f, north = (y - 0.5f) * 2.95f;
        float shore = sqrtf(east * east + north * north) + 0.30f * layers(bent_x, bent_y, 4, 5, seed + 60);
        land = (0.16f + 0.84f * land) * smooth(1.02f, 0.18f, shore);
      }
      height[row * size + column] = land;
    }
  }
}

typedef struct {
  float height, slope_x, slope_y;
} Ground;

static Ground ground_at(float x, float y) {
  int left = (int)floorf(x), top = (int)floorf(y);
  float u = x - (float)left, v = y - (float)top;
  float a = *cell(left, top), b = *cell(left + 1, top), c = *cell(left, top + 1), d = *cell(left + 1, top + 1);
  Ground ground;
  ground.height = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v;
  ground.slope_x = (b - a) * (1 - v) + (d - c) * v;
  ground.slope_y = (c - a) * (1 - u) + (d - b) * u;
  return ground;
}

enum { BRUSH = 3, LIFETIME = 70 };

static void dig(float x, float y, float amount) {
  int centre_x = (int)floorf(x + 0.5f), centre_y = (int)floorf(y + 0.5f);
  float total = 0, weight[(2 * BRUSH + 1) * (2 * BRUSH + 1)];
  int index = 0;
  for (int dy = -BRUSH; dy <= BRUSH; dy++)
    for (int dx = -BRUSH; dx <= BRUSH; dx++)
      total += weight[index++] = fmaxf(0, (float)BRUSH - sqrtf((float)(dx * dx + dy * dy)));
  index = 0;
  for (int dy = -BRUSH; dy <= BRUSH; dy++)
    for (int dx = -BRUSH; dx <= BRUSH; dx++) *cell(centre_x + dx, centre_y + dy) -= amount * weight[index++] / total;
}

static void settle(float x, float y, float amount) {
  int left = (int)floorf(x), top = (int)floorf(y);
  float u = x - (float)left, v = y - (float)top;
  *cell(left, top) += amount * (1 - u) * (1 - v);
  *cell(left + 1, top) += amount * u * (1 - v);
  *cell(left, top + 1) += amount * (1 - u) * v;
  *cell(left + 1, top + 1) += amount * u * v;
}

// One drop runs downhill, takes soil where it is fast and leaves it where it slows down.
static void run_drop(float x, float y, float scale) {
  float way_x = 0, way_y = 0, speed = 1, water = 1, soil = 0;
  for (int step = 0; step < LIFETIME; step++) {
    Ground here = ground_at(x, y);
    way_x = way_x * 0.06f - here.slope_x * scale * 0.94f;
    way_y = way_y * 0.06f - here.slope_y * scale * 0.94f;
    float length = sqrtf(way_x * way_x + way_y * way_y);
    if (length < 1e-9f) return;
    way_x /= length;
    way_y /= length;
    float next_x = x + way_x, next_y = y + way_y;
    float fall = (ground_at(next_x, next_y).height - here.height) * scale;
    float capacity = fmaxf(-fall * speed * water * 4, 0.01f);
    if (fall > 0 || soil > capacity) {
      float drop = fall > 0 ? fminf(fall, soil) : (soil - capacity) * 0.3f;
      soil -= drop;
      settle(x, y, drop / scale);
    } else {
      float take = fminf((capacity - soil) * 0.3f, -fall);
      soil += take;
      dig(x, y, take / scale);
    }
    speed = sqrtf(fmaxf(0, speed * speed - fall * 4));
    water *= 0.985f;
    x = next_x;
    y = next_y;
  }
}

int main(int count, char **words) {
  if (count < 5) return fprintf(stderr, "heightmap <seed> <size> <drops> <out.f32> [island]\n"), 2;
  uint32_t seed = (uint32_t)atoi(words[1]);
  size = atoi(words[2]);
  height = malloc(sizeof(float) * (size_t)size * (size_t)size);
  raise_land(seed, count > 5 && strcmp(words[5], "island") == 0);
  uint32_t state = mix(seed + 1);
  for (int drop = 0, drops = atoi(words[3]); drop < drops; drop++) {
    float x = (float)((state = mix(state + 0x9e3779b9u)) >> 8) / 16777216.0f * (float)size;
    float y = (float)((state = mix(state + 0x9e3779b9u)) >> 8) / 16777216.0f * (float)size;
    run_drop(x, y, (float)size * 0.16f);
  }
  float low = 1e9f, high = -1e9f;
  for (int index = 0; index < size * size; index++) low = fminf(low, height[index]), high = fmaxf(high, height[index]);
  for (int index = 0; index < size * size; index++) height[index] = (height[index] - low) / (high - low);
  FILE *out = fopen(words[4], "wb");
  if (!out || fwrite(height, sizeof(float), (size_t)size * (size_t)size, out) != (size_t)size * (size_t)size) return 1;
  return fclose(out);
}
