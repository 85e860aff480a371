"""The bones of every letter: centre lines only. `build.py` puts flesh of a chosen thickness on them.

A letter is a function of `s`, half the stroke, and returns (width of its box, [lines]). Coordinates are those of the box:
0 is the baseline and the left edge of the ink, 700 the capital height, 500 the height of a small x, -190 the lowest tail.
"""

from math import cos, radians, sin

CAP, LOW, TAIL = 700, 500, -190


def arc(x, y, wide, high, start, end):
    """Degrees, anticlockwise from the right; a negative run goes clockwise."""
    steps = max(2, int(abs(end - start) / 5))
    turns = [radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + wide * cos(turn), y + high * sin(turn)) for turn in turns]


def ring(x, y, wide, high):
    return arc(x, y, wide, high, 90, 450)


def bowl(left, right, low, high):
    """The right half of a D: straight in, half a turn, straight back."""
    tall = (high - low) / 2
    bend = max(right - tall, left + 1)
    return [(left, high), *arc(bend, low + tall, right - bend, tall, 90, -90), (left, low)]


def big_o(s, width=690):
    return width, [ring(width / 2, CAP / 2, width / 2 - s, CAP / 2 - s)]


def open_round(s, width, height, start, end):
    return arc(width / 2, height / 2, width / 2 - s, height / 2 - s, start, end)


def letter_s(s, width, height):
    upper = (height - 2 * s) * 0.235 + 0
    lower = (height - 2 * s) / 2 - upper
    top, low = height - s - upper, s + lower
    half = width / 2
    return [[*arc(half, top, half - s * 1.12, upper, 28, 270)[:-1], *arc(half, low, half - s, lower, 90, -152)]]


def figure_three(s, width, height):
    cut = s + (height - 2 * s) * 0.53
    return [[*arc(width / 2, (height - s + cut) / 2, width / 2 - s * 1.15, (height - s - cut) / 2, 150, -90)],
            [*arc(width / 2, (cut + s) / 2, width / 2 - s, (cut - s) / 2, 90, -150)]]


CAPITALS = {
    'A': lambda s: (700, [[(s * 0.9, s * 0), (350, CAP - s * 0.9), (700 - s * 0.9, 0)], [(175, 210), (525, 210)]]),
    'B': lambda s: (530, [[*bowl(s, 500 - s, 365, CAP - s)], [*bowl(s, 530 - s, s, 365)], [(s, s), (s, CAP - s)]]),
    'C': lambda s: (640, [open_round(s, 690, CAP, 48, 312)]),
    'D': lambda s: (620, [[*bowl(s, 620 - s, s, CAP - s), (s, CAP - s)]]),
    'E': lambda s: (470, [[(470 - s, CAP - s), (s, CAP - s), (s, s), (470 - s, s)], [(s, 360), (430 - s, 360)]]),
    'F': lambda s: (450, [[(450 - s, CAP - s), (s, CAP - s), (s, s)], [(s, 340), (410 - s, 340)]]),
    'G': lambda s: (670, [[*open_round(s, 690, CAP, 46, 360), (400, CAP / 2)]]),
    'H': lambda s: (600, [[(s, s), (s, CAP - s)], [(600 - s, s), (600 - s, CAP - s)], [(s, 360), (600 - s, 360)]]),
    'I': lambda s: (2 * s, [[(s, s), (s, CAP - s)]]),
    'J': lambda s: (400, [[(400 - s, CAP - s), (400 - s, 205), *arc(200, 205, 200 - s, 205 - s, 0, -155)]]),
    'K': lambda s: (570, [[(s, s), (s, CAP - s)], [(550 - s, CAP), (s * 1.0, 290)], [(222, 425), (570 - s, 0)]]),
    'L': lambda s: (440, [[(s, CAP - s), (s, s), (440 - s, s)]]),
    'M': lambda s: (740, [[(s, s), (s, CAP - s), (370, 170), (740 - s, CAP - s), (740 - s, s)]]),
    'N': lambda s: (610, [[(s, s), (s, CAP - s), (610 - s, s), (610 - s, CAP - s)]]),
    'O': big_o,
    'P': lambda s: (510, [[*bowl(s, 510 - s, 300, CAP - s)], [(s, s), (s, CAP - s)]]),
    'Q': lambda s: (700, [*big_o(s)[1], [(420, 210), (640, 20)]]),
    'R': lambda s: (540, [[*bowl(s, 515 - s, 320, CAP - s)], [(s, s), (s, CAP - s)], [(280, 320), (530 - s, 0)]]),
    'S': lambda s: (500, letter_s(s, 500, CAP)),
    'T': lambda s: (560, [[(s, CAP - s), (560 - s, CAP - s)], [(280, CAP - s), (280, s)]]),
    'U': lambda s: (590, [[(s, CAP - s), (s, 295), *arc(295, 295, 295 - s, 295 - s, 180, 360), (590 - s, CAP - s)]]),
    'V': lambda s: (660, [[(s * 0.9, CAP), (330, s * 0.9), (660 - s * 0.9, CAP)]]),
    'W': lambda s: (980, [[(s * 0.9, CAP), (265, s * 0.9), (490, CAP - s), (715, s * 0.9), (980 - s * 0.9, CAP)]]),
    'X': lambda s: (620, [[(s, CAP), (620 - s, 0)], [(620 - s, CAP), (s, 0)]]),
    'Y': lambda s: (620, [[(s * 0.9, CAP), (310, 330), (620 - s * 0.9, CAP)], [(310, 330), (310, s)]]),
    'Z': lambda s: (540, [[(s, CAP - s), (540 - s * 1.3, CAP - s), (s * 1.3, s), (540 - s, s)]]),
}


