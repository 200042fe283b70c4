"""What a photograph shows and a detector takes for damage: wires, beads, lace, catchlights,
letters, twigs, whiskers, pebbles and tiles, and the frame of a negative with its numbers and holes.
None of it is damage.

Everything is drawn into the clean picture, so that it gets the lens, the grain and the fading that
dust does not.
"""

import string

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from restoration.training.layers import Image, Random, Truth

FEWEST, MOST = 1, 3
SUPER = 2  # drawn larger, so that edges are smooth


def decorated(image: Image, rng: Random) -> Image:
    """The picture with a few of them; float32 HxWx3 in [0, 1], square."""
    for _ in range(rng.integers(FEWEST, MOST + 1)):
        draw = KINDS[rng.integers(len(KINDS))]
        image = _over(image, draw(image.shape[0], rng), rng)
    return image


def _over(image: Image, drawn: Pillow.Image, rng: Random) -> Image:
    """A drawing as opacity, in one tone."""
    opacity = np.asarray(drawn.reduce(SUPER), np.float32)[..., None] / 255
    if rng.random() < 0.5:
        blur = rng.uniform(0.4, 1.2)
        opacity = ndimage.gaussian_filter(opacity, (blur, blur, 0))
    tone = np.float32(np.clip(rng.normal(0.85 if rng.random() < 0.5 else 0.12, 0.12), 0, 1))
    found: Image = image + np.float32(rng.uniform(0.4, 1.0)) * opacity * (tone - image)
    return found


def _canvas(side: int) -> tuple[Pillow.Image, ImageDraw.ImageDraw]:
    canvas = Pillow.new("L", (side * SUPER, side * SUPER))
    return canvas, ImageDraw.Draw(canvas)


def _wires(side: int, rng: Random) -> Pillow.Image:
    """Parallel and smooth from edge to edge: power lines, rigging, a fence, the rim of a roof."""
    canvas, draw = _canvas(side)
    reach = side * SUPER
    along = np.linspace(-0.2, 1.2, 40) * reach
    slope, bow = rng.normal(0, 0.5), rng.normal(0, 0.12)
    gap = rng.uniform(4, 26) * SUPER
    start = rng.uniform(0, reach)
    upright = rng.random() < 0.4
    width = max(1, round(SUPER * rng.uniform(0.6, 3)))
    for number in range(rng.integers(1, 7)):
        bent = start + number * gap + slope * along + bow * reach * (along / reach - 0.5) ** 2
        places = np.stack([bent, along] if upright else [along, bent], axis=1)
        draw.line([tuple(place) for place in places.tolist()], fill=255, width=width)
    return canvas


def _beads(side: int, rng: Random) -> Pillow.Image:
    """A chain of like highlights: a necklace, buttons, rivets, a string of lamps."""
    canvas, draw = _canvas(side)
    reach = side * SUPER
    step, radius = rng.uniform(4, 16) * SUPER, rng.uniform(0.7, 3) * SUPER
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.15, rng.integers(3, 30)))
    path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1) * step, axis=0)
    for x, y in path + rng.uniform(0.1, 0.9, 2) * reach:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return canvas


def _lace(side: int, rng: Random) -> Pillow.Image:
    """A lattice of dots or strokes in a patch."""
    canvas, draw = _canvas(side)
    step, size = rng.uniform(4, 12) * SUPER, rng.uniform(0.6, 2.2) * SUPER
    turn, reach = rng.uniform(0, np.pi / 2), rng.integers(4, 14)
    middle = rng.uniform(0.1, 0.9, 2) * side * SUPER
    long = size * rng.choice([1, 1, 2.5])
    for row in range(-reach, reach):
        for column in range(-reach, reach):
            u, v = step * (row + 0.5 * (column % 2)), step * column
            x = middle[0] + u * np.cos(turn) - v * np.sin(turn)
            y = middle[1] + u * np.sin(turn) + v * np.cos(turn)
            draw.ellipse((x - size, y - long, x + size, y + long), fill=255)
    return canvas


