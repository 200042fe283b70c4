"""Finds what hides an old photograph: dust, hairs, scratches, creases, tears, flaked emulsion.

Our own network says of each pixel how likely it is damaged; a small picture is doubled before it is
asked, as a mark thinner than a pixel leaves little to see, and a large one is asked a second time
smaller, as the network never saw marks so wide. But what it was taught on was damaged on purpose,
and in the rubble of a real building site it sees more scratches than in a scratched sky. So each of
its marks is judged once more, as a whole (restoration/engine/judging.py), and one of a pattern is
left (restoration/engine/repeats.py), as is what stands in a line like writing
(restoration/engine/writing.py). Faces are left out. Rather a speck missed than a button erased.
Where a piece of the print is gone there is nothing for a network to see;
restoration/engine/torn.py finds it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import judging, measure, networks, repeats, writing
from restoration.engine.faces import Box
from restoration.engine.image import (
    check_image,
    let_go,
    long_side,
    resize,
    resize_mask,
    room,
    shrink,
)
from restoration.engine.luma import Image
from restoration.engine.measure import Area
from restoration.engine.torn import torn_off

Mask = NDArray[np.uint8]
Planes = NDArray[np.uint8]
Labels = NDArray[np.int32]
Progress = Callable[[float, NDArray[Any] | None], None]

NETWORK = "damage"
PLANES = ("damage", "line", "missing", "stain")  # what the network answers, in this order

SMALL = 1280  # long side in pixels: a smaller picture is doubled
LARGE = 2600  # a larger one is asked at this size as well
LONG_SIDE = 2400  # at which the marks are judged
MAYBE, LIKELY = 46, 128  # of 255: what may belong to a mark, and what a mark must have somewhere
AGREED = 0.9  # share of a toned print's mark that must be one without the tone, too
STRIP = 512  # rows at a time
AROUND_FACE = 0.25  # share of its box left out with a face: eyes are like specks, hair like hairs
EIGHT = np.ones((3, 3), bool)


def trusted(sensitivity: float) -> float:
    """How far above enough a mark must be judged: sensitivity 0 (only what is certain), 0.4 (as
    usual) to 1 (dust on every wall)."""
    return 1.6 - 4 * sensitivity


def silent(fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody listens."""


def find(
    image: Image,
    light: Image,
    inside: Area,
    faces: list[Box],
    sensitivity: float = 0.4,
    progress: Progress = silent,
) -> Mask:
    """uint8 HxW, 255 where damage is, with its soft edge; float32 HxWx3 in [0, 1].

    light: its luma HxW. inside: bool HxW, the print without its border. progress(fraction, None)
    may raise. Raises StepFailed where the network is missing or altered, BadInput at the door.
    """
    planes = answered(check_image(image), progress)
    found = kept(
        planes, shrink(light, long_side(light.shape, LONG_SIDE)), inside, faces, sensitivity
    )
    found |= torn_off(image, inside) & ~face_area(image.shape, faces, grow=AROUND_FACE)
    return found.astype(np.uint8) * 255


def answered(image: Image, progress: Progress = silent) -> Planes:
    """The network's probabilities, uint8 HxWx4, 255 for certain; PLANES names them.

    A toned print is shown to it twice, the second time without its tone: of tints it was taught a
    few, and in a cyanotype or a strong albumen print it takes cloth and hats for damage. A mark
    that is hardly one without the tone is left (docs/decisions/0029).
    """
    grey = measure.untoned(image)
    if grey is image:
        return _at_all_sizes(image, progress)
    planes = _at_all_sizes(image, lambda part, shown: progress(part / 2, shown))
    bare = _at_all_sizes(grey, lambda part, shown: progress((1 + part) / 2, shown))
    _agree(planes, bare)
    return planes


def _agree(planes: Planes, bare: Planes) -> None:
    """Lowers, in place, the marks of which too little is a mark without the print's tone, to what
    they are without it."""
    whole = planes.shape[:2]
    small, other = (_bearable(each[..., 0]) for each in (planes, bare))
    labels, count = ndimage.label(small > MAYBE, EIGHT)
    share = np.asarray(ndimage.mean(other > MAYBE, labels, np.arange(count + 1)))
    share[0] = 1.0
    doubted = ndimage.binary_dilation((share < AGREED)[labels], EIGHT).astype(np.uint8)
    doubted = resize_mask(doubted, *whole)
    for top in range(0, whole[0], STRIP):
        rows = slice(top, top + STRIP)
        lower = np.minimum(planes[rows], bare[rows])
        planes[rows] = np.where(doubted[rows, :, None] > 0, lower, planes[rows])
        let_go(planes)
        let_go(bare)


