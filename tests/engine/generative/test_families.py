"""Every model through the product's own registry, loader and runner, from tiny checkpoints.

FLUX.2's network is stood in for by an ideal one where a picture must come back: an untrained editor
draws noise, and that is refused.
"""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from restoration.engine.catalog import GENERATIVE
from restoration.engine.errors import Cancelled, OutOfMemory, StepFailed
from restoration.engine.generative.registry import MODELS, family_of, named
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.engine.restore import Inputs, restore
from tests.engine.generative.stubs import an_ideal_editor, networks, no_memory

pytestmark = pytest.mark.generative

QUICK = ("klein", "z-image-turbo")
SETTINGS = {
    "redraw": {"strength": 0.5, "passes": 4},
    "repair": {"strength": 0.3},
    "colourise": {"strength": 0.9},
}
# Qwen's processor needs torchvision; test_qwen tells the same of it with a stand-in for that part.
HERE = [model.name for model in MODELS if family_of(model).name != "qwen-edit"]


TILES = ("sdxl-tile", "sd15-tile")


def slow_but_for_klein(names):
    slow = pytest.mark.slow
    return [name if name == "klein" else pytest.param(name, marks=slow) for name in names]


STEPS = [
    pytest.param(
        name, step, marks=() if name in QUICK else (pytest.mark.slow,), id=f"{step}-{name}"
    )
    for name in HERE
    for step in named(name).pipelines
]


@pytest.fixture
def editor(monkeypatch):
    an_ideal_editor(monkeypatch)


def run(piece, workshop, step, model, *, mask=None, report=lambda *told: None, **settings):
    drawn = StepPlan(step, GENERATIVE, {**SETTINGS[step], "model": model, **settings})
    plan = Plan((drawn,), prompt=Prompt(words="a tabby cat"), seed=3)
    return restore(piece, plan, Inputs(mask=mask), workshop, report)


@pytest.mark.parametrize(("model", "step"), STEPS)
def test_every_model_restores_tells_how_far_it_is_and_is_named(
    model, step, piece, hole, workshop, editor
):
    told = []

    def report(name, fraction, preview=None):
        told.append((name, fraction, preview))

    done = run(piece, workshop, step, model, mask=hole, report=report)
    assert done.image.shape == piece.shape
    assert done.records[0]["model"]["name"] == model
    assert done.records[0]["prompt_fields"]["words"] == "a tabby cat"
    fractions = [fraction for _, fraction, _ in told]
    assert fractions == sorted(fractions)
    previews = [preview for name, _, preview in told if name == step and preview is not None]
    assert len(previews) >= 2
    assert previews[0].shape[0] / previews[0].shape[1] == pytest.approx(96 / 129, abs=0.08)
    if step == "repair":
        assert np.array_equal(done.image[hole == 0], piece[hole == 0])
        assert not np.array_equal(done.image, piece)


@pytest.mark.slow
@pytest.mark.parametrize("model", [*QUICK, *TILES])
def test_the_same_plan_draws_the_same_bytes(model, piece, workshop, editor):
    first, second = (run(piece, workshop, "redraw", model).image for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, piece)


@pytest.mark.parametrize("model", slow_but_for_klein(HERE))
def test_a_cancel_in_the_middle_leaves_nothing_half_drawn(model, piece, hole, workshop, editor):
    step = "redraw" if "redraw" in named(model).pipelines else "repair"
    told = []

    def cancelling(name, fraction, preview=None):
        told.append(preview)
        if len([each for each in told if each is not None]) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(piece, workshop, step, model, mask=hole, report=cancelling)
    assert run(piece, workshop, step, model, mask=hole).image.shape == piece.shape


@pytest.mark.parametrize("model", slow_but_for_klein(HERE))
def test_memory_that_runs_out_once_is_survived(model, piece, hole, workshop, editor, monkeypatch):
    step = "redraw" if "redraw" in named(model).pipelines else "repair"
    with monkeypatch.context() as patch:
        no_memory(patch, times=1)
        done = run(piece, workshop, step, model, mask=hole)
    assert done.image.shape == piece.shape


@pytest.mark.slow
@pytest.mark.parametrize("model", [*QUICK, "sd15-tile"])
def test_memory_that_never_suffices_fails_the_job_and_not_the_worker(
    model, piece, workshop, editor, monkeypatch
):
    with monkeypatch.context() as patch:
        no_memory(patch, times=1000)
        with pytest.raises(OutOfMemory):
            run(piece, workshop, "redraw", model)
    assert run(piece, workshop, "redraw", model).image.shape == piece.shape


def own_copy(models, folder, model):
    from restoration.engine.generative.workshop import Workshop

    for name in named(model).folders:
        shutil.copytree(models / name, folder / name)
    return Workshop(folder, device="cpu", most_pixels=16_000)


@pytest.mark.parametrize("model", HERE)
def test_a_file_that_nobody_listed_keeps_a_model_from_loading(model, models, tmp_path, piece, hole):
    own = own_copy(models, tmp_path, model)
    (tmp_path / named(model).folders[-1] / "more.safetensors").write_bytes(b"unlisted")
    with pytest.raises(StepFailed, match="model-refused") as refusal:
        run(piece, own, sorted(named(model).pipelines)[-1], model, mask=hole)
    assert refusal.value.facts["refused"] == {model: "weights-unlisted"}
    assert own.loaded() == []


