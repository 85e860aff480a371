"""IV. Halden Coil: the Julia set of -0.7453 + 0.1127i, coloured by distance and by the nearest pass to a line."""
import numpy as np
from common import blend, colour, pixels, ramp, save, shrink, smooth

SCALE = 2
x, y = pixels(1800 * SCALE, 1200 * SCALE)
z = ((x - 0.75) * 1.18 + 1j * (y - 0.5) * 1.18) * np.exp(0.42j) * 1.25 + (0.02 + 0.01j)
z = z.astype(np.complex64)
c = np.complex64(-0.74543 + 0.11301j)
slope = np.ones_like(z)
count = np.zeros(z.shape, np.float32)
trap = np.full(z.shape, 9, np.float32)
cross = np.full(z.shape, 9, np.float32)
alive = np.arange(z.size)
flat_z, flat_slope = z.ravel(), slope.ravel()
for step in range(420):
    here, tangent = flat_z[alive], flat_slope[alive]
    tangent = 2 * here * tangent
    here = here * here + c
    flat_z[alive], flat_slope[alive] = here, tangent
    trap.ravel()[alive] = np.minimum(trap.ravel()[alive], np.abs(here))
    cross.ravel()[alive] = np.minimum(cross.ravel()[alive], np.abs(here.real * 0.8 + here.imag * 0.6))
    size = np.abs(here)
    out = size > 40
    count.ravel()[alive[out]] = step + 1 - np.log2(np.log(size[out]) / np.log(40))
    alive = alive[~out]
    if alive.size == 0:
        break
size = np.abs(z)
inside = count == 0
with np.errstate(all='ignore'):
    distance = size * np.log(size) / np.abs(slope) * 1200
near = np.clip(np.nan_to_num(distance, nan=0.0), 0, 60)
band = np.log1p(np.clip(count, 0, None)) / np.log(420)
picture = ramp(band, [(0.25, '#04101f'), (0.45, '#0b2742'), (0.56, '#155a6b'), (0.66, '#63a68c'), (0.75, '#f2d998'), (0.84, '#e58a3a'), (0.93, '#8f2d26'), (1, '#2b0c1c')])
picture *= (0.60 + 0.55 * smooth(0.0, 2.2, near))[..., None]
picture = blend(picture, np.ones_like(picture) * colour('#fff2cf'), smooth(0.055, 0.0, cross) * smooth(0.2, 1.5, near) * 0.55)
picture[inside] = ramp(trap[inside], [(0, '#ffe9b8'), (0.3, '#c2672c'), (0.8, '#1b0a18')])
save('04-halden-coil', shrink(picture, SCALE))
