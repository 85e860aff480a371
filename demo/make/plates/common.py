"""What every plate shares: size, seeded noise, colour ramps, light on a height map, and writing a JPEG of bounded weight."""

import io
import os

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

WIDTH, HEIGHT = 1800, 1200
PLATES = os.path.join(os.path.dirname(__file__), '..', '..', 'site', 'plates')
MAPS = os.environ.get('MAPS', '/tmp/nearhand-demo')


def pixels(width=WIDTH, height=HEIGHT):
    """x and y of every pixel; y runs 0 to 1, x as far as the shape needs (0 to 1.5)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x / height, y / height


def noise(x, y, seed, period=256):
    """Gradient noise at any coordinates, about -0.7 to 0.7."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, (period, period)).astype(np.float32)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = x - left, y - top
    s, t = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)

    def corner(dx, dy):
        turn = angle[(top + dy) % period, (left + dx) % period]
        return np.cos(turn) * (u - dx) + np.sin(turn) * (v - dy)

    upper = corner(0, 0) * (1 - s) + corner(1, 0) * s
    lower = corner(0, 1) * (1 - s) + corner(1, 1) * s
    return (upper * (1 - t) + lower * t).astype(np.float32)


def layers(x, y, seed, octaves=6, gain=0.5):
    total, strength, scale = 0, 1, 1
    for octave in range(octaves):
        total = total + strength * noise(x * scale, y * scale, seed + octave)
        strength *= gain
        scale *= 2
    return total


def smooth(low, high, value):
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def colour(text):
    """'#d8a25c' as linear-ish floats, so that ramps do not go muddy in the middle."""
    return np.array([int(text[i:i + 2], 16) / 255 for i in (1, 3, 5)], np.float32) ** 2.2


def ramp(value, stops):
    """stops: [(position, '#rrggbb'), ...] in rising order."""
    positions = [position for position, _ in stops]
    colours = np.array([colour(text) for _, text in stops])
    return np.stack([np.interp(value, positions, colours[:, channel]) for channel in range(3)], -1).astype(np.float32)


def blend(under, over, amount):
    amount = np.asarray(amount, np.float32)
    return under * (1 - amount[..., None]) + over * amount[..., None]


def light(height, strength=1.0, east=-0.6, south=-0.5, up=0.62):
    """Brightness of a height map lit from one side, 0 to about 1."""
    slope_y, slope_x = np.gradient(height * strength)
    return np.clip((-slope_x * east * -1 + -slope_y * south * -1 + up) / np.sqrt(slope_x**2 + slope_y**2 + 1), 0, 2)


def shrink(picture, times):
    height, width = picture.shape[0] // times, picture.shape[1] // times
    return picture[:height * times, :width * times].reshape(height, times, width, times, -1).mean((1, 3))


def save(name, picture, most=560_000, least=160_000):
    """Linear floats to a progressive JPEG, at the best quality (90 down to 55) that weighs no more than `most` bytes."""
    picture = np.clip(np.nan_to_num(picture), 0, 1) ** (1 / 2.2)
    dither = np.random.default_rng(1).uniform(-0.5, 0.5, picture.shape)
    image = Image.fromarray(np.clip(picture * 255 + 0.5 + dither * 0.8, 0, 255).astype(np.uint8))
    for quality in range(92, 50, -3):
        out = io.BytesIO()
        image.save(out, 'JPEG', quality=quality, progressive=True, optimize=True, subsampling=0 if quality > 80 else 2)
        if out.tell() <= most:
            break
    os.makedirs(PLATES, exist_ok=True)
    with open(os.path.join(PLATES, name + '.jpg'), 'wb') as file:
        file.write(out.getvalue())
    print(f'{name}: {out.tell() // 1024} KiB, quality {quality}')
    assert out.tell() >= least, 'lighter than a plate should be'
