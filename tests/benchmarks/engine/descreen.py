"""The dots of a printing press: what is left of them, and whether a photograph is left alone.

Protocol: kodak as grey prints through the halftone of the training's emulsion (seed 4000 and the
number: 3.5 to 6 pixels a dot, 23 to 63 degrees, a quarter to seven tenths of the contrast). PSNR of
the luma to the print before it was screened: as it is, the best of five Gaussian blurs and a median
of 3 for each picture (chosen knowing the truth), and ours. Photographs: kodak and train/ as they
are; none of them may be touched.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import image as pictures
from restoration.engine import screen
from restoration.engine.luma import luma
from restoration.engine.steps import descreen
from restoration.training import emulsion, layers
from tests.benchmarks.engine.table import Row, absent

NAME = "descreen"
SEED = 4000
BLURS = (0.6, 0.9, 1.2, 1.6, 2.0)

Plane = NDArray[np.float32]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    files = sorted((photos / "reference" / "kodak").glob("*.png"))
    if not files:
        yield absent(NAME, "printed pictures", "reference/kodak is not there")
        return
    numbered = list(enumerate(files))[:: 6 if quick else 1]
    found = np.array([_one(pictures.load(file), number) for number, file in numbered])
    before, classical, after, seen = found.mean(axis=0)
    yield Row(NAME, "as it is", float(before), "dB", note=f"{len(numbered)} pictures")
    yield Row(NAME, "best blur or median of each", float(classical), "dB")
    yield Row(NAME, "ours", float(after), "dB", must=float(classical))
    yield Row(NAME, "worst gain over as it is", float((found[:, 2] - found[:, 0]).min()), "dB", 0.0)
    yield Row(NAME, "screens found", float(seen), "")
    others = [*files, *sorted((photos / "train").rglob("*.*g"))][:: 12 if quick else 1]
    touched = sum(any(descreen.found(pictures.load(file))) for file in others)
    note = f"of {len(others)}"
    yield Row(NAME, "photographs touched", float(touched), "", 0.0, "low", note)


def _one(picture: Plane, number: int) -> tuple[float, float, float, float]:
    rng = np.random.default_rng([SEED, number])
    plain = np.clip(emulsion.exposed(picture, colour=False), 0, 1).astype(np.float32)
    dotted = np.clip(emulsion.screened(plain, rng, layers.whole(plain, 0.5)), 0, 1)
    dotted = dotted.astype(np.float32)
    truth, light = luma(plain), luma(dotted)
    blurred = [ndimage.gaussian_filter(light, each) for each in BLURS]
    classical = max(_psnr(each, truth) for each in [*blurred, ndimage.median_filter(light, 3)])
    screens = descreen.found(dotted)
    ours = luma(descreen.without(dotted, screens, 1.0)) if any(screens) else light
    seen = float(screen.found(light) is not None)
    return _psnr(light, truth), classical, _psnr(ours, truth), seen


def _psnr(one: Plane, other: Plane) -> float:
    return float(-10 * np.log10(np.square(one - other, dtype=np.float64).mean() + 1e-12))
