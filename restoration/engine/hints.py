"""The colours people put down, on a small grid: what they say where, and how far it is evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.csgraph import dijkstra
from skimage.draw import disk, polygon

from restoration.engine.luma import WEIGHTS, Image
from restoration.engine.plan import Dab, Region
from restoration.engine.spread import Planes

Area = NDArray[np.bool_]

GRAIN = 1.5  # pixels: what is finer is no edge
ALONG = 1000.0  # pixels of way that a change of brightness from black to white is worth
DARKER, OTHER = 0.1, 0.2
AS_LIGHT = 0.1  # of black to white: what differs by less may be one surface
LATTICE = 4  # an area says its colour at every so many pixels, and leaves the shades to the rest
THIN = 8  # pixels to its middle: where it is no wider there is no room for shades
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
    whose, dabbed = np.full(light.shape, -1), np.zeros(light.shape, bool)
    for number, region in enumerate(regions):
        area = outline(light.shape, region)
        said[:, area] = _colour(region.colour())[:, None]
        whose[area] = number
    for dab in dabs:
        area = under(light, dab)
        said[:, area] = _colour(dab.rgb)[:, None]
        dabbed |= area
    whose[dabbed] = -1
    outlined, known = np.zeros(light.shape, bool), dabbed.copy()
    for number in range(len(regions)):
        core, thin = parts(whose == number)
        outlined |= core | thin
        known |= _lattice(core) | thin
    return Hints(dabbed, outlined, known, said[:2] * shade(light, said[2]))


@dataclass(frozen=True)
class Ribbons:
    """What thin outlines say, pixel by pixel of the whole picture: on the small grids a stripe is
    a pixel or two wide, and half of its colour would be that of what is beside it."""

    shape: tuple[int, ...]
    regions: tuple[tuple[Region, bool], ...]  # and whether it is thin, for the most part
    dabs: tuple[Dab, ...]

    def rows(self, top: int, light: Image) -> tuple[Area, Planes]:
        """Where they say something in the rows from `top`, hxW, and the chroma there, 2xhxW."""
        where, said = np.zeros(light.shape, bool), np.zeros((3, *light.shape), np.float32)
        for region, thin in self.regions:
            rows, columns = self._corners(region.points)
            inside = polygon(rows - top, columns, light.shape)
            where[inside] = thin
            said[:, inside[0], inside[1]] = _colour(region.colour())[:, None]
        for dab in self.dabs:
            (row,), (column,) = self._corners([(dab.x, dab.y)])
            radius = max(1.0, dab.radius * max(self.shape[:2]))
            where[disk((row - top, column), radius, shape=light.shape)] = False
        return where, said[:2] * shade(light, said[2])

    def _corners(self, points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
        columns, rows = np.array(points, float).T
        return np.stack([rows * (self.shape[0] - 1), columns * (self.shape[1] - 1)])


def ribbons(
    light: Image, shape: tuple[int, ...], dabs: tuple[Dab, ...], regions: tuple[Region, ...]
) -> Ribbons | None:
    """Of a picture of that shape whose luma on the finest grid is `light`; None without any."""
    told = []
    for region in regions:
        core, thin = parts(outline(light.shape, region))
        told.append((region, int(thin.sum()) > int(core.sum())))
    return Ribbons(shape, tuple(told), dabs) if any(thin for _, thin in told) else None


def shade(light: Image, said: Image) -> Image:
    """How much of its colour a surface shows where it is darker than the word for it."""
    return np.asarray(np.minimum(1, light / np.maximum(said, 0.05)) ** np.float32(SHADE))


def under(light: Image, dab: Dab) -> Area:
    """The pixels under a dab that are as light as its middle, at least that one: a dab at an edge
    speaks of the side on which its middle lies."""
    height, width = light.shape
    rows, columns = np.ogrid[:height, :width]
    y, x = round(dab.y * (height - 1)), round(dab.x * (width - 1))
    radius = max(0.75, dab.radius * max(height, width))
    disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    found: Area = disc & (np.abs(light - light[y, x]) < AS_LIGHT)
    return found


def outline(shape: tuple[int, ...], region: Region) -> Area:
    """The pixels inside an outline, at least one."""
    height, width = shape
    area = np.zeros(shape, bool)
    rows = [y * (height - 1) for _, y in region.points]
    columns = [x * (width - 1) for x, _ in region.points]
    area[polygon(rows, columns, shape)] = True
    if not area.any():
        area[round(float(np.mean(rows))), round(float(np.mean(columns)))] = True
    return area


def parts(area: Area) -> tuple[Area, Area]:
    """Of an outlined area what is wide, without its rim, which may lie on what is beside it; and
    what is thin, whole: a stripe, a ribbon, a badge, the tip of a flag."""
    inside = ndimage.distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    thin = area & (ndimage.maximum_filter(inside, 2 * THIN + 1) <= THIN)
    return (inside > 1) & ~thin, thin


def confidence(light: Image, hints: Hints, carried: Planes, reach: float) -> Image:
    """HxW in [0, 1]: how far somebody's word stands behind the chroma `carried` 2xHxW, 1 at a hint.

    The way from a dab is the shortest over the picture (L. Yatziv, G. Sapiro, "Fast image and video
    colorization using chrominance blending", 2006): its pixels, and what the brightness changes
    on it. Each `halving(reach)` of it halves the confidence, and so does each DARKER by which a
    place is lighter or darker than its dab, and each OTHER of another chroma. An outline means
    what it says: 1 inside, and 0 a few pixels outside.
    """
    if not hints.dabbed.any():
        return _near(hints.outlined)
    even = ndimage.gaussian_filter(light, GRAIN)
    way, _, dab = dijkstra(
        _ways(even),
        directed=False,
        indices=np.flatnonzero(hints.dabbed),
        return_predecessors=True,
        min_only=True,
    )
    said, shown = hints.chroma.reshape(2, -1)[:, dab], carried.reshape(2, -1)
    darker, other = even.ravel() - even.ravel()[dab], np.abs(shown - said).max(axis=0)
    trust: Image = np.exp2(-way / halving(reach) - np.abs(darker) / DARKER - other / OTHER)
    return np.maximum(trust.reshape(light.shape), _near(hints.outlined)).astype(np.float32)


def halving(reach: float) -> float:
    """Pixels of way over even ground after which a dab is believed half as much."""
    return float(30 * 60**reach)


def _colour(rgb: tuple[int, int, int]) -> NDArray[np.float32]:
    """Red chroma, blue chroma, luma of an sRGB triple."""
    bands = np.array(rgb, np.float32) / 255
    light = float(bands @ WEIGHTS)
    return np.array([bands[0] - light, bands[2] - light, light], np.float32)


def _lattice(area: Area) -> Area:
    rows, columns = np.ogrid[: area.shape[0], : area.shape[1]]
    found: Area = area & (rows % LATTICE == LATTICE // 2) & (columns % LATTICE == LATTICE // 2)
    return found if found.any() else area


def _near(outlined: Area) -> Image:
    """1 inside the outlines, falling to 0 a few pixels outside."""
    if not outlined.any():
        return np.zeros(outlined.shape, np.float32)
    away = ndimage.distance_transform_edt(~outlined)
    return np.asarray(np.clip(1 - (away - 2) / 3, 0, 1), np.float32)


def _ways(even: Image) -> sparse.csr_matrix:
    """What it costs to go from a pixel to each of its eight neighbours, once for each pair."""
    height, width = even.shape
    index = np.arange(height * width).reshape(height, width)
    ones, others, costs = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = _pair(height, width, down, right)
        ones.append(index[one].ravel())
        others.append(index[other].ravel())
        changed = np.abs(even[one] - even[other]).ravel()
        costs.append(np.hypot(down, right) + ALONG * changed.astype(float))
    ends = (np.concatenate(ones), np.concatenate(others))
    return sparse.csr_matrix((np.concatenate(costs), ends), shape=(index.size,) * 2)


def _pair(
    height: int, width: int, down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    one = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
    other = (slice(down, height), slice(max(0, right), width - max(0, -right)))
    return one, other
