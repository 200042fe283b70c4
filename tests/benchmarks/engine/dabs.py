"""Colour by dabs on Kodak: our step against A. Levin's optimisation (2004) with the same dabs.

A seed strews the dabs; each carries the true colour of its place, as 8-bit sRGB, and covers a dot
of 0.4 % of the long side. Everybody keeps the true luma, so all of the error is chroma's. PSNR is
over RGB after rounding to 8 bits. The bound is Levin's own figure in the same run and 0.5 dB more.

With a few dabs, the reach as it comes and full strength: how much of the picture counts as coloured
by evidence, and how much of that is off by more than 12 levels in a channel of the chroma.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from restoration.engine.hints import shade
from restoration.engine.image import load, resize, shrink
from restoration.engine.luma import WEIGHTS, Image, chroma, luma, on_luma
from restoration.engine.plan import Dab
from restoration.engine.step import StepContext
from restoration.engine.steps import colourise
from tests.benchmarks.engine.table import Row, absent

NAME = "dabs"
COUNTS = (30, 120, 500)
RADIUS = 0.004
LEVIN_SIDE = 256  # the study's best: a finer grid measures worse
ALL = {"strength": 1.0, "reach": 1.0, "guess": 1.0}
FEW = (3, 10)
REACHING = {"strength": 1.0, "reach": 0.5, "guess": 0.0}
WRONG = 12 / 255
GAIN = 0.5
MOST_PREVIEW = 0.15
Plane = NDArray[np.float64]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    files = sorted((photos / "reference" / "kodak").glob("*.png"))[:: 6 if quick else 1]
    if not files:
        yield absent(NAME, "kodak", "no reference/kodak among the photographs")
        return
    pictures = [load(file) for file in files]
    yield Row(NAME, "grey, no dabs: PSNR", _mean(pictures, _grey, 0), "dB")
    yield Row(NAME, "no dabs, guess at 1: PSNR", _mean(pictures, _ours, 0), "dB")
    for count in COUNTS:
        levin = _mean(pictures, _levin, count)
        yield Row(NAME, f"{count} dabs, Levin 2004 at {LEVIN_SIDE} px: PSNR", levin, "dB")
        yield Row(NAME, f"{count} dabs, preview: PSNR", _mean(pictures, _quick, count), "dB")
        kept = _mean(pictures, _as_set, count)
        yield Row(NAME, f"{count} dabs, settings as they come: PSNR", kept, "dB")
        ours = _mean(pictures, _ours, count)
        yield Row(NAME, f"{count} dabs, reach and guess at 1: PSNR", ours, "dB", levin + GAIN)
    for count in FEW:
        evident, wrong = np.mean([_evidence(each, count) for each in pictures], axis=0)
        yield Row(NAME, f"{count} dabs, reach as it comes: evidence", 100 * float(evident), "%")
        yield Row(NAME, f"{count} dabs, of it wrong", 100 * float(wrong), "%", better="low")
    yield from _costs(pictures[0])


def _evidence(picture: Image, count: int) -> tuple[float, float]:
    """The share of the picture that counts as evidence, and the share of that which is wrong."""
    grey = _drained(picture)
    context = StepContext(image=grey, reference=grey, dabs=strewn(picture, count))
    found = colourise.run(context, REACHING)
    evident = found.maps["coloured_evidence"] > 127
    off = np.abs(chroma(found.image) - chroma(picture)).max(axis=2) > WRONG
    return float(evident.mean()), float(off[evident].mean()) if evident.any() else 0.0


def strewn(picture: Image, count: int) -> tuple[Dab, ...]:
    """Dabs of the picture's own colours, at places by chance."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng([count, height, width, int(1e6 * picture.mean())])
    found = []
    for _ in range(count):
        y, x = int(rng.integers(4, height - 4)), int(rng.integers(4, width - 4))
        spot = picture[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))
        red, green, blue = (round(255 * float(value)) for value in spot)
        found.append(Dab(x / (width - 1), y / (height - 1), (red, green, blue), RADIUS))
    return tuple(found)


def levin(light: Image, known: NDArray[np.bool_], chroma: Image) -> Image:
    """A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization" (2004): each pixel the
    mean of its eight neighbours weighted by likeness of luma, the known ones held; 2xHxW."""
    held = known.ravel()
    system = sparse.eye(light.size) - sparse.diags((~held).astype(float)) @ _likeness(light)
    solver = splu(system.tocsc())
    found = [solver.solve(np.where(held, plane.ravel(), 0.0).astype(float)) for plane in chroma]
    return np.stack(found).reshape(chroma.shape).astype(np.float32)


