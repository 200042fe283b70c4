"""Finds what hides an old photograph: dust, hairs, scratches, creases, tears, flaked emulsion.

Our own network says of each pixel how likely it is damaged; a small picture is doubled before it is
asked, as a mark thinner than a pixel leaves little to see, and a large one is asked a second time
smaller, as the network never saw marks so wide. But what it was taught on was damaged on purpose,
and in the rubble of a real building site it sees more scratches than in a scratched sky. So each of
its marks is judged once more, as a whole, by its surroundings: among details as fine as itself a
mark is believed less than on a calm ground (tests/benchmarks/calibrate_damage.py weighs that).
Faces are left out. Rather a speck missed than a button erased.
"""

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
LONG_SIDE = 2400  # at which the marks are judged
RIM = 140  # of 255: beside a mark, a pixel from here on is its soft edge
AROUND_FACE = 0.25  # share of its box left out with a face: eyes are like specks, hair like hairs
QUIET = 0.004  # one grey level: no ground is calmer than this
SHARE = 0.9  # quantile that stands for the best of a mark and the busiest of its ground
EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Judgement:
    """How much each of `measured`'s three facts weighs; what comes out is a logit."""

    sureness: float
    against_details: float
    evenness: float
    bias: float

    def of(self, facts: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = np.array([self.sureness, self.against_details, self.evenness])
        return np.asarray(facts @ weights + self.bias)


JUDGEMENT = Judgement(sureness=0.63, against_details=1.05, evenness=-0.74, bias=-6.78)


@dataclass(frozen=True)
class Limits:
    """What one search asks: likely, the network's logit from which a pixel belongs to a mark;
    trusted, the judgement from which the mark is kept."""

    likely: float
    trusted: float


def limits(sensitivity: float) -> Limits:
    """sensitivity 0 (only what is certain) to 1 (dust on every wall)."""
    return Limits(likely=1.75 - 1.25 * sensitivity, trusted=3.4 - 3 * sensitivity)


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
    levels = likelihood(check_image(image), progress)
    found = kept(levels, shrink(light, LONG_SIDE), inside, faces, sensitivity)
    edge = ndimage.binary_dilation(found, EIGHT) & inside & (levels > RIM)
    whole: Area = found | edge
    return whole.astype(np.uint8) * 255


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
    """The marks that are believed, bool HxW as the levels; `light` may be smaller, and it is at its
    size that they are told apart and judged."""
    rules = limits(sensitivity)
    small, allowed = levels, inside
    if light.shape != levels.shape:
        small = _shrunk(levels, light.shape)
        allowed = resize_mask(inside.astype(np.uint8), *light.shape) > 0
    labels = told_apart(small, allowed, faces, rules.likely)
    believed = np.zeros(int(labels.max()) + 1, bool)
    believed[1:] = JUDGEMENT.of(measured(small, labels, light)) > rules.trusted
    found: Area = believed[labels]
    if light.shape == levels.shape:
        return found
    near = resize_mask(ndimage.binary_dilation(found, EIGHT).astype(np.uint8), *levels.shape)
    return np.asarray((near > 0) & (levels > _level(rules.likely)) & inside)


def told_apart(levels: Mask, inside: Area, faces: list[Box], likely: float) -> Labels:
    """The marks of which the network is likely to be right (a logit) numbered from 1, int32 HxW;
    none in or near a face."""
    allowed = inside & ~face_area(levels.shape, faces, grow=AROUND_FACE)
    labels: Labels = ndimage.label((levels > _level(likely)) & allowed, EIGHT)[0]
    return labels


def _shrunk(levels: Mask, shape: tuple[int, ...]) -> Mask:
    """At a smaller size; a mark thinner than its pixels stays."""
    step = -(-max(levels.shape) // max(shape))
    return resize_mask(ndimage.maximum_filter(levels, step), *shape)


def measured(levels: Mask, labels: Labels, light: Image) -> NDArray[np.float64]:
    """Nx3, the facts of each mark: how sure the network is of the best of it (a logit), how wide it
    is against the details around it (the logarithm of thousandths of the long side over luma), and
    the logarithm of how uneven the luma beside it is. All HxW, the labels from 1 to N."""
    details = np.abs(light - ndimage.gaussian_filter(light, 2.0))
    facts = [
        _facts(levels[window], labels[window] == name, light[window], details[window], light.shape)
        for name, place in enumerate(ndimage.find_objects(labels), 1)
        for window in [_widened(place, light.shape)]
    ]
    return np.array(facts, float).reshape(-1, 3)


def _facts(
    levels: Mask, blob: Area, light: Image, details: Image, shape: tuple[int, ...]
) -> tuple[float, float, float]:
    close = ndimage.binary_dilation(blob, EIGHT, iterations=2)
    ring = ndimage.binary_dilation(close, EIGHT, iterations=3) & ~close
    beside = light[ring] if ring.any() else light[~blob]
    busy = float(np.quantile(details[~close], SHARE)) if not close.all() else 0.0
    low, high = np.quantile(beside, [0.05, 0.95]) if beside.size else (0.0, 0.0)
    sureness = _logit(float(np.quantile(levels[blob], SHARE)))
    width = 1000 * _width(blob) / max(shape)
    uneven = float(high - low) / 3.29  # of a Gaussian's deviations
    return sureness, float(np.log(width / (busy + QUIET))), float(np.log(uneven + QUIET))


def _logit(level: float) -> float:
    share = min(max(level / 255, 0.002), 0.998)
    return float(np.log(share / (1 - share)))


def face_area(shape: tuple[int, ...], faces: list[Box], grow: float = 0.0) -> Area:
    """True in the face boxes, each enlarged by a share of its size."""
    height, width = shape[:2]
    area = np.zeros((height, width), bool)
    for x, y, wide, high in faces:
        top, bottom = (y - grow * high) * height, (y + (1 + grow) * high) * height
        left, right = (x - grow * wide) * width, (x + (1 + grow) * wide) * width
        area[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : int(right) + 1] = True
    return area


def _widened(place: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    by = max(10, round(0.014 * max(shape)))
    rows, columns = place
    return (
        slice(max(0, rows.start - by), min(shape[0], rows.stop + by)),
        slice(max(0, columns.start - by), min(shape[1], columns.stop + by)),
    )


def _width(blob: Area) -> float:
    """Mean width of a mark across its principal axis, in pixels."""
    rows, columns = np.nonzero(blob)
    if len(rows) < 3:
        return 1.0
    vectors = np.linalg.eigh(np.cov(np.stack([rows, columns]).astype(float)))[1]
    along = vectors[:, 1] @ np.stack([rows, columns])
    return len(rows) / (float(np.ptp(along)) + 1)
