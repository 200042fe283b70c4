"""Of what a hand painted, the marks in it: a brush is wide, a scratch is thin.

A stroke along a scratch also covers the edge of a lip, and to fill all of it would take the lip
away. So of each stroke only that is filled which the network takes for damage, what stands out of
its surroundings as that does and touches it, and a rim. The network is believed sooner than where
it searches by itself, for here somebody has looked. A stroke, or a part of one, in which it sees
nothing is filled as it was painted, and so is a wide area: whoever paints one means all of it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.image import resize, resize_mask, shrink
from restoration.engine.luma import Image

Area = NDArray[np.bool_]
Levels = NDArray[np.uint8]

LONG_SIDE = 2400  # at which it is looked at; what is thinner than a pixel there stays
SEEN, PERHAPS = 46, 20  # of 255: what is a mark, and what belongs to one that it touches
UNIT = 1000  # pixels of a long side: on a larger picture these are larger, on a small one smaller
LEAST = 0.4  # but no smaller than so
WIDE = 24.0  # half the width of the broadest stroke
CLEAR, BROAD = 24.0, 10.0  # an area so far from marks, so much to all sides, is meant as a whole
RIM = 2.0  # a mark ends softly, however small the picture is
AROUND = 5  # half the width of what a mark stands out of
OVER_NOISE, OF_MARK = 3.0, 0.3  # how far it must stand out: over the noise, of what the mark does
EIGHT = np.ones((3, 3), bool)


def narrowed(painted: Area, levels: Levels, light: Image) -> Area:
    """The part of a painted area HxW that is to be filled; never a pixel outside it.

    levels: the network's damage, uint8 HxW of 255. light: luma HxW in [0, 1].
    """
    small = _scaled(painted, max(painted.shape))
    if small.shape == painted.shape:
        return _of_strokes(painted, levels, light)
    step = -(-max(painted.shape) // LONG_SIDE)
    seen = resize_mask(ndimage.maximum_filter(levels, step), *small.shape)
    kept = _of_strokes(small, seen, np.clip(shrink(light, LONG_SIDE), 0, 1))
    near = resize_mask(ndimage.binary_dilation(kept, EIGHT).astype(np.uint8), *painted.shape)
    return np.asarray(painted & (near > 0))


def _scaled(painted: Area, longest: int) -> Area:
    """At the size at which it is looked at; no stroke is lost."""
    if longest <= LONG_SIDE:
        return painted
    step = -(-longest // LONG_SIDE)
    size = [max(1, round(side * LONG_SIDE / longest)) for side in painted.shape]
    wide = ndimage.maximum_filter(painted.astype(np.uint8), step)
    return np.asarray(resize_mask(wide, *size) > 0)


def _of_strokes(painted: Area, levels: Levels, light: Image) -> Area:
    scale = max(LEAST, max(painted.shape) / UNIT)
    stands = light - _ground(light)
    labels, _count = ndimage.label(painted, EIGHT)
    found = painted.copy()
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        stroke = labels[place] == number
        found[place] &= ~stroke | _marks(stroke, levels[place], stands[place], scale)
    return found


def _ground(light: Image) -> Image:
    """What lies behind thin marks; a large picture is made small for it."""
    small = np.clip(shrink(light, UNIT), 0, 1) if max(light.shape) > UNIT else light
    ground = ndimage.median_filter(small, 2 * AROUND + 1)
    high, wide = light.shape
    return resize(ground, high, wide, "linear") if small is not light else ground


def _marks(stroke: Area, levels: Levels, stands: Image, scale: float) -> Area:
    """Of one stroke, all within its bounding box; stands: how far each pixel stands out."""
    seen = stroke & (levels > SEEN)
    if not seen.any():
        return stroke
    mark = ndimage.binary_propagation(seen, EIGHT, mask=seen | _alike(stroke, seen, levels, stands))
    away = ndimage.distance_transform_edt(~mark)
    half = float(ndimage.distance_transform_edt(np.pad(stroke, 1)).max())
    rim = RIM * max(1.0, scale)
    far = away > 2 * min(half, WIDE * scale) + rim
    kept = (away <= rim) | far | _meant(stroke & (away > CLEAR * scale), scale)
    return np.asarray(stroke & kept)


def _meant(unseen: Area, scale: float) -> Area:
    """Around where so wide a place holds no mark that nobody paints it by the way."""
    inner = ndimage.distance_transform_edt(np.pad(unseen, 1))[1:-1, 1:-1] > BROAD * scale
    if not inner.any():
        return np.zeros(unseen.shape, bool)
    reach = (BROAD + CLEAR) * scale
    return np.asarray(ndimage.distance_transform_edt(~inner) <= reach)


def _alike(stroke: Area, seen: Area, levels: Levels, stands: Image) -> Area:
    """What may belong to the mark: the network half believes it, or it is as bright, or as dark,
    beside its surroundings as the mark is."""
    of_mark = float(stands[seen].mean())
    apart = np.abs(stands[stroke] - np.median(stands[stroke]))
    noise = 1.4826 * float(np.median(apart))
    enough = max(OVER_NOISE * noise, OF_MARK * abs(of_mark))
    return np.asarray(stroke & ((levels > PERHAPS) | (np.sign(of_mark) * stands > enough)))
