"""Spreads the colours people put down along the picture's own shapes, and only as far as they go.

A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", 2004: neighbours of like
brightness get like colour. Here as a screened equation, so that every pixel also gets a confidence
that falls with the way from the nearest hint; where it is spent the picture stays as it was. Solved
at 256 px (a finer grid measures worse), brought up along the full luma by a guided filter (K. He,
2010), then locked: the luma of the photograph does not move.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import splu
from skimage.draw import polygon

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.image import check_image, resize, shrink
from restoration.engine.luma import WEIGHTS, Image, chroma, luma, on_luma
from restoration.engine.plan import Dab, Region
from restoration.engine.step import Mask, StepContext, StepResult

LONG_SIDE = 256
HOLD = 50.0  # how hard a hint holds its own pixel
FULL, NONE = 0.30, 0.03  # confidence at which colour is whole, and at which it ends
SMALLEST_STEP = 0.015  # a difference of brightness below this is no edge
MOST_LUMA_MOVE = 0.5 / 255


@dataclass(frozen=True)
class Hints:
    """On the coarse grid: red and blue chroma and luma of the hint, where, and near a region."""

    values: NDArray[np.float64]  # HxWx3
    dabbed: NDArray[np.bool_]
    outlined: NDArray[np.bool_]


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Colours float32 HxWx3 by dabs and regions; maps `coloured_evidence` (where somebody said so)
    and `coloured_guess` (where it spread), both 0-255 by weight."""
    image = check_image(context.image)
    if not (context.dabs or context.regions):
        raise BadInput("no-colour-hints", {"step": "colourise"})
    light = luma(image)
    coarse = np.clip(shrink(light, LONG_SIDE), 0, 1)
    hints = gathered(coarse.shape, context.dabs, context.regions)
    context.progress(0.1, None)
    spread = solved(coarse, hints, float(settings["reach"]))
    context.progress(0.6, None)
    fine = brought_up(spread, coarse, light)
    weight = fine[..., 3] * float(settings["strength"])
    result = on_luma(light, _mixed(image, light, fine, weight))
    moved = _check_lock(result, light)
    said = evidence(light.shape, context.dabs, context.regions)
    maps = {"coloured_evidence": _as_map(fine[..., 3] * said)}
    maps["coloured_guess"] = _as_map(fine[..., 3] * ~said)
    meters = {
        "evidence_area": round(float((maps["coloured_evidence"] > 25).mean()), 5),
        "guessed_area": round(float((maps["coloured_guess"] > 25).mean()), 5),
        "most_luma_move": round(moved * 255, 4),
    }
    record = {
        "dabs": len(context.dabs),
        "regions": len(context.regions),
        "grid": list(coarse.shape),
    }
    return StepResult(result, maps, meters, record=record)


def gathered(shape: tuple[int, ...], dabs: tuple[Dab, ...], regions: tuple[Region, ...]) -> Hints:
    """The hints painted on a grid; a dab lies over a region, a later hint over an earlier one."""
    values = np.zeros((*shape, 3))
    outlined = np.zeros(shape, bool)
    dabbed = np.zeros(shape, bool)
    for region in regions:
        area = _outline(shape, region)
        core = ndimage.binary_erosion(area, iterations=1)
        values[core if core.any() else area] = _hint(region.colour())
        outlined |= core if core.any() else area
    for dab in dabs:
        area = _disc(shape, dab)
        values[area] = _hint(dab.rgb)
        dabbed |= area
    return Hints(values, dabbed, outlined & ~dabbed)


def evidence(
    shape: tuple[int, ...], dabs: tuple[Dab, ...], regions: tuple[Region, ...]
) -> NDArray[np.bool_]:
    """True under the dabs and inside the outlines."""
    said = np.zeros(shape, bool)
    for dab in dabs:
        said |= _disc(shape, dab)
    for region in regions:
        said |= _outline(shape, region)
    return said


def solved(light: Image, hints: Hints, reach: float) -> NDArray[np.float64]:
    """HxWx4: red chroma, blue chroma, hint luma and weight, the first three times the weight."""
    height, width = light.shape
    graph = _graph(light)
    length = 6 + 90 * reach**1.5
    known = (hints.dabbed | hints.outlined).ravel().astype(float)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    matrix = sparse.diags(degree + 3.0 / length**2 + HOLD * known) - graph
    solver = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    values = np.concatenate([hints.values.reshape(-1, 3), np.ones((height * width, 1))], axis=1)
    from_dabs = solver.solve(HOLD * hints.dabbed.ravel()[:, None] * values)
    from_regions = solver.solve(HOLD * hints.outlined.ravel()[:, None] * values)
    near = _near(hints.outlined).ravel()[:, None]
    total = (from_dabs + near * from_regions).reshape(height, width, 4)
    trust = np.maximum(total[..., 3], 1e-9)
    share = np.clip((total[..., 3] - NONE) / (FULL - NONE), 0, 1)
    weight = share * share * (3 - 2 * share)
    found: NDArray[np.float64] = total * (weight / trust)[..., None]
    return found