@pytest.mark.parametrize("model", HERE)
def test_an_altered_file_of_the_base_or_a_part_is_never_loaded(
    model, models, tmp_path, piece, hole
):
    own = own_copy(models, tmp_path, model)
    file = max(
        (tmp_path / named(model).folders[-1]).rglob("*.safetensors"),
        key=lambda each: each.stat().st_size,
    )
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(StepFailed, match="weights-changed"):
        run(piece, own, sorted(named(model).pipelines)[-1], model, mask=hole)
    assert own.loaded() == []


@pytest.mark.parametrize("size", [(16, 16), (48, 90), (16, 129)])
@pytest.mark.parametrize("step", ["redraw", "repair", "colourise"])
def test_an_editor_draws_what_is_smaller_or_longer_than_it_bears(step, size, cat, workshop, editor):
    image = np.ascontiguousarray(cat[60 : 60 + size[0], 100 : 100 + size[1]])
    mask = np.zeros(size, np.uint8)
    mask[4:8, 4:12] = 255
    assert run(image, workshop, step, "klein", mask=mask).image.shape == image.shape


@pytest.mark.parametrize(
    "error", [ValueError("too narrow"), IndexError("rope"), TypeError("no such argument")]
)
@pytest.mark.parametrize("model", ["z-image-turbo", "sd15"])
def test_a_limit_of_a_models_own_fails_the_job_in_words(model, error, piece, workshop, monkeypatch):
    def refusing(self, *given, **named):
        raise error

    for kind in networks():
        monkeypatch.setattr(kind, "forward", refusing)
    with pytest.raises(StepFailed, match="model-failed") as failure:
        run(piece, workshop, "redraw", model)
    assert failure.value.facts == {"model": model, "detail": str(error)}


@pytest.mark.parametrize("step", ["redraw", "colourise"])
def test_an_editor_that_draws_another_picture_is_refused(step, piece, workshop):
    with pytest.raises(StepFailed, match="reframed"):
        run(piece, workshop, step, "klein")


def test_of_an_editor_little_is_taken_where_little_was_asked(piece, workshop, editor):
    moved, steps = [], []
    for strength in (0.05, 0.5):
        done = run(piece, workshop, "redraw", "klein", strength=strength)
        steps.append(done.records[0]["steps"])
        moved.append(np.abs(done.image - piece).mean())
        assert done.records[0]["detail_taken"] == pytest.approx(strength / 0.5)
    assert moved[0] == pytest.approx(0.1 * moved[1], rel=0.05)
    assert steps[0] == steps[1]  # it knows no strength, so a weak one is no reason to draw longer


@pytest.mark.slow
def test_a_tile_network_says_something(piece, workshop):
    with_tile, without = (
        run(piece, workshop, "redraw", model).image for model in ("sd15-tile", "sd15")
    )
    assert not np.array_equal(with_tile, without)


@pytest.mark.slow
def test_how_closely_a_tile_network_holds_is_what_was_asked(piece, workshop):
    drawn = []
    for control in (0.0, 0.9):
        drawn.append(run(piece, workshop, "redraw", "sd15-tile", control=control))
        assert drawn[-1].records[0]["control"] == control
    assert not np.array_equal(drawn[0].image, drawn[1].image)


@pytest.mark.slow
def test_a_random_model_of_every_family_draws_nothing_that_is_kept(tmp_path, piece):
    from restoration.engine.generative.workshop import Workshop
    from tests.engine.generative import tiny

    tiny.save_all(tmp_path, faithful=False)
    own = Workshop(tmp_path, device="cpu", most_pixels=16_000)
    for model in (*QUICK, *TILES):
        with pytest.raises(StepFailed, match=r"reframed|blank-result"):
            run(piece, own, "redraw", model)


def test_a_dtype_that_breaks_a_family_is_never_used(models):
    from restoration.engine.generative.workshop import Workshop

    half = Workshop(models, device="cpu", dtype="float16")
    with half.lend("redraw", "z-image-turbo") as tool:
        assert tool.dtype == "bfloat16"
        assert str(tool.pipeline.transformer.dtype) == "torch.bfloat16"


@pytest.mark.slow
def test_a_lora_is_fused_and_leaves_nothing_behind(models, tmp_path):
    import torch
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    from restoration.engine.generative import parts
    from restoration.engine.generative.registry import ModelInfo
    from restoration.engine.generative.rows import Part, Source
    from restoration.engine.generative.workshop import Workshop

    sd15 = named("sd15")
    source = Source("somebody/few-steps", file="few.safetensors")
    part = Part("lora", "few-steps", source, sd15.licence, scale=1.0)
    info = ModelInfo(replace(sd15, parts=(part,)), tmp_path / "sd15")
    with Workshop(models, device="cpu").lend("redraw", "sd15") as tool:
        before = tool.pipeline.unet.state_dict()
        before = {name: weights.clone() for name, weights in before.items()}
        taught = LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False)
        tool.pipeline.unet.add_adapter(taught)
        layers = get_peft_model_state_dict(tool.pipeline.unet)
        tool.pipeline.unet.delete_adapters("default")
        type(tool.pipeline).save_lora_weights(
            tmp_path / "few-steps", unet_lora_layers=layers, weight_name="few.safetensors"
        )
        parts.lay_on(tool.pipeline, info)
        after = tool.pipeline.unet.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert set(before) == set(after)
    assert changed
    assert all("to_q" in name for name in changed)
