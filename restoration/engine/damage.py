"""Finds what hides an old photograph: dust, hairs, scratches, creases, tears, flaked emulsion.

Our own network says of each pixel how likely it is damaged; a small picture is doubled before it is
asked, as a mark thinner than a pixel leaves little to see, and a large one is asked a second time
smaller, as the network never saw marks so wide. But what it was taught on was damaged on purpose,
and on real prints it takes the dots of a dress for dust: so a mark of which it is not quite sure is
kept only if it stands alone on a calm ground, or runs straight across what is behind it. Faces are
left out. Rather a speck missed than a button erased.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import networks
from restoration.engine.faces import Box
from restoration.engine.image import check_image, resize, resize_mask, room, shrink
from restoration.engine.luma import Image
from restoration.engine.measure import Area

Mask = NDArray[np.uint8]
Labels = NDArray[np.int32]
Progress = Callable[[float, NDArray[Any] | None], None]

NETWORK = "damage"
PLANES = ("damage", "line", "missing", "stain")  # what the network answers, in this order

SMALL = 1280  # long side in pixels: a smaller picture is doubled
LARGE = 2600  # a larger one is asked at this size as well
LONG_SIDE = 2400  # at which the marks are told apart
LEAST = 3  # pixels of a mark
QUIET = 0.004  # one grey level: no ground is calmer than this
EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Limits:
    """What one search asks of a mark; logits of the network, lengths in pixels.

    likely: from here on a pixel belongs to a mark. sure: a mark of that mean needs no other proof.
    alone: how far a speck must stand out of an uneven ground.
    """

    likely: float
    sure: float
    contrast: float
    alone: float
    spot_area: float
    line_length: float
    line_width: float
    reach: int


def limits(shape: tuple[int, ...], sensitivity: float) -> Limits:
    """sensitivity 0 (only what is certain) to 1 (dust on every wall)."""
    side = max(shape[:2])
    return Limits(
        likely=1.3 - 0.9 * sensitivity,
        sure=5.4 - 4 * sensitivity,
        contrast=0.05,
        alone=5.2 - 4.4 * sensitivity,
        spot_area=max(9.0, np.pi * (0.0032 * side) ** 2),
        line_length=max(48.0, 0.1 * min(shape[:2])),
        line_width=max(3.0, 0.004 * side),
        reach=max(10, round(0.014 * side)),
    )


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
    """uint8 HxW, 255 where damage is, and one pixel around it; float32 HxWx3 in [0, 1].

    light: its luma HxW. inside: bool HxW, the print without its border. progress(fraction, None)
    may raise. Raises StepFailed where the network is missing or altered, BadInput at the door.
    """
    levels = likelihood(check_image(image), progress)
    found = kept(levels, shrink(light, LONG_SIDE), inside, faces, sensitivity)
    grown: Area = ndimage.binary_dilation(found, EIGHT) & inside
    return grown.astype(np.uint8) * 255


def likelihood(image: Image, progress: Progress = silent) -> Mask:
    """The network's probability of damage, uint8 HxW, 255 for certain."""
    height, width = image.shape[:2]
    side = max(height, width)
    if side < SMALL:
        twice = _asked(np.clip(resize(image, 2 * height, 2 * width), 0, 1), progress)
        return np.asarray(twice.reshape(height, 2, width, 2).max(axis=(1, 3)), np.uint8)
    found = _asked(image, progress)
    if side > LARGE:
        small = _asked(np.clip(shrink(image, LARGE), 0, 1), silent)
        found = np.maximum(found, resize_mask(small, height, width))
    return found


def _asked(image: Image, progress: Progress) -> Mask:
    planes = room((*image.shape[:2], len(PLANES)), np.uint8)
    networks.answer(NETWORK, image, progress=progress, out=planes)
    return np.ascontiguousarray(planes[..., 0])


def _level(logit: float) -> float:
    """A logit as a probability of 255."""
    return float(255 / (1 + np.exp(-logit)))


def kept(levels: Mask, light: Image, inside: Area, faces: list[Box], sensitivity: float) -> Area:
    """The marks that pass; `light` may be smaller than the levels, and tells them apart."""
    rules = limits(light.shape, sensitivity)
    forbidden = ~inside | face_area(levels.shape, faces, grow=0.1)  # an eye is like a speck
    area = (levels > _level(rules.likely)) & ~forbidden
    labels, count = ndimage.label(area, EIGHT)
    if not count:
        return area
    names = np.arange(1, count + 1)
    sure = ndimage.mean(levels, labels, names) > _level(rules.sure)
    kept = np.zeros(count + 1, bool)
    kept[1:] = sure
    kept[names[~sure]] = _proven(labels, names[~sure], light, rules)
    kept &= np.bincount(labels.ravel(), minlength=count + 1) >= LEAST
    kept[0] = False
    found: Area = kept[labels]
    return found


def _proven(labels: Labels, names: NDArray[np.int_], light: Image, rules: Limits) -> Area:
    """Which of the marks stand alone or run across."""
    small = labels
    if light.shape != labels.shape:
        small = resize_mask(labels, *light.shape)
    places = ndimage.find_objects(small, max_label=int(labels.max()))
    return np.array(
        [
            places[name - 1] is not None and _is_damage(light, small, name, places[name - 1], rules)
            for name in names.tolist()
        ],
        bool,
    )


def face_area(shape: tuple[int, ...], faces: list[Box], grow: float = 0.0) -> Area:
    """True in the face boxes, each enlarged by a share of its size."""
    height, width = shape[:2]
    area = np.zeros((height, width), bool)
    for x, y, wide, high in faces:
        top, bottom = (y - grow * high) * height, (y + (1 + grow) * high) * height
        left, right = (x - grow * wide) * width, (x + (1 + grow) * wide) * width
        area[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : int(right) + 1] = True
    return area