# Levin's weights, set down here from his paper and not taken from the engine's spread, on which our
# own figures rest: a fault there must not lower the bar along with what is measured by it.
def _likeness(light: Image) -> sparse.csr_matrix:
    """Weights that sum to 1 over the neighbours: exp(-difference^2 / 0.6 of the local variance)."""
    near = sliding_window_view(np.pad(light.astype(float), 1, mode="reflect"), (3, 3))
    varied = np.maximum(0.6 * near.var((2, 3)), 2e-6)
    away = np.square(near - near[..., 1:2, 1:2]) / varied[..., None, None]
    index = np.pad(np.arange(light.size).reshape(light.shape), 1, constant_values=-1)
    others = sliding_window_view(index, (3, 3))
    among = (others >= 0) & (np.arange(9).reshape(3, 3) != 4)
    weight = (np.exp(-np.minimum(away, 30)) + 1e-6) * among
    weight /= weight.sum((2, 3), keepdims=True)
    row, *_ = np.nonzero(among.reshape(-1, 3, 3))
    return sparse.csr_matrix((weight[among], (row, others[among])), shape=(light.size,) * 2)


def _levin(grey: Image, dabs: tuple[Dab, ...]) -> Image:
    light = luma(grey)
    small = np.clip(shrink(light, LEVIN_SIDE), 0, 1)
    red, blue = (resize(plane, *light.shape) for plane in levin(small, *_discs(small, dabs)))
    green = -(WEIGHTS[0] * red + WEIGHTS[2] * blue) / WEIGHTS[1]
    return on_luma(light, np.stack([red, green, blue], axis=-1))


# As he would take them: all that a dab covers. The engine leaves out what lies beyond an edge, with
# which his program measures worse.
def _discs(light: Image, dabs: tuple[Dab, ...]) -> tuple[NDArray[np.bool_], Image]:
    """Where something is known, HxW, and red and blue chroma there, 2xHxW."""
    height, width = light.shape
    rows, columns = np.ogrid[:height, :width]
    known, said = np.zeros(light.shape, bool), np.zeros((3, *light.shape), np.float32)
    for dab in dabs:
        y, x = round(dab.y * (height - 1)), round(dab.x * (width - 1))
        radius = max(0.75, dab.radius * max(height, width))
        area = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        bands = np.array(dab.rgb, np.float32) / 255
        level = float(bands @ WEIGHTS)
        said[:, area] = np.array([[bands[0] - level], [bands[2] - level], [level]], np.float32)
        known |= area
    return known, said[:2] * shade(light, said[2])


def _ours(grey: Image, dabs: tuple[Dab, ...]) -> Image:
    return _stepped(grey, dabs, ALL)


def _as_set(grey: Image, dabs: tuple[Dab, ...]) -> Image:
    return _stepped(grey, dabs, {"strength": 0.9, "reach": 0.5, "guess": 0.0})


def _stepped(grey: Image, dabs: tuple[Dab, ...], settings: dict[str, float]) -> Image:
    context = StepContext(image=grey, reference=grey, dabs=dabs)
    found = colourise.run(context, settings).image
    if float(np.abs(luma(found) - luma(grey)).max()) > 0.5 / 255:
        raise AssertionError("the luma moved")
    return found


def _quick(grey: Image, dabs: tuple[Dab, ...]) -> Image:
    return colourise.preview(grey, dabs, ())


def _grey(grey: Image, dabs: tuple[Dab, ...]) -> Image:
    return grey


def _mean(pictures: list[Image], how: Callable[..., Image], count: int) -> float:
    return float(
        np.mean([_psnr(how(_drained(each), strewn(each, count)), each) for each in pictures])
    )


def _drained(picture: Image) -> Image:
    return np.repeat(luma(picture)[..., None], 3, axis=2)


def _psnr(found: Image, true: Image) -> float:
    rounded = np.rint(np.clip(found, 0, 1) * 255) / 255
    return float(-10 * np.log10(np.mean(np.square(rounded - true))))


def _costs(picture: Image) -> Iterator[Row]:
    """Processor seconds a megapixel with 120 dabs: preview at Kodak's size, step at 6 MP."""
    dabs = strewn(picture, 120)
    grey = _drained(picture)
    took = _seconds(lambda: _quick(grey, dabs), picture)
    yield Row(NAME, "preview, 0.4 MP", took, "s/MP", MOST_PREVIEW, "low")
    large = resize(picture, 2 * picture.shape[0], 2 * picture.shape[1], kernel="linear")
    large = np.clip(np.tile(large, (2, 2, 1)), 0, 1)
    grey = _drained(large)
    took = _seconds(lambda: _ours(grey, dabs), large)
    yield Row(NAME, f"the step, {large.size / 3e6:.1f} MP", took, "s/MP", better="low")


def _seconds(what: Callable[[], object], picture: Image) -> float:
    """The processor's time, of all threads together, the best of three, a megapixel."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        what()
        times.append(time.process_time() - begun)
    return min(times) / (picture.shape[0] * picture.shape[1] / 1e6)
