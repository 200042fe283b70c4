"""A plan is checked against the catalog, ordered, completed and hashed the same everywhere."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from restoration.engine.catalog import CATALOG, NAMES
from restoration.engine.errors import BadInput
from restoration.engine.plan import Dab, FaceBox, Plan, Prompt, Region, StepPlan
from restoration.engine.step import StepContext, faces_on


def given(**changes: Any) -> dict[str, Any]:
    return {
        "steps": [{"name": "tone", "settings": {"strength": 0.5}}],
        "seed": 7,
        **changes,
    }


def refusal(data: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        Plan.from_json(data)
    return caught.value


def test_the_steps_run_in_the_order_of_the_catalog_with_guard_at_the_end():
    plan = Plan((StepPlan("upscale"), StepPlan("assess"), StepPlan("denoise"), StepPlan("tone")))
    assert [step.name for step in plan.steps] == ["assess", "tone", "denoise", "upscale", "guard"]
    assert plan.scale == 2


def test_settings_nobody_touched_are_written_out_with_their_defaults():
    plan = Plan.from_json(given())
    assert plan.step("tone").settings == {"strength": 0.5, "cast": 0.2}


def test_a_plan_survives_json():
    plan = Plan(
        (StepPlan("colourise"), StepPlan("redraw", "generative")),
        prompt=Prompt(period="1974", place="Tehran", facts=("red jackets",)),
        mask_sha256="a" * 64,
        dabs=(Dab(0.25, 0.5, (200, 30, 40)),),
        regions=(Region(((0.1, 0.1), (0.4, 0.1), (0.4, 0.4)), word="军绿"),),
        seed=11,
        recipe="bench",
    )
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json()).digest() == plan.digest()


def test_the_digest_does_not_depend_on_the_order_or_on_spelled_out_defaults():
    one = Plan.from_json({"steps": [{"name": "denoise"}, {"name": "tone"}]})
    other = Plan.from_json(
        {
            "steps": [
                {"name": "tone", "settings": {"strength": 0.6, "cast": 0.2}},
                {"name": "denoise", "backend": "embedded"},
                {"name": "guard"},
            ],
            "seed": 0,
        }
    )
    assert one.digest() == other.digest()


def test_the_digest_changes_with_the_seed_and_with_a_setting():
    digests = {
        Plan.from_json(given()).digest(),
        Plan.from_json(given(seed=8)).digest(),
        Plan.from_json(given(steps=[{"name": "tone", "settings": {"strength": 0.55}}])).digest(),
    }
    assert len(digests) == 3


def test_an_unknown_step_is_refused_by_name():
    told = refusal(given(steps=[{"name": "beautify"}]))
    assert told.code == "unknown-step"
    assert told.facts == {"step": "beautify", "known": list(NAMES)}
    assert told.permanent


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (given(steps=[{"name": "tone", "settings": {"strength": 1.5}}]), "setting-range"),
        (given(steps=[{"name": "tone", "settings": {"strength": float("nan")}}]), "setting-range"),
        (given(steps=[{"name": "tone", "settings": {"strength": "much"}}]), "setting-type"),
        (given(steps=[{"name": "tone", "settings": {"strength": True}}]), "setting-type"),
        (given(steps=[{"name": "tone", "settings": {"warmth": 1}}]), "unknown-setting"),
        (given(steps=[{"name": "tone", "backend": "generative"}]), "unknown-backend"),
        (given(steps=[{"name": "tone"}, {"name": "tone"}]), "step-twice"),
        (given(steps=[{"name": "redraw", "backend": "generative"}]), "prompt-required"),
        (given(steps=[{"name": "colourise"}]), "no-colour-hints"),
        (given(steps="tone"), "wrong-type"),
        (given(steps=["tone"]), "wrong-type"),
        (given(seed=-1), "bad-seed"),
        (given(seed="7"), "wrong-type"),
        (given(mask_sha256="beef"), "bad-sha256"),
        (given(strength=1), "unknown-field"),
        (given(dabs=[{"x": 0.5, "y": 0.5, "rgb": [1, 2, 3]}] * 501), "too-many-dabs"),
        (given(dabs=[{"x": 1.5, "y": 0.5, "rgb": [1, 2, 3]}]), "bad-place"),
        (given(dabs=[{"x": 0.5, "y": 0.5, "rgb": [1, 2, 300]}]), "bad-rgb"),
        (given(dabs=[{"x": 0.5, "y": 0.5, "rgb": [1, 2]}]), "wrong-type"),
        (given(dabs=[{"x": 0.5, "y": 0.5, "rgb": [1, 2, 3], "radius": 3}]), "dab-radius"),
        (given(regions=[{"points": [[0, 0], [1, 1]], "word": "red"}]), "region-points"),
        (given(regions=[{"points": [[0, 0], [1, 1], [0, 1]]}]), "region-colour"),
        (
            given(regions=[{"points": [[0, 0], [1, 1], [0, 1]], "word": "blurple"}]),
            "unknown-colour",
        ),
        (given(steps=[{"name": "tone", "settings": {"strength": 10**400}}]), "setting-range"),
        (given(dabs=[{"x": 10**400, "y": 0.5, "rgb": [1, 2, 3]}]), "wrong-type"),
        (given(dabs=[{"x": 10**5000, "y": 0.5, "rgb": [1, 2, 3]}]), "wrong-type"),
        (given(prompt={"words": "half a \ud83d"}), "wrong-type"),
        (given(prompt={"period": 1974}), "wrong-type"),
        (given(prompt={"mood": "sad"}), "unknown-field"),
        (given(prompt={"words": "x" * 2001}), "text-too-long"),
        ([], "wrong-type"),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(data: Any, code: str):
    assert refusal(data).code == code


@pytest.mark.parametrize("passes", [float("inf"), float("nan"), 10**400, 2.5])
def test_passes_are_a_number_that_can_be_counted_to(passes: float):
    redraw = {"name": "redraw", "backend": "generative", "settings": {"passes": passes}}
    assert refusal(given(steps=[redraw], prompt={"words": "a man"})).code in (
        "setting-range",
        "setting-type",
    )


def test_every_default_in_the_catalog_is_within_its_own_limits():
    for spec in CATALOG:
        for setting in spec.settings:
            assert setting.check(setting.default) == setting.default


def test_a_plan_carries_what_its_backend_reads_and_no_more():
    embedded = Plan((StepPlan("repair"),)).step("repair").settings
    assert set(embedded) == {"sensitivity", "grain", "marks_only"}
    drawn = Plan((StepPlan("repair", "generative", {"model": "sd15"}),)).step("repair").settings
    assert drawn == {"model": "sd15", "sensitivity": 0.4, "marks_only": True, "strength": 0.85}
    told = refusal(given(steps=[{"name": "repair", "settings": {"model": "sd15"}}]))
    assert (told.code, told.facts["known"]) == (
        "unknown-setting",
        ["sensitivity", "grain", "marks_only"],
    )


def test_a_plan_frozen_before_models_kept_to_the_marks_goes_on_with_the_whole_stroke():
    step = {"name": "repair", "backend": "generative", "settings": {"model": "sd15"}}
    frozen = Plan.from_json({"steps": [step], "engine": "1.0"})
    assert set(frozen.step("repair").settings) == {"model", "sensitivity", "strength"}
    assert Plan.from_json(frozen.to_json()).digest() == frozen.digest()
    changed = dataclasses.replace(frozen, seed=5)  # as the guard's ladder does with its steps
    assert "marks_only" not in changed.step("repair").settings
    embedded = Plan.from_json({"steps": [{"name": "repair"}], "engine": "1.0"})
    assert embedded.step("repair").settings["marks_only"] is True


@pytest.mark.parametrize("engine", [None, "1.1", "of a stranger"])
def test_a_plan_of_today_keeps_a_model_to_the_marks_unless_it_says_otherwise(engine):
    step = {"name": "repair", "backend": "generative"}
    plan = Plan.from_json({"steps": [step], "engine": engine})
    assert plan.step("repair").settings["marks_only"] is True
    told = Plan.from_json({"steps": [step | {"settings": {"marks_only": False}}]})
    assert told.step("repair").settings["marks_only"] is False


def test_a_generative_step_always_freezes_one_model_that_can_do_it():
    words = {"prompt": {"words": "a calm sea"}}
    plan = Plan.from_json(given(steps=[{"name": "redraw", "backend": "generative"}], **words))
    assert plan.step("redraw").settings["model"] == "klein"
    only_repairs = {"model": "sd15-inpaint"}
    step = {"name": "redraw", "backend": "generative", "settings": only_repairs}
    assert refusal(given(steps=[step], **words)).code == "setting-choice"


def test_every_embedded_backend_can_be_found():
    import importlib

    for spec in CATALOG:
        if "embedded" in spec.backends:
            module, name = spec.backends["embedded"].split(":")
            assert callable(getattr(importlib.import_module(module), name))


def test_a_plan_keeps_what_is_said_of_faces_and_none_is_not_the_same_as_nothing_said():
    box = {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4, "keep": True}
    for faces in (None, [], [box]):
        plan = Plan.from_json({"steps": [{"name": "tone"}], "faces": faces})
        assert plan.to_json()["faces"] == faces
        assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x": 0.8}, "face-box"),
        ({"width": 0}, "face-box"),
        ({"y": 1.2}, "bad-place"),
        ({"keep": 1}, "wrong-type"),
        ({"who": "x"}, "unknown-field"),
        ({"x": "0"}, "wrong-type"),
    ],
)
def test_a_box_that_is_none_is_refused(change, code):
    box = {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4} | change
    with pytest.raises(BadInput, match=code):
        Plan.from_json({"steps": [{"name": "tone"}], "faces": [box]})


DRAWN = FaceBox(0.5, 0.2, 0.2, 0.2)


def test_that_what_is_found_counts_besides_is_said_only_where_it_is_so():
    told = {"steps": [{"name": "tone"}], "faces": []}
    assert "find_faces" not in Plan.from_json(told).to_json()
    plan = Plan.from_json(told | {"find_faces": True})
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.digest() != Plan.from_json(told).digest()
    assert refusal(told | {"find_faces": 1}).code == "wrong-type"


@pytest.mark.parametrize(
    ("box", "is_the_same"),
    [
        ((0.52, 0.22, 0.2, 0.2), True),
        ((0.55, 0.25, 0.05, 0.05), True),  # a tight one within
        ((0.1, 0.2, 0.2, 0.2), False),
        ((0.69, 0.2, 0.2, 0.2), False),  # the neighbour's cheek
        ((0.5, 0.5, 0.2, 0.2), False),
    ],
)
def test_two_boxes_are_around_one_face_where_they_share_a_third_of_the_smaller(box, is_the_same):
    assert DRAWN.meets(box) is is_the_same


def test_a_step_that_looks_for_faces_keeps_to_what_was_drawn_unless_told_otherwise():
    blank = np.zeros((8, 8, 3), np.float32)
    found = {"assess": {"faces": [[0.52, 0.22, 0.2, 0.2], [0.1, 0.2, 0.2, 0.2]]}}
    context = StepContext(image=blank, reference=blank, faces=(DRAWN,), meters=found)
    assert faces_on(context) == [(0.5, 0.2, 0.2, 0.2)]
    besides = dataclasses.replace(context, find_faces=True)
    assert faces_on(besides) == [(0.5, 0.2, 0.2, 0.2), (0.1, 0.2, 0.2, 0.2)]