def _catchlights(side: int, rng: Random) -> Pillow.Image:
    """A ring with a bright point in it, twice: eyes, spectacles."""
    canvas, draw = _canvas(side)
    size = rng.uniform(2, 9) * SUPER
    x, y = rng.uniform(0.1, 0.9, 2) * side * SUPER
    for place in (x, x + size * rng.uniform(5, 8)):
        draw.ellipse((place - size, y - size, place + size, y + size), fill=255)
        off, small = size * rng.uniform(-0.4, 0.4, 2), max(1.0, size * rng.uniform(0.15, 0.35))
        bright = (place + off[0], y + off[1])
        draw.ellipse(
            (bright[0] - small, bright[1] - small, bright[0] + small, bright[1] + small), fill=0
        )
    return canvas


def _letters(side: int, rng: Random) -> Pillow.Image:
    canvas, draw = _canvas(side)
    font = ImageFont.load_default(size=float(rng.uniform(5, 26) * SUPER))
    signs = list(string.ascii_letters + string.digits + "     .,-/")
    for _ in range(rng.integers(1, 8)):
        text = "".join(rng.choice(signs, rng.integers(3, 30)))
        x, y = rng.uniform(-0.2, 0.8) * side * SUPER, rng.uniform(0, 1) * side * SUPER
        draw.text((x, y), text, fill=255, font=font)
    turned = canvas.rotate(float(rng.choice([0, 0, 90, 270])) + rng.normal(0, 3))
    return turned


def _twigs(side: int, rng: Random) -> Pillow.Image:
    """Branches that fork and taper: trees in winter, hair against the light, grass."""
    canvas, draw = _canvas(side)
    ends = [(rng.uniform(0, 1, 2) * side * SUPER, rng.uniform(0, 2 * np.pi), rng.uniform(1, 4))]
    for _ in range(rng.integers(8, 50)):
        place, turn, width = ends[rng.integers(len(ends))]
        turn = turn + rng.normal(0, 0.5)
        end = place + rng.uniform(5, 22) * SUPER * np.array([np.cos(turn), np.sin(turn)])
        draw.line([*place.tolist(), *end.tolist()], fill=255, width=max(1, round(width * SUPER)))
        ends.append((end, turn, width * rng.uniform(0.5, 1)))
    return canvas


def _panes(side: int, rng: Random) -> Pillow.Image:
    """Bars crossed at right angles: a window, a railing, a cage, bricks, tiles."""
    canvas, draw = _canvas(side)
    left, top = rng.uniform(-0.3, 0.7, 2) * side * SUPER
    across, down = rng.uniform(6, 30, 2) * SUPER
    width = max(1, round(SUPER * rng.uniform(0.6, 3.5)))
    columns, rows = rng.integers(1, 9, 2)
    for number in range(columns + 1):
        x = left + number * across
        draw.line((x, top, x, top + rows * down), fill=255, width=width)
    bars = range(rows + 1) if rng.random() < 0.7 else (0, rows)
    for number in bars:
        y = top + number * down
        draw.line((left, y, left + columns * across, y), fill=255, width=width)
    return canvas.rotate(float(rng.normal(0, 4)))


def _poles(side: int, rng: Random) -> Pillow.Image:
    """One straight thing with two ends, alone: a spear, a stick, a mast, a cord, a seam."""
    canvas, draw = _canvas(side)
    for _ in range(rng.integers(1, 4)):
        start = rng.uniform(0, 1, 2) * side * SUPER
        turn, length = rng.uniform(0, np.pi), rng.uniform(0.2, 1.3) * side * SUPER
        end = start + length * np.array([np.cos(turn), np.sin(turn)])
        width = max(2, round(SUPER * rng.uniform(1.2, 5)))
        draw.line([*start.tolist(), *end.tolist()], fill=255, width=width)
        if rng.random() < 0.5:  # the shadow side of what is round
            off = 0.3 * width
            draw.line(
                [*(start + off).tolist(), *(end + off).tolist()], fill=120, width=max(1, width // 2)
            )
    return canvas


def _whiskers(side: int, rng: Random) -> Pillow.Image:
    """Thin, bent, tapering, from about one place: an animal's whiskers, lashes, straw, spray."""
    canvas, draw = _canvas(side)
    root = rng.uniform(0.1, 0.9, 2) * side * SUPER
    turn, opened = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.2)
    long, width = rng.uniform(0.15, 0.7) * side * SUPER, rng.uniform(0.5, 1.6) * SUPER
    for _ in range(rng.integers(3, 16)):
        begun = root + rng.normal(0, 0.06 * long, 2)
        bent = turn + rng.normal(0, opened) + np.linspace(0, rng.normal(0, 0.6), 12)
        steps = long * rng.uniform(0.5, 1) / 12 * np.stack([np.cos(bent), np.sin(bent)], axis=1)
        path = begun + np.cumsum(steps, axis=0)
        for place in range(len(path) - 1):
            thick = max(1, round(width * (1 - place / len(path))))
            draw.line([*path[place].tolist(), *path[place + 1].tolist()], fill=255, width=thick)
    return canvas


