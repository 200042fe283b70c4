"""Smooth random planes: clouds with lumps of a given size, from a small grid of noise."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Random = np.random.Generator

CONTRAST = 0.27  # deviation of a cloud around its middle, one half


def cloud(rng: Random, shape: tuple[int, ...], lump: float) -> Plane:
    """Float32 HxW in [0, 1], mean about one half; its lumps are about `lump` pixels wide."""
    step = max(2.0, lump)
    rows, columns = (_spline(size, round(step, 2)) for size in shape[:2])
    grid = rng.standard_normal((rows.shape[1], columns.shape[1]), dtype=np.float32)
    found: Plane = np.asarray(rows @ grid @ columns.T, np.float32)
    found *= np.float32(CONTRAST)
    found += np.float32(0.5)
    return np.clip(found, 0, 1, out=found)


@lru_cache(maxsize=64)
def _spline(size: int, step: float) -> Plane:
    """Matrix from a grid that far apart to `size` samples: cubic convolution (R. Keys, 1981)."""
    places = 1 + np.arange(size) / step
    first = np.floor(places).astype(int)
    part = (places - first)[:, None]
    near = np.abs(part - np.arange(-1, 3)[None])
    weight = np.where(
        near < 1,
        (1.5 * near - 2.5) * near**2 + 1,
        ((-0.5 * near + 2.5) * near - 4) * near + 2,
    )
    matrix = np.zeros((size, int(first[-1]) + 3), np.float32)
    matrix[np.arange(size)[:, None], first[:, None] + np.arange(-1, 3)[None]] = weight
    return matrix
