"""Qwen-Image-Edit: refused by name where its library does not work, and called as it wants to be.

Its processor needs torchvision. Where that is missing, a stand-in with the one call that the
pipeline makes of it is handed in, and all else of a tiny random model is read from its folder by
the product's own registry, lock and loader. Such a model draws noise, and its autoencoder cannot
be set by hand as others are; where a picture must come back, it gives the one that it was shown.
"""

import json
import shutil

import numpy as np
import pytest

from restoration.engine.catalog import GENERATIVE
from restoration.engine.errors import Cancelled, StepFailed
from restoration.engine.generative import registry
from restoration.engine.generative.registry import family_of, named
from restoration.engine.generative.weights import Weights, lock
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.wording import problem
from tests.engine.generative.stubs import an_ideal_film, no_memory

pytestmark = pytest.mark.generative


@pytest.fixture
def laid(tmp_path):
    """A folder that looks like Qwen-Image-Edit, with empty weights, beside its Lightning."""
    base = tmp_path / "qwen-edit"
    for part in ("transformer", "vae", "text_encoder"):
        (base / part).mkdir(parents=True)
        (base / part / "config.json").write_text("{}")
        (base / part / "model.safetensors").write_bytes(b"")
    index = {"_class_name": "QwenImageEditPlusPipeline", "vae": ["diffusers", "AutoencoderKL"]}
    (base / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "qwen-edit-lightning").mkdir()
    (tmp_path / "qwen-edit-lightning" / "lora.safetensors").write_bytes(b"")
    for folder in tmp_path.iterdir():
        lock(folder)
    return tmp_path


@pytest.mark.parametrize("model", ["qwen-edit", "qwen-edit-lightning"])
def test_without_its_library_a_worker_says_what_it_cannot_run_and_why(laid, model, monkeypatch):
    from restoration.engine.generative.workshop import Workshop

    monkeypatch.setattr(registry, "works", lambda library: library != "torchvision")
    with (
        pytest.raises(StepFailed, match="library-missing") as refusal,
        Workshop(laid).lend("redraw", model),
    ):
        pass
    told = problem(refusal.value.code, refusal.value.facts)
    assert named(model).label in told
    assert "torchvision" in told


def test_a_worker_without_the_library_does_not_offer_it(laid, monkeypatch):
    from restoration.engine.generative.workshop import ready

    monkeypatch.setattr(registry, "works", lambda library: library != "torchvision")
    assert [info.usable for info in ready(laid)] == [False, False]


@pytest.fixture(scope="module")
def parts():
    from tests.engine.generative import tiny

    return tiny.qwen_parts()


@pytest.fixture
def at_a_small_size(monkeypatch):
    """Its pipelines bring every picture to a megapixel, whatever was asked."""
    from diffusers.pipelines.qwenimage import (
        pipeline_qwenimage_edit_inpaint as repairing,
    )
    from diffusers.pipelines.qwenimage import (
        pipeline_qwenimage_edit_plus as editing,
    )

    for name in ("VAE_IMAGE_SIZE", "CONDITION_IMAGE_SIZE"):
        monkeypatch.setattr(editing, name, 64 * 64)
    honest = repairing.calculate_dimensions
    monkeypatch.setattr(
        repairing, "calculate_dimensions", lambda area, ratio: honest(64 * 64, ratio)
    )


@pytest.fixture
def lent(parts, at_a_small_size):
    """Lend a Qwen pipeline of tiny parts for a step, as the workshop would."""
    import diffusers
    from transformers import Qwen2VLImageProcessorPil

    from tests.engine.generative import tiny

    seen = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56)
    processor = tiny.Processor(seen, parts["tokenizer"])

    from restoration.engine.generative.workshop import Tool

    def lend(step, model="qwen-edit"):
        row = named(model)
        kind = getattr(diffusers, row.pipelines[step])
        pipeline = kind(**parts, processor=processor)
        pipeline.set_progress_bar_config(disable=True)
        return Tool(pipeline, row, family_of(row), Weights({}, "", 0), "cpu", "float32")

    return lend


