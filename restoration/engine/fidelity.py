"""Where one picture says something that another does not: moved, invented, smoothed away, erased.

Both pictures are band-passed, and in overlapping windows the earlier one is explained by the later:
earlier(x) = gain * later(x + d) + offset + the rest (B. Lucas, T. Kanade, "An iterative image
registration technique", 1981, with the gain solved beside the displacement). So tone, fading, grain
and stains fall into gain, offset and the rest, and what is left has a size and an error:

- `moved`: the least length of d, in pixels, that its error allows, where moving it back explains
  much more than the gain alone did, and the windows around agree;
- `invented`: the share of the later picture's structure that the earlier one cannot have had;
- `smoothed`: fine detail that both share and the later shows fainter, over the grain, and more so
  than in the rest of the picture;
- `erased`: structure of the earlier that the later has nothing of, over the grain.

Maps are float32, one value for every CELL x CELL pixels.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.errors import BadInput

Floats = NDArray[np.float32]
Area = NDArray[np.bool_]
Map = NDArray[np.float64]

CELL = 8
WINDOW = np.array([1, 6, 15, 20, 15, 6, 1], np.float64) / 64  # of cells: about 40 px
WINDOW_CELLS = float(1 / np.square(WINDOW).sum() ** 2)  # as many independent cells as it averages
MIDDLE = (1.4, 14.0)  # the bands: finest and coarsest Gaussian, in pixels
FINE = (0.7, 2.5)
ROUNDS = 3
REACH = (
    1.0  # pixels of the half size: how far things are expected to be off before anything is seen
)
FARTHEST = 4.0
LEAST_REST = (0.6 / 255) ** 2  # rounding
MODEL_REST = 0.04  # the share of a window that one gain cannot explain even when nothing changed
SEEN = 0.5  # the share of a window that must lie outside the repairs
SURE_OF_MOVE = 4.0  # errors, of a window that the movement explains as well as the model can
SURE_OF_GAIN = 1.0
BETTER = 0.4  # of the rest that is left: how much a movement must have explained
LIKE_GAIN = (0.4, 2.0)  # of the usual: outside them another thing was tracked, not a moved one
NEIGHBOURS = 3  # cells: half of so wide a square moves with its middle
PLAIN = 4 / 255  # structure below this deviation counts in proportion
GRAIN_FLOOR = 1 / 255
EVERYWHERE = 0.8  # the share of a picture that an honest cleaning may fade as much as any
MEDIAN_CELLS = 19  # a gain is held against the usual one of so wide a neighbourhood


@dataclass(frozen=True)
class Window:
    """Per cell: gain and its error, displacement (down, right) and the error of its length in px,
    energy of both pictures and of the rest, of the rest with nothing moved (`still`), and the share
    of the window that is seen."""

    gain: Map
    gain_error: Map
    moved: Map
    moved_error: Map
    earlier: Map
    later: Map
    rest: Map
    still: Map
    seen: Area


@dataclass(frozen=True)
class Fidelity:
    """The four maps, HxW cells (see the module)."""

    moved: Floats
    invented: Floats
    smoothed: Floats
    erased: Floats


def compare(earlier: Floats, later: Floats, keep: Area) -> Fidelity:
    """Compares two lumas HxW in [0, 1] of one frame and like tones, where `keep` (bool HxW).

    Raises BadInput `sizes-differ`. Pictures under 3 cells a side give empty findings.
    """
    if earlier.shape != later.shape or keep.shape != earlier.shape:
        raise BadInput("sizes-differ", {"one": list(earlier.shape), "other": list(later.shape)})
    shape = (earlier.shape[0] // CELL, earlier.shape[1] // CELL)
    if min(shape) < 3:
        blank = np.zeros((max(1, shape[0]), max(1, shape[1])), np.float32)
        return Fidelity(blank, blank, blank, blank)
    # The middle band has nothing finer than half the pixels show; both bands have the same cells.
    half = tuple(slice(0, count * CELL, 2) for count in shape)
    one, other, weight = (plane[half] for plane in banded(earlier, later, keep, MIDDLE))
    middle = explained(one, other, weight, MIDDLE[0] / 2, ROUNDS, cell=CELL // 2)
    fine = explained(*banded(earlier, later, keep, FINE), FINE[0], 1)
    light = cells(earlier) / CELL**2
    grain, coarse = grain_by_light(fine, light), grain_by_light(middle, light)
    return Fidelity(
        moved=_moved(middle),
        invented=np.maximum(_invented(middle), _invented(fine)),
        smoothed=_smoothed(fine, grain),
        erased=_erased(middle, coarse),
    )


def banded(
    earlier: Floats, later: Floats, keep: Area, band: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """Both pictures between the two scales, as seen through what is kept, and its weight."""
    weight = keep.astype(np.float32)
    near, far = (_soft(weight, scale) + 1e-3 for scale in band)
    one, other = (
        _soft(plane * weight, band[0]) / near - _soft(plane * weight, band[1]) / far
        for plane in (earlier, later)
    )
    if not keep.all():
        margin = max(1, round(2 * band[0]))
        weight = ndimage.binary_erosion(keep, iterations=margin, border_value=1).astype(np.float32)
    return one, other, weight


def explained(
    earlier: Floats,
    later: Floats,
    weight: Floats,
    correlated: float,
    rounds: int,
    cell: int = CELL,
) -> Window:
    """The windows' fits; `correlated` is the Gaussian that made neighbours alike, in pixels."""
    share = windowed(weight, cell) / cell**2 + 1e-9
    samples = np.maximum(share * cell**2 * WINDOW_CELLS / (4 * np.pi * correlated**2), 4.0)
    moved = np.zeros((*share.shape, 2))
    found = _solved(earlier, later, weight, share, samples, moved, cell)
    still = found.still
    for _ in range(rounds - 1):
        moved = np.stack([ndimage.median_filter(found.moved[..., axis], 3) for axis in (0, 1)], -1)
        laid = _laid(later, moved, cell)
        found = _solved(earlier, laid, weight, share, samples, moved, cell)
    return replace(found, still=still)


