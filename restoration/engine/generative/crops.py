"""Where a model is called to repair: windows around the holes, no more than somebody waits for.

Each is drawn with surroundings, so windows overlap; what lies in the core of one is its to mend.
"""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.cluster.hierarchy import fcluster, linkage

from restoration.engine.measure import depth
from restoration.engine.step import Mask

Box = tuple[slice, slice]
Shape = tuple[int, ...]

MARGIN = 128  # pixels of surroundings that a model is shown
MOST_CROPS = 24
GROWTH = 1.5  # of a window's area, where smaller ones would be too many


def crops(mask: Mask, most: int) -> list[Box]:
    """Return the cores of at most MOST_CROPS windows, which together hold all of the mask HxW.

    most: pixels that a model draws at once without shrinking them. Holes near each other share a
    window; one larger than `most` is cut, unless a hole in it is too wide to be drawn in parts.
    """
    near = ndimage.binary_dilation(mask > 0, np.ones((3, 3)), iterations=MARGIN // 6)
    labels, _ = ndimage.label(near)
    cores = fewer(apart(ndimage.find_objects(labels), mask.shape))
    thin = [depth(mask[core] > 0) <= MARGIN for core in cores]
    while True:
        found = [
            window
            for core, cuttable in zip(cores, thin, strict=True)
            for window in (windows(mask, core, most) if cuttable else [core])
        ]
        if len(found) <= MOST_CROPS:
            return found
        most = math.ceil(most * GROWTH)


def fewer(cores: list[Box]) -> list[Box]:
    """Join the nearest until MOST_CROPS are left; those may overlap."""
    if len(cores) <= MOST_CROPS:
        return cores
    middles = [[(side.start + side.stop) / 2 for side in core] for core in cores]
    groups = fcluster(linkage(middles, "complete"), MOST_CROPS, "maxclust")
    together: dict[int, list[Box]] = {}
    for core, group in zip(cores, groups, strict=True):
        together.setdefault(int(group), []).append(core)
    return [reduce(around, boxes) for boxes in together.values()]


def windows(mask: Mask, core: Box, most: int) -> list[Box]:
    """Cut a core across its longer side until each piece and its margin are of `most` pixels.

    Pieces are drawn in around what they hold. Where the margins alone would fill a window there
    is nothing to be won, and the core stays whole.
    """
    room = math.isqrt(most) - 2 * MARGIN
    if area(widened(core, mask.shape)) <= most or room < MARGIN:
        return [core]
    return [
        window
        for piece in pieces(core, room)
        for held in ndimage.find_objects((mask[piece] > 0).astype(np.uint8))
        for window in windows(mask, within(piece, held), most)
    ]


def pieces(core: Box, room: int) -> list[Box]:
    """Return even pieces of a box, its longer side cut to at most `room` pixels."""
    rows, columns = core
    across = length(columns) > length(rows)
    side = columns if across else rows
    ends = np.linspace(side.start, side.stop, -(-length(side) // room) + 1).round().astype(int)
    cut = [slice(int(start), int(stop)) for start, stop in pairwise(ends)]
    return [(rows, each) if across else (each, columns) for each in cut]


def within(outer: Box, inner: Box) -> Box:
    """Return a box that was found in another, as a box of the whole picture."""
    rows, columns = (
        slice(a.start + b.start, a.start + b.stop) for a, b in zip(outer, inner, strict=True)
    )
    return rows, columns


def as_seen_from(outer: Box, inner: Box) -> Box:
    """Return a box of the whole picture as a box of another that holds it."""
    rows, columns = (
        slice(b.start - a.start, b.stop - a.start) for a, b in zip(outer, inner, strict=True)
    )
    return rows, columns


def widened(box: Box, shape: Shape) -> Box:
    """Return a box with its surroundings, as far as the picture goes."""
    rows, columns = (
        slice(max(0, side.start - MARGIN), min(whole, side.stop + MARGIN))
        for side, whole in zip(box, shape[:2], strict=True)
    )
    return rows, columns


def apart(cores: Sequence[Box], shape: Shape) -> list[Box]:
    """Join boxes until no two overlap with their margins."""
    done: list[Box] = []
    for core in cores:
        while touching := [other for other in done if overlap(core, other, shape)]:
            done = [other for other in done if other not in touching]
            core = reduce(around, touching, core)
        done.append(core)
    return done


def overlap(one: Box, other: Box, shape: Shape) -> bool:
    sides = zip(widened(one, shape), widened(other, shape), strict=True)
    return all(a.start < b.stop and b.start < a.stop for a, b in sides)


def around(one: Box, other: Box) -> Box:
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns


def length(side: slice) -> int:
    return int(side.stop - side.start)


def area(box: Box) -> int:
    return length(box[0]) * length(box[1])
