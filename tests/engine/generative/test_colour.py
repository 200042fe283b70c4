"""Colour drawn by an editing model: chroma alone is taken, and what people said goes before it."""

import numpy as np
import pytest

from restoration.engine.catalog import GENERATIVE
from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.luma import chroma, luma
from restoration.engine.plan import Dab, Plan, Prompt, StepPlan
from restoration.engine.restore import Inputs, restore
from tests.engine.generative.stubs import an_ideal_editor

SETTINGS = {"model": "klein", "strength": 1.0, "reach": 0.3}
GREEN = Dab(0.5, 0.5, (40, 140, 60), 0.03)


def test_a_model_that_is_told_nothing_is_not_asked_for_colour():
    drawn = StepPlan("colourise", GENERATIVE, {"model": "klein"})
    with pytest.raises(BadInput, match="prompt-required"):
        Plan((drawn,))
    assert Plan((drawn,), dabs=(GREEN,)).step("colourise").settings["model"] == "klein"
    assert Plan((drawn,), prompt=Prompt(facts=("the cat is red",))).step("colourise")


@pytest.fixture
def grey(cat):
    light = luma(cat[60:156, 100:228])
    return np.repeat(0.15 + 0.7 * light[..., None], 3, axis=2)


@pytest.fixture
def colour(grey, workshop, monkeypatch):
    an_ideal_editor(monkeypatch, red=0.5)

    def run(*, strength=1.0, dabs=()):
        prompt = Prompt(facts=("the cat is red (I saw it)",))
        step = StepPlan("colourise", GENERATIVE, {**SETTINGS, "strength": strength})
        plan = Plan((step,), prompt=prompt, dabs=dabs, seed=3)
        return restore(grey, plan, Inputs(), workshop, lambda *told: None)

    return run


@pytest.mark.slow
@pytest.mark.generative
def test_colour_comes_from_the_model_and_light_from_the_photograph(colour, grey):
    done = colour()
    assert np.abs(luma(done.image) - luma(grey)).max() <= 0.5 / 255
    assert chroma(done.image)[..., 0].mean() > 0.03
    assert done.records[0]["prompt"].count("the cat is red") == 1
    assert done.records[0]["model"]["pipeline"] == "Flux2KleinPipeline"


@pytest.mark.slow
@pytest.mark.generative
def test_all_of_it_is_a_guess_and_the_map_says_so(colour):
    done = colour()
    assert done.meters["colourise"]["guessed_area"] > 0.9
    assert not done.maps["coloured_evidence"].any()


@pytest.mark.generative
def test_half_the_strength_gives_half_the_colour(colour):
    whole, half = (chroma(colour(strength=s).image)[..., 0].mean() for s in (0.6, 0.3))
    assert half == pytest.approx(whole / 2, rel=0.1)


@pytest.mark.generative
def test_what_somebody_placed_goes_before_what_the_model_thinks(colour):
    done = colour(dabs=(GREEN,))
    middle = np.s_[46:50, 62:66]
    assert chroma(done.image)[middle][..., 1].mean() > 0.02
    assert chroma(done.image)[:8, :8][..., 0].mean() > 0.03
    assert done.maps["coloured_evidence"][48, 64] > 200
    assert done.maps["coloured_guess"][48, 64] == 0


@pytest.mark.generative
def test_the_same_colours_come_twice(colour):
    assert np.array_equal(colour().image, colour().image)


def test_a_model_that_does_not_edit_cannot_colour():
    with pytest.raises(BadInput, match="setting-choice"):
        Plan((StepPlan("colourise", GENERATIVE, {"model": "sdxl"}),), dabs=(GREEN,))


@pytest.mark.generative
def test_luma_that_would_move_fails_the_step(context, monkeypatch):
    from restoration.engine.generative import colour as module

    an_ideal_editor(monkeypatch, red=0.5)
    small = np.ascontiguousarray(context().image[:64, :64])
    monkeypatch.setattr(module, "on_luma", lambda light, chroma: np.clip(small + 0.1, 0, 1))
    with pytest.raises(StepFailed, match="luma-moved"):
        module.run(context(image=small), SETTINGS)
