"""III. Quill Sound: the island of the sun table as a printed chart: tinted heights, shaded slopes, contour lines."""
import os
import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from common import MAPS, blend, colour, layers, light, pixels, ramp, save, smooth

island = np.fromfile(os.path.join(MAPS, 'island.f32'), '<f4').reshape(512, 512)
crop = gaussian_filter(island, 0.9)[88:88 + 338, 0:507]
height = zoom(crop, 3.552, order=3)[:1200, :1800]
x, y = pixels()
SEA = 0.075
land = smooth(SEA - 0.0012, SEA + 0.0012, height)
deep = ramp(height / SEA, [(0, '#2c6e86'), (0.3, '#4f97a4'), (0.7, '#8dc3bd'), (0.98, '#c9e4d3')])
high = ramp(height, [(SEA, '#b9c98f'), (0.16, '#d8d7a0'), (0.32, '#e8d3a0'), (0.5, '#d9a979'), (0.7, '#b98468'), (0.85, '#e6d8cf'), (1, '#ffffff')])
shade = light(gaussian_filter(height, 1.2), 190)
picture = blend(deep * (0.93 + 0.07 * light(height, 60))[..., None], high * (0.30 + 0.95 * shade)[..., None], land)


def lines(value, step, width):
    slope_y, slope_x = np.gradient(value)
    steep = np.hypot(slope_x, slope_y) + 1e-7
    distance = np.abs((value / step + 0.5) % 1 - 0.5) * step / steep
    crowded = smooth(1.2, 4.5, step / steep)
    return smooth(width + 0.6, width - 0.6, distance) * crowded


soft = gaussian_filter(height, 1.6)
brown, blue = np.ones_like(picture) * colour('#6b4326'), np.ones_like(picture) * colour('#1f5a78')
above = np.clip(soft - SEA, 0, None)
picture = blend(picture, brown, lines(above, 0.0185, 0.55) * land * 0.50)
picture = blend(picture, brown, lines(above, 0.0925, 1.0) * land * 0.75)
picture = blend(picture, blue, lines(np.clip(SEA - soft, 0, None) ** 0.6, 0.022, 0.5) * (1 - land) * 0.40)
coast = smooth(1.7, 0.3, np.abs(height - SEA) / (np.hypot(*np.gradient(height)) + 1e-6))
picture = blend(picture, np.ones_like(picture) * colour('#23424d'), coast * 0.85)
grid = np.maximum(smooth(0.0009, 0.0003, np.abs((x + 0.075) % 0.15 - 0.075)), smooth(0.0009, 0.0003, np.abs((y + 0.025) % 0.15 - 0.075)))
picture = blend(picture, np.ones_like(picture) * colour('#16303b'), grid * 0.22)
paper = 1 + 0.05 * layers(x * 160, y * 160, 33, 2) + 0.03 * layers(x * 6, y * 6, 34, 3)
save('03-quill-sound', picture * paper[..., None])
