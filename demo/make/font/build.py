"""Builds the two faces of Waymark from centre lines: `waymark` (plain) and `waymark-contour` (map lines, for big sizes)."""

import os
import sys
import unicodedata
from math import atan2, degrees, hypot

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from shapely import affinity
from shapely.geometry import LineString, Polygon, box
from shapely.ops import unary_union

from signs import ACCENTED, MARKS, SIGNS
from skeletons import CAPITALS, FIGURES, SMALL

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'site', 'fonts')
EPOCH = 3786912000  # 2024-01-01 in seconds since 1904, so that two builds are the same bytes
ROUND_LEFT, ROUND_RIGHT = set('CGOQceodqag069@&('), set('DOQbopBPRSs0358369)')
SLANT = set('AVWXYvwxykKZz/7TTLfrt')


def flesh(lines, half, capital_clip):
    """Plain: square ends, sharp joins, cut level with the lines the letter stands between."""
    parts = [LineString(line).buffer(half, quad_segs=14, cap_style='square', join_style='mitre', mitre_limit=2.4) for line in lines]
    shape = unary_union(parts)
    return shape.intersection(box(-300, capital_clip[0], 1500, capital_clip[1])) if capital_clip else shape


def contours(lines, half, clip):
    """Contour: a hollow line around, like a height line around a ridge, and the ridge itself. Ends are drawn in, not cut."""
    if clip:
        lines = [[(x, min(max(y, clip[0] + half), clip[1] - half)) for x, y in line] for line in lines]

    def around(radius):
        return unary_union([LineString(line).buffer(radius, quad_segs=16, cap_style='round', join_style='round') for line in lines])
    return around(half).difference(around(half * 0.745)).union(around(half * 0.43).difference(around(half * 0.13)))


def draw(pen, ring):
    """Corners and ends of straight runs become on-curve points; what lies on a bend becomes a control point."""
    points = list(ring.simplify(0.12).coords)[:-1]
    count = len(points)
    kinds = []
    for index, here in enumerate(points):
        before, after = points[index - 1], points[(index + 1) % count]
        first, second = (here[0] - before[0], here[1] - before[1]), (after[0] - here[0], after[1] - here[1])
        turn = abs((degrees(atan2(second[1], second[0]) - atan2(first[1], first[0])) + 180) % 360 - 180)
        kinds.append(turn > 17 or hypot(*first) > 62 or hypot(*second) > 62)
    if not any(kinds):
        pen.qCurveTo(*points, None)
        pen.closePath()
        return
    start = kinds.index(True)
    points, kinds = points[start:] + points[:start], kinds[start:] + kinds[:start]
    pen.moveTo(points[0])
    waiting = []
    for point, fixed in [*zip(points[1:], kinds[1:]), (points[0], True)]:
        if not fixed:
            waiting.append(point)
        elif waiting:
            pen.qCurveTo(*waiting, point)
            waiting = []
        else:
            pen.lineTo(point)
    pen.closePath()


def outline(shape):
    pen = TTGlyphPen(None)
    for part in getattr(shape, 'geoms', [shape]):
        if isinstance(part, Polygon) and part.area > 4:
            draw(pen, Polygon(part.exterior).reverse().exterior if Polygon(part.exterior).exterior.is_ccw else part.exterior)
            for hole in part.interiors:
                draw(pen, hole if hole.is_ccw else hole.reverse())
    return pen.glyph()


def letter_lines(letter, half):
    table = CAPITALS if letter in CAPITALS else SMALL if letter in SMALL else FIGURES if letter in FIGURES else SIGNS
    return table[letter](half)


def clip_of(letter):
    if letter in CAPITALS or letter in FIGURES:
        return (-150, 700) if letter == 'Q' else (0, 700)
    if letter in 'acemnorsuvwxz':
        return (0, 500)
    return (0, 740) if letter in 'bdhfklt' else (-190, 500) if letter in 'gpqy' else None


