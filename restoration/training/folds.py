"""Where the paper itself gave way: creases, tears, a corner that is gone, emulsion that flaked."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.training.emulsion import PAPER
from restoration.training.layers import Image, Layer, Random, Sheet, Truth, laid
from restoration.training.marks import pixels
from restoration.training.texture import cloud

ALBUM = np.array([0.22, 0.20, 0.18], np.float32)  # what shows where a corner is gone
WHITE = np.array([0.97, 0.97, 0.96], np.float32)  # a scanner's lid


def creased(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """A fold breaks the emulsion to the paper along a ragged line and lifts it on both sides."""
    rows, columns = (np.arange(side, dtype=np.float32) for side in sheet.shape)
    scale, ill = sheet.scale, sheet.severity
    angle = rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.22)
    y, x = rng.uniform(0.1, 0.9, 2) * sheet.shape
    drift = 3 * scale * (cloud(rng, sheet.shape, 60 * scale) - 0.5)
    away = (rows - y)[:, None] * np.cos(angle) - (columns - x)[None] * np.sin(angle) + drift
    away = away.astype(np.float32)
    ragged = cloud(rng, sheet.shape, max(3.0, 8 * scale))
    wide = scale * (0.3 + 2.2 * ragged * ill * rng.uniform(0.6, 1.6))
    if rng.random() < 0.3:  # broken here and there only
        wide *= np.clip(6 * (cloud(rng, sheet.shape, 50 * scale) - 0.45), 0, 1)
    core = 0.9 * np.clip(wide + 0.5 - np.abs(away), 0, 1)
    shade = 0.10 * ill * np.exp(-np.abs(away) / (7 * scale)) * np.sign(away)
    paint = PAPER if rng.random() < 0.85 else ALBUM
    return laid(image * (1 + shade[..., None]), truth, Layer(core, paint, "crease"))


def torn(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """A tear: it opens towards one end, bare paper along its lips, what is behind in between."""
    length = sheet.scale * rng.uniform(40, 260)
    count = max(6, round(length / 5))
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.16, count))
    path = np.cumsum(np.stack([np.sin(turn), np.cos(turn)], axis=1) * 5, axis=0)
    path += _start(rng, sheet) - path[0]
    line = np.zeros(sheet.shape, bool)
    line[pixels(path, sheet.shape)] = True
    if not line.any():
        return image
    away = ndimage.distance_transform_edt(~line).astype(np.float32)
    rows, columns = (np.arange(side, dtype=np.float32) for side in sheet.shape)
    from_mouth = np.hypot((rows - path[0, 0])[:, None], (columns - path[0, 1])[None])
    opened = sheet.scale * rng.uniform(0.4, 4.0) * np.clip(1 - from_mouth / length, 0.05, 1)
    rim = sheet.scale * (0.4 + 3.5 * cloud(rng, sheet.shape, 12 * sheet.scale))
    lips = np.clip(opened + rim + 0.5 - away, 0, 1) * (away < opened + 4 * sheet.scale)
    image = laid(image, truth, Layer(0.95 * lips, PAPER, "tear"))
    gap = np.clip(opened + 0.5 - away, 0, 1) * np.float32(rng.random() < 0.6)
    return laid(image, truth, Layer(gap, _behind(rng), "tear"))


def _start(rng: Random, sheet: Sheet) -> NDArray[np.float64]:
    """A tear begins at an edge of the print when the window shows one, else anywhere."""
    high, wide = sheet.shape
    y, x = rng.uniform(0, high), rng.uniform(0, wide)
    edges = [
        np.array(place)
        for shown, place in (
            (sheet.corner[0] == 0, (0.0, x)),
            (sheet.corner[1] == 0, (y, 0.0)),
            (sheet.corner[0] + high >= sheet.whole[0], (high - 1.0, x)),
            (sheet.corner[1] + wide >= sheet.whole[1], (y, wide - 1.0)),
        )
        if shown
    ]
    if edges and rng.random() < 0.8:
        return edges[rng.integers(len(edges))]
    return np.array((y, x))


def _behind(rng: Random) -> Image:
    kind = rng.random()
    found: Image = ALBUM if kind < 0.5 else WHITE if kind < 0.75 else ALBUM * 0.15
    return found


def cornerless(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """A corner is gone: what lies behind shows, past a rim of bare paper."""
    rows, columns = sheet.places()
    scale = sheet.scale
    y = sheet.whole[0] - 1 - rows if rng.random() < 0.5 else rows
    x = sheet.whole[1] - 1 - columns if rng.random() < 0.5 else columns
    size = scale * rng.uniform(45, 60 + 110 * sheet.severity)
    ragged = cloud(rng, sheet.shape, 50 * scale) + 0.4 * cloud(rng, sheet.shape, 12 * scale)
    left_over = y * rng.uniform(0.7, 1.3) + x - size * (0.7 + 0.5 * ragged)
    bare = scale * (2 + 5 * cloud(rng, sheet.shape, 20 * scale))
    rim = np.clip(bare - left_over, 0, 1).astype(np.float32)
    image = laid(image, truth, Layer(rim, PAPER * np.float32(0.97), "tear"))
    gone = np.clip(-left_over, 0, 1).astype(np.float32)
    return laid(image, truth, Layer(gone, _behind(rng), "tear"))


def flaked(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """Emulsion came off in flakes, most where a patch of it had lost its hold."""
    lumps = cloud(rng, sheet.shape, sheet.scale * rng.uniform(4, 22))
    where = cloud(rng, sheet.shape, sheet.scale * rng.uniform(60, 160))
    off = np.clip((lumps + 0.9 * (where - 1) - rng.uniform(0.42, 0.62)) * 14, 0, 1)
    tone = PAPER if rng.random() < 0.75 else ALBUM * np.float32(rng.uniform(0.1, 1))
    depth = np.asarray(rng.uniform(0.6, 1) * off, np.float32)
    return laid(image, truth, Layer(depth, tone, "loss"))


Fold = Callable[[Image, Truth, Random, Sheet], Image]


def given_way(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """What a print of that severity shows of all this, in any order."""
    ill = sheet.severity
    folds: list[Fold] = [creased] * int(rng.poisson(sheet.chance(1.65 * ill, 300 * sheet.scale)))
    folds += [torn] * int(rng.poisson(sheet.chance(0.9 * ill, 150 * sheet.scale)))
    folds += [flaked] * int(rng.random() < 0.25 * ill)
    folds += [cornerless] * int(rng.random() < 1.6 * ill - 0.5)
    for number in rng.permutation(len(folds)):
        image = folds[number](image, truth, rng, sheet)
    return image
