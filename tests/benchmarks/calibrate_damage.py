"""Weighs what a mark of the damage network is judged by; prints what engine/judging.py holds.

    python -m tests.benchmarks.calibrate_damage

Protocol. True marks: every fifth picture of train/ and six of colour/fsac_thumb, aged with seed
5000 and more at severities 0.25, 0.5 and 0.8 in turn, with stamps that were taught; a mark is true
when half of it lies on damage, false when less than 30 % does. False marks besides: all that the
network finds on the scans below, real prints that were looked at and have hardly a speck, none of
them taught with. A mark counts by the root of its area. Fitted is a logistic regression; the table
that follows was judged without a picture's own marks (five folds), leaning included: at each
threshold the share of all true damage that is found, of the same pictures' false marks over the
true area, and the mean and largest share of a sound scan that is taken for damage.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize

from restoration.engine import damage, faces, judging, measure
from restoration.engine import image as pictures
from restoration.engine.image import shrink
from restoration.training import marks
from restoration.training.ageing import age
from tests.benchmarks.ten_scans import photographs

SEVERITIES = (0.25, 0.5, 0.8)
LARGEST = 900
SOUND = (
    "deoldify_1890sPingPong", "deoldify_1890sShoeShopOhio", "deoldify_civil_war",
    "deoldify_BoulevardDuTemple1838", "rni6_Old_Tom_Morris", "fsaowi_LC-USF33-012762",
    "loc_2017810725", "deoldify_VictorianLivingRoom", "deoldify_1880sBrooklynBridge",
    "deoldify_1896NewsBoyGirl", "deoldify_MetropolitanDistrictRailway1869London",
    "fsaowi_LC-USF34-012449",
)  # fmt: skip
FOLDS = 5
TRUSTED = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marks:
    """Those of one picture: facts Nx5, the share of each that is damage, each one's share of the
    picture, and what share of the picture is damaged."""

    facts: Floats
    hit: Floats
    area: Floats
    damaged: float
    sound: bool
    labels: damage.Labels

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Marks that are damage or not, not both."""
        return (self.hit >= 0.5) | (self.hit < 0.3)


def main() -> None:
    photos = photographs()
    found = [*_aged(photos), *_sound(photos)]
    names = [each.name for each in fields(judging.Judgement)]
    told = [f"{name}={value:.3g}" for name, value in zip(names, _fitted(found), strict=True)]
    sys.stdout.write(f"JUDGEMENT = Judgement({', '.join(told)})\n")
    judged = _without_own(found)
    for trusted in TRUSTED:
        sys.stdout.write(f"{_row(found, judged, trusted)}\n")


def _aged(photos: Path) -> Iterator[Marks]:
    stamps = marks.stamps(photos / "damage")
    files = sorted((photos / "train").rglob("*.*g"))[3::5]
    files += sorted((photos / "colour" / "fsac_thumb").glob("*.jpg"))[:48:8]
    for number, file in enumerate(files):
        picture = pictures.load(file)
        if max(picture.shape) > LARGEST:
            picture = np.clip(shrink(picture, LARGEST), 0, 1)
        severity = SEVERITIES[number % len(SEVERITIES)]
        aged, mask = age(picture, seed=5000 + number, severity=severity, stamps=stamps)
        aged = np.rint(aged * 255).astype(np.float32) / 255
        yield _marks(aged, ndimage.binary_dilation(mask > 0, damage.EIGHT), sound=False)


def _sound(photos: Path) -> Iterator[Marks]:
    for name in SOUND:
        file = next((photos / "old").rglob(f"{name}*"))
        image = pictures.load(file)
        yield _marks(image, np.zeros(image.shape[:2], bool), sound=True)


def _marks(image: NDArray[np.float32], truth: NDArray[np.bool_], *, sound: bool) -> Marks:
    light, inside = measure.luma_and_inside(image)
    boxes = faces.find(light) if sound else []
    levels = damage.likelihood(image)
    labels = damage.told_apart(levels, inside, boxes)
    facts = judging.measured(levels, labels, light)
    size = np.bincount(labels.ravel())[1:]
    hit = np.bincount(labels.ravel(), truth.ravel(), minlength=len(size) + 1)[1:] / size
    return Marks(facts, hit, size / labels.size, float(truth.mean()), sound, labels)


def _fitted(found: list[Marks]) -> Floats:
    """The weights, the bias, and the share of the marks that are damage."""
    facts = np.concatenate([each.facts[each.clear] for each in found])
    true = np.concatenate([each.hit[each.clear] >= 0.5 for each in found])
    count = np.sqrt(np.concatenate([each.area[each.clear] for each in found]))
    table = np.column_stack([judging.terms(facts), np.ones(len(facts))])

    def cost(weights: Floats) -> tuple[float, Floats]:
        said = table @ weights
        wrong = 1 / (1 + np.exp(-said)) - true
        return (
            float((count * (np.logaddexp(0, said) - true * said)).sum() / count.sum()),
            table.T @ (count * wrong) / count.sum(),
        )

    weights = minimize(cost, np.zeros(table.shape[1]), jac=True).x
    return np.append(weights, (count * true).sum() / count.sum())


def _without_own(found: list[Marks]) -> list[Floats]:
    """Each picture's judgements, leaning included, by weights that never saw it."""
    rules = [
        judging.Judgement(*_fitted([e for place, e in enumerate(found) if place % FOLDS != fold]))
        for fold in range(FOLDS)
    ]
    judged = []
    for place, each in enumerate(found):
        said = rules[place % FOLDS].of(each.facts)
        judged.append(said + judging.leaning(said, each.labels, rules[place % FOLDS]))
    return judged


def _row(found: list[Marks], judged: list[Floats], trusted: float) -> str:
    kept = true = false = 0.0
    sound = []
    for each, said in zip(found, judged, strict=True):
        area = each.area * (said > trusted)
        if each.sound:
            sound.append(float(area.sum()))
            continue
        true += each.damaged
        kept += float((area * each.hit).sum())
        false += float((area * (1 - each.hit)).sum())
    return (
        f"trusted from {trusted:+.1f}: kept {kept / true:.2f} of the true, "
        f"false {false / true:.3f}; of sound scans {np.mean(sound):.3%}, at most {max(sound):.2%}"
    )


if __name__ == "__main__":
    main()