@pytest.mark.slow
@pytest.mark.parametrize("step", ["redraw", "repair", "colourise"])
@pytest.mark.parametrize("model", ["qwen-edit", "qwen-edit-lightning"])
def test_its_pipelines_are_called_as_they_want_to_be(lent, cat, step, model):
    from restoration.engine.generative import generation
    from restoration.engine.generative.prompts import worded

    tool = lent(step, model)
    small = np.ascontiguousarray(cat[:64, :96])
    mask = np.full((64, 96), 255, np.uint8) if step == "repair" else None
    wording = worded(Prompt(words="a cat"), step, tool.family, generation.counter(tool))
    wanted = generation.request(tool, wording, 1.0, 2, seed=1)
    told = []
    drawn = generation.generated(
        tool, small, mask, wanted, lambda share, preview=None: told.append(preview)
    )
    assert drawn.shape == small.shape
    assert len(told) == 1 + wanted.steps
    assert told[-1].shape[2] == 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A models directory with a tiny Qwen and a tiny Lightning, saved and locked."""
    from tests.engine.generative import tiny

    folder = tmp_path_factory.mktemp("qwen")
    tiny.save_qwen(folder)
    return folder


@pytest.fixture
def bench(monkeypatch, at_a_small_size):
    """Make a workshop for a folder that has all but torchvision."""
    from restoration.engine.generative.workshop import Workshop
    from tests.engine.generative import tiny

    honest = registry.works
    monkeypatch.setattr(
        registry, "works", lambda library: library == "torchvision" or honest(library)
    )

    class WithProcessor(Workshop):
        def _shared(self, info, kind):
            own = tiny.Processor.of(info.path / "processor")
            return {**super()._shared(info, kind), "processor": own}

    return lambda folder: WithProcessor(folder, device="cpu", most_pixels=16_000)


def run(piece, workshop, step, model, *, mask=None, report=lambda *told: None):
    settings = {"strength": 0.5, "model": model} | ({"passes": 2} if step == "redraw" else {})
    plan = Plan((StepPlan(step, GENERATIVE, settings),), prompt=Prompt(words="a cat"), seed=3)
    return restore(piece, plan, Inputs(mask=mask), workshop, report)


ROWS = ["qwen-edit", "qwen-edit-lightning"]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["redraw", "repair", "colourise"])
@pytest.mark.parametrize("model", ROWS)
def test_from_its_folder_it_restores_and_is_named(
    whole, bench, piece, hole, monkeypatch, model, step
):
    an_ideal_film(monkeypatch)
    told = []
    done = run(
        piece, bench(whole), step, model, mask=hole, report=lambda *each: told.append(each[1])
    )
    assert done.image.shape == piece.shape
    assert told == sorted(told)
    record = done.records[0]["model"]
    assert record["name"] == model
    assert record["files_sha256"].keys() == weights_below(whole, model)


def weights_below(models, model):
    """Return the paths of its networks as a record names them."""
    base, *parts = (models / folder for folder in named(model).folders)
    files = {file.relative_to(base).as_posix() for file in base.rglob("*.safetensors")}
    return files | {
        f"{part.name}/{file.name}" for part in parts for file in part.glob("*.safetensors")
    }


@pytest.mark.slow
def test_its_lightning_is_laid_on_and_not_shared_and_has_its_own_noise(whole, bench):
    import torch

    own, drawn, ends = bench(whole), {}, []
    for model in ROWS:
        with own.lend("redraw", model) as tool:
            drawn[model] = tool.pipeline.transformer.state_dict()
            ends.append(tool.pipeline.scheduler.config.shift_terminal)
    assert ends == [0.02, None]
    plain, fast = drawn.values()
    assert plain.keys() == fast.keys()
    changed = [name for name in plain if not torch.equal(plain[name], fast[name])]
    assert changed
    assert all("to_q" in name for name in changed)


@pytest.mark.slow
@pytest.mark.parametrize("model", ROWS)
def test_from_its_folder_a_cancel_leaves_nothing_half_drawn(
    whole, bench, piece, monkeypatch, model
):
    an_ideal_film(monkeypatch)
    own, told = bench(whole), []

    def cancelling(name, fraction, preview=None):
        told.extend([preview] if preview is not None else [])
        if told:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(piece, own, "redraw", model, report=cancelling)
    assert len(told) == 1
    assert run(piece, own, "redraw", model).image.shape == piece.shape


@pytest.mark.slow
@pytest.mark.parametrize("model", ROWS)
def test_from_its_folder_memory_that_runs_out_once_is_survived(
    whole, bench, piece, monkeypatch, model
):
    an_ideal_film(monkeypatch)
    with monkeypatch.context() as patch:
        no_memory(patch, times=1)
        assert run(piece, bench(whole), "redraw", model).image.shape == piece.shape


@pytest.mark.slow
@pytest.mark.parametrize("model", ROWS)
def test_of_its_folder_an_altered_file_is_never_loaded(whole, bench, piece, tmp_path, model):
    for name in named(model).folders:
        shutil.copytree(whole / name, tmp_path / name)
    file = next((tmp_path / named(model).folders[-1]).rglob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    own = bench(tmp_path)
    with pytest.raises(StepFailed, match="weights-changed"):
        run(piece, own, "redraw", model)
    assert own.loaded() == []


@pytest.mark.slow
def test_from_its_folder_noise_is_refused(whole, bench, piece):
    with pytest.raises(StepFailed, match=r"reframed|blank-result"):
        run(piece, bench(whole), "redraw", "qwen-edit")
