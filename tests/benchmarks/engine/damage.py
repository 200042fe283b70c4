"""The damage mask: how much of what hides an old photograph is found, and how much that does not.

Protocol. Pictures: bsd68_gray and kodak, never learnt from. Damage: real stamps that training never
saw, drawn dust, lint and scratches, and one crease and one tear on every picture, all at severity
0.8, seeded by the picture's number; the truth is what changes the picture by four grey levels or
more (restoration/training/layers.py). It lies on the clean picture, and on the same picture worn at
severity 0.8: grain, fading, stains, tone. F1 is pooled over a set and forgives one pixel at a
mask's rim, as the study's prototype was measured: right is where found and true masks meet once
both have grown by a pixel, wrong what is found further than a pixel from the truth, missed what is
true and further than a pixel from what is found. The strict F1 forgives nothing, and the rim that
the product lays around its mask counts against it there. The product judges each mark once more
(restoration/engine/judging.py); what its network alone finds has a row of its own. The sound
pictures are the same ones, clean and worn, without damage: whatever is found there is false. The
classical detector is the best of three thresholds of top-hats in twelve directions over the local
activity, chosen knowing the truth.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import damage
from restoration.engine import image as pictures
from restoration.engine.damage import PLANES
from restoration.engine.luma import luma
from restoration.engine.steps import repair
from restoration.training import emulsion, folds, layers, marks, stains
from tests.benchmarks.engine.table import Row, absent

NAME = "damage"
SEVERITY = 0.8
SETS = ("bsd68_gray", "kodak")
MUST = {"clean": 0.85, "heavily aged": 0.75}
MOST_FALSE = 0.01
THRESHOLDS = (2.5, 3.5, 5.0)
BELIEVED = 217  # of 255: a logit of 1.75
EIGHT = np.ones((3, 3), bool)

Image = NDArray[np.float32]
Area = NDArray[np.bool_]
Finder = Callable[[Image], Area]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    folders = [photos / "reference" / name for name in SETS]
    if not all(folder.is_dir() for folder in folders) or not (photos / "damage").is_dir():
        yield absent(NAME, "damage mask", "no reference pictures or stamps")
        return
    stamps = marks.stamps(photos / "damage", kept=True)
    for folder in folders:
        files = sorted(file for file in folder.iterdir() if file.suffix in (".png", ".jpg"))
        yield from _rows_of(folder.name, files[: 4 if quick else None], stamps)
    yield _speed(photos, quick=quick)


def _rows_of(name: str, files: list[Path], stamps: marks.Stamps) -> Iterator[Row]:
    examples = [_example(pictures.load(file), number, stamps) for number, file in enumerate(files)]
    for state in MUST:
        cases = [each[state] for each in examples]
        scores = _scores(cases, found)
        note = (
            f"{len(files)} pictures, precision {scores.precision:.2f}, recall {scores.recall:.2f}"
        )
        yield Row(NAME, f"{name} {state}: F1", scores.f1, "", MUST[state], note=note)
        yield Row(NAME, f"{name} {state}: strict F1", scores.strict, "")
        alone = _scores(cases, believed)
        note = (
            f"precision {alone.precision:.2f}, recall {alone.recall:.2f}, false {alone.false:.2%}"
        )
        yield Row(NAME, f"{name} {state}: F1, the network alone", alone.f1, "", note=note)
        best = max((_scores(cases, top_hats(level)) for level in THRESHOLDS), key=lambda s: s.f1)
        note = f"false on undamaged {best.false:.2%}"
        yield Row(NAME, f"{name} {state}: classical F1", best.f1, "", note=note)
        false = 100 * scores.false
        yield Row(NAME, f"{name} {state}: false mask", false, "%", 100 * MOST_FALSE, "low")


@dataclass(frozen=True)
class Case:
    """A damaged picture, its truth, and the same one undamaged."""

    damaged: Image
    truth: Area
    sound: Image


def _example(image: Image, number: int, stamps: marks.Stamps) -> dict[str, Case]:
    sheet = layers.whole(image, SEVERITY)
    grey = emulsion.exposed(image, colour=False)
    found = {}
    for state in MUST:
        rng = np.random.default_rng([number, 0xDA3A])
        worn = grey
        if state != "clean":
            worn = emulsion.worn(image, rng, sheet, colour=False)
            worn = stains.stained(worn, layers.untouched(worn.shape), rng, sheet)
        sound = np.clip(worn, 0, 1).astype(np.float32)
        rng = np.random.default_rng([number, 0xDA3B])  # the same damage on both
        marked, truth = _damaged(worn, rng, sheet, stamps)
        marked = np.clip(marked, 0, 1).astype(np.float32)
        found[state] = Case(marked, truth[..., PLANES.index("damage")], sound)
    return found


def _damaged(
    image: Image, rng: np.random.Generator, sheet: layers.Sheet, stamps: marks.Stamps
) -> tuple[Image, layers.Truth]:
    truth = layers.untouched(image.shape)
    image = folds.creased(image, truth, rng, sheet)
    image = folds.torn(image, truth, rng, sheet)
    for layer in marks.drawn(rng, sheet):
        image = layers.laid(image, truth, layer)
    for _ in range(rng.integers(3, 8)):
        image = layers.laid(image, truth, marks.stamped(rng, sheet, stamps))
    return image, truth


def found(image: Image) -> Area:
    """What the product's detector finds, as `repair` asks it at its usual sensitivity."""
    return repair.detect(image) > 0


