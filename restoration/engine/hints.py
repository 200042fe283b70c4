"""The colours people put down, on a small grid: what they say where, and how far it is evidence."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import splu
from skimage.draw import polygon

from restoration.engine.luma import WEIGHTS, Image
from restoration.engine.plan import Dab, Region
from restoration.engine.spread import Planes

Area = NDArray[np.bool_]

HOLD = 50.0  # how hard a hint holds its own pixel
SMALLEST_STEP = 0.015  # a difference of brightness below this ends no evidence
LATTICE = 4  # an area says its colour at every so many pixels, and leaves the shades to the rest
SHADE = 0.85  # in the shade a surface shows less of its colour


@dataclass(frozen=True)
class Hints:
    """HxW: under dabs; inside outlines; where the colour is given; 2xHxW: red and blue chroma
    (R - Y, B - Y) there."""

    dabbed: Area
    outlined: Area
    known: Area
    chroma: Planes


def gathered(light: Image, dabs: tuple[Dab, ...], regions: tuple[Region, ...]) -> Hints:
    """The hints on the grid of this luma; a dab lies over a region, a later hint over an earlier
    one."""
    said = np.zeros((3, *light.shape), np.float32)
    outlined, dabbed = np.zeros(light.shape, bool), np.zeros(light.shape, bool)
    for region in regions:
        area = _core(outline(light.shape, region))
        said[:, area] = _colour(region.colour())[:, None]
        outlined |= area
    for dab in dabs:
        area = disc(light.shape, dab)
        said[:, area] = _colour(dab.rgb)[:, None]
        dabbed |= area
    outlined &= ~dabbed
    shade = np.minimum(1, light / np.maximum(said[2], 0.05)) ** np.float32(SHADE)
    return Hints(dabbed, outlined, dabbed | _lattice(outlined), said[:2] * shade)


def disc(shape: tuple[int, ...], dab: Dab) -> Area:
    """The pixels under a dab, at least one."""
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    y, x = round(dab.y * (height - 1)), round(dab.x * (width - 1))
    radius = max(0.75, dab.radius * max(height, width))
    found: Area = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return found


def outline(shape: tuple[int, ...], region: Region) -> Area:
    height, width = shape
    area = np.zeros(shape, bool)
    rows = [y * (height - 1) for _, y in region.points]
    columns = [x * (width - 1) for x, _ in region.points]
    area[polygon(rows, columns, shape)] = True
    return area


def confidence(light: Image, hints: Hints, reach: float) -> Image:
    """HxW in [0, 1]: 1 at a hint, falling with the way from it, faster over edges of the luma.

    The screened equation of a hint that is carried from neighbour to neighbour (A. Levin, 2004)
    and loses a little at each; an outline means what it says, so outside it falls to 0 at once.
    """
    if not (hints.dabbed.any() or hints.outlined.any()):
        return np.zeros_like(light)
    graph = _graph(light)
    length = 6 + 90 * reach**1.5
    known = (hints.dabbed | hints.outlined).ravel()
    degree = np.asarray(graph.sum(axis=1)).ravel()
    matrix = sparse.diags(degree + 3.0 / length**2 + HOLD * known) - graph
    solver = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    held = HOLD * np.stack([hints.dabbed.ravel(), hints.outlined.ravel()], axis=1)
    from_dabs, from_regions = solver.solve(held).T.reshape(2, *light.shape)
    total = from_dabs + _near(hints.outlined) * from_regions
    return np.asarray(np.clip(total, 0, 1), np.float32)


def _colour(rgb: tuple[int, int, int]) -> NDArray[np.float32]:
    """Red chroma, blue chroma, luma of an sRGB triple."""
    bands = np.array(rgb, np.float32) / 255
    light = float(bands @ WEIGHTS)
    return np.array([bands[0] - light, bands[2] - light, light], np.float32)


def _core(area: Area) -> Area:
    core: Area = ndimage.binary_erosion(area, iterations=1)
    return core if core.any() else area


def _lattice(area: Area) -> Area:
    rows, columns = np.ogrid[: area.shape[0], : area.shape[1]]
    found = area & (rows % LATTICE == LATTICE // 2) & (columns % LATTICE == LATTICE // 2)
    return found if found.any() else area


def _near(outlined: Area) -> Image:
    """1 inside the outlines, falling to 0 a few pixels outside."""
    if not outlined.any():
        return np.zeros(outlined.shape, np.float32)
    away = ndimage.distance_transform_edt(~outlined)
    return np.asarray(np.clip(1 - (away - 2) / 3, 0, 1), np.float32)


def _graph(light: Image) -> sparse.csr_matrix:
    """Symmetric weights between the eight neighbours: near 1 for like luma, near 0 over an edge."""
    height, width = light.shape
    smooth = ndimage.gaussian_filter(light.astype(float), 0.5)
    mean = ndimage.uniform_filter(smooth, 3)
    varied = np.maximum(ndimage.uniform_filter(smooth * smooth, 3) - mean * mean, 0)
    varied = np.maximum(0.6 * varied, SMALLEST_STEP**2)
    index = np.arange(height * width).reshape(height, width)
    ones, others, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = _pair(height, width, down, right)
        apart = np.square(smooth[one] - smooth[other])
        alike = np.exp(-np.minimum(apart / np.minimum(varied[one], varied[other]), 30))
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
