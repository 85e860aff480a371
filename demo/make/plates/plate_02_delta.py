"""II. Selva Delta: four thousand threads let go in a field of turning noise, each as far as it likes to run."""
import numpy as np
from PIL import Image, ImageDraw
from common import colour, layers, save, shrink

SCALE, COUNT, STEPS = 2, 4300, 190
width, height = 1800 * SCALE, 1200 * SCALE
random = np.random.default_rng(2)
x, y = random.uniform(-0.1, 1.6, COUNT), random.uniform(-0.1, 1.1, COUNT)
start_x, start_y = x.copy(), y.copy()
paths = [np.stack([x, y], -1)]
for _ in range(STEPS):
    turn = layers(x * 1.15 + 5, y * 1.15, 21, 3, 0.42) * 5.2 + 0.35
    x, y = x + np.cos(turn) * 0.0030, y + np.sin(turn) * 0.0030
    paths.append(np.stack([x, y], -1))
paths = (np.stack(paths, 1) * 1200 * SCALE).astype(np.float32)

PALETTE = ['#0b3d3a', '#12635a', '#1f8a70', '#7fb685', '#d9d6a3', '#f0b65a', '#e2713d', '#123047', '#eadfca']
image = Image.new('RGB', (width, height), '#0a1e24')
draw = ImageDraw.Draw(image)
place = layers(start_x * 1.1, start_y * 1.1, 60, 3) * 4.6 + 3.6 + random.normal(0, 0.55, COUNT)
order = random.permutation(COUNT)
for index in order:
    length = int(STEPS * random.uniform(0.25, 1))
    tint = PALETTE[int(np.clip(place[index], 0, len(PALETTE) - 1))]
    shadow = tuple(int(int(tint[i:i + 2], 16) * 0.25) for i in (1, 3, 5))
    thick = int(random.choice([7, 10, 14, 20, 30], p=[0.22, 0.30, 0.26, 0.16, 0.06]))
    points = [tuple(point) for point in paths[index, :length:2]]
    if len(points) < 4:
        continue
    draw.line(points, fill=shadow, width=thick + 5, joint='curve')
    draw.line(points, fill=tint, width=thick, joint='curve')
    for end in (points[0], points[-1]):
        radius = thick / 2 - 0.5
        draw.ellipse([end[0] - radius, end[1] - radius, end[0] + radius, end[1] + radius], fill=tint)
picture = (np.asarray(image, np.float32) / 255) ** 2.2
save('02-selva-delta', shrink(picture, SCALE))
