"""How much noise a picture is begun from: as the model was taught, and as little as was asked."""

import json
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from restoration.engine.catalog import GENERATIVE
from restoration.engine.generative.registry import family_of, named
from restoration.engine.ladder import STRENGTHS
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.engine.restore import Inputs, restore
from tests.engine.generative.stubs import an_ideal_editor

pytestmark = [pytest.mark.generative, pytest.mark.slow]


def qwens_noise(model):
    """The sizes of noise in four steps over a megapixel, with Qwen's own scheduler."""
    from diffusers import FlowMatchEulerDiscreteScheduler
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_shift

    from restoration.engine.generative.pipelines import own_scheduler
    from tests.engine.generative.tiny import QWEN_NOISE

    made = own_scheduler(named(model), FlowMatchEulerDiscreteScheduler(**QWEN_NOISE))
    known = made.config
    shift = calculate_shift(
        4096,
        known.base_image_seq_len,
        known.max_image_seq_len,
        known.base_shift,
        known.max_shift,
    )
    made.set_timesteps(sigmas=np.linspace(1, 1 / 4, 4), mu=shift)
    return [round(float(size), 3) for size in made.sigmas]


def test_lightning_goes_through_the_noise_it_was_distilled_at():
    assert qwens_noise("qwen-edit-lightning") == [1.0, 0.9, 0.75, 0.5, 0.0]
    assert qwens_noise("qwen-edit")[-2] == pytest.approx(0.02)  # its base stays as it is


def test_what_is_otherwise_about_the_noise_stands_in_the_record(workshop):
    from restoration.engine.generative.generation import record_of, request
    from restoration.engine.generative.prompts import Wording

    lightning = named("qwen-edit-lightning")
    with workshop.lend("redraw", "z-image-turbo") as tool:
        plain = record_of(tool, request(tool, Wording("", ""), 0.25, 0, 1))
        other = replace(tool, model=replace(tool.model, scheduler=lightning.scheduler))
        record = record_of(other, request(other, Wording("", ""), 0.25, 0, 1))
    assert "scheduler_settings" not in plain
    assert record["scheduler_settings"] == lightning.scheduler
    assert json.loads(json.dumps(record)) == record
    assert record["strength"] == 0.25


def run(piece, workshop, step, model, strength, mask=None):
    settings = {"strength": strength, "model": model} | ({"passes": 0} if step == "redraw" else {})
    plan = Plan((StepPlan(step, GENERATIVE, settings),), prompt=Prompt(words="a cat"), seed=3)
    return restore(piece, plan, Inputs(mask=mask), workshop, lambda *told: None)


def shifted(sizes, shift):
    return [pytest.approx(shift * size / (1 + (shift - 1) * size), abs=1e-3) for size in sizes]


def test_the_record_has_the_noise_that_was_gone_through_and_not_what_was_told(
    workshop, piece, hole, monkeypatch
):
    redrawn = run(piece, workshop, "redraw", "z-image-turbo", 0.25).records[0]
    assert redrawn["noise_sizes"] == shifted([0.25, 0.125], 3)
    an_ideal_editor(monkeypatch)
    crops = run(piece, workshop, "repair", "klein", 0.8, hole).records[0]["crops"]
    for crop in crops:
        assert crop["noise_sizes"] == sorted(crop["noise_sizes"], reverse=True)
        assert crop["noise_sizes"][0] > 0.81
    assert "noise_sizes" not in run(piece, workshop, "redraw", "sd15", 0.25).records[0]


def test_every_rung_of_the_guards_ladder_draws_another_picture(workshop, piece):
    strengths = sorted({*STRENGTHS, 0.2, 0.3})
    done = [run(piece, workshop, "redraw", "z-image-turbo", each) for each in strengths]
    moved = [float(np.abs(each.image - piece).mean()) for each in done]
    assert moved == sorted(moved)
    assert len(set(moved)) == len(strengths)
    assert [each.records[0]["strength"] for each in done] == strengths


def test_what_is_repaired_at_another_strength_is_another_picture(
    workshop, piece, hole, monkeypatch
):
    an_ideal_editor(monkeypatch)
    drawn = [run(piece, workshop, "repair", "klein", each, hole).image for each in (0.8, 0.9, 1.0)]
    for one, other in pairwise(drawn):
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", ["z-image-turbo", "klein", "qwen-edit", "qwen-edit-lightning"])
def test_less_strength_begins_nearer_with_no_more_steps_than_the_model_was_made_for(name):
    from restoration.engine.generative.generation import bounded_by, request

    model = named(name)
    tool = SimpleNamespace(model=model, family=family_of(model))
    before = 0.0
    for strength in np.arange(0.05, 1.001, 0.05):
        wanted = request(tool, None, float(strength), 0, 1)
        given = bounded_by(wanted)
        assert before < given["sigmas"][0] == pytest.approx(strength)
        assert given["sigmas"] == sorted(given["sigmas"], reverse=True)
        assert 2 <= given["num_inference_steps"] == len(given["sigmas"]) <= wanted.steps
        assert given["strength"] == 1.0
        assert wanted.strength == pytest.approx(strength)
        before = given["sigmas"][0]


def test_what_was_not_taught_flows_leaves_steps_out_as_ever(workshop):
    from restoration.engine.generative.generation import bounded_by, request

    with workshop.lend("redraw", "sd15") as tool:
        assert bounded_by(request(tool, None, 0.25, 0, 1)) == {"strength": 0.25}


def test_a_scheduler_that_needs_the_steps_before_gives_way_to_one_that_does_not(workshop):
    with workshop.lend("redraw", "sd15") as tool:
        found = tool.pipeline.scheduler
    assert type(found).__name__ == "DDIMScheduler"
    assert found.config.clip_sample is False
    assert found.config.beta_schedule == "scaled_linear"
    assert (found.config.steps_offset, found.config.set_alpha_to_one) == (1, False)


@pytest.mark.parametrize("strength", [0.05, 0.15])
def test_begun_half_way_no_more_noise_is_left_than_was_taught(strength):
    """With a network that knows the answer; PNDM left 0.041 of it where 0.029 is what must be."""
    import torch
    from diffusers import PNDMScheduler

    from restoration.engine.generative.pipelines import own_scheduler
    from tests.engine.generative.tiny import NOISE

    made = own_scheduler(
        named("sd15"), PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **NOISE)
    )
    made.set_timesteps(30)
    begun = 30 - max(1, int(30 * strength))
    noise, wanted = torch.randn(2, 1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
    latents = made.add_noise(wanted, noise, made.timesteps[begun : begun + 1])
    for time in made.timesteps[begun:]:
        kept = made.alphas_cumprod[int(time)]
        seen = (latents - kept.sqrt() * wanted) / (1 - kept).sqrt()
        latents = made.step(seen, time, latents).prev_sample
    assert float((latents - wanted).std()) < 0.03
