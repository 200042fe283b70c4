"""Find how one picture lies on another, and lay it back.

A registration is an affine map from the pixels of the reference to the pixels of the moving
picture (x to the right, y down, pixel centres on whole numbers), so that
`warp(moving, registration.matrix, reference.shape)` lies on the reference's grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.luma import luma

Floats = NDArray[np.float32]
Votes = NDArray[np.bool_]
Matrix = NDArray[np.float64]

SMALLEST_SIDE = 16
COARSEST_SIDE = 48
FINEST_PIXELS = 700_000
CALM_PIXELS = 260_000
ROUNDS = 30
STILL = 2e-3  # a corner that moves less than this many pixels in a round has arrived
FLAT = 2e-3  # below this standard deviation a picture has nothing to hold on to
# Pixels of the finest level at a corner: what went farther and fits no better has lost its hold.
ASTRAY = 1.0
ALIKE = 4 * np.pi  # pixels that a Gaussian of one pixel makes one
# What leans on grain comes to 110, a real shift of 0.1 px to 570 and more (600 px, noise of 8/255).
PROVEN = 150.0
FREE = (0, 1, 2, 3, 4, 5)  # the six parameters of a small affine step, as `slopes` orders them ...
SHIFTS = (2, 5)  # ... and those of a mere shift
REFRAMED_SHARE = 0.03
REFRAMED_CORRELATION = 0.85


@dataclass(frozen=True)
class Registration:
    """Where the moving picture lies: the map, how well it fits, and how far its corners had gone.

    `matrix` is float64 2x3 from reference to moving pixels, `correlation` is Pearson's over the
    overlap in [-1, 1], `corner_shift_px` the largest corner displacement in reference pixels.
    """

    matrix: Matrix
    correlation: float
    corner_shift_px: float

    def figures(self) -> dict[str, float | list[float]]:
        """Return plain numbers for a record."""
        return {
            "matrix": [round(float(value), 6) for value in self.matrix.ravel()],
            "correlation": round(self.correlation, 4),
            "corner_shift_px": round(self.corner_shift_px, 3),
        }


@dataclass(frozen=True)
class Level:
    """One floor of the pyramid: both grey pictures softened, who may vote, and the scale."""

    reference: Floats
    moving: Floats
    votes: Votes
    scale: float


def register(reference: Floats, moving: Floats, *, ignore: Votes | None = None) -> Registration:
    """Register two float32 pictures, HxW or HxWx3 RGB in [0, 1], of one size.

    `ignore` (bool HxW) marks reference pixels that must not vote. Raises BadInput for sizes
    that differ, are too small or hold NaN. A flat picture gives the identity with correlation 0.
    Gauss-Newton on an affine map with gain and offset, coarse to fine, from a phase correlation.
    """
    fixed, floating = grey(reference), grey(moving)
    check_pair(fixed, floating)
    votes = voters(fixed.shape, ignore)
    if fixed[votes].std() < FLAT or floating.std() < FLAT:
        return Registration(np.eye(2, 3), 0.0, 0.0)
    levels = pyramid(fixed, floating, votes)
    # Graded where grain no longer counts: a cleaned picture is the same picture.
    calm = next((level for level in levels if level.reference.size <= CALM_PIXELS), levels[-1])
    matrix = held(levels, calm, descended(levels, FREE))
    correlation = fit(calm, rescaled(matrix, calm.scale))
    return Registration(matrix, correlation, corner_shift(matrix, fixed.shape))


def descended(levels: list[Level], free: Sequence[int]) -> Matrix:
    """Return the map as it was refined from the coarsest level to the finest.

    A map that may only shift holds on to all that votes: the one thing on a plain ground is what
    does not fit at first, and robust weights would drop it.
    """
    matrix = start(levels[-1])
    for level in reversed(levels):
        local = refine(level, rescaled(matrix, level.scale), free)
        matrix = rescaled(local, 1 / level.scale)
    return matrix


def held(levels: list[Level], calm: Level, found: Matrix) -> Matrix:
    """Return the map that was found, if it is proven to fit better than staying; else a shift that
    is, or the identity.

    A small thing on a plain ground can lose its weight, and what is left has nothing to hold the
    frame: the map drifts, by many pixels, even between a picture and itself, or leans on the grain.
    One small thing tells of a shift, and of nothing else.
    """
    still, finest = np.eye(2, 3), levels[0]
    if proof(calm, still, found) > PROVEN:
        return found
    if corner_shift(rescaled(found, finest.scale), finest.reference.shape) <= ASTRAY:
        return still
    shifted = descended(levels, SHIFTS)
    return shifted if proof(calm, still, shifted) > PROVEN else still


def proof(calm: Level, still: Matrix, other: Matrix) -> float:
    """Return by how much, as a logarithm of odds, the other map explains the picture better: what
    is left unexplained, of as many pixels as the softening leaves independent."""
    fits = (fit(calm, rescaled(matrix, calm.scale), order=3) for matrix in (still, other))
    before, after = (1 - max(each, 0.0) ** 2 + 1e-6 for each in fits)  # a negative is no picture
    return float(calm.votes.sum() / ALIKE * np.log(before / after))


def warp(image: Floats, matrix: Matrix, shape: tuple[int, ...]) -> Floats:
    """Lay a float32 HxW or HxWxC picture on a grid of `shape`; edges are mirrored outwards."""
    height, width = shape[:2]
    rows, columns = coordinates(matrix, height, width)
    planes = image[..., None] if image.ndim == 2 else image
    laid = np.empty((height, width, planes.shape[2]), dtype=np.float32)
    for channel in range(planes.shape[2]):
        ndimage.map_coordinates(
            planes[..., channel], (rows, columns), output=laid[..., channel], order=3, mode="mirror"
        )
    return laid[..., 0] if image.ndim == 2 else laid


def require_same_frame(registration: Registration, shape: tuple[int, ...]) -> None:
    """Raise StepFailed 'reframed' when a picture was moved too far, or is not the same any more."""
    allowed = max(1.0, REFRAMED_SHARE * min(shape[:2]))
    if registration.corner_shift_px <= allowed and registration.correlation >= REFRAMED_CORRELATION:
        return
    raise StepFailed("reframed", {**registration.figures(), "allowed_shift_px": round(allowed, 2)})


def grey(image: Floats) -> Floats:
    """Return the luma of a picture as float32 HxW."""
    return np.asarray(image if image.ndim == 2 else luma(image), dtype=np.float32)


def check_pair(fixed: Floats, floating: Floats) -> None:
    if fixed.shape != floating.shape:
        facts = {"reference": list(fixed.shape), "moving": list(floating.shape)}
        raise BadInput("sizes-differ", facts)
    if min(fixed.shape) < SMALLEST_SIDE:
        raise BadInput("too-small", {"size": list(fixed.shape[::-1])})
    if not (np.isfinite(fixed).all() and np.isfinite(floating).all()):
        raise BadInput("not-finite")


def voters(shape: tuple[int, ...], ignore: Votes | None) -> Votes:
    if ignore is None or ignore.mean() > 0.9:  # nothing left to hold on to: let everything vote
        return np.ones(shape, dtype=bool)
    return ~ignore


def pyramid(fixed: Floats, floating: Floats, votes: Votes) -> list[Level]:
    """Return the levels from the finest, of at most FINEST_PIXELS, to the coarsest."""
    scale = min(1.0, (FINEST_PIXELS / fixed.size) ** 0.5)
    weight = votes.astype(np.float32)
    planes = [shrunk(plane, scale) for plane in (fixed, floating, weight)]
    levels = [finished(planes, scale)]
    while min(planes[0].shape) >= 2 * COARSEST_SIDE:
        planes, scale = [halved(plane) for plane in planes], scale / 2
        levels.append(finished(planes, scale))
    return levels


def finished(planes: list[Floats], scale: float) -> Level:
    fixed, floating, weight = planes
    return Level(
        reference=ndimage.gaussian_filter(fixed, 1.0),
        moving=ndimage.gaussian_filter(floating, 1.0),
        votes=weight > 0.5,
        scale=scale,
    )


def halved(plane: Floats) -> Floats:
    """Return the means of 2x2 blocks; an odd last row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    blocks = plane[:height, :width].reshape(height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def shrunk(plane: Floats, scale: float) -> Floats:
    """Resample an HxW plane at exactly `scale`, which is at most 1."""
    if scale == 1.0:
        return plane
    height, width = (max(1, int(side * scale)) for side in plane.shape)
    part = (0.0, 0.0, width / scale, height / scale)
    picture = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=part))


