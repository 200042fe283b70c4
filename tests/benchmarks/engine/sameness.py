"""What must not move: the bytes of two runs, the pixels outside the mask, the luma under colour."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from skimage import data

from restoration.engine.luma import WEIGHTS, luma
from restoration.engine.plan import Dab, Plan, StepPlan
from restoration.engine.restore import Inputs, Restored, restore
from restoration.engine.step import Image, Mask
from restoration.training.ageing import age
from tests.benchmarks.engine.table import Row
from tests.benchmarks.registration import PICTURES, errors

NAME = "sameness"
CHAIN = ("assess", "tone", "repair", "denoise", "colourise", "guard")
DABS = tuple(
    Dab(x, y, rgb, 0.02)
    for (x, y), rgb in zip(
        np.random.default_rng(1).random((40, 2)).tolist(),
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)] * 10,
        strict=True,
    )
)


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    scan, mask = _scan()
    plan = Plan(tuple(StepPlan(name) for name in CHAIN), dabs=DABS, seed=7)
    one, other = (restore(scan, plan, Inputs(mask=mask), None, _silent) for _ in range(2))
    what = f"bytes that differ between two runs of {len(CHAIN)} steps"
    yield Row(NAME, what, _differing(one, other), "", 0, "low")
    yield Row(NAME, "outside the mask, repair", _outside(scan, mask), "of 255", 0, "low")
    yield Row(NAME, "luma under colour", _luma_moved(scan), "of 255", 0.5, "low", "in 8 bits")
    names = PICTURES[:4] if quick else PICTURES
    found = [error for _, error, _, _ in errors(names, 0)]
    note = f"{len(names)} pictures, at most {max(found):.3f}"
    yield Row(
        NAME, "registration, mean corner error", float(np.mean(found)), "px", 0.1, "low", note
    )


def _scan() -> tuple[Image, Mask]:
    """An aged portrait and its damage."""
    sound = np.ascontiguousarray(data.astronaut()[:320, 60:380].astype(np.float32) / 255)
    return age(sound, seed=3, severity=0.6)


def _differing(one: Restored, other: Restored) -> int:
    """Bytes of picture and maps."""
    apart = int((one.image.view(np.uint8) != other.image.view(np.uint8)).sum())
    assert set(one.maps) == set(other.maps)
    return apart + sum(int((one.maps[name] != other.maps[name]).sum()) for name in one.maps)


def _outside(scan: Image, mask: Mask) -> float:
    done = restore(scan, Plan((StepPlan("repair"),)), Inputs(mask=mask), None, _silent)
    assert np.abs(done.image - scan)[mask > 0].max() > 0
    return float(np.abs(done.image - scan)[mask == 0].max()) * 255


def _luma_moved(scan: Image) -> float:
    done = restore(scan, Plan((StepPlan("colourise"),), dabs=DABS), Inputs(), None, _silent)
    assert np.ptp(done.image, axis=2).max() > 0.2
    return float(np.abs(np.rint(done.image * 255) @ WEIGHTS - 255 * luma(scan)).max())


def _silent(step: str, fraction: float, preview: object = None) -> None:
    """Nobody watches a benchmark."""
