"""Fills holes from what surrounds them: first a membrane, then what our own network adds to it.

The membrane is push-pull (S. Gortler 1996, "The Lumigraph") with a few sweeps of the Laplace
equation at every size, so that it meets the surroundings as the harmonic fill does and costs little
however wide a hole is. The network continues edges and shades into it. Last comes the grain of the
neighbourhood: a smooth patch in a grainy wall is a scar. Thin damage comes back well; the middle of
a large hole is smooth guesswork.

Only tiles with holes in them are worked on, so that a few specks cost little in a large scan.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import networks
from restoration.engine.image import Image, let_go, room
from restoration.engine.luma import luma

Area = NDArray[np.bool_]
Progress = Callable[[float, NDArray[Any] | None], None]

NETWORK = "fill"
SWEEPS = 4
CELL = 8  # a hole that holds a whole cell of this side is filled with the whole picture in view
HALVINGS = 3  # until a pixel is a cell
LEARNT = 30.0  # pixels from the rim: the network has seen no deeper holes; twice that, it is silent
SPARSE, DENSE = 192, 824  # sides of the tiles at most, overlap included
CROWDED = 0.25  # share of sparse tiles with holes, from which on dense ones are cheaper
OVERLAP = 64
TRIM = 8  # pixels at a tile's inner edges that do not count
STRIP = 512  # rows that are handled at once where the whole picture passes by

PATCH = 512  # side of the patch of noise that grain is taken from
FINE = 1.5  # pixels: what a blur of this width takes away is grain or fine texture
LOUD = 0.04  # a difference above this is an edge, no grain
GROUND = 31  # pixels around a place in which its grain is measured
SAMPLES = 12  # tiles that tell how soft the grain is


def _silent(fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody listens."""


def fill(
    image: Image,
    area: Area,
    rng: np.random.Generator,
    grain: float = 1.0,
    progress: Progress = _silent,
) -> Image:
    """A copy of float32 HxWx3 in [0, 1] whose True pixels of `area` are filled; the others are as
    they were, bit by bit.

    rng: of the grain alone. grain: 0 none to 1 as strong as around the hole. progress(fraction,
    None) may raise. Raises StepFailed where the network is missing or altered.
    """
    filled = _copied(image, area)
    tiles = _tiles(area)
    ground = _ground(image, area)
    noise = _noise(image, area, tiles, rng) * np.float32(grain) if grain > 0 else None
    for number, tile in enumerate(tiles):
        hole = area[tile.place]
        patch = _continued(image[tile.place], hole, tile, ground)
        if noise is not None:
            patch += _grain(patch, hole, noise[tile.within(PATCH)])[..., None]
        filled[tile.place][hole] += (np.clip(patch, 0, 1) * tile.weights[..., None])[hole]
        let_go(image)
        let_go(filled)
        progress((number + 1) / len(tiles), None)
    for tile in tiles:  # the weights come to 1 but for the last bit
        np.clip(filled[tile.place], 0, 1, out=filled[tile.place])
    return filled


def _copied(image: Image, area: Area) -> Image:
    """The picture with 0 in the holes."""
    copy = room(image.shape)
    for top in range(0, len(area), STRIP):
        rows = slice(top, top + STRIP)
        copy[rows] = np.where(area[rows][..., None], np.float32(0), image[rows])
        let_go(image)
        let_go(copy)
    return copy