def rescaled(matrix: Matrix, scale: float) -> Matrix:
    """Return the same map between pictures `scale` times as large.

    Pixel centres are whole numbers, so a picture's corner is at -0.5 and the offset carries that.
    """
    half = 0.5 - matrix[:, :2] @ np.array([0.5, 0.5])
    moved = matrix.copy()
    moved[:, 2] = scale * (matrix[:, 2] + half) - half
    return moved


def start(level: Level) -> Matrix:
    """Return the better of no shift and the shift of the phase correlation's peak."""
    still, shifted = np.eye(2, 3), np.eye(2, 3)
    shifted[:, 2] = phase_shift(level.reference, level.moving)
    return max((still, shifted), key=lambda matrix: fit(level, matrix))


def phase_shift(reference: Floats, moving: Floats) -> tuple[float, float]:
    """Return the whole-pixel (x, y) at which the moving picture repeats the reference."""
    height, width = reference.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    fixed, floating = (
        fft.rfft2((picture - picture.mean()) * window) for picture in (reference, moving)
    )
    cross = floating * np.conj(fixed)
    surface = fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=(height, width))
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    return (
        float(column - width if column > width // 2 else column),
        float(row - height if row > height // 2 else row),
    )


def fit(level: Level, matrix: Matrix, order: int = 1) -> float:
    """Return Pearson's correlation where the moving picture covers the reference and may vote."""
    moved, inside = sample(level.moving, matrix, level.reference.shape, order=order)
    seen = inside & level.votes
    if seen.sum() < 0.1 * level.votes.sum():
        return -1.0
    fixed, floating = level.reference[seen], moved[seen]
    spread = float(fixed.std() * floating.std())
    if spread < FLAT**2:
        return 0.0
    return float(((fixed - fixed.mean()) * (floating - floating.mean())).mean() / spread)


def refine(level: Level, matrix: Matrix, free: Sequence[int] = FREE) -> Matrix:
    """Run Gauss-Newton on one level (inverse compositional: the slopes are taken once).

    Gain and offset are solved with the map's `free` parameters, and what does not fit loses weight,
    because a redrawn picture differs in places; unless the map may only shift.
    """
    shape = level.reference.shape
    columns = slopes(level.reference)
    coefficients = ndimage.spline_filter(level.moving, order=3, output=np.float32)
    for _ in range(ROUNDS):
        moved, inside = sample(coefficients, matrix, shape, order=3, prefilter=False)
        try:
            step = solve(columns, level.reference, moved, inside & level.votes, free)
            small = step_matrix(step, shape)
            following = (np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(small))[:2]
        except np.linalg.LinAlgError:
            break  # nothing of the one lies on the other any more: whoever judges the fit says so
        if not np.isfinite(following).all():
            break
        matrix = following
        if corner_shift(small[:2], shape) < STILL:
            break
    return matrix


def slopes(reference: Floats) -> Floats:
    """Return N x 6: how each pixel answers to each parameter of a small affine step."""
    down, across = np.gradient(reference)
    u, v = centred(reference.shape)
    ones = np.ones_like(u)
    parts = [slope * along for slope in (across, down) for along in (u, v, ones)]
    return np.stack([part.ravel() for part in parts], axis=1).astype(np.float32)


def centred(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return x and y from the middle of the picture, in halves of its longer side."""
    height, width = shape
    half = max(shape) / 2
    v, u = np.indices(shape, dtype=np.float32)
    return (u - (width - 1) / 2) / half, (v - (height - 1) / 2) / half


def solve(
    columns: Floats, reference: Floats, moved: Floats, votes: Votes, free: Sequence[int]
) -> Matrix:
    """Return the 2x3 small step, in centred coordinates, that best explains the difference."""
    fixed, floating, seen = reference.ravel(), moved.ravel(), votes.ravel()
    robust = len(free) == len(FREE)
    weights = trust(fixed, floating, seen) if robust else seen.astype(np.float32)
    chosen = columns if robust else columns[:, list(free)]
    table = np.concatenate([chosen, -floating[:, None], -np.ones_like(fixed)[:, None]], axis=1)
    weighted = table * weights[:, None]
    normal = (weighted.T @ table).astype(np.float64)
    count = len(normal)
    normal += np.eye(count) * (1e-6 * np.trace(normal) / count)
    right = -(weighted.T @ fixed).astype(np.float64)
    step = np.zeros(len(FREE))
    step[list(free)] = np.linalg.solve(normal, right)[:-2]
    return step.reshape(2, 3)


def trust(fixed: Floats, floating: Floats, votes: Votes) -> Floats:
    """Weigh each voting pixel by how well one gain and offset explain it there."""
    some = np.flatnonzero(votes)[:: max(1, fixed.size // 50_000)]
    if some.size < 16:
        return votes.astype(np.float32)
    x, y = floating[some].astype(np.float64), fixed[some].astype(np.float64)
    gain = float(((x - x.mean()) * (y - y.mean())).mean() / max(x.var(), 1e-12))
    misfit = np.abs(fixed - np.float32(gain) * floating - np.float32(y.mean() - gain * x.mean()))
    usual = 1.48 * float(np.median(misfit[some])) + 1e-4
    return np.asarray(votes / (1 + (misfit / (2.5 * usual)) ** 2), dtype=np.float32)


def step_matrix(step: Matrix, shape: tuple[int, ...]) -> Matrix:
    """Return a step in centred coordinates as a 3x3 map of pixels."""
    height, width = shape
    half = max(shape) / 2
    full = np.eye(3)
    full[:2, :2] += step[:, :2] / half
    full[:2, 2] = step[:, 2] - step[:, :2] @ np.array([(width - 1) / 2, (height - 1) / 2]) / half
    return full


def sample(
    moving: Floats, matrix: Matrix, shape: tuple[int, ...], *, order: int, prefilter: bool = True
) -> tuple[Floats, Votes]:
    """Return the moving picture on the reference's grid, and where it really covers it."""
    rows, columns = coordinates(matrix, *shape)
    moved = ndimage.map_coordinates(
        moving, (rows, columns), order=order, mode="nearest", prefilter=prefilter
    )
    height, width = moving.shape
    inside = (rows >= 1) & (rows <= height - 2) & (columns >= 1) & (columns <= width - 2)
    return moved, inside


def coordinates(matrix: Matrix, height: int, width: int) -> tuple[Floats, Floats]:
    """Return the rows and columns of the moving picture under each pixel of the reference."""
    y, x = np.indices((height, width), dtype=np.float32)
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return d * x + e * y + f, a * x + b * y + c


def corner_shift(matrix: Matrix, shape: tuple[int, ...]) -> float:
    """Return how far the map moves the picture's farthest-moved corner, in pixels."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]).T
    moved = matrix[:, :2] @ corners + matrix[:, 2:]
    return float(np.hypot(*(moved - corners)).max())