def small_bowl(s, width=510):
    return ring(width / 2, LOW / 2, width / 2 - s, LOW / 2 - s)


def arch(s, left, right):
    half = (right - left) / 2
    return [*arc(left + half, LOW - s - half, half, half, 180, 0), (right, s)]


SMALL = {
    'a': lambda s: (510, [small_bowl(s), [(510 - s, s), (510 - s, LOW - s)]]),
    'b': lambda s: (510, [small_bowl(s), [(s, s), (s, 740 - s)]]),
    'c': lambda s: (455, [open_round(s, 500, LOW, 48, 312)]),
    'd': lambda s: (510, [small_bowl(s), [(510 - s, s), (510 - s, 740 - s)]]),
    'e': lambda s: (505, [[(s, 252), (505 - s, 252), *arc(252.5, LOW / 2, 252.5 - s, LOW / 2 - s, 0, 314)]]),
    'f': lambda s: (320, [[(110, s), (110, 560), *arc(110 + 145, 740 - s - 145, 145, 145, 180, 82)], [(s, LOW - s), (300 - s, LOW - s)]]),
    'g': lambda s: (510, [small_bowl(s), [(510 - s, LOW - s), (510 - s, 50), *arc(255, 40, 255 - s, 230 - s, 0, -148)]]),
    'h': lambda s: (460, [[(s, s), (s, 740 - s)], arch(s, s, 460 - s)]),
    'i': lambda s: (2 * s, [[(s, s), (s, LOW - s)], [(s, 668), (s, 670)]]),
    'j': lambda s: (150 + s, [[(150, LOW - s), (150, -20), *arc(0, -20, 150, 170 - s, 0, -72)], [(150, 668), (150, 670)]]),
    'k': lambda s: (440, [[(s, s), (s, 740 - s)], [(425 - s, LOW), (s, 195)], [(180, 300), (440 - s, 0)]]),
    'l': lambda s: (2 * s, [[(s, s), (s, 740 - s)]]),
    'm': lambda s: (730, [[(s, s), (s, LOW - s)], arch(s, s, 365), arch(s, 365, 730 - s)]),
    'n': lambda s: (460, [[(s, s), (s, LOW - s)], arch(s, s, 460 - s)]),
    'o': lambda s: (510, [small_bowl(s)]),
    'p': lambda s: (510, [small_bowl(s), [(s, TAIL + s), (s, LOW - s)]]),
    'q': lambda s: (510, [small_bowl(s), [(510 - s, TAIL + s), (510 - s, LOW - s)]]),
    'r': lambda s: (320, [[(s, s), (s, LOW - s)], arc(s + 190, LOW - s - 190, 190, 190, 180, 72)]),
    's': lambda s: (400, letter_s(s, 400, LOW)),
    't': lambda s: (330, [[(115, 640), (115, 165), *arc(115 + 145, 165, 145, 165 - s, 180, 288)], [(s, LOW - s), (300 - s, LOW - s)]]),
    'u': lambda s: (460, [[(s, LOW - s), (s, 230), *arc(230, 230, 230 - s, 230 - s, 180, 360), (460 - s, LOW - s)], [(460 - s, s), (460 - s, LOW - s)]]),
    'v': lambda s: (480, [[(s * 0.9, LOW), (240, s * 0.9), (480 - s * 0.9, LOW)]]),
    'w': lambda s: (720, [[(s * 0.9, LOW), (195, s * 0.9), (360, LOW - s), (525, s * 0.9), (720 - s * 0.9, LOW)]]),
    'x': lambda s: (460, [[(s, LOW), (460 - s, 0)], [(460 - s, LOW), (s, 0)]]),
    'y': lambda s: (480, [[(s * 0.9, LOW), (244, 40)], [(480 - s * 0.9, LOW), (150, TAIL)]]),
    'z': lambda s: (410, [[(s, LOW - s), (410 - s * 1.3, LOW - s), (s * 1.3, s), (410 - s, s)]]),
}

FIGURES = {
    '0': lambda s: (560, [ring(280, 350, 280 - s, 350 - s)]),
    '1': lambda s: (300, [[(s * 0.6, 560), (300 - s, CAP - s), (300 - s, s)]]),
    '2': lambda s: (510, [[*arc(255, 445, 255 - s, 255 - s, 165, -38), (s * 1.4, s), (510 - s, s)]]),
    '3': lambda s: (510, figure_three(s, 510, CAP)),
    '4': lambda s: (570, [[(430, s), (430, CAP - s), (s * 1.2, 205), (570 - s, 205)]]),
    '5': lambda s: (510, [[(460 - s, CAP - s), (120, CAP - s), (95, 392), *arc(250, 235, 260 - s, 235 - s, 118, -150)]]),
    '6': lambda s: (540, [ring(270, 235, 270 - s, 235 - s), [*arc(540 - s, 235, 540 - 2 * s, CAP - 235, 180, 118)]]),
    '7': lambda s: (500, [[(s, CAP - s), (500 - s * 1.4, CAP - s), (170, 0)]]),
    '8': lambda s: (530, [ring(265, 530 - s / 2, 235 - s, 170 - s / 2), ring(265, 180 + s / 2, 265 - s, 180 - s / 2)]),
    '9': lambda s: (540, [ring(270, 465, 270 - s, 235 - s), [*arc(s, 465, 540 - 2 * s, CAP - 235, 0, -62)]]),
}