@dataclass(frozen=True)
class Tile:
    """Rows [top, bottom) and columns [left, right), and how much each of them counts."""

    top: int
    bottom: int
    left: int
    right: int
    down: Image
    across: Image

    @property
    def weights(self) -> Image:
        """HxW: over all tiles they come to 1."""
        found: Image = np.outer(self.down, self.across)
        return found

    @property
    def place(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def cells(self) -> tuple[slice, slice]:
        """The same place in a picture of cells."""
        return (
            slice(self.top // CELL, -(-self.bottom // CELL)),
            slice(self.left // CELL, -(-self.right // CELL)),
        )

    def within(self, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same place in a square that is repeated without end."""
        rows = np.arange(self.top, self.bottom) % side
        return rows[:, None], (np.arange(self.left, self.right) % side)[None]


def _tiles(area: Area) -> list[Tile]:
    """Those tiles of an even grid that have holes in them, row by row from the top."""
    sparse = _grid(area.shape, SPARSE)
    found = [tile for tile in sparse if area[tile.place].any()]
    if len(found) <= CROWDED * len(sparse):
        return found
    return [tile for tile in _grid(area.shape, DENSE) if area[tile.place].any()]


def _grid(shape: tuple[int, ...], side: int) -> list[Tile]:
    across = list(_spans(shape[1], side))
    return [
        Tile(top, bottom, left, right, down, along)
        for top, bottom, down in _spans(shape[0], side)
        for left, right, along in across
    ]


def _spans(length: int, side: int) -> Iterator[tuple[int, int, Image]]:
    """Where tiles begin, a multiple of CELL, where they end, and how much each of their rows (or
    columns) counts: half a sine over the overlap."""
    count = max(1, -(-(length - OVERLAP) // (side - OVERLAP)))
    side = -(-(length + (count - 1) * OVERLAP) // count)  # none longer than it must be
    step = (length - side) / max(1, count - 1)
    starts = [int(number * step) // CELL * CELL for number in range(count)]
    ends = [start + side + CELL for start in starts[:-1]] + [length]
    rise = np.zeros((count, length), np.float32)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        places = np.arange(start, end) + 0.5
        inner = np.full(len(places), float(OVERLAP))
        if number > 0:
            inner = np.minimum(inner, places - start)
        if number + 1 < count:
            inner = np.minimum(inner, end - places)
        share = np.clip((inner - TRIM) / (OVERLAP - 2 * TRIM), 0, 1)
        rise[number, start:end] = np.square(np.sin(share * np.pi / 2))
    rise /= rise.sum(axis=0)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        yield start, end, rise[number, start:end]


@dataclass(frozen=True)
class Ground:
    """The whole picture in cells, holes filled, and how deep in a hole a cell is, in pixels."""

    cells: Image
    depth: Image


def _ground(image: Image, area: Area) -> Ground | None:
    """None where no hole holds a whole cell: then each tile has what its holes need."""
    rows = range(0, len(area), STRIP)
    empty = np.concatenate([_in_cells(area[top : top + STRIP]) == CELL**2 for top in rows])
    if not empty.any():
        return None
    cells = np.concatenate([_means(image, area, top) for top in rows])
    depth = CELL * ndimage.distance_transform_edt(empty) if not empty.all() else np.inf
    return Ground(membrane(cells, empty), np.broadcast_to(depth, empty.shape).astype(np.float32))


def _means(image: Image, area: Area, top: int) -> Image:
    """A strip in cells: the mean of what is known of each."""
    known = ~area[top : top + STRIP]
    strip = np.where(known[..., None], image[top : top + STRIP], np.float32(0))
    let_go(image)
    found: Image = _in_cells(strip) / np.maximum(_in_cells(known), 1)[..., None]
    return found


def _in_cells(plane: NDArray[Any]) -> NDArray[Any]:
    """Sums over CELL x CELL pixels, HxW or HxWxC; a cell at the edge may have fewer."""
    down = np.add.reduceat(plane, np.arange(0, plane.shape[0], CELL), axis=0, dtype=np.float32)
    return np.add.reduceat(down, np.arange(0, plane.shape[1], CELL), axis=1)


def _continued(image: Image, hole: Area, tile: Tile, ground: Ground | None) -> Image:
    """One tile with its holes filled, not clipped: membrane and network."""
    base = membrane(image, hole, None if ground is None else ground.cells[tile.cells])
    asked = np.concatenate([base, hole[..., None].astype(np.float32)], axis=2)
    more = networks.answer(NETWORK, asked)
    heard = 1 if ground is None else _heard(ground.depth[tile.cells], hole.shape)
    found: Image = base + more * (hole * heard)[..., None]
    return found


def _heard(depth: Image, shape: tuple[int, ...]) -> Image:
    """How far the network is trusted: 1 as deep as it has learnt, 0 at twice that."""
    share = np.clip(2 - depth / LEARNT, 0, 1).repeat(CELL, axis=0).repeat(CELL, axis=1)
    found: Image = ndimage.uniform_filter(share[: shape[0], : shape[1]], CELL)
    return found


def membrane(image: Image, area: Area, ground: Image | None = None) -> Image:
    """A copy of float32 HxWxC whose True pixels of `area` are a smooth fill of the others.

    ground: the same place in cells (an eighth of the size, rounded up), without holes; without it
    the fill is 0 where nothing is known at all.
    """
    known: Image = np.where(area[..., None], np.float32(0), image)
    return _stretched(known, area, ground, HALVINGS)


def _stretched(known: Image, area: Area, ground: Image | None, halvings: int) -> Image:
    if ground is not None and halvings == 0:
        return ground
    if area.any() and (ground is not None or not area.all()):
        _push(known, area, _stretched(*_pulled(known, area), ground, halvings - 1))
    return known


def _pulled(known: Image, area: Area) -> tuple[Image, Area]:
    """Half the size: the mean of what is known among four pixels, and where nothing was."""
    height, width = area.shape
    odd = ((0, height % 2), (0, width % 2))
    shape = ((height + 1) // 2, 2, (width + 1) // 2, 2)
    values = np.pad(known, (*odd, (0, 0))).reshape(*shape, -1)
    count = np.pad(~area, odd).reshape(shape).sum(axis=(1, 3), dtype=np.float32)
    mean = values.sum(axis=(1, 3)) / np.maximum(count, 1)[..., None]
    return mean.astype(np.float32), count == 0


def _push(known: Image, area: Area, small: Image) -> None:
    """The unknown pixels from the half-size picture, then relaxed against their neighbours."""
    height, width = area.shape
    rows, columns = np.nonzero(area)
    flat = known.reshape(height * width, -1)
    place = rows * width + columns
    flat[place] = _between(small, rows, columns)
    beside = (
        np.maximum(rows - 1, 0) * width + columns,
        np.minimum(rows + 1, height - 1) * width + columns,
        rows * width + np.maximum(columns - 1, 0),
        rows * width + np.minimum(columns + 1, width - 1),
    )
    for _ in range(SWEEPS):
        flat[place] = sum(flat[each] for each in beside) * np.float32(0.25)


def _between(small: Image, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Image:
    """NxC: the half-size picture at those places of the whole, linear, pixel centres kept."""
    top, left = (rows - 1) // 2, (columns - 1) // 2
    down = np.where(rows % 2, 0.25, 0.75).astype(np.float32)[:, None]
    right = np.where(columns % 2, 0.25, 0.75).astype(np.float32)[:, None]
    above, below = np.maximum(top, 0), np.minimum(top + 1, small.shape[0] - 1)
    before, after = np.maximum(left, 0), np.minimum(left + 1, small.shape[1] - 1)
    upper = small[above, before] * (1 - right) + small[above, after] * right
    lower = small[below, before] * (1 - right) + small[below, after] * right
    found: Image = upper * (1 - down) + lower * down
    return found


def _noise(image: Image, area: Area, tiles: list[Tile], rng: np.random.Generator) -> Image:
    """A patch of noise as soft as the picture's grain, without an end, of mean strength 1."""
    softness = _softness(image, area, tiles)
    noise = rng.standard_normal((PATCH, PATCH)).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, softness, mode="wrap")
    noise -= ndimage.gaussian_filter(noise, FINE, mode="wrap")
    found: Image = noise / np.abs(noise).mean()
    return found


def _softness(image: Image, area: Area, tiles: list[Tile]) -> float:
    """Blur of white noise whose neighbours resemble each other as those of the picture do."""
    alike, alone, count = 0.0, 0.0, 0
    for tile in tiles[:: max(1, len(tiles) // SAMPLES)]:
        hole = area[tile.place]
        fine, known = _fine(luma(membrane(image[tile.place], hole))), _untouched(hole)
        calm = known[:, 1:] & known[:, :-1] & (np.abs(fine[:, 1:]) < 0.75 * LOUD)
        left, right = fine[:, :-1][calm], fine[:, 1:][calm]
        alike += float((left * right).sum())
        alone += float(np.square(left).sum())
        count += int(calm.sum())
    if count < 100:
        return 0.0
    return float(np.clip(1.1 * (alike / (alone + 1e-12) + 0.15), 0.0, 0.9))


def _fine(light: Image) -> Image:
    found: Image = light - ndimage.gaussian_filter(light, FINE)
    return found


def _untouched(hole: Area) -> Area:
    """What is known and not beside a hole, whose rim is rarely quite sound."""
    found: Area = ~ndimage.binary_dilation(hole, iterations=2)
    return found


def _grain(patch: Image, hole: Area, noise: Image) -> Image:
    """HxW: as much noise as makes the fill as rough as the sound ground around it."""
    fine = np.minimum(np.abs(_fine(luma(patch))), LOUD)
    around, inside = _mean(fine, _untouched(hole)), _mean(fine, hole)
    missing = np.sqrt(np.maximum(np.square(around) - np.square(inside), 0))
    found: Image = noise * missing
    return found


def _mean(plane: Image, where: Area) -> Image:
    """Of the chosen pixels near each place; 0 where there are next to none."""
    share = ndimage.uniform_filter(where.astype(np.float32), GROUND)
    mean = ndimage.uniform_filter(plane * where, GROUND) / (share + np.float32(1e-6))
    found: Image = np.where(share < 0.02, np.float32(0), mean)
    return found
