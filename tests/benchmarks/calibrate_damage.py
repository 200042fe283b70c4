"""Weighs what a mark of the damage network is judged by; prints what engine/judging.py holds.

    python -m tests.benchmarks.calibrate_damage

Protocol. Two judges. True marks of OF_SCANS: every fifth picture of train/ and six of
colour/fsac_thumb, aged with seed 5000 and more at severities 0.25, 0.5 and 0.8 in turn, with stamps
that were taught; a mark is true when half of it lies on damage, false when less than 30 % does.
False marks besides: all that the network finds on the scans below, real prints that were looked at
and have hardly a speck, none of them taught with. OF_UNDAMAGED weighs more facts and learns from
every sixth picture of train/ four times: as it is, aged without damage, damaged without age, and
both, so that age says nothing of damage; and from the same scans. A mark counts by the root of its
area. Fitted is a logistic regression; the tables that follow were judged without a
picture's own marks (five folds), leaning and patterns included: at each threshold the share of all
true damage that is found, of the same pictures' false marks over the true area, and the mean and
largest share of an undamaged picture, and of a sound scan, that is taken for damage.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize

from restoration.engine import damage, faces, judging, measure, repeats
from restoration.engine import image as pictures
from restoration.engine.image import shrink
from restoration.engine.luma import Image
from restoration.training import ageing, emulsion, layers, marks
from tests.benchmarks.ten_scans import photographs

SEVERITIES = (0.25, 0.5, 0.8)
LARGEST = 900
SPOTTINGS = 4  # of one to five spots each, on a scan
SOUND = (
    "deoldify_1890sPingPong", "deoldify_civil_war", "rni6_Old_Tom_Morris",
    "fsaowi_LC-USF33-012762", "loc_2017810725", "deoldify_VictorianLivingRoom",
    "deoldify_1880sBrooklynBridge", "deoldify_1896NewsBoyGirl",
    "deoldify_MetropolitanDistrictRailway1869London", "fsaowi_LC-USF34-012449",
)  # fmt: skip
DAMAGED, UNDAMAGED, SCAN = "damaged picture", "undamaged picture", "sound scan"
FOLDS = 5
NAMES = [each.name for each in fields(judging.Judgement) if each.name != "enough"]
FIVE = [*range(5), judging.FACTS, judging.FACTS + 1]  # the first five facts and both squares
ALL = list(range(judging.FACTS + 2))
TRUSTED = (0.0, 1.0, 1.5, 2.0, 2.6, 3.2, 3.8)

Floats = NDArray[np.float64]
Area = NDArray[np.bool_]


@dataclass(frozen=True)
class Marks:
    """Those of one picture: facts Nx8, the share of each that is damage, each one's share of the
    picture, what share of the picture is damaged, and which marks are of a pattern or not to be
    filled whatever is said of them."""

    facts: Floats
    hit: Floats
    area: Floats
    damaged: float
    kind: str
    labels: damage.Labels
    never: Area
    picture: int  # those of one picture have one number

    @property
    def clear(self) -> Area:
        """Marks that are damage or not, not both."""
        return (self.hit >= 0.5) | (self.hit < 0.3)


def main() -> None:
    photos = photographs()
    train = sorted((photos / "train").rglob("*.*g"))
    thumbs = sorted((photos / "colour" / "fsac_thumb").glob("*.jpg"))[:48:8]
    stamps = marks.stamps(photos / "damage")
    scans = list(_sound(photos, stamps))
    first = [
        _marks(*_damaged(each, stamps), DAMAGED, each.seed)
        for each in _small([*train[3::5], *thumbs])
    ]
    second = [told for each in _small(train[1::6]) for told in _four(each, stamps)]
    _told("OF_SCANS", [*first, *scans], FIVE)
    _told("OF_UNDAMAGED", [*second, *scans], ALL)


def _told(name: str, found: list[Marks], facts: list[int]) -> None:
    fitted = _fitted(found, facts)
    weights = [f"{of}={value:.3g}" for of, value in zip(NAMES, fitted, strict=True) if value]
    sys.stdout.write(f"{name} = Judgement({', '.join(weights)})\n")
    judged = _without_own(found, facts)
    for trusted in TRUSTED:
        sys.stdout.write(f"{_row(found, judged, trusted)}\n")


@dataclass(frozen=True)
class Taught:
    """A clean picture, what it is to be aged by, and how much."""

    picture: Image
    seed: int
    severity: float

    def rng(self, way: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, way])


def _small(files: list[Path]) -> Iterator[Taught]:
    for number, file in enumerate(files):
        picture = pictures.load(file)
        if max(picture.shape) > LARGEST:
            picture = np.clip(shrink(picture, LARGEST), 0, 1)
        yield Taught(picture, 5000 + number, SEVERITIES[number % len(SEVERITIES)])


def _damaged(of: Taught, stamps: marks.Stamps) -> tuple[Image, Area]:
    """Aged and damaged, and where."""
    aged, mask = ageing.age(of.picture, seed=of.seed, severity=of.severity, stamps=stamps)
    return _eight_bits(aged), ndimage.binary_dilation(mask > 0, damage.EIGHT)


def _four(of: Taught, stamps: marks.Stamps) -> Iterator[Marks]:
    nowhere, sheet = np.zeros(of.picture.shape[:2], bool), layers.whole(of.picture, of.severity)
    yield _marks(of.picture, nowhere, UNDAMAGED, of.seed)
    old = emulsion.scanned(emulsion.worn(of.picture, of.rng(1), sheet, False), of.rng(2), sheet)
    yield _marks(_eight_bits(old), nowhere, UNDAMAGED, of.seed)
    marked, truth = ageing.damaged(of.picture, of.rng(3), sheet, stamps)
    where = ndimage.binary_dilation(truth[..., 0] > 0, damage.EIGHT)
    yield _marks(_eight_bits(marked), where, DAMAGED, of.seed)
    yield _marks(*_damaged(of, stamps), DAMAGED, of.seed)


def _eight_bits(image: Image) -> Image:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.float32) / 255


def _sound(photos: Path, stamps: marks.Stamps) -> Iterator[Marks]:
    """Each scan as it is, with a few spots, and with damage of all kinds."""
    for number, name in enumerate(SOUND):
        file = next((photos / "old").rglob(f"{name}*"))
        image, rng = pictures.load(file), np.random.default_rng([number, 0x5CA])
        yield _marks(image, np.zeros(image.shape[:2], bool), SCAN, number)
        truth, spotted = layers.untouched(image.shape), image
        for _ in range(SPOTTINGS):
            spotted = marks.spotted(spotted, truth, rng)
        yield _on_scan(image, spotted, truth, number)
        sheet = layers.whole(image, SEVERITIES[number % len(SEVERITIES)])
        yield _on_scan(image, *ageing.damaged(image, rng, sheet, stamps), number)


def _on_scan(sound: Image, marked: Image, truth: layers.Truth, number: int) -> Marks:
    where = ndimage.binary_dilation(truth[..., 0], damage.EIGHT)
    return _marks(_eight_bits(layers.toned(marked, sound)), where, DAMAGED, number)


def _marks(image: Image, truth: Area, kind: str, picture: int) -> Marks:
    light, inside = measure.luma_and_inside(image)
    boxes = faces.find(light) if kind == SCAN else []
    planes = damage.answered(image)
    labels = damage.told_apart(planes[..., 0], inside, boxes)
    facts = judging.measured(planes, labels, light)
    size = np.bincount(labels.ravel(), minlength=len(facts) + 1)[1:]
    hit = np.bincount(labels.ravel(), truth.ravel(), minlength=len(size) + 1)[1:] / size
    some = np.append(False, np.ones(len(facts), bool))
    never = repeats.patterned(labels, light, some)[1:] | judging.hides_nothing(facts)
    share = size / labels.size
    return Marks(facts, hit, share, float(truth.mean()), kind, labels, never, picture)


def _fitted(found: list[Marks], weighed: list[int]) -> Floats:
    """The weights (0 where a term is not weighed), the bias, and the share of the marks that are
    damage."""
    facts = np.concatenate([each.facts[each.clear] for each in found])
    true = np.concatenate([each.hit[each.clear] >= 0.5 for each in found])
    count = np.sqrt(np.concatenate([each.area[each.clear] for each in found]))
    terms = judging.terms(facts)
    table = np.column_stack([terms[:, weighed], np.ones(len(facts))])

    def cost(weights: Floats) -> tuple[float, Floats]:
        said = table @ weights
        wrong = 1 / (1 + np.exp(-said)) - true
        return (
            float((count * (np.logaddexp(0, said) - true * said)).sum() / count.sum()),
            table.T @ (count * wrong) / count.sum(),
        )

    weights = np.zeros(terms.shape[1] + 2)
    weights[[*weighed, -2]] = minimize(cost, np.zeros(table.shape[1]), jac=True).x
    weights[-1] = (count * true).sum() / count.sum()
    return weights


def _without_own(found: list[Marks], weighed: list[int]) -> list[Floats]:
    """Each picture's judgements, leaning included, by weights that never saw it."""
    rules = [
        judging.Judgement(**dict(zip(NAMES, fitted, strict=True)))
        for fold in range(FOLDS)
        for fitted in [_fitted([each for each in found if each.picture % FOLDS != fold], weighed)]
    ]
    judged = []
    for each in found:
        rule = rules[each.picture % FOLDS]
        said = rule.of(each.facts)
        judged.append(said + judging.leaning(said, judging.Places(each.labels), rule))
    return judged


def _row(found: list[Marks], judged: list[Floats], trusted: float) -> str:
    true = kept = false = 0.0
    taken: dict[str, list[float]] = {UNDAMAGED: [], SCAN: []}
    for each, said in zip(found, judged, strict=True):
        area = each.area * ((said > trusted) & ~each.never)
        if each.kind == DAMAGED:
            true += each.damaged
            kept += float((area * each.hit).sum())
            false += float((area * (1 - each.hit)).sum())
        else:
            taken[each.kind].append(float(area.sum()))
    shares = "; ".join(
        f"of {kind}s {np.mean(of):.3%}, at most {max(of):.2%}" for kind, of in taken.items() if of
    )
    return (
        f"trusted from {trusted:+.1f}: kept {kept / true:.2f} of the true, "
        f"false {false / true:.3f}; {shares}"
    )


if __name__ == "__main__":
    main()
