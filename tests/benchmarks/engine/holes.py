"""Thin holes and blobs: PSNR inside them, and what the filling takes, beside the classical ways.

The grain is left out (`grain=0`) where PSNR is measured: it makes a fill look right and each pixel
a little wrong. The whole step with its grain has a row of its own.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

from restoration.engine import fill
from restoration.engine import image as pictures
from restoration.training import holes
from tests.benchmarks.engine.table import Row, absent

NAME = "holes"
FOLDER = Path("reference") / "bsd68_gray"
QUICK = 8  # pictures
SEED = 3
MUST = {"thin": 21.7, "blobs": 20.3}
SLOWEST = 1.0  # seconds a megapixel

Image = NDArray[np.float32]
Area = NDArray[np.bool_]
Way = Callable[[Image, Area], NDArray[np.floating]]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    files = sorted(each for each in (photos / FOLDER).iterdir() if each.suffix == ".png")
    clean = [pictures.load(file) for file in files[: QUICK if quick else None]]
    for kind, cut in (("thin", holes.scratched), ("blobs", holes.blotted)):
        rng = np.random.default_rng(SEED)
        areas = [cut(rng, *each.shape[:2]) for each in clean]
        share = f"{len(clean)} pictures, {100 * np.mean([each.mean() for each in areas]):.1f} %"
        yield from _ours(kind, clean, areas, share)
        for name, way in _others().items():
            if way is None:
                yield absent(NAME, f"{kind}: {name}", "OpenCV is not installed")
            else:
                reached, taken = _measured(way, clean, areas)
                note = f"{taken:.2f} s/MP; {share}"
                yield Row(NAME, f"{kind}: {name}", reached, "dB", note=note)


def _ours(kind: str, clean: list[Image], areas: list[Area], share: str) -> Iterator[Row]:
    reached, taken = _measured(_filled(0.0), clean, areas)
    yield Row(NAME, f"{kind}: own network", reached, "dB", must=MUST[kind], note=share)
    yield Row(NAME, f"{kind}: own network", taken, "s/MP", must=SLOWEST, better="low")
    reached, taken = _measured(_filled(1.0), clean, areas)
    note = f"{taken:.2f} s/MP; as the step does it"
    yield Row(NAME, f"{kind}: own network and grain", reached, "dB", note=note)
    reached, taken = _measured(fill.membrane, clean, areas)
    note = f"{taken:.2f} s/MP; what the network begins from"
    yield Row(NAME, f"{kind}: membrane alone", reached, "dB", note=note)


def _filled(grain: float) -> Way:
    return lambda bad, area: fill.fill(bad, area, np.random.default_rng(SEED), grain)


def _others() -> dict[str, Way | None]:
    ways: dict[str, Way | None] = {"biharmonic (scikit-image)": _biharmonic}
    try:
        import cv2
    except ImportError:
        return {**ways, "Telea (OpenCV)": None, "Navier-Stokes (OpenCV)": None}
    kinds = {"Telea (OpenCV)": cv2.INPAINT_TELEA, "Navier-Stokes (OpenCV)": cv2.INPAINT_NS}

    def by(kind: int) -> Way:
        def filled(bad: Image, area: Area) -> Image:
            levels = np.rint(bad * 255).astype(np.uint8)
            found = cv2.inpaint(levels, area.astype(np.uint8), 3, kind)
            return np.asarray(found, np.float32) / 255

        return filled

    return {**ways, **{name: by(kind) for name, kind in kinds.items()}}


def _biharmonic(bad: Image, area: Area) -> NDArray[np.floating]:
    found: NDArray[np.floating] = inpaint_biharmonic(
        bad, area, split_into_regions=True, channel_axis=-1
    )
    return found


def _measured(way: Way, clean: list[Image], areas: list[Area]) -> tuple[float, float]:
    """The mean over the pictures of PSNR in the holes in dB, and seconds a megapixel."""
    reached, taken, pixels = [], 0.0, 0
    for picture, area in zip(clean, areas, strict=True):
        bad = picture.copy()
        bad[area] = 1
        begun = time.perf_counter()
        found = np.clip(way(bad, area), 0, 1)
        taken += time.perf_counter() - begun
        pixels += area.size
        reached.append(-10 * np.log10(np.square(found - picture)[area].mean()))
    return float(np.mean(reached)), 1e6 * taken / pixels
