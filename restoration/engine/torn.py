"""Where a piece of the print is torn off, and what lies behind it shows: scanner's lid or album.

Nothing in such a place is the photograph, and no network is needed to see it: it has neither the
grain of the print nor the tint that the print has in tones like it, and it ends at once. A scan
without a tint says too little, and so does what is too light or too dark to hold one: lights that
burnt out. What runs along most of a side is a frame, corners that are missing alike were cut so
(prints were rounded, arched and oval), and on what has writing in it somebody wrote: a label.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.image import resize_mask, shrink
from restoration.engine.luma import Image, chroma, luma, on_luma

Area = NDArray[np.bool_]

SIDE = 1000  # long side in pixels: torn pieces are looked for at this size
NEAR = 5  # pixels: neighbours
EVEN, OF_GRAIN = 0.004, 0.25  # deviation of luma among neighbours, and its share of the print's
SAME = 0.02  # luma: what lies behind is of one tone
ALIKE = 0.04  # luma: tones so near should have the same tint
LEAST, MOST = 0.02, 0.98  # quantiles whose tint stands for tones that the print has not
BEYOND = 0.04  # luma past the print's own black or white
TINTED = 0.03  # red less blue, the least that a tint is
OWN = 0.65  # a torn place has less than this share of it
RIM = 9  # pixels: so wide may the blocks of a JPEG blur where it ends
STEP, ALL_ALONG = 0.05, 0.75  # luma past the rim, and the share of the rim that has such a step
SMALLEST = 0.0006  # share of the picture
LONGEST = 0.6  # share of a side: more is a frame
MIRRORED = 0.7  # share of two corners that is common to both, from which they were cut alike
LIP = 4  # pixels: bare paper along a tear
INK = 0.15  # luma off a piece's tone, in its midst ...
WRITTEN = 0.004  # ... and the share of the piece from which that is writing


def torn_off(image: Image, inside: Area) -> Area:
    """bool HxW, true where a piece of the print is missing at its edge.

    image: float32 HxWx3 RGB in [0, 1], which the caller has checked. inside: bool HxW, the print
    without what frames it. Raises nothing; a picture without a print inside has no such place.
    """
    small = np.clip(shrink(image, SIDE), 0, 1)
    within = resize_mask(inside.astype(np.uint8), *small.shape[:2]) > 0
    light, colour, spread = _facts(small)
    usual = float(np.median(spread[within])) if within.any() else 0.0
    even = spread < min(EVEN, OF_GRAIN * usual)
    found = np.zeros(light.shape, bool)
    pieces = list(_at_the_edge(even))
    for piece in pieces:
        ends = _one_tone(piece, light) and _ends(piece, light) and not _is_written(piece, light)
        gone = ends and _foreign(piece, within & ~piece, light, colour)
        if gone and not _is_cut(piece, pieces):
            found |= _to_its_rim(piece, light)
    return np.asarray(resize_mask(found.astype(np.uint8), *image.shape[:2]) > 0)


def _facts(image: Image) -> tuple[Image, Image, Image]:
    """Luma HxW, the mean chroma of neighbours HxWx3, and the deviation of luma among them HxW."""
    light, colour = luma(image), ndimage.uniform_filter(chroma(image), (NEAR, NEAR, 1))
    mean = ndimage.uniform_filter(light.astype(np.float64), NEAR)
    square = ndimage.uniform_filter(np.square(light, dtype=np.float64), NEAR)
    return light, colour, np.sqrt(np.maximum(square - np.square(mean), 0)).astype(np.float32)


def _at_the_edge(even: Area) -> Iterator[Area]:
    """Pieces of one tone that reach an edge, none of them a frame."""
    labels, count = ndimage.label(even)
    size = np.bincount(labels.ravel(), minlength=count + 1)
    for name in np.unique(np.concatenate(_sides(labels))):
        if name == 0 or size[name] < SMALLEST * labels.size:
            continue
        piece = labels == name
        if max(float(side.mean()) for side in _sides(piece)) < LONGEST:
            yield piece


def _sides(plane: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    return [plane[0], plane[-1], plane[:, 0], plane[:, -1]]


def _is_cut(piece: Area, pieces: list[Area]) -> bool:
    """Whether another corner looks like this one in a mirror: no two are torn off alike."""
    corner = _corner(piece)
    others = [_corner(each) for each in pieces if each is not piece]
    return corner is not None and any(
        _likeness(corner, other) > MIRRORED for other in others if other is not None
    )


def _corner(piece: Area) -> Area | None:
    """What of it lies around its corner, brought to the upper left; None where it has no corner."""
    top, bottom, left, right = (bool(side.any()) for side in _sides(piece))
    if not (top ^ bottom and left ^ right):
        return None
    turned = piece[:: 1 if top else -1, :: 1 if left else -1]
    high, wide = (int(np.flatnonzero(turned.any(axis=axis))[-1]) + 1 for axis in (1, 0))
    return turned[:high, :wide]


def _likeness(one: Area, other: Area) -> float:
    """The share that two pieces have in common, laid on each other at their corner."""
    high, wide = np.minimum(one.shape, other.shape)
    common = int((one[:high, :wide] & other[:high, :wide]).sum())
    return common / max(1, int(one.sum()) + int(other.sum()) - common)


def _one_tone(piece: Area, light: Image) -> bool:
    low, high = np.quantile(light[piece], (0.05, 0.95))
    return float(high - low) < SAME


def _ends(piece: Area, light: Image) -> bool:
    """Whether it ends at once all along: a sky goes on in clouds, snow in its shadows."""
    near = ndimage.binary_dilation(piece, iterations=RIM)
    ring = ndimage.binary_dilation(near, iterations=2) & ~near
    step = np.abs(light[ring] - np.median(light[piece])) > STEP
    return bool(ring.any()) and float(step.mean()) > ALL_ALONG


def _to_its_rim(piece: Area, light: Image) -> Area:
    """The piece as far as its tone goes, and the bare paper along the tear."""
    alike = np.abs(light - np.median(light[piece])) < STEP
    whole = piece | (ndimage.binary_dilation(piece, iterations=RIM) & alike)
    return np.asarray(ndimage.binary_dilation(whole, iterations=LIP))


def _is_written(piece: Area, light: Image) -> bool:
    """Whether something stands in the midst of it: what is torn off has nothing on it."""
    midst = ndimage.binary_fill_holes(piece) & ~piece
    ink = midst & (np.abs(light - np.median(light[piece])) > INK)
    return int(ink.sum()) > WRITTEN * int(piece.sum())


def _foreign(piece: Area, within: Area, light: Image, colour: Image) -> bool:
    """Whether the print, where it is as bright, has a tint that the piece has not."""
    tone = float(np.median(light[piece]))
    black, white = np.quantile(light[within], (LEAST, MOST))
    if black - BEYOND < tone < white + BEYOND:
        alike = within & (np.abs(light - np.clip(tone, black, white)) < ALIKE)
    else:
        alike = within & ((light < black) if tone < black else (light > white))
    own = _warm(_held(colour[alike], tone)) if alike.any() else 0.0
    return own > TINTED and abs(_warm(np.median(colour[piece], axis=0))) < OWN * own


def _held(colours: Image, tone: float) -> Image:
    """What of the median of these chromas (Nx3) a tone has room for: burnt lights have none."""
    tint = np.median(colours, axis=0).astype(np.float32)
    return np.asarray(chroma(on_luma(np.full(1, tone, np.float32), tint[None]))[0])


def _warm(tint: Image) -> float:
    """Red less blue."""
    return float(tint[0] - tint[2])
