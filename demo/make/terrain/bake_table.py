"""Cuts the island out of its height map and writes it as a C table of 16-bit numbers: bake_table.py island.f32 table.h"""
import sys

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

WIDTH, HEIGHT = 384, 240
island = np.fromfile(sys.argv[1], '<f4').reshape(512, 512)
crop = gaussian_filter(island, 0.9)[96:96 + 315, 4:4 + 504]
small = zoom(crop, (HEIGHT / crop.shape[0], WIDTH / crop.shape[1]), order=3)[:HEIGHT, :WIDTH]
numbers = np.clip(small / small.max() * 65535 + 0.5, 0, 65535).astype(int)
with open(sys.argv[2], 'w') as out:
    out.write(f'enum {{ TABLE_WIDTH = {WIDTH}, TABLE_HEIGHT = {HEIGHT} }};\n')
    out.write('static const unsigned short TABLE[TABLE_WIDTH * TABLE_HEIGHT] = {\n')
    for row in numbers:
        out.write(','.join(map(str, row)) + ',\n')
    out.write('};\n')