def _pebbles(side: int, rng: Random) -> Pillow.Image:
    """Uneven flecks strewn over a patch, with their shadow sides: gravel, leaves, foam, tiles."""
    canvas, draw = _canvas(side)
    middle, reach = rng.uniform(0.1, 0.9, 2) * side * SUPER, rng.uniform(0.1, 0.45) * side * SUPER
    size, flat = rng.uniform(0.8, 4) * SUPER, rng.uniform(0.4, 1)
    lit = rng.uniform(0, 2 * np.pi)
    for x, y in middle + rng.normal(0, reach, (rng.integers(10, 120), 2)):
        round_it = np.linspace(0, 2 * np.pi, 8)[:-1]
        away = size * rng.lognormal(0, 0.35) * rng.uniform(0.6, 1.2, len(round_it))
        across, down = x + away * np.cos(round_it), y + flat * away * np.sin(round_it)
        off = 0.6 * size * np.array([np.cos(lit), np.sin(lit)])
        for shift, shade in ((off, 70), (np.zeros(2), int(rng.integers(140, 256)))):
            corners = np.stack([across + shift[0], down + shift[1]], axis=1)
            draw.polygon([tuple(corner) for corner in corners.tolist()], fill=shade)
    return canvas


KINDS = (
    _wires,
    _beads,
    _lace,
    _catchlights,
    _letters,
    _twigs,
    _panes,
    _poles,
    _whiskers,
    _pebbles,
)


def framed(image: Image, truth: Truth, rng: Random) -> tuple[Image, Truth]:
    """With the black or white edge of a negative, its numbers and its punched holes, on one side;
    after the ageing, as the frame is no part of the print. The truth beneath is wiped."""
    turn = int(rng.integers(4))
    image, truth = np.rot90(image, turn).copy(), np.rot90(truth, turn).copy()
    deep = round(image.shape[0] * rng.uniform(0.06, 0.4))
    strip = np.asarray(_frame(image.shape[1], deep, rng), np.float32)[..., None] / 255
    strip = ndimage.gaussian_filter(strip, (0.6, 0.6, 0))
    strip += np.float32(0.008) * rng.standard_normal(strip.shape, dtype=np.float32)
    image[:deep], truth[:deep] = np.clip(strip, 0, 1), False
    return image, truth


def _frame(side: int, deep: int, rng: Random) -> Pillow.Image:
    black = rng.random() < 0.7
    band, ink = Pillow.new("L", (side, deep), 8 if black else 245), 235 if black else 15
    draw = ImageDraw.Draw(band)
    if rng.random() < 0.6:
        font = ImageFont.load_default(size=float(rng.uniform(6, max(7, 0.7 * deep))))
        text = "".join(rng.choice(list(string.ascii_uppercase + string.digits + " -"), 12))
        draw.text((rng.uniform(0, 0.6) * side, rng.uniform(0, 0.4) * deep), text, ink, font)
    if rng.random() < 0.5:
        _holes(draw, side, deep, ink, rng)
    return band


def _holes(draw: ImageDraw.ImageDraw, side: int, deep: int, ink: int, rng: Random) -> None:
    size, step = 0.3 * deep, deep * rng.uniform(0.9, 1.6)
    round_hole = rng.random() < 0.5
    for x in np.arange(rng.uniform(0, step), side, step if rng.random() < 0.6 else 9 * side):
        box = (x, 0.3 * deep, x + size, 0.3 * deep + size * rng.uniform(0.9, 1.4))
        (draw.ellipse if round_hole else draw.rectangle)(box, fill=ink)
