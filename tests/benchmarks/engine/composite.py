"""Aged prints: the recipe that the assessment suggests against chains of classical tools.

Protocol: the 24 pictures of kodak/, each a grey print (the period's emulsion), aged with seed 1000
plus its number at severity 0.8 (heavy), 0.5 (middle) and 0.15 (light); real stamps that were not
taught with are among the damage. Truth: the same print before it aged. PSNR and SSIM on luma,
nothing fitted to the truth. A chain is: top-hat damage mask at one of two thresholds or none;
biharmonic fill; percentile stretch or none; and one of non-local means, total variation, median or
nothing, at the noise that J. Immerkaer's estimator (1996) finds. The best chain is the one with the
highest mean over the set, chosen knowing the truth.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.metrics import structural_similarity
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_chambolle,
    inpaint_biharmonic,
)

from restoration.engine import image as pictures
from restoration.engine.luma import luma
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.engine.steps.assess import assess
from restoration.training import emulsion, marks
from restoration.training.ageing import age
from tests.benchmarks.engine.table import Row, absent

NAME = "composite"
SEVERITIES = {"heavy": 0.8, "middle": 0.5, "light": 0.15}
THRESHOLDS = (0.0, 5.0, 8.0)  # of the classical mask; 0: no mask
MUST_GAIN = 2.0
IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)

Plane = NDArray[np.float32]


@dataclass
class Found:
    """Figures of one severity, a number a picture."""

    untouched: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)  # gain on pixels that no damage covers
    similar: list[tuple[float, float]] = field(default_factory=list)  # SSIM before and after
    chains: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    files = sorted((photos / "reference" / "kodak").glob("*.png"))
    if not files:
        yield absent(NAME, "aged prints", "reference/kodak is not there")
        return
    stamps = marks.stamps(photos / "damage", kept=True)
    for name, severity in SEVERITIES.items():
        found = Found()
        for number, file in list(enumerate(files))[:: 6 if quick else 1]:
            _one(found, pictures.load(file), 1000 + number, severity, stamps)
        yield from _told(name, found)


def _told(name: str, found: Found) -> Iterator[Row]:
    ours = float(np.mean(found.ours))
    gains = np.subtract(found.ours, found.untouched)
    best = max(found.chains, key=lambda chain: float(np.mean(found.chains[chain])))
    classical = float(np.mean(found.chains[best]))
    yield Row(NAME, f"{name}: untouched", float(np.mean(found.untouched)), "dB")
    yield Row(NAME, f"{name}: best classical chain", classical, "dB", note=best)
    must = classical + MUST_GAIN
    yield Row(NAME, f"{name}: suggested recipe", ours, "dB", None if name == "light" else must)
    yield Row(NAME, f"{name}: worst gain over untouched", float(gains.min()), "dB", 0.0)
    yield Row(NAME, f"{name}: worst gain on sound pixels", float(np.min(found.sound)), "dB", 0.0)
    before, after = np.mean(found.similar, axis=0)
    yield Row(
        NAME, f"{name}: SSIM", float(after), "", float(before), note=f"untouched {before:.3f}"
    )


def _one(found: Found, picture: Plane, seed: int, severity: float, stamps: Any) -> None:
    truth = luma(np.clip(emulsion.exposed(picture, colour=False), 0, 1))
    aged, mask = age(picture, seed=seed, severity=severity, stamps=stamps)
    aged = np.rint(aged * 255).astype(np.float32) / 255
    before, after = luma(aged), luma(_restored(aged))
    sound = mask == 0
    found.untouched.append(psnr(before, truth))
    found.ours.append(psnr(after, truth))
    found.sound.append(psnr(after[sound], truth[sound]) - psnr(before[sound], truth[sound]))
    found.similar.append((_similar(before, truth), _similar(after, truth)))
    for chain, answer in _classical(before):
        found.chains[chain].append(psnr(answer, truth))


def _restored(aged: Plane) -> Plane:
    """By the recipe as suggested, nothing touched."""
    suggested = assess(aged).suggestion
    if not suggested:
        return aged
    steps = tuple(
        StepPlan(row["step"], settings=row["settings"])
        for row in suggested
        if row["step"] != "upscale"  # the truth has this size
    )
    return restore(aged, Plan(steps), Inputs(), None, _silent).image


def _silent(step: str, fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody watches a benchmark."""


def psnr(one: Plane, other: Plane) -> float:
    return float(-10 * np.log10(np.square(one - other, dtype=np.float64).mean() + 1e-12))


def _similar(one: Plane, other: Plane) -> float:
    return float(structural_similarity(one, other, data_range=1.0))


def _classical(light: Plane) -> Iterator[tuple[str, Plane]]:
    """Every chain's name and answer, luma HxW."""
    for threshold in THRESHOLDS:
        filled = light
        if threshold:
            filled = inpaint_biharmonic(light, _top_hat(light, threshold)).astype(np.float32)
        for stretched in (False, True):
            base = _stretched(filled) if stretched else filled
            for name, clean in _calmed(base):
                mask = f"mask {threshold:g}, fill, " if threshold else ""
                tone = "stretch, " if stretched else ""
                yield f"{mask}{tone}{name}", np.clip(clean, 0, 1)


def _top_hat(light: Plane, threshold: float) -> NDArray[np.bool_]:
    """White and black top-hats over their local spread, with hysteresis."""
    peaks = np.maximum(ndimage.white_tophat(light, 11), ndimage.black_tophat(light, 11))
    mean = ndimage.uniform_filter(peaks, 41)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(peaks * peaks, 41) - mean * mean, 1e-6))
    score = (peaks - mean) / (spread + 0.02)
    loose, _ = ndimage.label(score > 0.55 * threshold)
    kept = np.unique(loose[score > threshold])
    found: NDArray[np.bool_] = np.isin(loose, kept[kept > 0])
    return found


def _stretched(light: Plane) -> Plane:
    low, high = np.percentile(light, (0.5, 99.5))
    return np.clip((light - low) / max(high - low, 0.05), 0, 1).astype(np.float32)


def _calmed(light: Plane) -> Iterator[tuple[str, Plane]]:
    sigma = float(np.sqrt(np.pi / 2) / 6 * np.abs(ndimage.convolve(light, IMMERKAER)).mean())
    yield "nothing", light
    yield "median", ndimage.median_filter(light, 3)
    yield "total variation", denoise_tv_chambolle(light, weight=max(1e-3, 1.2 * sigma))
    yield (
        "non-local means",
        denoise_nl_means(
            light,
            patch_size=5,
            patch_distance=6,
            h=max(1e-3, 0.8 * sigma),
            sigma=sigma,
            fast_mode=True,
        ),
    )
