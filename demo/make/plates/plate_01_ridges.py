"""I. Morrow Ridge: thirteen noise profiles, one behind the other, each paler by the air between."""
import numpy as np
from common import blend, colour, layers, noise, pixels, ramp, save, smooth

x, y = pixels()
sky = ramp(y, [(0, '#22304f'), (0.22, '#5d6488'), (0.42, '#c98d86'), (0.55, '#f2b880'), (0.64, '#ffe0a6')])
sun = np.hypot(x - 1.02, (y - 0.40))
picture = sky + np.exp(-sun * 5.5)[..., None] * colour('#ff9a52') * 0.55
picture = blend(picture, np.ones_like(picture) * colour('#fff3d6') * 1.1, smooth(0.0765, 0.0745, sun))
veil = layers(x * 1.6 + 3, y * 15, 90, 5)
picture = blend(picture, np.ones_like(picture) * colour('#f7c79b'), smooth(0.05, 0.65, veil) * 0.5 * smooth(0.62, 0.25, y))

COUNT = 13
for index in range(COUNT):
    near = index / (COUNT - 1)
    line = x[0] * (1.6 + 2.4 * (1 - near)) + index * 17.3
    crest = 1 - np.abs(layers(line, line * 0 + index * 3.7, 300 + index * 10, 8, 0.48)) * 1.5
    rolling = layers(line * 0.6, line * 0 + 1.5, 500 + index * 10, 4)
    base = 0.43 + 0.60 * near**1.25
    profile = base - (0.02 + 0.17 * near**0.7) * (crest - 0.55) - 0.05 * rolling
    inside = smooth(-0.0006, 0.0006, y - profile[None, :])
    depth = np.clip((y - profile[None, :]) / (0.05 + 0.20 * near), 0, 1)
    tint = ramp(np.array(near), [(0, '#dfa58c'), (0.25, '#a77886'), (0.5, '#64567a'), (0.75, '#2f3355'), (1, '#0d1428')])
    mist = ramp(np.array(near), [(0, '#f8cfa0'), (0.35, '#d9a295'), (0.7, '#75678a'), (1, '#1a2340')])
    grain = 1 + 0.16 * noise(x * 90 + y * 30, y * 150 + index * 9, 700 + index) * near
    fold = 1 + 0.35 * smooth(-0.2, 0.5, layers(x * 9 + y * 6, y * 5 + index, 800 + index, 4)) * near * (1 - depth)
    body = tint * (grain * fold)[..., None]
    body = blend(body, np.ones_like(body) * mist, depth**1.4 * (0.85 - 0.35 * near))
    rim = smooth(0.010, 0, y - profile[None, :]) * np.exp(-np.abs(x - 1.02) * 2.2) * 0.55 * (1 - near * 0.6)
    picture = blend(picture, body + rim[..., None] * colour('#ffb36b'), inside)

stand = np.zeros_like(x)
random = np.random.default_rng(12)
for _ in range(520):
    foot, tall = random.uniform(-0.02, 1.52), random.uniform(0.018, 0.075)
    ground = 1.02 - 0.09 * np.sin(foot * 2.1 + 0.4) ** 2 + random.uniform(0, 0.05)
    left, right = int((foot - 0.03) * 1200), int((foot + 0.03) * 1200)
    window = (slice(max(0, int((ground - tall) * 1200)), 1200), slice(max(0, left), max(0, min(1800, right))))
    up = np.clip((ground - y[window]) / tall, 0, 1)
    saw = 0.65 + 0.35 * (1 - (up * 9 % 1))
    reach = tall * 0.20 * (1 - up) * saw + 0.0006
    stand[window] = np.maximum(stand[window], smooth(0.0008, -0.0008, np.abs(x[window] - foot) - reach))
picture = blend(picture, np.ones_like(picture) * colour('#070c18'), stand)
save('01-morrow-ridge', picture)