def _solved(
    earlier: Floats,
    later: Floats,
    weight: Floats,
    share: Map,
    samples: Map,
    moved: Map,
    cell: int,
) -> Window:
    """One Gauss-Newton step from `moved`, with a pull towards no movement at all."""
    down, right = (np.asarray(slope, np.float32) for slope in np.gradient(later))
    normal, aside, energy = _moments([down, right, later], earlier, weight, share, cell)
    usual = aside[..., 2] / np.maximum(normal[..., 2, 2], 1e-9)
    size = np.maximum(np.abs(usual), 0.05)
    signed = np.where(usual < 0, -size, size)
    error = np.maximum(energy, LEAST_REST) / samples
    for _ in range(2):  # the second time with the error that the first one found
        pull = error / (size * REACH) ** 2
        held = normal + pull[..., None, None] * np.diag([1.0, 1.0, 0.0]) + 1e-10 * np.eye(3)
        wanted = aside.copy()
        wanted[..., :2] -= (pull * signed)[..., None] * moved
        inverse = np.linalg.inv(held)
        answer = np.einsum("hwij,hwj->hwi", inverse, wanted)
        rest = energy - 2 * (answer * aside).sum(-1)
        rest += np.einsum("hwi,hwij,hwj->hw", answer, normal, answer)
        rest = _at_least(rest, energy)
        error = rest / np.maximum(samples - 3, 0.2 * samples)
    gain = answer[..., 2]
    step = answer[..., :2] / np.where(gain < 0, -1, 1)[..., None]
    step /= np.maximum(np.abs(gain), 0.05)[..., None]
    reached = np.clip(moved + np.clip(step, -1.5, 1.5), -FARTHEST, FARTHEST)
    return Window(
        gain=gain,
        gain_error=np.sqrt(error * np.maximum(inverse[..., 2, 2], 0)),
        moved=reached,
        moved_error=_along(inverse, reached) * np.sqrt(error) / np.maximum(np.abs(gain), 0.05),
        earlier=energy,
        later=np.maximum(normal[..., 2, 2], 1e-9),
        rest=rest,
        still=_at_least(energy - usual * aside[..., 2], energy),
        seen=share > SEEN,
    )


def _at_least(rest: Map, energy: Map) -> Map:
    """No window is explained better than rounding and the model allow."""
    return np.maximum(rest, LEAST_REST + MODEL_REST * energy)


def _moments(
    columns: list[Floats], target: Floats, weight: Floats, share: Map, cell: int
) -> tuple[Map, Map, Map]:
    """Windowed covariances: columns with columns, columns with the target, target with itself."""
    planes = [*columns, target]
    weighted = [plane * weight for plane in planes]
    area = share * cell**2
    means = [windowed(plane, cell) / area for plane in weighted]

    def covariance(one: int, other: int) -> Map:
        both = windowed(weighted[one] * planes[other], cell) / area
        return np.asarray(both - means[one] * means[other])

    count = len(columns)
    normal = np.empty((*share.shape, count, count))
    for one in range(count):
        for other in range(one, count):
            normal[..., one, other] = normal[..., other, one] = covariance(one, other)
    aside = np.stack([covariance(one, count) for one in range(count)], axis=-1)
    return normal, aside, np.maximum(covariance(count, count), 0)


def _along(inverse: NDArray[np.floating], moved: Map) -> Map:
    """The spread of a displacement along its own direction, before the size of the error."""
    length = np.hypot(moved[..., 0], moved[..., 1]) + 1e-9
    towards = moved / length[..., None]
    spread = np.einsum("hwi,hwij,hwj->hw", towards, inverse[..., :2, :2], towards)
    return np.asarray(np.sqrt(np.maximum(spread, 1e-12)), np.float64)


def _laid(later: Floats, moved: Map, cell: int) -> Floats:
    """The later picture taken from where the windows say it went."""
    height, width = later.shape
    rows, columns = np.indices((height, width), dtype=np.float32)
    places = [rows + _spread(moved[..., 0], height, width, cell)]
    places.append(columns + _spread(moved[..., 1], height, width, cell))
    found: Floats = ndimage.map_coordinates(later, places, order=1, mode="nearest")
    return found


