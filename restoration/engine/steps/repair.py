"""Fills damage with what surrounds it, and not one pixel more.

The fill is harmonic (the Laplace equation with the surroundings as boundary, as in A. Levin et al.
and every membrane inpainting since Bertalmio 2000), then given the grain of the neighbourhood: a
smooth patch in a grainy wall is a scar. It is honest for thin damage; the middle of a large hole is
smooth guesswork, and a note says so.
"""

from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import cg, splu

from restoration.engine import damage, faces, measure
from restoration.engine.errors import StepFailed
from restoration.engine.image import check_image
from restoration.engine.luma import luma
from restoration.engine.step import Image, Mask, StepContext, StepResult, note

Area = NDArray[np.bool_]

LARGEST_SHARE = 0.6
DIRECT = 60_000  # unknowns; above it the equation is solved by conjugate gradients
WIDE = 12  # a hole of this inner radius in pixels (at 1000 px) asks for more than a membrane


def detect(image: Image, sensitivity: float = 0.4) -> Mask:
    """uint8 HxW, 255 where the classical detector is sure of dust, spots and scratches."""
    check_image(image)
    light, inside = measure.luma_and_inside(image)
    return damage.find(light, inside, faces.find(light), sensitivity)


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Repairs exactly the given mask, or what `detect` finds; map `repaired` holds where."""
    given = context.mask is not None
    mask = (
        context.mask
        if context.mask is not None
        else detect(context.image, float(settings["sensitivity"]))
    )
    context.progress(0.4, None)
    area = mask > 0
    _check_area(area)
    notes = _notes(area, given)
    image = context.image
    if area.any():
        rng = np.random.default_rng([context.seed, 0x4E9A])
        image = fill(image, area, rng, float(settings["grain"]))
        _check_outside(context.image, image, area)
    meters = {"filled_area": round(float(area.mean()), 6), "given": given}
    record = {"mask": "given" if given else "detected"}
    return StepResult(image, {"repaired": area.astype(np.uint8) * 255}, meters, notes, record)


def _check_area(area: Area) -> None:
    share = float(area.mean())
    if share > LARGEST_SHARE:
        raise StepFailed("mask-too-large", {"share": round(share, 3), "most": LARGEST_SHARE})


def _check_outside(before: Image, after: Image, area: Area) -> None:
    """The first promise, kept at run time and not only by tests."""
    if not np.array_equal(before[~area], after[~area]):
        raise StepFailed("changed-outside-mask", {})


def _notes(area: Area, given: bool) -> list[dict[str, Any]]:
    if not area.any():
        return [note("mask-empty" if given else "no-damage-found")]
    depth = float(ndimage.distance_transform_edt(area).max())
    if depth > WIDE * max(1.0, max(area.shape) / 1000):
        return [note("wide-hole", radius=round(depth, 1))]
    return []


def fill(image: Image, area: Area, rng: np.random.Generator, grain: float = 1.0) -> Image:
    """A copy of float32 HxWx3 whose True pixels of `area` are harmonic fill with local grain."""
    filled = image.copy()
    filled[area] = _harmonic(image, area)
    if grain > 0:
        filled[area] += grain * _grain(image, area, rng)[area][:, None]
    return np.clip(filled, 0.0, 1.0, out=filled)


def _harmonic(image: Image, area: Area) -> NDArray[np.float64]:
    """Nx3: the values of the unknown pixels, each the mean of its four neighbours."""
    rows, columns = np.nonzero(area)
    index = np.full(area.shape, -1)
    index[rows, columns] = np.arange(len(rows))
    degree = np.zeros(len(rows))
    known = np.zeros((len(rows), 3))
    ones: list[NDArray[np.int64]] = []
    others: list[NDArray[np.int64]] = []
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = rows + down, columns + right
        exists = (y >= 0) & (y < area.shape[0]) & (x >= 0) & (x < area.shape[1])
        y, x = np.clip(y, 0, area.shape[0] - 1), np.clip(x, 0, area.shape[1] - 1)
        degree += exists
        unknown = exists & area[y, x]
        ones.append(np.nonzero(unknown)[0])
        others.append(index[y, x][unknown])
        beside = exists & ~area[y, x]
        known[beside] += image[y[beside], x[beside]]
    one, other = np.concatenate(ones), np.concatenate(others)
    matrix = sparse.diags(degree) - sparse.csr_matrix(
        (np.ones(len(one)), (one, other)), shape=(len(rows), len(rows))
    )
    return _solved(matrix.tocsc(), known)


def _solved(matrix: sparse.csc_matrix, known: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(known) <= DIRECT:
        solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        direct: NDArray[np.float64] = solver.solve(known)
        return direct
    scale = sparse.diags(1.0 / matrix.diagonal())
    bands = [cg(matrix, known[:, band], rtol=1e-5, maxiter=3000, M=scale)[0] for band in range(3)]
    return np.stack(bands, axis=1)


def _grain(image: Image, area: Area, rng: np.random.Generator) -> Image:
    """Noise of the strength and softness that the whole ground around each hole shows, HxW."""
    light = luma(image)
    known = ~ndimage.binary_dilation(area, iterations=2)
    fine = light - ndimage.gaussian_filter(light, 1.5)
    weight = ndimage.uniform_filter(known.astype(np.float32), 31) + 1e-6
    level = ndimage.uniform_filter(np.minimum(np.abs(fine), 0.04) * known, 31) / weight
    level[weight < 0.02] = 0.0
    noise = rng.standard_normal(light.shape).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, _softness(fine, known))
    noise -= ndimage.gaussian_filter(noise, 1.5)
    found: Image = noise * (level / float(np.mean(np.abs(noise))))
    return found


def _softness(fine: Image, known: Area) -> float:
    """Blur of white noise whose neighbours resemble each other as those of the picture do."""
    pairs = known[:, 1:] & known[:, :-1]
    calm = pairs & (np.abs(fine[:, 1:]) < 0.03)
    if calm.sum() < 100:
        return 0.0
    left, right = fine[:, :-1][calm], fine[:, 1:][calm]
    likeness = float((left * right).mean() / (np.square(left).mean() + 1e-12))
    return float(np.clip(1.1 * (likeness + 0.15), 0.0, 0.9))