def _is_damage(
    light: Image, labels: Labels, name: int, place: tuple[slice, slice], rules: Limits
) -> bool:
    window = _widened(place, rules.reach, light.shape)
    blob = labels[window] == name
    length, width = _extent(blob)
    if length >= rules.line_length:
        return width <= rules.line_width and _is_scratch(light[window], blob, rules)
    return int(blob.sum()) <= rules.spot_area and _stands_alone(light[window], blob, rules.alone)


def _widened(place: tuple[slice, slice], by: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = place
    return (
        slice(max(0, rows.start - by), min(shape[0], rows.stop + by)),
        slice(max(0, columns.start - by), min(shape[1], columns.stop + by)),
    )


def _extent(blob: Area) -> tuple[float, float]:
    """Length and mean width of a component along its principal axis."""
    rows, columns = np.nonzero(blob)
    if len(rows) < 3:
        return float(len(rows)), 1.0
    vectors = np.linalg.eigh(np.cov(np.stack([rows, columns]).astype(float)))[1]
    along = vectors[:, 1] @ np.stack([rows, columns])
    length = float(np.ptp(along)) + 1
    return length, len(rows) / length


def _stands_alone(light: Image, blob: Area, alone: float) -> bool:
    """The near ring is even, the wide ground is calm, and the blob is far from both."""
    close = ndimage.binary_dilation(blob, EIGHT, iterations=2)
    ring = ndimage.binary_dilation(close, EIGHT, iterations=3) & ~close
    if ring.sum() < 12:
        return False
    low, middle, high = (float(value) for value in np.quantile(light[ring], [0.05, 0.5, 0.95]))
    level = float(np.mean(light[blob]))
    gap = abs(level - middle)
    if gap <= alone * ((high - low) / 3.29 + QUIET):
        return False
    filled = np.where(close, np.float32(middle), light)
    detail = np.abs(filled - ndimage.gaussian_filter(filled, 2.0))[~close]
    if gap <= alone * (float(np.quantile(detail, 0.9)) / 1.2 + QUIET):
        return False
    return not _goes_on(light, close, ring, middle, level)


def _goes_on(light: Image, close: Area, ring: Area, middle: float, level: float) -> bool:
    """Something like the blob crosses the ring from inside to outside: the tip of a twig, a link
    of a chain. A neighbour speck does not."""
    like = ((light - middle) / (level - middle + 1e-9) > 0.35) & ring
    labels, count = ndimage.label(like, EIGHT)
    if not count:
        return False
    inner = np.unique(labels[like & ndimage.binary_dilation(close, EIGHT)])
    outer = np.unique(labels[like & ~ndimage.binary_dilation(close, EIGHT, iterations=2)])
    return bool(np.isin(inner, outer).any())


def _is_scratch(light: Image, blob: Area, rules: Limits) -> bool:
    """Nearly straight, and it runs over what is behind it: the ground changes along the line and
    is the same on both its sides. A wire in the sky or the rim of a roof is not damage."""
    rows, columns = np.nonzero(blob)
    spot = np.stack([rows, columns]).astype(float)
    middle = spot.mean(axis=1, keepdims=True)
    vectors = np.linalg.eigh(np.cov(spot))[1]
    along, across = vectors[:, 1] @ (spot - middle), vectors[:, 0] @ (spot - middle)
    bend = np.polyfit(along, across, 2)
    if float(np.std(across - np.polyval(bend, along))) > 0.6 * rules.line_width:
        return False
    near = ndimage.binary_dilation(blob, EIGHT, iterations=4) & ~ndimage.binary_dilation(
        blob, EIGHT, iterations=2
    )
    place = np.stack(np.nonzero(near)).astype(float) - middle
    near_along, near_across = vectors[:, 1] @ place, vectors[:, 0] @ place
    side = near_across > np.polyval(bend, near_along)
    parts = [
        _part(light, (along, blob), (near_along, near), side, edges)
        for edges in itertools.pairwise(np.linspace(along.min(), along.max(), 9))
    ]
    return _runs_across(np.array([part for part in parts if part is not None]), rules)


def _part(
    light: Image,
    line: tuple[NDArray[np.float64], Area],
    near: tuple[NDArray[np.float64], Area],
    side: NDArray[np.bool_],
    edges: tuple[float, float],
) -> tuple[float, float, float] | None:
    """Median luma of one stretch of the line, of the ground left and of the ground right."""
    on = light[line[1]][(line[0] >= edges[0]) & (line[0] <= edges[1])]
    here = (near[0] >= edges[0]) & (near[0] <= edges[1])
    left, right = light[near[1]][here & side], light[near[1]][here & ~side]
    if min(len(on), len(left), len(right)) < 3:
        return None
    return float(np.median(on)), float(np.median(left)), float(np.median(right))


def _runs_across(parts: NDArray[np.float64], rules: Limits) -> bool:
    if len(parts) < 5:
        return False
    ground = parts[:, 1:].mean(axis=1)
    gaps = parts[:, 0] - ground
    gap = float(np.median(np.abs(gaps)))
    one_sign = max(float((gaps > 0).mean()), float((gaps < 0).mean()))
    lopsided = float(np.median(np.abs(parts[:, 1] - parts[:, 2])))
    changes = float(np.ptp(ground))
    return gap > rules.contrast and one_sign > 0.85 and lopsided < 0.3 * gap and changes > 0.8 * gap
