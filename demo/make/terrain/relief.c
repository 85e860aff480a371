// The sun table: an island's heights are baked into the module; it lights them from any side, at any level of the sea.
// Freestanding: clang --target=wasm32 -nostdlib. The page calls draw() and copies WIDTH x HEIGHT pixels from picture().
#include "relief-table.h"
#include <stdint.h>

enum { WIDTH = TABLE_WIDTH * 2, HEIGHT = TABLE_HEIGHT * 2 };
static const float RELIEF = 150.0f;
static float level[WIDTH * HEIGHT], shadow[WIDTH * HEIGHT];
static uint32_t pixels[WIDTH * HEIGHT];

typedef struct {
  float r, g, b;
} Colour;

static float clamp(float value) { return value < 0 ? 0 : value > 1 ? 1 : value; }
static float smooth(float low, float high, float value) {
  float t = clamp((value - low) / (high - low));
  return t * t * (3 - 2 * t);
}
static Colour blend(Colour a, Colour b, float t) {
  return (Colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

int width(void) { return WIDTH; }
int height(void) { return HEIGHT; }
uint32_t *picture(void) { return pixels; }

static float table(int x, int y) {
  x = x < 0 ? 0 : x >= TABLE_WIDTH ? TABLE_WIDTH - 1 : x;
  y = y < 0 ? 0 : y >= TABLE_HEIGHT ? TABLE_HEIGHT - 1 : y;
  return (float)TABLE[y * TABLE_WIDTH + x] / 65535.0f;
}

// Twice the table's size, by the cubic B-spline whose halves weigh 1 6 1 and 4 4 (of 8).
void unfold(void) {
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) {
      float sum = 0;
      for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
          float wide = x & 1 ? (i < 0 ? 0 : 0.5f) : (i ? 0.125f : 0.75f);
          float tall = y & 1 ? (j < 0 ? 0 : 0.5f) : (j ? 0.125f : 0.75f);
          sum += wide * tall * table(x / 2 + i, y / 2 + j);
        }
      }
      level[y * WIDTH + x] = sum * RELIEF;
    }
  }
}

// Shadows are swept away from the sun, line by line: each point takes the shadow height of the point before it, lowered.
static void sweep(float east, float south, float up, float sea) {
  float wide = east < 0 ? -east : east, tall = south < 0 ? -south : south;
  int along_x = wide > tall, outer = along_x ? WIDTH : HEIGHT, inner = along_x ? HEIGHT : WIDTH;
  float long_way = along_x ? wide : tall, drift = (along_x ? south : east) / (long_way < 0.001f ? 0.001f : long_way);
  int from_far = (along_x ? east : south) > 0;
  float stretch = __builtin_sqrtf(1 + drift * drift), fall = up / __builtin_sqrtf(1 - up * up + 0.0001f) * stretch;
  for (int step = 0; step < outer; step++) {
    int line = from_far ? outer - 1 - step : step, before = from_far ? line + 1 : line - 1;
    for (int at = 0; at < inner; at++) {
      int here = along_x ? at * WIDTH + line : line * WIDTH + at;
      float ground = level[here] > sea ? level[here] : sea, from = (float)at + drift, carried = 0;
      int low = (int)__builtin_floorf(from);
      if (step > 0 && low >= 0 && low + 1 < inner) {
        float part = from - (float)low;
        int first = along_x ? low * WIDTH + before : before * WIDTH + low, next = first + (along_x ? WIDTH : 1);
        carried = shadow[first] * (1 - part) + shadow[next] * part - fall;
      }
      shadow[here] = carried > ground ? carried : ground;
    }
  }
}

static Colour land_colour(float height, float steep) {
  static const Colour stops[] = {{0.88f, 0.82f, 0.64f}, {0.56f, 0.64f, 0.38f}, {0.35f, 0.48f, 0.30f}, {0.52f, 0.49f, 0.33f},
                                 {0.62f, 0.50f, 0.40f}, {0.60f, 0.55f, 0.53f}, {0.96f, 0.97f, 1.00f}, {1, 1, 1}};
  static const float places[] = {0, 0.018f, 0.12f, 0.30f, 0.46f, 0.62f, 0.76f, 1.2f};
  int index = 0;
  while (index < 6 && height > places[index + 1]) index++;
  Colour cover = blend(stops[index], stops[index + 1], clamp((height - places[index]) / (places[index + 1] - places[index])));
  return blend(cover, (Colour){0.46f, 0.42f, 0.40f}, smooth(0.75f, 1.7f, steep) * 0.75f);
}

static uint32_t channel(float value) { return (uint32_t)(__builtin_sqrtf(clamp(value)) * 255.0f + 0.5f); }

// `east` and `south` point to the sun on the map (length up to 1: at 1 it stands on the horizon), `sea_level` is 0 to 1.
void draw(float east, float south, float sea_level) {
  float far = __builtin_sqrtf(east * east + south * south), most = 0.968f;
  if (far > most) east *= most / far, south *= most / far, far = most;
  float up = __builtin_sqrtf(1 - far * far), sea = sea_level * RELIEF, low = smooth(0.72f, 0.968f, far);
  sweep(east, south, up, sea);
  Colour sun = blend((Colour){1.12f, 1.08f, 1.0f}, (Colour){1.45f, 0.72f, 0.38f}, low);
  Colour air = blend((Colour){0.20f, 0.25f, 0.33f}, (Colour){0.13f, 0.14f, 0.27f}, low);
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) {
      int here = y * WIDTH + x, left = x ? here - 1 : here, above = y ? here - WIDTH : here;
      int right = x < WIDTH - 1 ? here + 1 : here, below = y < HEIGHT - 1 ? here + WIDTH : here;
      float depth = sea - level[here], wet = smooth(-0.12f, 0.12f, depth);
      float slope_x = (level[right] - level[left]) * 0.5f, slope_y = (level[below] - level[above]) * 0.5f;
      float steep = __builtin_sqrtf(slope_x * slope_x + slope_y * slope_y), upright = 1 / __builtin_sqrtf(1 + steep * steep);
      float facing = (up - slope_x * east - slope_y * south) * upright;
      float clear = 1 - smooth(0.15f, 2.6f, shadow[here] - (depth > 0 ? sea : level[here]));
      Colour dry = land_colour((level[here] - sea) / RELIEF, steep);
      dry = (Colour){dry.r * dry.r, dry.g * dry.g, dry.b * dry.b};
      float lit = (facing < 0 ? 0 : facing) * clear * 1.25f;
      dry = (Colour){dry.r * (sun.r * lit + air.r), dry.g * (sun.g * lit + air.g), dry.b * (sun.b * lit + air.b)};
      Colour water = blend((Colour){0.16f, 0.42f, 0.42f}, (Colour){0.010f, 0.075f, 0.14f}, smooth(0, 16, depth));
      float flat = (0.35f + 0.75f * up) * (0.45f + 0.55f * clear);
      float foam = smooth(0.85f, 0.15f, depth) * 0.25f;
      water = (Colour){water.r * flat * (0.7f + 0.3f * sun.r) + foam * flat, water.g * flat + foam * flat,
                       water.b * flat * (0.75f + air.b) + foam * flat};
      Colour seen = blend(dry, water, wet);
      pixels[here] = 0xff000000u | channel(seen.b) << 16 | channel(seen.g) << 8 | channel(seen.r);
    }
  }
}
