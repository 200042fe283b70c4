"""Whether a mark is damage: judged whole, by itself, its surroundings, and what else was found.

Its facts are weighed against each other (tests/benchmarks/calibrate_damage.py): among details as
fine as itself a mark is believed less than on a calm ground, and more when its tone is one that the
picture hardly has elsewhere. Then all marks are asked together. A print with a hundred sure
scratches has more of them, one in which all is doubtful has none: how many marks are damage is
estimated from all of them, and each is judged anew by that share. That is done twice, by two judges
who must agree: the one learnt what is left alone from sound old prints, the other from photographs
of our day, whose highlights the first takes for dust (docs/decisions/0018).
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.luma import Image

Area = NDArray[np.bool_]
Planes = NDArray[np.uint8]
Labels = NDArray[np.int32]
Floats = NDArray[np.float64]
Total = Callable[[Floats], Floats]

QUIET = 0.004  # one grey level: no ground is calmer than this
SHARE = 0.9  # quantile that stands for the best of a mark and the busiest of its ground
CORE = 0.6  # quantile of its own levels above which a mark is sure of itself
TONES = 4  # every so-manieth pixel stands for the tones of the picture
EIGHT = np.ones((3, 3), bool)
UNSEEN = 0.05  # weight of what is known before a picture is seen, in roots of its area ...
UNSEEN_AROUND = 0.05  # ... and of what the whole picture says of the surroundings of a mark
REACH = 0.06  # deviation of those surroundings, of the long side
CELLS = 2  # on so fine a grid: this many cells to a deviation
LEAST_SHARE = 1e-4
MOST_LEANING = 4.0  # a logit: sure marks make others so much more likely, never more
BROAD = 650  # how wide against the details around it (as in `measured`) a broad mark is
PALE = 0.026  # luma: a broad mark that differs by less is not worth filling
ROUNDS = 60
FACTS = 8  # of a mark, as `measured` names them


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How much each of `measured`'s facts weighs, two of them also by their squares: neither the
    broadest nor the starkest marks are damage. What comes out is a logit. usual: the share of the
    marks that were damage where this was weighed; enough: from where on a mark is believed at the
    usual sensitivity."""

    sureness: float
    against_details: float
    unevenness: float
    contrast: float
    commonness: float
    line: float = 0.0
    missing: float = 0.0
    stain: float = 0.0
    against_details_squared: float
    contrast_squared: float
    bias: float
    usual: float
    enough: float = 0.0

    def of(self, facts: Floats) -> Floats:
        """N logits, of facts as `measured` gives them (NxFACTS)."""
        *weights, bias, _, _ = astuple(self)
        return np.asarray(terms(facts) @ np.array(weights) + bias)

    def believes(self, facts: Floats, places: "Places", trusted: float) -> Area:
        """N booleans: whether each is above `enough` by `trusted` (a logit), leaning included."""
        said = self.of(facts)
        return np.asarray(said + leaning(said, places, self) > self.enough + trusted)


def terms(facts: Floats) -> Floats:
    """Nx10: the eight facts, and the squares of `against_details` and of `contrast`."""
    return np.column_stack([facts, np.square(facts[:, [1, 3]])])


OF_SCANS = Judgement(
    sureness=0.502,
    against_details=1.01,
    unevenness=-0.828,
    contrast=-0.166,
    commonness=-0.779,
    against_details_squared=-0.0572,
    contrast_squared=0.00975,
    bias=-7.82,
    usual=0.558,
    enough=2.6,
)
OF_UNDAMAGED = Judgement(
    sureness=0.664,
    against_details=0.876,
    unevenness=-0.797,
    contrast=-0.814,
    commonness=-0.371,
    line=-0.235,
    missing=2.0,
    stain=2.74,
    against_details_squared=-0.0929,
    contrast_squared=-0.161,
    bias=-8.35,
    usual=0.517,
    enough=1.2,
)
JUDGES = (OF_SCANS, OF_UNDAMAGED)


def believed(planes: Planes, labels: Labels, light: Image, trusted: float) -> Area:
    """By a mark's number, 0 for none: whether both judgements, leaning included, are above what is
    enough, and by `trusted` (a logit). planes: the network's, HxWx4, of 255; light: luma, HxW."""
    facts = measured(planes, labels, light)
    kept, places = ~hides_nothing(facts), Places(labels)
    for judge in JUDGES:
        kept &= judge.believes(facts, places, trusted)
    return np.concatenate([[False], kept])


def hides_nothing(facts: Floats) -> Area:
    """Broad marks as bright as what surrounds them: leaves against a sky, not damage to fill."""
    broad, contrast = facts[:, 1], facts[:, 3]
    return np.asarray((broad > np.log(BROAD)) & (contrast < np.log(PALE + QUIET)))


