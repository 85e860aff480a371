"""VII. Lantern Firth: curtains of folded noise above a black shore, and the water's answer."""
import numpy as np
from scipy.ndimage import gaussian_filter
from common import blend, colour, layers, noise, pixels, ramp, save, smooth

x, y = pixels()
SHORE = 0.66


def heavens(x, y):
    sky = ramp(y / SHORE, [(0, '#030817'), (0.5, '#081a2e'), (0.85, '#12354a'), (1, '#1f5158')])
    for index, (foot, tall, tint, top, strength) in enumerate([
        (0.40, 0.34, '#3dffb0', '#7b4dff', 0.95), (0.52, 0.26, '#35f5c0', '#3a6bff', 0.65), (0.30, 0.30, '#a6ff6b', '#ff4d94', 0.50),
    ]):
        curtain = foot + 0.13 * layers(x * 1.1 + index * 5, x * 0 + index, 61 + index, 4, 0.45)
        fold = x + 0.10 * layers(x * 2.4 + index * 3, y * 0.9, 71 + index, 3)
        rays = 0.45 + 0.75 * np.clip(layers(fold * 26, fold * 0 + index, 81 + index, 4, 0.62) + 0.25, 0, 1.2)
        patch = smooth(-0.35, 0.30, layers(x * 1.3 + 9, x * 0 + index * 2, 91 + index, 2))
        up = curtain - y
        fall = np.where(up > 0, np.exp(-up / (tall * 0.36) * (1.3 - 0.5 * rays)), np.exp(up / 0.016))
        mixed = ramp(np.clip(up / tall, 0, 1), [(0, tint), (0.45, tint), (1, top)])
        sky = sky + mixed * (fall * rays * patch * strength)[..., None]
    return sky


def stars():
    random = np.random.default_rng(6)
    field = np.zeros(x.shape, np.float32)
    for _ in range(1500):
        field[int(random.uniform(0, SHORE) * 1200), random.integers(0, 1800)] += random.pareto(2.2) * 1.3 + 0.15
    return np.clip(gaussian_filter(field, 0.75) * 2.6, 0, 1.3) + gaussian_filter(np.clip(field - 4, 0, 4), 2.2) * 1.2


above = heavens(x, y) + (stars() * (0.6 + 0.4 * smooth(SHORE, 0, y)))[..., None]
ripple = layers(x * 9, np.clip(y - SHORE + 0.02, 0, 1) ** 0.5 * 120, 66, 4)
depth = np.clip(y - SHORE, 0, 1)
mirror_y = SHORE - depth * 1.35 + ripple * (0.006 + depth * 0.10)
mirror_x = x + ripple * depth * 0.03
water = heavens(mirror_x, np.clip(mirror_y, 0, SHORE)) * (0.62 * np.exp(-depth * 1.1))[..., None]
water = water * (1 + 0.35 * ripple)[..., None]
picture = np.where((y < SHORE)[..., None], above, water)
for index, (tall, base, tint, glow) in enumerate([(0.24, 0.0, '#0a1c28', '#1d6a63'), (0.12, 0.004, '#081722', '#0f3b3f'), (0.055, 0.012, '#040b12', '#06171c')]):
    line = x[0] * (2.1 + index * 1.3) + index * 7
    crest = (1 - np.abs(layers(line, line * 0 + index, 40 + index * 9, 8, 0.47)) * 1.7)
    frame = 0.30 + 0.70 * smooth(0.16, 0.62, np.abs(x[0] - 0.74 + index * 0.1))
    peak = tall * np.clip(crest, 0.03, 1) * frame
    for side in (1, -1):
        edge = SHORE + base - side * peak[None, :] * (1 if side > 0 else 0.62)
        wave = (ripple * (0.004 + depth * 0.05)) if side < 0 else 0
        inside = smooth(-0.0008, 0.0008, (y + wave - edge) * side) * ((y - SHORE - base) * side <= 0)
        shade = ramp(np.clip(np.abs(y - edge) / 0.10, 0, 1), [(0, glow), (1, tint)])
        facets = 1 + 0.35 * layers(x * 30 + y * 14, y * 24, 140 + index, 4)
        picture = blend(picture, shade * (facets * (1 if side > 0 else 0.7))[..., None], inside * (1 if side > 0 else 0.9))
lamps = np.zeros(x.shape, np.float32)
random = np.random.default_rng(61)
for _ in range(11):
    column, row = int(random.normal(1.19, 0.045) * 1200), int((SHORE + random.uniform(-0.012, 0.004)) * 1200)
    lamps[row, min(1799, column)] = 1
    for drop in range(60):
        lamps[min(1199, row + 12 + drop * 2), min(1799, column + int(random.normal(0, 1.6)))] += 0.05 * np.exp(-drop / 16)
picture += (gaussian_filter(lamps, 1.3) * 11 + gaussian_filter(lamps, 8) * 22)[..., None] * colour('#ffb964')
save('07-lantern-firth', picture)
