"""XI. Sevenfold Court: the hyperbolic plane paved with heptagons, three at each corner, seen in the disk of Poincare."""
import numpy as np
from common import blend, colour, layers, pixels, ramp, save, shrink, smooth

SCALE, P, Q = 2, 7, 3
x, y = pixels(1800 * SCALE, 1200 * SCALE)
z = ((x - 0.75) + 1j * (y - 0.5)) / 0.72 + (0.0 + 0.0j)
outside = np.abs(z) >= 1
z = np.where(outside, 0, z)
turn, move = np.exp(0.31j), 0.34 - 0.21j
z = turn * (z - move) / (1 - np.conj(move) * z)
centre = 1 / np.sqrt(1 - (np.sin(np.pi / P) / np.cos(np.pi / Q)) ** 2)
radius = np.sqrt(centre**2 - 1)
flips = np.zeros(z.shape, np.int32)
rings = np.zeros(z.shape, np.int32)
active = np.arange(z.size)
flat, flat_flips, flat_rings = z.ravel(), flips.ravel(), rings.ravel()
for _ in range(40):
    here = flat[active]
    angle = np.angle(here)
    sector = np.round(angle / (2 * np.pi / P))
    here = here * np.exp(-1j * sector * 2 * np.pi / P)
    below = here.imag < 0
    here = np.where(below, np.conj(here), here)
    flat_flips[active] += below
    reach = np.abs(here - centre)
    inside = reach < radius
    here = np.where(inside, centre + radius**2 / np.conj(here - centre), here)
    flat_flips[active] += inside
    flat_rings[active] += inside
    flat[active] = here
    active = active[inside]
    if active.size == 0:
        break
angle = np.abs(np.angle(z * np.exp(-1j * np.round(np.angle(z) / (2 * np.pi / P)) * 2 * np.pi / P)))
size = np.abs(z)
edge = np.abs(np.abs(z - centre) - radius)
odd = flips % 2
tone = size / (centre - radius)
PAINT = ['#1b6b74', '#d9663f', '#e3a93a', '#26466d', '#8c3355', '#5d8f6d']
dark = np.array([colour(text) for text in PAINT])
pale = np.array([colour(text) for text in ['#f3e6cd', '#f7dcb0', '#f8ecd0', '#e9e2d0', '#f1d8c4', '#eee7cf']])
wedge, pale = dark[rings % len(PAINT)], pale[rings % len(PAINT)]
picture = np.where((odd == 0)[..., None], wedge, pale)
picture = blend(picture, np.ones_like(picture) * colour('#0b1b2b'), smooth(0.16, 0.145, np.abs(tone - 0.70)) * (odd == 0) * 0.55)
picture = blend(picture, np.ones_like(picture) * colour('#fff7e6'), smooth(0.020, 0.012, np.abs(tone - 0.70)) * 0.9)
picture = blend(picture, np.ones_like(picture) * colour('#c8453b'), smooth(0.235, 0.225, tone))
picture = blend(picture, np.ones_like(picture) * colour('#fff3d9'), smooth(0.14, 0.13, tone))
picture = blend(picture, np.ones_like(picture) * colour('#0b1b2b'), smooth(0.018, 0.010, edge))
round_shade = 0.72 + 0.34 * np.sqrt(np.clip(1 - (np.hypot(x - 0.75, y - 0.5) / 0.72) ** 2, 0, 1))
drift = 1 + 0.10 * layers(x * 9, y * 9, 101, 4)
picture = picture * (round_shade * drift)[..., None]
far = ramp(np.hypot(x - 0.75, y - 0.5), [(0.7, '#16283a'), (0.9, '#08121d')]) * (1 + 0.25 * layers(x * 40, y * 40, 105, 3))[..., None]
picture = np.where(outside[..., None], far, picture)
save('11-sevenfold-court', shrink(picture.astype(np.float32), SCALE))
