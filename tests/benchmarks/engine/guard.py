"""The guard: does it let honest restorations through, and catch the altered ones?"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.steps import guard
from tests.benchmarks.engine.table import Row
from tests.benchmarks.guard_cases import Case, cases, subjects

NAME = "guard"
EVERY, EVERY_QUICK = 8, 34
FALSE_ALARMS = 0.05
AUC, CAUGHT = 0.99, 0.95
SLOWEST = 1.0  # seconds a megapixel
LIMITS = {name: gate.passes for name, gate in guard.GATES.items()} | {"gone": guard.GONE}
RUBBED_OUT = "rubbed out"  # by a hand that did not say so: harder than what the bound was set for
ALTERED = (
    "moved 2 px", "moved 5 px", "region replaced", "face replaced", "beautified", RUBBED_OUT,
    "shifted", "zoomed", "reframed",
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """One case as the guard saw it."""

    picture: str
    place: int
    what: str
    altered: bool
    meters: dict[str, float]
    verdict: str
    seconds: float
    pixels: int

    @property
    def risk(self) -> float:
        return max(self.meters[name] / limit for name, limit in LIMITS.items())


def judged(case: Case, place: int) -> Judged:
    started = time.process_time()
    meters, _ = guard.judge(case.result, case.scan, repaired=case.repaired, faces=case.faces)
    seconds = time.process_time() - started
    figures = {name: figure(meters, name) for name in LIMITS}
    pixels = case.scan.shape[0] * case.scan.shape[1]
    return Judged(
        case.picture, place, case.what, case.altered, figures, meters["verdict"], seconds, pixels
    )


def figure(meters: dict[str, Any], name: str) -> float:
    """A meter, or what a face shows of it where its tighter gate is passed sooner."""
    seen = [face.get(name, 0.0) / guard.FACE_SHARE for face in meters["faces"]]
    return float(max(meters[name], *seen, 0.0))


def all_judged(photos: Path, every: int) -> Iterator[Judged]:
    for place, subject in enumerate(subjects(photos, every)):
        for case in cases(subject):
            yield judged(case, place)


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    found = list(all_judged(photos, EVERY_QUICK if quick else EVERY))
    honest = np.array([each.risk for each in found if not each.altered])
    altered = np.array([each.risk for each in found if each.altered])
    limit = threshold(honest)
    note = f"{len(honest)} honest, {len(altered)} altered of {len({j.picture for j in found})}"
    known = np.array([e.risk for e in found if e.altered and not e.what.startswith(RUBBED_OUT)])
    for which, risks in (("", altered), (f", {RUBBED_OUT} ones apart", known)):
        yield Row(NAME, f"AUC{which}", auc(honest, risks), "", AUC, note=note)
        yield Row(NAME, f"caught at 5 % false alarms{which}", share(risks, limit), "", CAUGHT)
    for what in ALTERED:
        risks = np.array([each.risk for each in found if each.what.startswith(what)])
        must = CAUGHT if what == "moved 2 px" else None
        yield Row(NAME, f"caught: {what}", share(risks, limit), "", must)
    passed = np.mean([each.verdict == "pass" for each in found if not each.altered])
    stopped = np.mean([each.verdict != "pass" for each in found if each.altered])
    yield Row(NAME, "honest ones that pass, by the gates", float(passed), "")
    yield Row(NAME, "altered ones that do not, by the gates", float(stopped), "")
    seconds = sum(each.seconds for each in found) / sum(each.pixels for each in found)
    yield Row(NAME, "processor time", 1e6 * seconds, "s/MP", SLOWEST, "low")


def threshold(honest: NDArray[np.float64]) -> float:
    """The risk above which one honest picture in twenty lies."""
    return float(np.quantile(honest, 1 - FALSE_ALARMS, method="higher"))


def share(risks: NDArray[np.float64], limit: float) -> float:
    return float((risks > limit).mean())


def auc(honest: Sequence[float] | NDArray[np.float64], altered: NDArray[np.float64]) -> float:
    """How often an altered picture scores above an honest one; a tie is half."""
    in_order = np.sort(honest)
    below = np.searchsorted(in_order, altered, "left")
    upto = np.searchsorted(in_order, altered, "right")
    return float(((below + upto) / 2).mean() / len(in_order))