def _near(outlined: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 inside the outlines, falling to 0 a few pixels outside: an outline means what it says."""
    if not outlined.any():
        return np.zeros(outlined.shape)
    away = ndimage.distance_transform_edt(~outlined)
    return np.asarray(np.clip(1 - (away - 2) / 3, 0, 1))


def _graph(light: Image) -> sparse.csr_matrix:
    """Symmetric weights between the eight neighbours: near 1 for like luma, near 0 over an edge."""
    height, width = light.shape
    smooth = ndimage.gaussian_filter(light.astype(float), 0.5)
    mean = ndimage.uniform_filter(smooth, 3)
    spread = np.maximum(ndimage.uniform_filter(smooth * smooth, 3) - mean * mean, 0)
    spread = np.maximum(0.6 * spread, SMALLEST_STEP**2)
    index = np.arange(height * width).reshape(height, width)
    ones, others, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = _pair(height, width, down, right)
        apart = np.square(smooth[one] - smooth[other])
        alike = np.exp(-np.minimum(apart / np.minimum(spread[one], spread[other]), 30))
        ones.append(index[one].ravel())
        others.append(index[other].ravel())
        weights.append((alike / (1 + down * abs(right)) + 1e-6).ravel())
    ends = (np.concatenate(ones), np.concatenate(others))
    half = sparse.csr_matrix((np.concatenate(weights), ends), shape=(index.size,) * 2)
    return (half + half.T).tocsr()


def _pair(
    height: int, width: int, down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    one = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
    other = (slice(down, height), slice(max(0, right), width - max(0, -right)))
    return one, other


def brought_up(spread: NDArray[np.float64], coarse: Image, light: Image) -> Image:
    """The coarse solution at full size, its edges moved onto those of the full luma."""
    height, width = light.shape
    planes = []
    for band in range(4):
        plane = spread[..., band].astype(np.float32)
        slope, offset = _guide(plane, coarse)
        wide = resize(np.dstack([slope, offset]), height, width, kernel="linear")
        found = wide[..., 0] * light + wide[..., 1]
        low = resize(ndimage.minimum_filter(plane, 3), height, width, kernel="linear")
        high = resize(ndimage.maximum_filter(plane, 3), height, width, kernel="linear")
        planes.append(np.clip(found, low, high))
    planes[3] = np.clip(planes[3], 0, 1)
    return np.stack(planes, axis=-1).astype(np.float32)


def _guide(plane: Image, light: Image) -> tuple[Image, Image]:
    mean, level = ndimage.uniform_filter(light, 5), ndimage.uniform_filter(plane, 5)
    spread = ndimage.uniform_filter(light * light, 5) - mean * mean
    slope = (ndimage.uniform_filter(light * plane, 5) - mean * level) / (spread + 4e-4)
    offset = level - slope * mean
    return ndimage.uniform_filter(slope, 3), ndimage.uniform_filter(offset, 3)


def _mixed(image: Image, light: Image, fine: Image, weight: Image) -> Image:
    """The base's chroma where nothing was said, the hint's where it was; in the shade a surface
    shows less of its colour."""
    safe = np.maximum(fine[..., 3], 1e-4)
    shade = np.power(np.minimum(1, light / np.maximum(fine[..., 2] / safe, 0.05)), 0.85)
    red, blue = fine[..., 0] / safe * shade, fine[..., 1] / safe * shade
    green = -(WEIGHTS[0] * red + WEIGHTS[2] * blue) / WEIGHTS[1]
    hinted = np.stack([red, green, blue], axis=-1)
    base = chroma(image)
    mixed = base + weight[..., None] * (hinted - base)
    return np.asarray(mixed, dtype=np.float32)


def _check_lock(result: Image, light: Image) -> float:
    moved = float(np.abs(luma(result) - light).max())
    if moved > MOST_LUMA_MOVE:
        raise StepFailed("luma-moved", {"by": round(moved * 255, 3), "most": 0.5})
    return moved


def _hint(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Red chroma, blue chroma, luma of an sRGB triple."""
    bands = np.array(rgb) / 255
    light = float(bands @ WEIGHTS.astype(float))
    return float(bands[0]) - light, float(bands[2]) - light, light


def _disc(shape: tuple[int, ...], dab: Dab) -> NDArray[np.bool_]:
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    y, x = dab.y * (height - 1), dab.x * (width - 1)
    radius = max(0.75, dab.radius * max(height, width))
    disc: NDArray[np.bool_] = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return disc


def _outline(shape: tuple[int, ...], region: Region) -> NDArray[np.bool_]:
    height, width = shape
    area = np.zeros(shape, bool)
    rows = [y * (height - 1) for _, y in region.points]
    columns = [x * (width - 1) for x, _ in region.points]
    area[polygon(rows, columns, shape)] = True
    return area


def _as_map(weight: Image) -> Mask:
    return np.asarray(np.rint(np.clip(weight, 0, 1) * 255), dtype=np.uint8)
