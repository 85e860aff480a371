"""VI. Cinder Salt: a dried lake from straight above: two sizes of Voronoi cracks, crusts that curl, pools left in between."""
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from common import blend, colour, layers, light, pixels, ramp, save, smooth

x, y = pixels()
warp_x = x + 0.018 * layers(x * 7, y * 7, 71, 4)
warp_y = y + 0.018 * layers(x * 7 + 9, y * 7, 75, 4)


def cells(count, seed):
    random = np.random.default_rng(seed)
    points = random.uniform((-0.1, -0.1), (1.6, 1.1), (count, 2))
    for _ in range(3):
        nearest = cKDTree(points).query(random.uniform((-0.1, -0.1), (1.6, 1.1), (count * 40, 2)))
        spots = random.uniform((-0.1, -0.1), (1.6, 1.1), (count * 40, 2))
        owner = cKDTree(points).query(spots)[1]
        sums = np.stack([np.bincount(owner, spots[:, axis], count) for axis in (0, 1)], -1)
        counts = np.bincount(owner, minlength=count)[:, None]
        points = np.where(counts > 0, points * 0.5 + sums / np.maximum(counts, 1) * 0.5, points)
    distance, index = cKDTree(points).query(np.stack([warp_x.ravel(), warp_y.ravel()], -1), k=2)
    first, second = points[index[:, 0]], points[index[:, 1]]
    gap = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * np.linalg.norm(first - second, axis=1))
    return gap.reshape(x.shape).astype(np.float32), index[:, 0].reshape(x.shape)


big, owner = cells(230, 7)
small, piece = cells(3600, 70)
value = np.random.default_rng(8).uniform(0, 1, 230)[owner]
shade_of_piece = np.random.default_rng(9).uniform(0, 1, 3600)[piece]
dry = layers(x * 1.5 + 3, y * 1.5, 78, 4) * 1.3 + 0.12
wet = smooth(0.30, -0.36, dry + (value - 0.5) * 0.75)
curl = smooth(0, 0.016, big) * 0.9 + 0.5 * np.exp(-((big - 0.006) / 0.004) ** 2) + 0.30 * smooth(0, 0.006, small)
surface = curl + 0.10 * layers(x * 50, y * 50, 79, 4) + 0.30 * layers(x * 5, y * 5, 85, 3)
lit = light(gaussian_filter(surface, 0.9), 5.5, up=0.75)
crust = ramp(value * 0.55 + shade_of_piece * 0.25 + 0.25 * dry, [(0, '#a8694e'), (0.3, '#d9a184'), (0.55, '#efd0b4'), (0.8, '#f8ebdc'), (1, '#ffffff')])
crust = crust * (0.25 + 0.95 * lit)[..., None]
crust = blend(crust, np.ones_like(crust) * colour('#3a1c1c'), smooth(0.0021, 0.0006, small) * 0.55)
pool = ramp(value + 0.16 * layers(x * 9, y * 9, 88, 3), [(0, '#0d4f63'), (0.35, '#1d8791'), (0.65, '#58b9ad'), (1, '#c7e8cf')])
pool = blend(pool, np.ones_like(pool) * colour('#f4efe2'), smooth(0.020, 0.004, big + 0.010 * layers(x * 40, y * 40, 89, 3)) * 0.75)
pool = pool * (0.86 + 0.22 * layers(x * 22, y * 60, 92, 3))[..., None]
brine = smooth(0.45, 0.62, wet)
rust = smooth(0.30, 0.55, wet) * (1 - brine)
crust = blend(crust, np.ones_like(crust) * colour('#b8432e'), rust * 0.55)
picture = blend(crust, pool, brine)
picture = blend(picture, np.ones_like(picture) * colour('#22100f'), smooth(0.0042, 0.0016, big) * (1 - brine * 0.85))
save('06-cinder-salt', picture)
