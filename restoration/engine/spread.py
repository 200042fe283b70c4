"""Spreads values given at a few places along the picture's own shapes, in hundredths of a second.

The equation is that of A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization" (2004):
each pixel is the mean of its neighbours, weighted by how like its luma theirs is. It is solved
outright on a coarse grid and then, level by level, at twice the size, a few rounds each (cascadic
multigrid, F. Bornemann, P. Deuflhard, 1996): several times quicker than solving the full grid, and
better on photographs, where a far hint should count less than a near one.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import splu

from restoration.engine.image import resize

Plane = NDArray[np.float32]  # HxW
Planes = NDArray[np.float32]  # PxHxW
Known = NDArray[np.bool_]

CARRIED = np.float32(0.7)  # of a round's step into the next (B. Polyak's heavy ball, 1964)
STRICT = 0.2  # of the local variance: Levin's program has 0.6
LEAST_VARIANCE = 2e-6
FORGOTTEN = 1e-10  # of a value at each step: what no path leads to has none, and can be solved
STRANGERS = 1e-6  # what a neighbour of quite another luma still counts
FARTHEST = 8.0  # doublings of the distance at which nearness ends


class Way(NamedTuple):
    """How thoroughly: pixels of the grid that is solved outright, rounds on each finer one."""

    outright: int
    rounds: int


THOROUGH, QUICK = Way(12000, 15), Way(800, 4)


class Spread(NamedTuple):
    """values PxHxW as they spread; near HxW: 1 at a place that was given, falling with the
    logarithm of the distance from one."""

    values: Planes
    near: Plane


def spread(light: Plane, known: Known, values: Planes) -> Spread:
    """The values at the known places carried to all others; light HxW in [0, 1], values PxHxW.

    Nothing known: zeros.
    """
    if not known.any():
        return Spread(np.zeros_like(values), np.zeros_like(light))
    return Spread(_solved(light, known, values, THOROUGH), nearness(known))


def spread_quickly(light: Plane, known: Known, values: Planes) -> Planes:
    """The same less thoroughly, for a preview."""
    if not known.any():
        return np.zeros_like(values)
    return _solved(light, known, values, QUICK)


def nearness(known: Known) -> Plane:
    """1 where known, 0 at 255 pixels from it."""
    if not known.any():
        return np.zeros(known.shape, np.float32)
    away = ndimage.distance_transform_edt(~known)
    return np.asarray(np.clip(1 - np.log2(1 + away) / FARTHEST, 0, 1), np.float32)


def _solved(light: Plane, known: Known, values: Planes, way: Way) -> Planes:
    if light.size <= way.outright:
        return _outright(light, known, values)
    share = _halved(known[None].astype(np.float32))[0]
    small = _halved(values * known) / np.maximum(share, np.float32(1e-6))
    coarse = _solved(_halved(light[None])[0], share > 0, small, way)
    return _refined(light, known, values, _doubled(coarse, light.shape), way.rounds)


def _refined(light: Plane, known: Known, values: Planes, begun: Planes, rounds: int) -> Planes:
    """Rounds of taking each pixel's mean over its neighbours; the known ones stay."""
    likeness = _likeness(light).astype(np.float32)
    held = known.ravel()
    given = values.reshape(len(values), -1).T[held]
    found = np.ascontiguousarray(begun.reshape(len(values), -1).T)
    found[held] = given
    before = found
    for _ in range(rounds):
        following = likeness @ found + CARRIED * (found - before)
        following[held] = given
        before, found = found, following
    found = np.clip(found, given.min(axis=0), given.max(axis=0))  # a mean lies between
    return np.ascontiguousarray(found.T).reshape(values.shape)


def _outright(light: Plane, known: Known, values: Planes) -> Planes:
    held = known.ravel()
    others = sparse.diags((~held).astype(float))
    solver = splu(((1 + FORGOTTEN) * sparse.eye(held.size) - others @ _likeness(light)).tocsc())
    found = solver.solve((values * known).reshape(len(values), -1).T.astype(float))
    return np.ascontiguousarray(found.T.reshape(values.shape), np.float32)


def _likeness(light: Plane) -> sparse.csr_matrix:
    """Each pixel's weights of its eight neighbours, which sum to 1."""
    level = light.astype(float)
    mean = ndimage.uniform_filter(level, 3, mode="mirror")
    varied = ndimage.uniform_filter(level * level, 3, mode="mirror") - mean * mean
    varied = np.maximum(STRICT * varied, LEAST_VARIANCE)
    index = np.arange(level.size).reshape(level.shape)
    total = np.zeros_like(level)
    parts = []
    for down, right in ((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x):
        one, other = _shifted(level.shape, down, right), _shifted(level.shape, -down, -right)
        away = np.square(level[one] - level[other]) / varied[one]
        weight = np.exp(-np.minimum(away, 30)) + STRANGERS
        total[one] += weight
        parts.append((one, other, weight))
    values = np.concatenate([(weight / total[one]).ravel() for one, _, weight in parts])
    ones = np.concatenate([index[one].ravel() for one, _, _ in parts])
    others = np.concatenate([index[other].ravel() for _, other, _ in parts])
    return sparse.csr_matrix((values, (ones, others)), shape=(level.size,) * 2)


def _shifted(shape: tuple[int, ...], down: int, right: int) -> tuple[slice, slice]:
    rows = slice(max(0, -down), shape[0] - max(0, down))
    return rows, slice(max(0, -right), shape[1] - max(0, right))


def _halved(planes: Planes) -> Planes:
    """Means of two by two pixels; the last row and column count twice where they are odd."""
    odd = [(0, side % 2) for side in planes.shape[1:]]
    even = np.pad(planes, ((0, 0), *odd), mode="edge")
    top, bottom = even[:, ::2], even[:, 1::2]
    found: Planes = 0.25 * (top[..., ::2] + top[..., 1::2] + bottom[..., ::2] + bottom[..., 1::2])
    return found


def _doubled(planes: Planes, shape: tuple[int, ...]) -> Planes:
    high, wide = 2 * planes.shape[1], 2 * planes.shape[2]
    turned = np.ascontiguousarray(planes.transpose(1, 2, 0))
    found = resize(turned, high, wide, kernel="linear")[: shape[0], : shape[1]]
    return np.ascontiguousarray(found.transpose(2, 0, 1))
