"""VIII. The Veil: where one point lands when a formula of four sines is applied to it sixty million times."""
import numpy as np
from scipy.ndimage import gaussian_filter
from common import colour, ramp, save

A, B, C, D = -1.4, 1.6, 1.0, 0.7
width, height, count, steps = 1800, 1200, 200_000, 320
random = np.random.default_rng(8)
x, y = random.uniform(-1, 1, count), random.uniform(-1, 1, count)
density = np.zeros(width * height)
speed = np.zeros(width * height)
for step in range(steps):
    next_x, next_y = np.sin(A * y) + C * np.cos(A * x), np.sin(B * x) + D * np.cos(B * y)
    moved = np.hypot(next_x - x, next_y - y)
    x, y = next_x, next_y
    if step < 20:
        continue
    column = (((x - 0.30) / 1.86 + 1) * 0.5 * width).astype(int)
    row = (((y - 0.11) / 1.62 + 1) * 0.5 * height).astype(int)
    good = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = row[good] * width + column[good]
    density += np.bincount(place, minlength=width * height)
    speed += np.bincount(place, moved[good], width * height)
density, speed = density.reshape(height, width), speed.reshape(height, width)
pace = gaussian_filter(speed, 0.8) / np.maximum(gaussian_filter(density, 0.8), 0.5)
bright = np.log1p(density * 0.55) / np.log1p(np.percentile(density, 99.93) * 0.55)
halo = gaussian_filter(bright, 22)
tint = ramp(pace, [(0.3, '#ff5d52'), (0.9, '#ffb25e'), (1.4, '#f7ead2'), (2.0, '#7fd0e8'), (2.8, '#4a63f0')])
down = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
ground = ramp(down, [(0, '#070915'), (1, '#110b1d')])
picture = ground + tint * (bright**1.7 * 1.05)[..., None] + colour('#5a4bd0') * (halo**1.3 * 0.16)[..., None]
save('08-the-veil', picture)
