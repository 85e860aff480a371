"""V. Erg Tamesh: dune behind dune; each has a slow windward side, a sharp crest that meanders, and a dark lee."""
import numpy as np
from scipy.ndimage import gaussian_filter
from common import blend, colour, layers, noise, pixels, ramp, save, smooth

x, y = pixels()
picture = ramp(y, [(0, '#1d4a66'), (0.16, '#5c8795'), (0.30, '#d9b48f'), (0.40, '#f9cf93')])
picture = picture + np.exp(-np.hypot(x - 0.28, (y - 0.33) * 1.3) * 4)[..., None] * colour('#ffb067') * 0.55
grain = gaussian_filter(np.random.default_rng(5).normal(0, 1, x.shape), 0.7).astype(np.float32)

COUNT = 9
for index in range(COUNT):
    near = index / (COUNT - 1)
    wide, tall, base = 0.16 + 1.05 * near**1.5, 0.012 + 0.30 * near**1.35, 0.335 + 0.56 * near**1.3
    shift = index * 0.618 + 0.35
    line = x / wide + shift
    line = line + 0.20 * noise(line * 0.9, line * 0 + index, 50 + index)

    def height(phase):
        at = phase % 1
        tip = 0.62
        rise, fall = np.clip(at / tip, 0, 1), np.clip((1 - at) / (1 - tip), 0, 1)
        return np.where(at < tip, rise**1.7, fall**1.45)

    size = 0.55 + 0.45 * np.sin(np.floor(line[0]) * 2.4 + index)
    profile = base - tall * height(line[0]) * (0.45 + 0.55 * size) - 0.10 * tall * layers(x[0] / wide * 0.5, x[0] * 0 + index * 3, 70 + index, 3)
    profile = gaussian_filter(profile, 0.8 + near * 1.2)
    below = (y - profile[None, :]) / tall
    down = np.clip(below, 0, 4)
    meander = 0.16 * np.sin(down * 2.6 + index * 1.9) * smooth(0, 0.9, down) + 0.16 * down * (0.4 + 0.3 * np.sin(index * 2.2))
    meander = meander + 0.05 * layers(x / wide * 1.2, down * 0.9, 90 + index, 2) * smooth(0, 0.5, down)
    at = (line + meander) % 1
    lee = smooth(0.612, 0.626, at) * smooth(1.0, 0.90, at)
    climb = np.clip(at / 0.62, 0, 1)
    ripple_phase = (at * 34 * wide / 0.5 + down * 5.5 * tall / 0.2) + 1.7 * layers(x / wide * 4, down * 2, 110 + index, 3)
    ripple = np.sin(ripple_phase * 6.283 + 0.7 * np.sin(ripple_phase * 6.283)) * near**1.2 * (1 - lee)
    lit = 0.44 + 0.42 * climb**1.5 - 0.08 * down + ripple * 0.035 * (0.3 + climb)
    lit = lit + 0.10 * layers(x / wide * 1.5, down * 1.4, 120 + index, 3)
    sunny = ramp(lit, [(0.05, '#8c3f2c'), (0.3, '#c56f38'), (0.52, '#e39a52'), (0.75, '#f6c47a'), (0.98, '#ffecc0')])
    dark = ramp(down + 0.4 * layers(x / wide * 2, down * 1.2, 130 + index, 2), [(0, '#35162a'), (0.6, '#5a2430'), (1.6, '#8a3d34')])
    dark = dark * (1 + 0.16 * np.sin(ripple_phase * 2.2) * near)[..., None]
    body = blend(sunny, dark, lee) * (1 + 0.045 * grain * (0.3 + near))[..., None]
    edge = smooth(0.035, 0.0, np.abs(at - 0.612)) * (1 - lee) * 0.35
    body = body + edge[..., None] * colour('#fff0c4')
    air = (1 - near) ** 1.5 * 0.80 + 0.22 * smooth(0.3, 2.2, down) * (1 - near)
    body = blend(body, np.ones_like(body) * colour('#f2bd86'), np.clip(air, 0, 1))
    picture = blend(picture, body, smooth(-0.0007, 0.0007, y - profile[None, :]))
save('05-erg-tamesh', picture)
