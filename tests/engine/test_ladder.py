"""When the guard says no, each rung carries less risk than the one before, and nothing else."""

from restoration.engine.ladder import rungs
from restoration.engine.plan import Dab, Plan, Prompt, StepPlan

REDRAW = StepPlan("redraw", "generative", {"strength": 0.5, "faces": 0.3})
DAB = Dab(0.5, 0.5, (180, 30, 40))
WORDS = Prompt(words="a street in the rain")


def plan(*steps: StepPlan, **more: object) -> Plan:
    return Plan(steps, prompt=WORDS, seed=7, **more)


def keys(asked: Plan) -> list[str]:
    return [each.key for each in rungs(asked)]


def test_a_redraw_climbs_down_from_strength_to_faces_to_no_redraw_to_colour_to_mask():
    asked = plan(StepPlan("repair"), REDRAW, StepPlan("colourise"), dabs=(DAB,))
    assert keys(asked) == [
        "less-redraw-0.35", "less-redraw-0.25", "less-redraw-0.15", "faces-kept", "no-redraw",
        "colour-only", "mask-only",
    ]  # fmt: skip


def test_only_a_model_with_a_control_network_can_be_held_closer():
    redraw = {"strength": 0.15, "faces": 0.0, "model": "sdxl-tile"}
    found = rungs(plan(StepPlan("redraw", "generative", redraw)))
    assert [each.key for each in found] == ["held-closer"]
    closer = found[0].plan.step("redraw")
    assert closer is not None
    assert closer.settings["control"] == 0.9
    redraw["model"] = "sdxl"
    assert keys(plan(StepPlan("redraw", "generative", redraw))) == []


def test_a_strength_that_is_not_lower_is_no_rung():
    asked = plan(StepPlan("redraw", "generative", {"strength": 0.25, "faces": 0.0}))
    assert keys(asked) == ["less-redraw-0.15"]


def test_faces_are_left_alone_at_the_lowest_strength():
    found = {each.key: each.plan for each in rungs(plan(REDRAW))}
    last = found["faces-kept"].step("redraw")
    assert last is not None
    assert (last.settings["strength"], last.settings["faces"]) == (0.15, 0.0)


def test_without_a_model_the_strengths_are_halved_and_then_only_the_mask_is_left():
    asked = plan(
        StepPlan("tone", settings={"strength": 0.8}), StepPlan("denoise"), StepPlan("repair")
    )
    found = rungs(asked)
    assert [each.key for each in found] == ["gentler", "mask-only"]
    halved = found[0].plan
    assert [step.settings["strength"] for step in halved.steps[:1]] == [0.4]
    assert [step.name for step in found[1].plan.steps] == ["repair", "guard"]


def test_a_repair_by_a_model_ends_as_a_repair_by_rekindle():
    last = rungs(plan(StepPlan("repair", "generative"), mask_sha256="a" * 64))[-1]
    step = last.plan.step("repair")
    assert step is not None
    assert (last.code, step.backend, last.plan.mask_sha256) == ("mask-only", "embedded", "a" * 64)


def test_every_rung_keeps_seed_and_words():
    asked = plan(StepPlan("repair"), REDRAW, recipe="gentle")
    assert all(each.plan.seed == 7 and each.plan.prompt == WORDS for each in rungs(asked))
    assert all(each.plan.recipe is None for each in rungs(asked))


def test_below_the_mask_alone_there_is_nothing():
    assert rungs(plan(StepPlan("repair"))) == []
    assert rungs(plan(StepPlan("upscale"))) == []


def test_no_rung_is_offered_twice():
    found = rungs(plan(StepPlan("colourise"), REDRAW, dabs=(DAB,)))
    digests = [each.plan.digest() for each in found]
    assert len(set(digests)) == len(digests)
