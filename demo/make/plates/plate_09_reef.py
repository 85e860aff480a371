"""IX. Brainstone Reef: two substances feed on each other (Gray-Scott) until the pattern has grown everywhere."""
import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from common import blend, colour, layers, light, pixels, ramp, save, smooth

width, height = 600, 400
y, x = np.mgrid[0:height, 0:width].astype(np.float32)
region = layers(x / 150 + 2, y / 150, 91, 3)
feed = (0.0395 + 0.019 * np.clip(region, -0.6, 0.6)).astype(np.float32)
kill = (0.0612 + 0.0032 * np.clip(region, -0.6, 0.6)).astype(np.float32)
one = np.ones((height, width), np.float32)
two = np.zeros_like(one)
random = np.random.default_rng(9)
for _ in range(230):
    row, column = random.integers(0, height), random.integers(0, width)
    two[max(0, row - 3):row + 3, max(0, column - 3):column + 3] = 0.5
    one[max(0, row - 3):row + 3, max(0, column - 3):column + 3] = 0.5


def around(field):
    sides = np.roll(field, 1, 0) + np.roll(field, -1, 0) + np.roll(field, 1, 1) + np.roll(field, -1, 1)
    high, low = np.roll(field, 1, 0), np.roll(field, -1, 0)
    corners = np.roll(high, 1, 1) + np.roll(high, -1, 1) + np.roll(low, 1, 1) + np.roll(low, -1, 1)
    return sides * np.float32(0.2) + corners * np.float32(0.05) - field


for _ in range(6500):
    meet = one * two * two
    one += np.float32(0.9) * around(one) - meet + feed * (1 - one)
    two += np.float32(0.45) * around(two) + meet - (feed + kill) * two
relief = zoom(two, 3, order=3)
x, y = pixels()
wide = smooth(0.04, 0.30, relief)
surface = np.sqrt(np.clip(wide, 0, 1)) * 1.0 + 0.035 * layers(x * 70, y * 70, 95, 3) * wide
lit = light(gaussian_filter(surface, 1.6), 9, up=0.55)
hollow = gaussian_filter(surface, 16) - surface
where = layers(x * 1.3, y * 1.3, 97, 4) + 0.35 * (x - 0.75)
flesh = ramp(where, [(-0.6, '#f6b26b'), (-0.2, '#f0735a'), (0.1, '#d83a6e'), (0.4, '#8f3fa8'), (0.8, '#3f58c9')])
water = ramp(hollow, [(0.1, '#1d6f86'), (0.5, '#0a3a57'), (0.9, '#031526')])
body = flesh * (0.16 + 1.0 * lit)[..., None]
gloss = smooth(1.0, 1.35, lit) * wide
body = body + gloss[..., None] * colour('#fff1e0') * 0.45
tip = smooth(0.30, 0.42, relief)
body = blend(body, np.ones_like(body) * colour('#ffe7c2'), tip * 0.35)
picture = blend(water, body, smooth(0.09, 0.17, relief))
save('09-brainstone-reef', picture)
