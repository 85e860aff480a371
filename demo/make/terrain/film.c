// Flies over a height map for one day and writes raw RGB frames to stdout.
//   film <map.f32> <map size> <width> <height> <frames> [only this frame]
// Each column of the picture marches outward over the map, front to back, and paints what rises above all it saw before.
// Every frame is drawn at twice its size and averaged, so edges and far ridges do not flicker.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  float r, g, b;
} Colour;

static Colour blend(Colour a, Colour b, float t) {
  t = fminf(1, fmaxf(0, t));
  return (Colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}
static Colour scale(Colour a, float s) { return (Colour){a.r * s, a.g * s, a.b * s}; }
static Colour add(Colour a, Colour b) { return (Colour){a.r + b.r, a.g + b.g, a.b + b.b}; }
static float smooth(float low, float high, float value) {
  float t = fminf(1, fmaxf(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

enum { SIZE = 2048, MASK = SIZE - 1, WIDEST = 4096 };
static const float RELIEF = 190.0f, SEA = 0.150f * 190.0f, REACH = 1500.0f, EARTH = 0.0000115f;
static float *height, *shade, *grain;

static float look(const float *map, float x, float y) {
  int left = (int)floorf(x), top = (int)floorf(y);
  float u = x - (float)left, v = y - (float)top;
  const float *upper = map + (size_t)(top & MASK) * SIZE, *lower = map + (size_t)((top + 1) & MASK) * SIZE;
  int x0 = left & MASK, x1 = (left + 1) & MASK;
  return (upper[x0] * (1 - u) + upper[x1] * u) * (1 - v) + (lower[x0] * (1 - u) + lower[x1] * u) * v;
}

static uint32_t mix(uint32_t value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  value *= 0x846ca68bu;
  return value ^ (value >> 16);
}

// The small map is enlarged with a cubic B-spline, which also smooths the marks of single drops; then fine grain is added.
static void load_map(const char *path, int small) {
  float *source = malloc(sizeof(float) * (size_t)small * (size_t)small);
  FILE *file = fopen(path, "rb");
  if (!file || fread(source, sizeof(float), (size_t)small * (size_t)small, file) != (size_t)small * (size_t)small) exit(1);
  fclose(file);
  for (int y = 0; y < SIZE; y++) {
    for (int x = 0; x < SIZE; x++) {
      float at_x = (float)x * (float)small / SIZE, at_y = (float)y * (float)small / SIZE, sum = 0;
      int left = (int)at_x, top = (int)at_y;
      float u = at_x - (float)left, v = at_y - (float)top;
      float wide[4] = {(1 - u) * (1 - u) * (1 - u) / 6, (3 * u * u * u - 6 * u * u + 4) / 6,
                       (-3 * u * u * u + 3 * u * u + 3 * u + 1) / 6, u * u * u / 6};
      float tall[4] = {(1 - v) * (1 - v) * (1 - v) / 6, (3 * v * v * v - 6 * v * v + 4) / 6,
                       (-3 * v * v * v + 3 * v * v + 3 * v + 1) / 6, v * v * v / 6};
      for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++)
          sum += tall[j] * wide[i] * source[((top + j - 1) & (small - 1)) * small + ((left + i - 1) & (small - 1))];
      height[y * SIZE + x] = sum * RELIEF;
      grain[y * SIZE + x] = (float)(mix((uint32_t)(y * SIZE + x)) & 0xffff) / 32768.0f - 1.0f;
    }
  }
  for (int index = 0; index < SIZE * SIZE; index++)
    height[index] += smooth(SEA, SEA + 60, height[index]) * 0.28f * (grain[index] + grain[(index + 1) & (SIZE * SIZE - 1)]);
  free(source);
}

// The sun crosses the sky along the rows (x), so one sweep along each row finds every shadow.
static void cast_shadows(float sun_x, float sun_z) {
  int step = sun_x > 0 ? -1 : 1;
  float fall = sun_z / fmaxf(0.001f, fabsf(sun_x));
  for (int y = 0; y < SIZE; y++) {
    float *row = height + (size_t)y * SIZE, line = -1e9f;
    for (int walk = 0, x = 0; walk < SIZE * 2; walk++, x = (x + step) & MASK) {
      line = fmaxf(line - fall, row[x]);
      if (walk >= SIZE) shade[(size_t)y * SIZE + (size_t)x] = 1 - smooth(0.2f, 2.2f + 5 * fall, line - row[x]);
    }
  }
}

typedef struct {
  float x, y, z, heading, roll, horizon;
  float sun_x, sun_y, sun_z, day;
  Colour light, ambient, zenith, haze, glow;
} View;

static Colour sky(const View *view, float dx, float dy, float dz) {
  float length = sqrtf(dx * dx + dy * dy + dz * dz), up = dz / length;
  float toward = (dx * view->sun_x + dy * view->sun_y + dz * view->sun_z) / length;
  Colour air = blend(view->haze, view->zenith, powf(fmaxf(0, up), 0.55f) * 1.25f);
  air = add(air, scale(view->glow, 0.55f * powf(fmaxf(0, toward), 6) * expf(-fmaxf(0, up) * 3.0f)));
  air = add(air, scale(view->glow, 0.9f * powf(fmaxf(0, toward), 90)));
  if (up > 0.012f) {
    float far = 1 / (up + 0.06f), cx = dx / length * far * 210 + view->day * 260, cy = dy / length * far * 210;
    float cloud = look(height, cx * 0.9f, cy * 1.5f) * 0.6f + look(height, cx * 3 + 500, cy * 4) * 0.3f;
    float cover = smooth(48, 118, cloud) * smooth(0.012f, 0.10f, up) * 0.75f;
    air = blend(air, add(scale(view->light, 0.62f), scale(view->haze, 0.34f)), cover);
  }
  return add(air, scale(view->light, 3.0f * smooth(0.99945f, 0.9998f, toward)));
}

static Colour ground(const View *view, float x, float y, float level, float distance, float dx, float dy, float dz) {
  float spread = 0.7f + distance * 0.0016f;
  float slope_x = (look(height, x + spread, y) - look(height, x - spread, y)) / (2 * spread);
  float slope_y = (look(height, x, y + spread) - look(height, x, y - spread)) / (2 * spread);
  float lit = look(shade, x, y), speck = look(grain, x, y) * expf(-distance * 0.004f);
  speck += 0.8f * look(grain, x * 3.1f, y * 3.1f) * expf(-distance * 0.014f);
  if (level <= SEA) {
    float ripple = look(grain, x * 0.7f + view->day * 900, y * 0.7f) * 0.045f * expf(-distance * 0.003f);
    float swell = look(grain, x * 0.11f, y * 0.11f + view->day * 300) * 0.02f;
    float nx = ripple + swell, facing = fmaxf(0.02f, -dz / sqrtf(dx * dx + dy * dy + dz * dz));
    float mirror = 0.03f + 0.97f * powf(1 - facing, 5);
    Colour above = sky(view, dx + nx, dy + nx * 0.6f, fabsf(dz) + 0.01f + fabsf(nx) * 1.3f);
    float shallow = expf((level - SEA) * 0.16f);
    Colour body = blend((Colour){0.012f, 0.055f, 0.085f}, (Colour){0.06f, 0.24f, 0.23f}, shallow);
    body = add(scale(body, 0.35f * view->ambient.g + 0.75f * view->light.g * lit), scale(view->ambient, 0.02f));
    float foam = smooth(-0.9f, -0.1f, level - SEA) * 0.22f * lit;
    return add(blend(body, above, mirror), scale(view->light, foam));
  }
  float bare = 1 / sqrtf(1 + slope_x * slope_x + slope_y * slope_y), up = level / RELIEF;
  Colour meadow = {0.105f, 0.135f, 0.042f}, wood = {0.028f, 0.060f, 0.030f}, rock = {0.150f, 0.125f, 0.105f};
  Colour sand = {0.33f, 0.27f, 0.18f}, snow = {0.80f, 0.84f, 0.92f}, heath = {0.15f, 0.105f, 0.055f};
  Colour cover = blend(meadow, wood, smooth(-0.25f, 0.45f, look(grain, x * 0.02f, y * 0.02f) + speck * 0.5f));
  cover = blend(cover, heath, smooth(0.26f, 0.52f, up + speck * 0.05f));
  cover = blend(cover, rock, smooth(0.86f, 0.66f, bare + speck * 0.05f));
  cover = blend(cover, scale(rock, 1.2f), smooth(0.50f, 0.66f, up + speck * 0.05f));
  cover = blend(cover, snow, smooth(0.56f, 0.70f, up + speck * 0.04f) * smooth(0.52f, 0.76f, bare));
  cover = blend(sand, cover, smooth(0.6f, 3.2f, level - SEA + speck));
  float facing = fmaxf(0, (-slope_x * view->sun_x - slope_y * view->sun_y + view->sun_z) * bare);
  float back = fmaxf(0, (slope_x * view->sun_x + slope_y * view->sun_y) * bare);
  Colour fall = add(scale(view->light, 3.4f * facing * lit), scale(view->ambient, (0.55f + 0.45f * bare) + 0.12f * back));
  cover = scale(cover, 1 + 0.22f * speck);
  return (Colour){cover.r * fall.r, cover.g * fall.g, cover.b * fall.b};
}

static Colour through_air(const View *view, Colour seen, float distance, float level, float dx, float dy, float dz) {
  float thick = 0.00034f + 0.00050f * expf(-fmaxf(0, level - SEA) * 0.022f);
  float clear = expf(-powf(distance * thick, 1.35f));
  float length = sqrtf(dx * dx + dy * dy + dz * dz);
  float toward = fmaxf(0, (dx * view->sun_x + dy * view->sun_y) / length);
  Colour mist = add(scale(view->haze, 0.88f), scale(view->glow, 0.50f * powf(toward, 7)));
  return blend(mist, seen, clear);
}

static void draw(const View *view, Colour *picture, int width, int tall) {
  float wide = 0.74f, focal = (float)width / 2 / wide;
  for (int column = 0; column < width; column++) {
    float side = ((float)column / (float)width * 2 - 1) * wide;
    float dx = cosf(view->heading) - sinf(view->heading) * side, dy = sinf(view->heading) + cosf(view->heading) * side;
    float horizon = view->horizon * (float)tall + view->roll * side * (float)tall, stretch = sqrtf(dx * dx + dy * dy);
    int painted = tall;
    Colour before = {0, 0, 0};
    float before_row = (float)tall;
    for (float z = 6; z < REACH && painted > 0; z += fmaxf(0.32f, z * 0.0021f)) {
      float x = view->x + dx * z, y = view->y + dy * z, level = look(height, x, y), top = fmaxf(level, SEA);
      float rise = (top - view->z) / z - z * EARTH, row = horizon - rise * focal;
      if (row >= (float)painted) continue;
      Colour seen = ground(view, x, y, level, z, dx, dy, rise);
      seen = through_air(view, seen, z * stretch, top, dx, dy, rise);
      int first = row < 0 ? 0 : (int)ceilf(row);
      if (before_row > (float)tall - 0.5f || before_row - row < 0.001f) before = seen;
      for (int at = first; at < painted; at++) {
        float t = ((float)at - row) / fmaxf(0.001f, before_row - row);
        picture[(size_t)at * (size_t)width + (size_t)column] = blend(seen, before, t);
      }
      if (first < painted) painted = first;
      before = seen;
      before_row = row;
    }
    for (int at = 0; at < painted; at++) {
      float rise = fmaxf(-0.002f, (horizon - (float)at) / focal);
      picture[(size_t)at * (size_t)width + (size_t)column] = sky(view, dx, dy, rise);
    }
  }
}

static void path(float t, float *x, float *y) {
  *x = -420 + 2330 * t;
  *y = 872 + 46 * sinf(t * 15.0f + 0.6f) - 92 * expf(-(*x - 1300) * (*x - 1300) / 60000.0f);
}

static float clearance(float t) {
  float total = 0, weight = 0;
  for (int ahead = -10; ahead <= 26; ahead++) {
    float x, y, share = expf(-(float)((ahead - 4) * (ahead - 4)) / 130.0f), highest = SEA;
    path(t + (float)ahead * 0.004f, &x, &y);
    for (int side = -40; side <= 40; side += 10)
      for (int along = -8; along <= 8; along += 8)
        highest = fmaxf(highest, look(height, x + (float)along, y + (float)side));
    total += share * highest;
    weight += share;
  }
  return total / weight;
}

static View view_at(float t) {
  View view;
  float x, y, next_x, next_y, last_x, last_y;
  path(t, &x, &y);
  path(t + 0.02f, &next_x, &next_y);
  path(t - 0.02f, &last_x, &last_y);
  float bend = atan2f(next_y - y, next_x - x) - atan2f(y - last_y, x - last_x);
  view.x = x;
  view.y = y;
  view.z = fmaxf(clearance(t) + 22, SEA + 34) + 46 * smooth(0.30f, 0.0f, t) + 34 * smooth(0.72f, 1.0f, t);
  view.heading = atan2f(next_y - last_y, next_x - last_x) + 0.42f * sinf(t * 7.2f) * (1 - smooth(0.8f, 1, t));
  view.roll = fminf(0.16f, fmaxf(-0.16f, bend * 0.55f));
  view.horizon = 0.40f;
  float angle = 0.075f + (3.14159265f - 0.13f) * (0.5f - 0.5f * cosf(t * 3.14159265f)), low;
  view.sun_x = -cosf(angle) * 0.93f;
  view.sun_z = sinf(angle) * 0.86f;
  view.sun_y = sqrtf(fmaxf(0, 1 - view.sun_x * view.sun_x - view.sun_z * view.sun_z));
  view.day = t;
  low = 1 - smooth(0.02f, 0.46f, view.sun_z);
  int evening = t > 0.5f;
  view.light = blend((Colour){1.02f, 0.97f, 0.88f}, evening ? (Colour){1.10f, 0.44f, 0.20f} : (Colour){1.05f, 0.58f, 0.34f}, low);
  view.ambient = blend((Colour){0.36f, 0.46f, 0.64f}, (Colour){0.22f, 0.24f, 0.40f}, low);
  view.zenith = blend((Colour){0.12f, 0.30f, 0.62f}, evening ? (Colour){0.10f, 0.11f, 0.30f} : (Colour){0.15f, 0.22f, 0.46f}, low);
  view.haze = blend((Colour){0.44f, 0.58f, 0.72f}, evening ? (Colour){0.46f, 0.26f, 0.30f} : (Colour){0.50f, 0.38f, 0.40f}, low);
  view.glow = blend((Colour){0.26f, 0.22f, 0.14f}, evening ? (Colour){1.0f, 0.36f, 0.10f} : (Colour){0.95f, 0.50f, 0.20f}, low);
  return view;
}

static uint8_t tone(float light) {
  float bright = light * 1.05f, filmic = bright * (2.51f * bright + 0.03f) / (bright * (2.43f * bright + 0.59f) + 0.14f);
  return (uint8_t)(powf(fminf(1, fmaxf(0, filmic)), 1 / 2.2f) * 255 + 0.5f);
}

int main(int count, char **words) {
  if (count < 6) return fprintf(stderr, "film <map.f32> <map size> <width> <height> <frames> [frame]\n"), 2;
  int width = atoi(words[3]), tall = atoi(words[4]), frames = atoi(words[5]);
  int first = count > 6 ? atoi(words[6]) : 0, last = count > 6 ? first : frames - 1;
  height = malloc(sizeof(float) * SIZE * SIZE);
  shade = malloc(sizeof(float) * SIZE * SIZE);
  grain = malloc(sizeof(float) * SIZE * SIZE);
  load_map(words[1], atoi(words[2]));
  Colour *picture = malloc(sizeof(Colour) * (size_t)width * (size_t)tall * 4);
  uint8_t *frame = malloc((size_t)width * (size_t)tall * 3);
  for (int at = first; at <= last; at++) {
    float t = (float)at / (float)(frames - 1);
    View view = view_at(t);
    cast_shadows(view.sun_x, view.sun_z);
    draw(&view, picture, width * 2, tall * 2);
    float fade = smooth(0, 0.02f, t) * (1 - smooth(0.978f, 1, t));
    if (count > 6) fade = 1;
    for (int y = 0; y < tall; y++) {
      for (int x = 0; x < width; x++) {
        const Colour *upper = picture + (size_t)(y * 2) * (size_t)(width * 2) + x * 2, *lower = upper + width * 2;
        uint8_t *pixel = frame + ((size_t)y * (size_t)width + (size_t)x) * 3;
        Colour mean = scale(add(add(upper[0], upper[1]), add(lower[0], lower[1])), 0.25f * fade);
        pixel[0] = tone(mean.r);
        pixel[1] = tone(mean.g);
        pixel[2] = tone(mean.b);
      }
    }
    if (fwrite(frame, 3, (size_t)width * (size_t)tall, stdout) != (size_t)width * (size_t)tall) return 1;
  }
  return 0;
}
