"""Qwen-Image-Edit: refused by name where its library does not work, and called as it wants to be.

Its processor needs torchvision. Where that is missing, a stand-in with the one call that the
pipeline makes of it lets everything else of a tiny random model run.
"""

import json

import numpy as np
import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.generative import registry
from restoration.engine.generative.registry import family_of, named
from restoration.engine.generative.weights import Weights, lock
from restoration.wording import problem

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


class Processor:
    """A stand-in for the processor: words and pictures in, tokens and patches out."""

    def __init__(self, tokenizer):
        from transformers import Qwen2VLImageProcessorPil

        self.image_processor = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56)
        self.tokenizer = tokenizer

    def __call__(self, text, images, padding=True, return_tensors="pt"):
        from transformers import BatchFeature

        seen = self.image_processor(images=images, return_tensors=return_tensors)
        places = int(seen["image_grid_thw"][0].prod() // self.image_processor.merge_size**2)
        text = [each.replace("<|image_pad|>", "<|image_pad|>" * places) for each in text]
        words = self.tokenizer(text, padding=padding, return_tensors=return_tensors)
        return BatchFeature({**words, **seen})


@pytest.fixture(scope="module")
def parts():
    from tests.engine.generative import tiny

    return tiny.qwen_parts()


@pytest.fixture
def lent(parts, monkeypatch):
    """Lend a Qwen pipeline of tiny parts for a step, as the workshop would."""
    import importlib

    import diffusers

    from restoration.engine.generative.workshop import Tool

    def lend(step, model="qwen-edit"):
        row = named(model)
        kind = getattr(diffusers, row.pipelines[step])
        home = importlib.import_module(kind.__module__)
        for name in ("VAE_IMAGE_SIZE", "CONDITION_IMAGE_SIZE"):
            if hasattr(home, name):
                monkeypatch.setattr(home, name, 64 * 64)
        if step == "repair":
            honest = home.calculate_dimensions
            monkeypatch.setattr(
                home, "calculate_dimensions", lambda area, ratio: honest(64 * 64, ratio)
            )
        pipeline = kind(**parts, processor=Processor(parts["tokenizer"]))
        pipeline.set_progress_bar_config(disable=True)
        return Tool(pipeline, row, family_of(row), Weights({}, "", 0), "cpu", "float32")

    return lend


@pytest.mark.slow
@pytest.mark.parametrize("step", ["redraw", "repair", "colourise"])
@pytest.mark.parametrize("model", ["qwen-edit", "qwen-edit-lightning"])
def test_its_pipelines_are_called_as_they_want_to_be(lent, cat, step, model):
    from restoration.engine.generative import generation
    from restoration.engine.generative.prompts import worded
    from restoration.engine.plan import Prompt

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