def _spread(plane: Map, height: int, width: int, cell: int) -> Floats:
    """Cell values at every pixel, linear between the cells' middles."""
    for axis, size in ((0, height), (1, width)):
        at = np.clip((np.arange(size) + 0.5) / cell - 0.5, 0, plane.shape[axis] - 1)
        first = np.minimum(at.astype(int), plane.shape[axis] - 2)
        part = (at - first).reshape((-1, 1) if axis == 0 else (1, -1))
        one, other = np.take(plane, first, axis), np.take(plane, first + 1, axis)
        plane = one + part * (other - one)
    return plane.astype(np.float32)


def cells(plane: Floats, cell: int = CELL) -> Map:
    """Sums over the cells; what is left over at the right and at the bottom belongs to none."""
    height, width = plane.shape[0] // cell, plane.shape[1] // cell
    whole = np.ascontiguousarray(plane[: height * cell, : width * cell])
    rows = whole.reshape(height, cell, width * cell).sum(axis=1)
    return np.asarray(rows.reshape(height, width, cell).sum(axis=2), np.float64)


def windowed(plane: Floats, cell: int = CELL) -> Map:
    """Weighted mean of the cells' sums around each cell; nothing lies outside the picture."""
    found = cells(plane, cell)
    for axis in (0, 1):
        found = ndimage.correlate1d(found, WINDOW, axis, mode="constant")
    return np.asarray(found)


def usual_gain(found: Window) -> Map:
    """The gain of a wide neighbourhood: fading differs from place to place, but slowly."""
    strong = found.seen & (found.later > np.median(found.later))
    whole = float(np.median(found.gain[strong])) if strong.any() else 1.0
    whole = max(whole, 0.05)
    near = np.where(strong, found.gain, whole)
    near = ndimage.median_filter(near, MEDIAN_CELLS, mode="nearest")
    return np.asarray(np.clip(near, whole / 2, 1.6 * whole), np.float64)


def grain_by_light(found: Window, light: Map) -> Map:
    """The deviation of the earlier picture where it is plainest, for each brightness."""
    spread = np.sqrt(found.earlier)
    edges = np.quantile(light, np.linspace(0, 1, 7))
    known: list[tuple[float, float]] = []
    for low, high in itertools.pairwise(edges):
        inside = (light >= low) & (light <= high) & found.seen
        if inside.sum() >= 20:
            known.append(
                (float(np.median(light[inside])), float(np.quantile(spread[inside], 0.12)))
            )
    if not known:
        return np.full(light.shape, float(np.quantile(spread, 0.12)))
    brightness, deviation = zip(*known, strict=True)
    return np.asarray(np.interp(light, brightness, deviation), np.float64)


def _moved(found: Window) -> Floats:
    length = np.hypot(found.moved[..., 0], found.moved[..., 1])
    # What stays unexplained is no noise but a stain or a fading: it pulls as it likes.
    unlike = np.maximum(found.rest / np.maximum(MODEL_REST * found.earlier, LEAST_REST), 1)
    least = 2 * np.maximum(length - SURE_OF_MOVE * found.moved_error * unlike, 0)  # whole size
    gain = found.gain / usual_gain(found)
    like = (gain > LIKE_GAIN[0]) & (gain < LIKE_GAIN[1])
    better = found.still - found.rest > BETTER * found.rest
    agreed = ndimage.median_filter(np.where(like & better, least, 0), NEIGHBOURS, mode="nearest")
    return _kept(agreed, found)


def _invented(found: Window) -> Floats:
    most = (found.gain + SURE_OF_GAIN * found.gain_error) / usual_gain(found)
    visible = np.minimum(1, np.sqrt(found.later) / PLAIN)
    return _kept(np.clip(1 - most, 0, 1.5) * visible, found)


def _smoothed(found: Window, grain: Map) -> Floats:
    usual = usual_gain(found)
    fainter = (found.gain - SURE_OF_GAIN * found.gain_error) / usual - 1
    lost = np.maximum(fainter, 0) * np.sqrt(found.later) * usual
    found_lost = _kept(lost / (grain + GRAIN_FLOOR), found)
    # Cleaning fades fine texture all over; what is told is a place that lost more than the rest.
    rest = np.float32(np.quantile(found_lost, EVERYWHERE))
    return np.asarray(np.maximum(found_lost - rest, 0), np.float32)


def _erased(found: Window, grain: Map) -> Floats:
    """What the later picture explains nothing of, where it also shows little of its own."""
    own = usual_gain(found) * np.sqrt(found.later)
    lost = np.sqrt(found.rest) - own
    return _kept(np.maximum(lost, 0) / (grain + GRAIN_FLOOR), found)


def _kept(found: Map, window: Window) -> Floats:
    return np.where(window.seen, found, 0).astype(np.float32)


def _soft(plane: Floats, scale: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(plane, scale, truncate=3.0), np.float32)
