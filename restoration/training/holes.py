"""The holes that filling is learnt and measured on: scratches, creases, hairs, dust and blobs."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy import ndimage

Area = NDArray[np.bool_]
Random = np.random.Generator
Path = list[tuple[float, float]]  # (x, y)

THIN = 0.6  # share of examples whose holes are all thin
SHARE = (0.03, 0.16)  # of a thin example that is missing
LONG = 400  # pixels: no mark goes on further
WIDEST = 30.0  # radius of a blob


def drawn(rng: Random, side: int) -> Area:
    """Bool side x side, True where the picture is missing: never empty, never everything."""
    plate = Pillow.new("L", (side, side))
    pen = ImageDraw.Draw(plate)
    if rng.random() < THIN:
        wanted = rng.uniform(*SHARE)
        for _ in range(60):
            _mark(rng, pen, side)
            if np.count_nonzero(np.asarray(plate)) > wanted * side * side:
                break
    else:
        for _ in range(rng.integers(1, 4)):
            _blob(rng, pen, side, float(np.exp(rng.uniform(np.log(5), np.log(WIDEST)))))
        for _ in range(rng.integers(0, 4)):
            _mark(rng, pen, side)
    area = np.asarray(plate) > 0
    if rng.random() < 0.4:  # a mask is rather painted too wide than too narrow
        area = ndimage.binary_dilation(area, iterations=int(rng.integers(1, 3)))
    area[side // 2, side // 2] = True
    return area if area.mean() < 0.6 else drawn(rng, side)


def _mark(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    kind = rng.random()
    if kind < 0.45:
        pen.line(_path(rng, side, 12.0, 0.15), fill=255, width=_width(rng, 5))
    elif kind < 0.6:
        pen.line(_path(rng, side, 4.0, 0.35), fill=255, width=_width(rng, 3))
    elif kind < 0.75:
        _crease(rng, pen, side)
    else:
        for _ in range(rng.integers(2, 14)):
            radius = float(np.clip(rng.lognormal(0.6, 0.6), 0.5, 6))
            x, y = rng.uniform(0, side, 2)
            _disc(pen, x, y, radius, radius * rng.uniform(0.6, 1))


def _width(rng: Random, most: int) -> int:
    """Mostly thin, now and then twice the widest."""
    width = int(rng.integers(1, most))
    return 2 * width if rng.random() < 0.12 else width


def _path(rng: Random, side: int, step: float, bend: float) -> Path:
    """A line that wanders: scratches bend little, hairs curl."""
    count = max(3, int(rng.uniform(15, LONG) / step))
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(rng.normal(0, bend / 4), bend, count))
    away = np.cumsum(np.stack([np.cos(turn), np.sin(turn)]) * step, axis=1)
    points = rng.uniform(0, side, (2, 1)) + away - away[:, [count // 2]]
    return [(float(x), float(y)) for x, y in points.T]


def _crease(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    """A fold: straight on the whole, with a ragged edge."""
    path = _path(rng, side, 3.0, 0.06)
    radius = rng.uniform(0.5, 3) * np.exp(rng.normal(0, 0.45, len(path)))
    for (x, y), wide in zip(path, np.minimum(radius, 6), strict=True):
        _disc(pen, x, y, float(wide), float(wide))


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float) -> None:
    pen.ellipse((x - wide, y - high, x + wide, y + high), fill=255)


def _blob(rng: Random, pen: ImageDraw.ImageDraw, side: int, radius: float) -> None:
    """A round hole with a wavy outline, longer one way."""
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wave = 1 + sum(
        rng.normal(0, 0.12) * np.cos(turns * around + rng.uniform(0, 6.3)) for turns in (2, 3, 5)
    )
    tilt = rng.uniform(0, np.pi)
    along, across = radius * wave * np.cos(around), radius * wave * np.sin(around)
    across = across * rng.uniform(0.5, 1)
    x, y = rng.uniform(0.1 * side, 0.9 * side, 2)
    xs = x + along * np.cos(tilt) - across * np.sin(tilt)
    ys = y + along * np.sin(tilt) + across * np.cos(tilt)
    pen.polygon([(float(a), float(b)) for a, b in zip(xs, ys, strict=True)], fill=255)


def scratched(rng: Random, height: int, width: int) -> Area:
    """The measure of thin holes: twelve falling scratches 1 to 3 px wide, forty specks to r 4."""
    plate = Pillow.new("L", (width, height))
    pen = ImageDraw.Draw(plate)
    for _ in range(12):
        ys = np.arange(0, height + 20, 20)
        xs = rng.integers(0, width) + np.cumsum(rng.integers(-5, 6, len(ys)))
        first, length = rng.integers(0, height // 2), rng.integers(height // 3, height)
        kept = (ys >= first) & (ys <= first + length)
        line = [(float(x), float(y)) for x, y in zip(xs[kept], ys[kept], strict=True)]
        pen.line(line, fill=255, width=int(rng.integers(1, 4)))
    for _ in range(40):
        radius = float(rng.integers(1, 5))
        _disc(pen, float(rng.integers(width)), float(rng.integers(height)), radius, radius)
    return np.asarray(plate) > 0


def blotted(rng: Random, height: int, width: int) -> Area:
    """The measure of blobs: four ellipses of radii 12 to 24 px."""
    rows, columns = np.mgrid[:height, :width]
    area = np.zeros((height, width), bool)
    for _ in range(4):
        x, y = rng.integers(30, width - 30), rng.integers(30, height - 30)
        wide, high = rng.integers(12, 24, 2)
        tilt = np.deg2rad(rng.integers(180))
        along = (columns - x) * np.cos(tilt) + (rows - y) * np.sin(tilt)
        across = (rows - y) * np.cos(tilt) - (columns - x) * np.sin(tilt)
        area |= np.square(along / wide) + np.square(across / high) <= 1
    return area
