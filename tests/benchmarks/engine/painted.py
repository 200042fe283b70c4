"""A brush is wide, a scratch is thin: what is filled of strokes that a hand painted over damage.

Protocol: kodak, each a grey print (the period's emulsion) with damage alone on it (seed 3000 and
its number, severity 0.5, stamps that were not taught). A stroke is the true damage made wider by 12
pixels on all sides, wide areas among them. PSNR of the luma on what was painted, the grain left
out: all of it filled, the marks in it alone (as `repair` does by itself), and the true damage.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import damage, fill, measure, narrowing
from restoration.engine import image as pictures
from restoration.engine.damage import PLANES
from restoration.engine.luma import luma
from restoration.engine.torn import torn_off
from restoration.training import ageing, emulsion, layers, marks
from tests.benchmarks.engine.table import Row, absent

NAME = "painted"
SEED, SEVERITY, BRUSH = 3000, 0.5, 12
WAYS = ("all that was painted", "the marks in it", "the true damage")

Image = NDArray[np.float32]
Area = NDArray[np.bool_]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    files = sorted((photos / "reference" / "kodak").glob("*.png"))
    if not files:
        yield absent(NAME, "strokes", "reference/kodak is not there")
        return
    stamps = marks.stamps(photos / "damage", kept=True)
    numbered = list(enumerate(files))[:: 6 if quick else 1]
    found = np.array([_one(pictures.load(file), number, stamps) for number, file in numbered])
    whole, narrow, true = found[:, 0].mean(), found[:, 1].mean(), found[:, 2].mean()
    yield Row(NAME, WAYS[0], float(whole), "dB", note=f"{len(numbered)} pictures")
    yield Row(NAME, WAYS[1], float(narrow), "dB", must=float(whole))
    worst = float((found[:, 1] - found[:, 0]).min())
    yield Row(NAME, "worst gain of the marks over all", worst, "dB", must=0.0)
    yield Row(NAME, WAYS[2], float(true), "dB", note="nobody paints that")
    shares = f"of the damage {found[:, 4].mean():.2f}"
    yield Row(NAME, "filled of what was painted", float(found[:, 3].mean()), "", note=shares)


def _one(picture: Image, number: int, stamps: marks.Stamps) -> tuple[float, ...]:
    """PSNR of the three ways, the share of the strokes and of the damage that is filled."""
    rng = np.random.default_rng([SEED, number])
    print_ = np.clip(emulsion.exposed(picture, colour=False), 0, 1)
    damaged, truth = ageing.damaged(print_, rng, layers.whole(print_, SEVERITY), stamps)
    damaged = np.clip(damaged, 0, 1).astype(np.float32)
    area = truth[..., PLANES.index("damage")]
    painted = ndimage.distance_transform_edt(~area) <= BRUSH
    light, inside = measure.luma_and_inside(damaged)
    levels = damage.answered(damaged)[..., 0]
    levels[torn_off(damaged, inside)] = 255
    narrow = narrowing.narrowed(painted, levels, light)
    gained = [_psnr(damaged, print_, way, painted) for way in (painted, narrow, area)]
    return (*gained, narrow.sum() / painted.sum(), narrow[area].mean())


def _psnr(damaged: Image, truth: Image, area: Area, counted: Area) -> float:
    filled = fill.fill(damaged, area, np.random.default_rng(0), 0.0, damage.silent)
    error = (luma(filled) - luma(truth))[counted]
    return float(-10 * np.log10(np.square(error, dtype=np.float64).mean() + 1e-12))
