"""A whole plan runs in order, tells where it is, is repeatable, and fails loudly."""

import json
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from restoration.engine import restore as engine
from restoration.engine.errors import BadInput, Cancelled, OutOfMemory, StepFailed
from restoration.engine.plan import Dab, Plan, StepPlan
from restoration.engine.restore import Inputs, Restored, restore
from restoration.engine.step import StepResult
from restoration.training.ageing import age
from tests.engine import pictures

EVERYTHING = Plan(
    tuple(
        StepPlan(name)
        for name in ("assess", "tone", "repair", "denoise", "colourise", "upscale", "guard")
    ),
    dabs=(Dab(0.3, 0.3, (216, 168, 140)), Dab(0.6, 0.8, (226, 122, 30))),
    seed=5,
)


def run(image: np.ndarray, plan: Plan, report: Any = lambda *told: None, **inputs: Any) -> Restored:
    return restore(image, plan, Inputs(**inputs), None, report)


def scan() -> np.ndarray:
    return age(pictures.astronaut(200), seed=2, severity=0.6)[0]


@lru_cache(maxsize=1)
def everything() -> tuple[Restored, list[tuple[str, float]]]:
    """The whole chain once, and what it told on the way."""
    told: list[tuple[str, float]] = []
    done = run(scan(), EVERYTHING, lambda step, fraction, shown=None: told.append((step, fraction)))
    return done, told


def test_every_embedded_step_runs_and_leaves_its_record_and_maps():
    done, told = everything()
    names = [step.name for step in EVERYTHING.steps]
    assert [record["step"] for record in done.records] == names
    assert done.image.shape == (400, 400, 3)
    for name in ("changed", "repaired", "coloured_guess", "coloured_evidence"):
        assert done.maps[name].shape == (400, 400)
        assert done.maps[name].dtype == np.uint8
    assert done.meters["guard"]["verdict"] in ("pass", "review", "fail")
    assert json.loads(json.dumps([done.meters, done.records, done.notes]))
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert list(dict.fromkeys(step for step, _ in told)) == names


def test_the_same_plan_on_the_same_scan_gives_the_same_bytes():
    one, other = everything()[0], run(scan(), EVERYTHING)
    assert one.image.tobytes() == other.image.tobytes()
    assert all(np.array_equal(one.maps[name], other.maps[name]) for name in one.maps)
    assert one.meters == other.meters


def test_the_scan_handed_in_is_not_written_to():
    given = scan()
    given.flags.writeable = False
    run(given, Plan((StepPlan("tone"), StepPlan("repair"), StepPlan("denoise"))))


def test_repair_alone_changes_nothing_outside_the_painted_mask():
    given = scan()
    mask = pictures.specks(given.shape).astype(np.uint8) * 255
    done = run(given, Plan((StepPlan("repair"),)), mask=mask)
    assert np.abs(done.image - given)[mask == 0].max() == 0
    assert np.array_equal(done.maps["repaired"], mask)


@pytest.mark.slow
def test_what_the_ancestors_filled_counts_as_filled():
    filled = np.zeros((200, 200), bool)
    filled[50:60, 50:60] = True
    done = run(scan(), Plan((StepPlan("upscale"),)), repaired=filled)
    assert done.meters["guard"]["filled_area"] == pytest.approx(0.25)
    assert (done.maps["repaired"] > 0).sum() == 400


def test_the_result_is_judged_against_the_scan_not_against_the_draft():
    draft = pictures.moved(scan(), (90, 80), by=6)
    assert run(draft, Plan(())).meters["guard"]["verdict"] == "pass"
    assert run(draft, Plan(()), reference=scan()).meters["guard"]["verdict"] != "pass"


def test_a_cancel_raised_in_the_report_stops_the_job():
    def report(step: str, fraction: float, preview: Any = None) -> None:
        if step == "denoise":
            raise Cancelled()

    with pytest.raises(Cancelled):
        run(scan(), EVERYTHING, report)


def test_previews_are_small_pictures():
    seen: list[Any] = []
    run(
        scan(), Plan((StepPlan("tone"),)), lambda step, fraction, preview=None: seen.append(preview)
    )
    shown = [preview for preview in seen if preview is not None]
    assert shown
    assert all(preview.dtype == np.uint8 and max(preview.shape) <= 512 for preview in shown)


def test_a_step_that_makes_nonsense_fails_the_job(monkeypatch: pytest.MonkeyPatch):
    def nonsense(context: Any, settings: Any) -> StepResult:
        return StepResult(np.full_like(context.image, np.nan))

    monkeypatch.setattr(engine, "_function", lambda step: nonsense)
    with pytest.raises(StepFailed) as caught:
        run(scan(), Plan((StepPlan("tone"),)))
    assert caught.value.code == "step-output"
    assert caught.value.permanent


def test_running_out_of_memory_is_told_apart_and_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
):
    def greedy(context: Any, settings: Any) -> StepResult:
        raise MemoryError

    monkeypatch.setattr(engine, "_function", lambda step: greedy)
    with pytest.raises(OutOfMemory) as caught:
        run(scan(), Plan((StepPlan("tone"),)))
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "wrong",
    [
        {"mask": np.zeros((10, 10), np.uint8)},
        {"mask": np.zeros((200, 200), bool)},
        {"reference": np.zeros((200, 200), np.float32)},
        {"repaired": np.zeros((10, 10), bool)},
    ],
)
def test_what_does_not_belong_to_the_picture_is_refused_at_the_door(wrong: dict[str, Any]):
    with pytest.raises(BadInput):
        run(scan(), Plan((StepPlan("repair"),)), **wrong)
