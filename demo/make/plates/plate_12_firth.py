"""XII. Anders Firth: one evening frame of the film, drawn larger, and the film's still for before it plays."""
import io
import os
import subprocess
import numpy as np
from PIL import Image
from common import MAPS, PLATES, save


def frame(number, width, height):
    command = [os.path.join(MAPS, 'film'), os.path.join(MAPS, 'range.f32'), '1024', str(width), str(height), '864', str(number)]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


save('12-anders-firth', (frame(826, 1800, 1200).astype(np.float32) / 255) ** 2.2, least=120_000)
still = io.BytesIO()
Image.fromarray(frame(296, 1280, 720)).save(still, 'JPEG', quality=86, progressive=True, optimize=True)
with open(os.path.join(PLATES, '..', 'film', 'anders-firth.jpg'), 'wb') as file:
    file.write(still.getvalue())
print(f'still: {still.tell() // 1024} KiB')