class Places:
    """Where a picture's marks lie, for every judge alike. labels: HxW, from 1 to N; weight: N, the
    root of the share of the picture that each covers."""

    def __init__(self, labels: Labels) -> None:
        cell = max(labels.shape) * REACH / CELLS
        area = np.bincount(labels.ravel())[1:]
        self.weight = np.sqrt(area / labels.size)
        names = np.arange(1, len(area) + 1)
        centres = ndimage.center_of_mass(np.ones(labels.shape, bool), labels, names)
        self.rows, self.columns = (np.reshape(centres, (-1, 2)) / cell).astype(int).T
        self.shape = self.rows.max(initial=0) + 1, self.columns.max(initial=0) + 1

    def total_around(self, values: Floats) -> Floats:
        """N sums over the surroundings of each mark, by distance (a Gaussian, 1 at the mark)."""
        grid = np.zeros(self.shape)
        np.add.at(grid, (self.rows, self.columns), values)
        smooth = ndimage.gaussian_filter(grid, CELLS, mode="constant", truncate=3)
        return np.asarray((2 * np.pi * CELLS**2 * smooth)[self.rows, self.columns])


def leaning(said: Floats, places: Places, rules: Judgement) -> Floats:
    """What a picture's marks say about each other: a logit to add to the judgement of each.

    The share of damage among them, found by expectation and maximisation (M. Saerens, P. Latinne,
    C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", 2002),
    against the usual one: first of the whole picture, then of the surroundings of each mark, which
    keep to the whole as long as they say little. A dotted dress on a dusty plate is full of
    doubtful marks, the wall behind it is not. A mark counts by the root of its area, and never
    speaks for itself.
    """
    usual = np.full(1, rules.usual)
    whole = _share(said, places.weight, usual, usual, UNSEEN, np.sum)
    around = _share(said, places.weight, usual, whole, UNSEEN_AROUND, places.total_around)
    return np.minimum(_logit(around) - _logit(usual), MOST_LEANING)


def _share(
    said: Floats, weight: Floats, usual: Floats, before: Floats, held: float, total: Total
) -> Floats:
    """The share of damage among the marks, in which what was known before weighs `held`."""
    share = before
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(_logit(usual) - _logit(share) - said))
        others = np.maximum(total(weight) - weight, 0)
        damaged = np.clip(total(weight * likely) - weight * likely, 0, others)
        share = (held * before + damaged) / (held + others)
        share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
    return share


def measured(planes: Planes, labels: Labels, light: Image) -> Floats:
    """Nx8, the facts of each mark: how sure the network is of the best of it (a logit); the
    logarithms of how wide it is against the details around it (thousandths of the long side over
    luma), of how uneven the luma beside it is, of how much it differs from that, and of how common
    its tone is in the picture; the network's means over it of line, missing and stain. planes: the
    network's, HxWx4; labels from 1 to N, light: HxW."""
    details = np.abs(light - ndimage.gaussian_filter(light, 2.0))
    tones = np.sort(light[::TONES, ::TONES], axis=None)
    facts = [
        _facts(planes[window], labels[window] == name, light[window], details[window], scene)
        for scene in [_Scene(tones, max(light.shape))]
        for name, place in enumerate(ndimage.find_objects(labels), 1)
        for window in [_widened(place, light.shape)]
    ]
    return np.array(facts, float).reshape(-1, FACTS)


@dataclass(frozen=True)
class _Scene:
    """The picture that a mark lies on: its tones in rising order, and its long side in pixels."""

    tones: NDArray[Any]
    long_side: int


def _facts(
    planes: Planes, blob: Area, light: Image, details: Image, scene: _Scene
) -> tuple[float, ...]:
    levels = planes[..., 0]
    close = ndimage.binary_dilation(blob, EIGHT, iterations=2)
    ring = ndimage.binary_dilation(close, EIGHT, iterations=3) & ~close
    beside = light[ring] if ring.any() else light[~blob]
    busy = float(np.quantile(details[~close], SHARE)) if not close.all() else 0.0
    tone = _tone(levels[blob], light[blob])
    low, middle, high = np.quantile(beside, [0.05, 0.5, 0.95]) if beside.size else (tone,) * 3
    best = np.clip(np.quantile(levels[blob], [SHARE]) / 255, 0.002, 0.998)
    width = 1000 * _width(blob) / scene.long_side
    uneven = float(high - low) / 3.29  # of a Gaussian's deviations
    place = float(np.searchsorted(scene.tones, tone)) / len(scene.tones)
    logs = np.log(
        [
            width / (busy + QUIET),
            uneven + QUIET,
            abs(tone - float(middle)) + QUIET,
            min(place, 1 - place) + 0.002,
        ]
    )
    return (float(_logit(best)[0]), *logs, *planes[blob][:, 1:].mean(axis=0) / 255)


def _tone(levels: NDArray[np.uint8], light: Image) -> float:
    """The luma of the part that the network is surest of."""
    return float(np.median(light[levels >= np.quantile(levels, CORE)]))


def _logit(share: Floats) -> Floats:
    return np.asarray(np.log(share / (1 - share)))


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