def believed(image: Image) -> Area:
    """What the network alone would have, before its marks must prove themselves."""
    return damage.answered(image)[..., 0] > BELIEVED


def top_hats(threshold: float) -> Finder:
    """Bright and dark lines and spots in twelve directions, over the local activity (after
    experiments/engine_scratchdet.py)."""

    def detect(image: Image) -> Area:
        light = luma(image)
        strength = np.zeros_like(light)
        for sign in (1, -1):
            hat = ndimage.white_tophat(sign * light, footprint=_disc(5))
            lines = [ndimage.convolve(hat, _stroke(angle)) for angle in np.arange(0, 180, 15)]
            strength = np.maximum(strength, np.maximum(np.max(lines, axis=0), 0.6 * hat))
        mean = ndimage.uniform_filter(strength, 41)
        spread = np.sqrt(np.maximum(ndimage.uniform_filter(strength**2, 41) - mean**2, 1e-6))
        score = (strength - mean) / (spread + 0.02)
        labels, _ = ndimage.label(score > 0.55 * threshold, EIGHT)
        kept = np.bincount(labels.ravel(), (score > threshold).ravel()) > 0
        kept &= np.bincount(labels.ravel()) >= 4
        kept[0] = False
        return np.asarray(kept[labels], bool)

    return detect


def _disc(radius: int) -> Area:
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(rows**2 + columns**2 <= radius**2)


def _stroke(angle: float) -> Image:
    along = np.linspace(-7, 7, 29)
    kernel = np.zeros((15, 15), np.float32)
    turn = np.deg2rad(angle)
    places = np.stack([7 + along * np.sin(turn), 7 + along * np.cos(turn)])
    kernel[tuple(np.rint(places).astype(int))] = 1
    return kernel / kernel.sum()


@dataclass(frozen=True)
class Scores:
    precision: float
    recall: float
    strict: float
    false: float  # mean share of the undamaged pictures

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)


def _scores(cases: list[Case], finder: Finder) -> Scores:
    right = wrong = missed = both = either = 0
    false = []
    for case in cases:
        said = finder(case.damaged)
        near = ndimage.binary_dilation(case.truth, EIGHT)
        reached = ndimage.binary_dilation(said, EIGHT)
        right, wrong = right + int((near & reached).sum()), wrong + int((said & ~near).sum())
        missed += int((case.truth & ~reached).sum())
        both, either = (
            both + int((said & case.truth).sum()),
            either + int((said | case.truth).sum()),
        )
        false.append(float(finder(case.sound).mean()))
    found_right, found_of_true = right / max(1, right + wrong), right / max(1, right + missed)
    strict = 2 * both / max(1, both + either)
    return Scores(found_right, found_of_true, strict, float(np.mean(false)))


def _speed(photos: Path, *, quick: bool) -> Row:
    """Wall time of one search in a picture of 4 megapixels (1 when quick), after a first one."""
    side = 1024 if quick else 2048
    picture = pictures.load(min((photos / "reference" / "kodak").glob("*.png")))
    times = (-(-side // picture.shape[0]), -(-side // picture.shape[1]), 1)
    image = np.ascontiguousarray(np.tile(picture, times)[:side, :side])
    found(image[:256, :256])
    began = time.perf_counter()
    found(image)
    took = (time.perf_counter() - began) / (side * side / 1e6)
    return Row(NAME, f"seconds a megapixel at {side * side / 1e6:.0f} MP", took, "s/MP", 0.5, "low")