def _bearable(plane: Mask) -> Mask:
    """At most LONG_SIDE long; a mark thinner than its pixels stays."""
    if max(plane.shape) <= LONG_SIDE:
        return plane
    scale = LONG_SIDE / max(plane.shape)
    size = max(1, round(plane.shape[0] * scale)), max(1, round(plane.shape[1] * scale))
    return _shrunk(plane[..., None], size)[..., 0]


def _at_all_sizes(image: Image, progress: Progress) -> Planes:
    """The network's answer; a small picture is doubled, a large one is asked a second time."""
    height, width = image.shape[:2]
    side = max(height, width)
    if side < SMALL:
        twice = asked(np.clip(resize(image, 2 * height, 2 * width), 0, 1), progress)
        return np.asarray(twice.reshape(height, 2, width, 2, -1).max(axis=(1, 3)), np.uint8)
    found = asked(image, progress)
    if side > LARGE:
        small = asked(np.clip(shrink(image, LARGE), 0, 1), silent)
        for each in range(len(PLANES)):  # one at a time: they may be too large for the memory
            plane = found[..., each]
            np.maximum(plane, resize_mask(small[..., each], height, width), out=plane)
    return found


def asked(image: Image, progress: Progress = silent) -> Planes:
    """What the network says of the picture at this size, uint8 HxWx4."""
    planes = room((*image.shape[:2], len(PLANES)), np.uint8)
    networks.answer(NETWORK, image, progress=progress, out=planes)
    return planes


def kept(planes: Planes, light: Image, inside: Area, faces: list[Box], sensitivity: float) -> Area:
    """The marks that are believed, bool HxW as the planes; `light` may be smaller, and it is at its
    size that they are told apart and judged."""
    whole = planes.shape[:2]
    small, allowed = planes, inside
    if light.shape != whole:
        small = _shrunk(planes, light.shape)
        allowed = resize_mask(inside.astype(np.uint8), *light.shape) > 0
    labels = told_apart(small[..., 0], allowed, faces)
    believed = judging.believed(small, labels, light, trusted(sensitivity))
    believed &= ~repeats.patterned(labels, light, believed) & ~writing.lettered(labels)
    found: Area = believed[labels]
    if light.shape == whole:
        return found
    near = resize_mask(ndimage.binary_dilation(found, EIGHT).astype(np.uint8), *whole)
    return np.asarray((near > 0) & (planes[..., 0] > MAYBE) & inside)


def told_apart(levels: Mask, inside: Area, faces: list[Box]) -> Labels:
    """The marks numbered from 1, int32 HxW: pixels that may be damage, around one that is more
    likely so than not; none in or near a face."""
    allowed = inside & ~face_area(levels.shape, faces, grow=AROUND_FACE)
    labels, count = ndimage.label((levels > MAYBE) & allowed, EIGHT)
    best = ndimage.maximum(levels, labels, np.arange(count + 1)) if count else np.zeros(1)
    named = np.where(np.asarray(best) > LIKELY, 1, 0)
    named[0] = 0
    found: Labels = (np.cumsum(named) * named).astype(np.int32)[labels]
    return found


def _shrunk(planes: Planes, shape: tuple[int, ...]) -> Planes:
    """At a smaller size; a mark thinner than its pixels stays."""
    step = -(-max(planes.shape) // max(shape))
    small = [
        resize_mask(ndimage.maximum_filter(planes[..., each], step), *shape)
        for each in range(planes.shape[2])
    ]
    return np.stack(small, axis=2)


def face_area(shape: tuple[int, ...], faces: list[Box], grow: float = 0.0) -> Area:
    """True in the face boxes, each enlarged by a share of its size."""
    height, width = shape[:2]
    area = np.zeros((height, width), bool)
    for x, y, wide, high in faces:
        top, bottom = (y - grow * high) * height, (y + (1 + grow) * high) * height
        left, right = (x - grow * wide) * width, (x + (1 + grow) * wide) * width
        area[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : int(right) + 1] = True
    return area
