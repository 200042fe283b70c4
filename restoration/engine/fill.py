"""Fills holes from what surrounds them: first a membrane, then what our own network adds to it.

The membrane is push-pull (S. Gortler 1996, "The Lumigraph") with a few sweeps of the Laplace
equation at every size, so that it meets the surroundings as the harmonic fill does and costs little
however wide a hole is. The network continues edges and shades into it. Last comes the grain of the
neighbourhood: a smooth patch in a grainy wall is a scar. Thin damage comes back well; the middle of
a large hole is smooth guesswork.
"""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Area = NDArray[np.bool_]

SWEEPS = 4


def membrane(image: Image, area: Area) -> Image:
    """A copy of float32 HxWxC whose True pixels of `area` are a smooth fill of the others.

    Where nothing is known at all the fill is 0.
    """
    known: Image = np.where(area[..., None], np.float32(0), image)
    if area.any() and not area.all():
        _push(known, area, membrane(*_pulled(known, area)))
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
    """Nx C: the half-size picture at those places of the whole, linear, pixel centres kept."""
    top, left = (rows - 1) // 2, (columns - 1) // 2
    down = np.where(rows % 2, 0.25, 0.75).astype(np.float32)[:, None]
    right = np.where(columns % 2, 0.25, 0.75).astype(np.float32)[:, None]
    above, below = np.maximum(top, 0), np.minimum(top + 1, small.shape[0] - 1)
    before, after = np.maximum(left, 0), np.minimum(left + 1, small.shape[1] - 1)
    upper = small[above, before] * (1 - right) + small[above, after] * right
    lower = small[below, before] * (1 - right) + small[below, after] * right
    found: Image = upper * (1 - down) + lower * down
    return found
