"""Classical detection of dust, spots and scratches: rather a speck missed than a button erased.

White and black top-hats over the local activity give candidates; each is kept only if it is small
or thin, stands alone on a calm ground, and is no part of a face or a border. Large damage (tears,
stains, flaking) is left to the hand that paints a mask.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.faces import Box
from restoration.engine.image import resize, resize_mask
from restoration.engine.luma import Image
from restoration.engine.measure import Area

Mask = NDArray[np.uint8]

PLANES = ("damage", "line", "missing", "stain")  # what the network answers, in this order

LONG_SIDE = 2400
CALM = 0.06  # detail above this counts no further as local activity
QUIET = 0.004  # one grey level: no ground is calmer than this
EIGHT = np.ones((3, 3), bool)
GROW_SCORE, GROW_CONTRAST = 3.4, 0.045  # how far a candidate reaches around its peak


@dataclass(frozen=True)
class Limits:
    """The thresholds of one search; lengths in pixels of the searched picture."""

    score: float
    contrast: float
    alone: float
    least_area: int
    spot_area: float
    line_length: float
    line_width: float
    streak_width: float
    streak_length: float
    reach: int


def limits(shape: tuple[int, ...], sensitivity: float) -> Limits:
    """sensitivity 0 (only what is certain) to 1 (dust on every wall)."""
    side = max(shape[:2])
    ease = 1.45 - 0.9 * sensitivity
    return Limits(
        score=7.0 * ease,
        contrast=0.085 * ease,
        alone=4.5 * ease,
        least_area=3 if sensitivity < 0.55 else 2,
        spot_area=max(9.0, np.pi * (0.0032 * side) ** 2),
        line_length=max(64.0, 0.18 * min(shape[:2])),
        line_width=max(3.0, 0.004 * side),
        streak_width=max(2.0, 0.0025 * side),
        streak_length=max(12.0, 0.035 * side),
        reach=max(10, round(0.014 * side)),
    )


def find(light: Image, inside: Area, faces: list[Box], sensitivity: float = 0.4) -> Mask:
    """uint8 HxW, 255 where dust, spots and scratches are; luma HxW float32 in [0, 1]."""
    height, width = light.shape
    scale = min(1.0, LONG_SIDE / max(height, width))
    if scale == 1.0:
        return _find(light, inside, faces, sensitivity)
    small = (round(height * scale), round(width * scale))
    area = resize_mask(inside.astype(np.uint8), *small) > 0
    found = _find(np.clip(resize(light, *small), 0, 1), area, faces, sensitivity)
    return resize_mask(found, height, width)


def _find(light: Image, inside: Area, faces: list[Box], sensitivity: float) -> Mask:
    rules = limits(light.shape, sensitivity)
    forbidden = ~inside | face_area(light.shape, faces, grow=0.1)
    found = _passed(light, forbidden, rules)
    grown: Area = ndimage.binary_dilation(found, EIGHT) & inside
    return grown.astype(np.uint8) * 255


def _passed(light: Image, forbidden: Area, rules: Limits) -> Area:
    """Bright and dark marks that pass for damage."""
    activity = _activity(light)
    found = np.zeros(light.shape, bool)
    for bright in (True, False):
        hat = _hat(light, bright, rules)
        found |= _kept(light, hat, hat / activity, forbidden, rules)
    return found


def face_area(shape: tuple[int, ...], faces: list[Box], grow: float = 0.0) -> Area:
    """True in the face boxes, each enlarged by a share of its size."""
    height, width = shape[:2]
    area = np.zeros((height, width), bool)
    for x, y, wide, high in faces:
        top, bottom = (y - grow * high) * height, (y + (1 + grow) * high) * height
        left, right = (x - grow * wide) * width, (x + (1 + grow) * wide) * width
        area[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : int(right) + 1] = True
    return area


def _activity(light: Image) -> Image:
    """Mean clipped detail around a place; a speck hardly raises it, a texture does."""
    detail = np.minimum(np.abs(light - ndimage.gaussian_filter(light, 2.0)), CALM)
    around: Image = ndimage.uniform_filter(detail, 25)
    return around + np.float32(0.0025)


def _hat(light: Image, bright: bool, rules: Limits) -> Image:
    """What stands out of its surroundings and is narrower than the filter."""
    size = 2 * round(1.2 * rules.line_width) + 3
    if bright:
        hat: Image = light - ndimage.grey_opening(light, size=(size, size))
    else:
        hat = ndimage.grey_closing(light, size=(size, size)) - light
    return hat


def _kept(light: Image, hat: Image, score: Image, forbidden: Area, rules: Limits) -> Area:
    """The candidates that pass for a spot or a line."""
    grown = (score > GROW_SCORE) & (hat > GROW_CONTRAST)
    labels, count = ndimage.label(grown, EIGHT)
    kept = np.zeros(count + 1, bool)
    if count:
        names = np.arange(1, count + 1)
        peak = ndimage.maximum(score, labels, names)
        height = ndimage.maximum(hat, labels, names)
        blocked = ndimage.maximum(forbidden, labels, names) > 0
        likely = (peak > rules.score) & (height > rules.contrast) & ~blocked
        places = ndimage.find_objects(labels)
        for name in names[likely]:
            kept[name] = _is_damage(light, labels, int(name), places[name - 1], rules)
    found: Area = kept[labels]
    return found


def _is_damage(
    light: Image, labels: NDArray[np.int32], name: int, place: tuple[slice, slice], rules: Limits
) -> bool:
    area = int((labels[place] == name).sum())
    across = float(np.hypot(*(part.stop - part.start for part in place)))
    if area < rules.least_area or rules.streak_length + 2 < across < rules.line_length:
        return False
    window = _widened(place, rules.reach, light.shape)
    blob = labels[window] == name
    length, width = _extent(blob)
    if length >= rules.line_length:
        return width <= rules.streak_width and _is_scratch(light[window], blob, rules)
    spot = area <= rules.spot_area
    streak = width <= rules.streak_width and length <= rules.streak_length
    if not (spot or streak):
        return False
    return _stands_alone(light[window], blob, rules.alone)


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