def build(family, file, half, contour):
    bearing = 62 if not contour else 40
    glyphs, metrics, names = {}, {}, {}

    def put(letter, lines, width, clip):
        name = 'uni%04X' % ord(letter)
        left = bearing * (0.62 if letter in ROUND_LEFT else 0.25 if letter in SLANT else 1)
        right = bearing * (0.62 if letter in ROUND_RIGHT else 0.25 if letter in SLANT else 1)
        shape = contours(lines, half, clip) if contour else flesh(lines, half, clip)
        shape = affinity.translate(shape, left, 0)
        glyphs[name], names[ord(letter)] = outline(shape), name
        metrics[name] = (round(left + width + right), round(shape.bounds[0]))

    for letter in [*CAPITALS, *SMALL, *FIGURES, *SIGNS]:
        width, lines = letter_lines(letter, half)
        put(letter, lines, width, clip_of(letter))
    for mark, letters in ACCENTED.items():
        for letter in letters:
            base = unicodedata.normalize('NFD', letter)[0]
            width, lines = letter_lines(base, half)
            lines = lines[:1] if base == 'i' else lines
            lift = (700 if base in CAPITALS else 500) + half
            over = [[(x + width / 2, y + lift) for x, y in line] for line in MARKS[mark](half)]
            put(letter, [*lines, *over], width, None)

    empty = TTGlyphPen(None).glyph()
    glyphs['space'], metrics['space'] = empty, (250, 0)
    glyphs['.notdef'], metrics['.notdef'] = outline(box(60, 0, 440, 700).difference(box(110, 50, 390, 650))), (500, 60)
    names.update({32: 'space', 160: 'space'})
    order = ['.notdef', 'space', *[name for name in glyphs if name not in ('.notdef', 'space')]]

    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(order)
    font.setupCharacterMap(names)
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics(metrics)
    font.setupHorizontalHeader(ascent=900, descent=-240)
    font.setupNameTable({'familyName': family, 'styleName': 'Regular', 'copyright': 'Part of the Nearhand demo, MIT licence', 'version': 'Version 1.000'})
    font.setupOS2(sTypoAscender=900, sTypoDescender=-240, usWinAscent=980, usWinDescent=240, sxHeight=500, sCapHeight=700, fsSelection=0x40)
    font.setupPost()
    font.updateHead(created=EPOCH, modified=EPOCH)
    addOpenTypeFeaturesFromString(font.font, kerning())
    font.font.recalcTimestamp = False
    font.font.flavor = 'woff2'
    path = os.path.join(OUT, file)
    font.font.save(path)
    print(f'{file}: {os.path.getsize(path) // 1024} KiB, {len(order)} glyphs')


def kerning():
    def group(letters):
        return '[' + ' '.join('uni%04X' % ord(letter) for letter in letters) + ']'
    pairs = [
        ('AÄÀÁ', 'TVWY', -78), ('TVWY', 'AÄÀÁ', -78), ('TVWYFP', 'acdegoqäöéèóáâêô', -64), ('TVWYFPrvwy', '.,', -96), ('L', 'TVWY', -92),
        ('TY', 'mnprsuvwxyzü', -52), ('OQDÖ', 'AVWXYT', -30), ('A', 'OCGQvwy', -28), ('vwyk', 'aceoqdg', -20), ('aceobp', 'vwy', -16),
        ('R', 'TVWY', -22), ('KX', 'OCGQ', -34), ('r', 'aceoqdg', -18), ('ft', 'f', -6), ('LR', '\u2019', -60), ('P', 'A', -60),
    ]
    rules = '\n'.join(f'  enum pos {group(first)} {group(second)} {amount};' for first, second, amount in pairs)
    return 'languagesystem DFLT dflt;\nlanguagesystem latn dflt;\nfeature kern {\n' + rules.replace('enum pos', 'pos') + '\n} kern;'


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(__file__))
    os.makedirs(OUT, exist_ok=True)
    build('Waymark', 'waymark.woff2', 45, contour=False)
    build('Waymark Contour', 'waymark-contour.woff2', 84, contour=True)
