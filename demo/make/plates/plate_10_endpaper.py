"""X. Endpaper Bay: drops of ink on a bath, each pushing the others aside, then drawn through with a comb."""
import numpy as np
from common import blend, colour, layers, pixels, save, shrink, smooth

SCALE = 2
x, y = pixels(1800 * SCALE, 1200 * SCALE)
x, y = x.astype(np.float64), y.astype(np.float64)
# Everything is undone backwards: a pixel is carried to where it was before the comb, before the last drop, and so on.
def comb(x, y, amount, spacing, sharp, turn):
    across = x * np.cos(turn) + y * np.sin(turn)
    distance = np.abs((across / spacing) % 1 - 0.5) * spacing
    way = np.where(np.floor(across / spacing) % 2 == 0, 1, -1)
    pull = amount * np.exp(-distance / sharp) * way
    return x - pull * -np.sin(turn), y - pull * np.cos(turn)


x, y = x + 0.015 * layers(x * 2, y * 2, 111, 3), y + 0.02 * layers(x * 2 + 7, y * 2, 114, 3)
x, y = x + 0.028 * np.sin(y * 21), y
x, y = comb(x, y, 0.17, 0.115, 0.028, 0.0)
x, y = comb(x, y, 0.15, 0.30, 0.07, np.pi / 2)

random = np.random.default_rng(11)
INKS = ['#14213d', '#f1e3c6', '#c8442f', '#1f6f78', '#e9a93f', '#f1e3c6', '#14213d', '#7fb3a6', '#8d2f3f', '#f7efe0']
drops = [(random.uniform(-0.1, 1.6), random.uniform(-0.1, 1.1), random.uniform(0.035, 0.13), INKS[index % len(INKS)]) for index in range(170)]
picture = np.ones(x.shape + (3,), np.float32) * colour('#e8d8b8')
open_pixels = np.ones(x.shape, bool)
rim = np.zeros(x.shape, np.float32)
for centre_x, centre_y, radius, ink in reversed(drops):
    dx, dy = x - centre_x, y - centre_y
    square = dx * dx + dy * dy
    inside = open_pixels & (square < radius * radius)
    picture[inside] = colour(ink)
    rim[inside] = smooth(0.90, 1.0, np.sqrt(square[inside]) / radius)
    open_pixels &= ~inside
    shrinkage = np.sqrt(np.clip(1 - radius * radius / np.maximum(square, 1e-9), 0, 1))
    x, y = np.where(open_pixels, centre_x + dx * shrinkage, x), np.where(open_pixels, centre_y + dy * shrinkage, y)
picture = picture * (1 - 0.30 * rim)[..., None]
flat_x, flat_y = pixels(1800 * SCALE, 1200 * SCALE)
paper = 1 + 0.05 * layers(flat_x * 150, flat_y * 150, 118, 2) + 0.07 * layers(flat_x * 5, flat_y * 5, 119, 3)
save('10-endpaper-bay', shrink(picture * paper[..., None].astype(np.float32), SCALE))
