"""The workshop loads safely, shares, lends fresh schedulers, and makes room."""

import json
import shutil
import threading

import numpy as np
import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.generative.memory import GIB, RESERVE
from restoration.engine.generative.rows import MODELS
from restoration.engine.generative.weights import LOCK, lock, verified
from restoration.engine.generative.workshop import Workshop, ready

pytestmark = pytest.mark.generative


@pytest.fixture
def own(models):
    """A workshop that no other test has used."""
    return Workshop(models, device="cpu")


def test_steps_of_one_model_share_its_networks_but_not_its_scheduler(own):
    with own.lend("redraw", "sd15") as one, own.lend("repair", "sd15") as other:
        assert one.pipeline.unet is other.pipeline.unet
        assert one.pipeline.scheduler is not other.pipeline.scheduler
        assert type(other.pipeline).__name__ == "StableDiffusionInpaintPipeline"
    assert own.loaded() == ["sd15"]


def test_the_first_model_that_can_is_taken(own):
    usable = {info.model.name for info in ready(own.models_dir) if info.usable}
    for step in ("redraw", "repair"):
        able = (row.name for row in MODELS if step in row.pipelines and row.name in usable)
        assert own.find(step).model.name == next(able)


def test_two_threads_load_a_model_once(own, monkeypatch):
    loads, networks = [], []
    honest = Workshop._pipeline
    monkeypatch.setattr(
        Workshop,
        "_pipeline",
        lambda self, info, *rest: loads.append(info.model.name) or honest(self, info, *rest),
    )

    def borrow():
        with own.lend("redraw", "sd15") as tool:
            networks.append(tool.pipeline.unet)

    threads = [threading.Thread(target=borrow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["sd15"]
    assert networks[0] is networks[1]


def test_the_least_recently_used_makes_room(models):
    both = sum(verified(models / name).size for name in ("sd15", "sdxl"))
    small = Workshop(models, device="cpu", budget_gb=(RESERVE + 0.9 * both) / GIB)
    for name in ("sd15", "sdxl", "sd15"):
        with small.lend("redraw", name):
            pass
        assert small.loaded()[-1] == name
    assert small.loaded() == ["sd15"]


def test_what_a_job_holds_is_not_thrown_out(models):
    one = verified(models / "sdxl").size
    small = Workshop(models, device="cpu", budget_gb=(RESERVE + 1.1 * one) / GIB)
    with small.lend("redraw", "sd15"):
        with small.lend("redraw", "sdxl"):
            assert small.loaded() == ["sd15", "sdxl"]
        small.release()
        assert small.loaded() == ["sd15"]
    small.release()
    assert small.loaded() == []


def test_a_reloaded_model_draws_the_same(models, context):
    from restoration.engine.generative.redraw import run

    image = np.ascontiguousarray(context().image[:64, :64])
    settings = {"strength": 0.4, "faces": 1.0, "passes": 4, "model": "sd15"}
    drawn = []
    for _ in range(2):
        own = Workshop(models, device="cpu")
        drawn.append(run(context(image=image, workshop=own), settings).image)
    assert np.array_equal(*drawn)


def test_a_saved_plain_pipeline_serves_for_both_steps(models, tmp_path):
    from tests.engine.generative.tiny import declare

    shutil.copytree(models / "sdxl", tmp_path / "sdxl")
    declare(tmp_path / "sdxl", "StableDiffusionXLPipeline")
    lock(tmp_path / "sdxl")
    own = Workshop(tmp_path, device="cpu")
    with own.lend("repair") as tool:
        assert type(tool.pipeline).__name__ == "StableDiffusionXLInpaintPipeline"


def test_the_pickle_is_never_opened(models, tmp_path):
    folder = tmp_path / "sd15"
    shutil.copytree(models / "sd15", folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with (
        pytest.raises(StepFailed, match="model-refused") as refusal,
        Workshop(tmp_path).lend("redraw", "sd15"),
    ):
        pass
    assert refusal.value.facts["refused"] == {"sd15": "pickled-weights"}


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(StepFailed, match="model-missing"), Workshop(tmp_path).lend("redraw"):
        pass


def test_weights_that_are_not_the_locked_ones_are_not_loaded(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    vae = tmp_path / "sd15" / "vae" / "diffusion_pytorch_model.safetensors"
    vae.write_bytes(vae.read_bytes()[:-1] + b"\x01")
    with pytest.raises(StepFailed, match="weights-changed"), Workshop(tmp_path).lend("redraw"):
        pass


@pytest.mark.parametrize("path", ["unet/another.safetensors", "text_encoder/note.txt"])
def test_an_unlisted_file_keeps_the_whole_model_out(models, tmp_path, path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    (tmp_path / "sd15" / path).write_bytes(b"more")
    with pytest.raises(StepFailed, match="model-refused") as refusal:
        Workshop(tmp_path).find("redraw")
    assert refusal.value.facts["refused"] == {"sd15": "weights-unlisted"}


def test_a_folder_that_nobody_locked_is_not_offered(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    (tmp_path / "sd15" / LOCK).unlink()
    with pytest.raises(StepFailed, match="model-refused") as refusal:
        Workshop(tmp_path).find("redraw")
    assert refusal.value.facts["refused"] == {"sd15": "weights-unlocked"}


def test_a_torn_file_is_told_and_nothing_is_kept(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    vae = tmp_path / "sd15" / "vae" / "diffusion_pytorch_model.safetensors"
    vae.write_bytes(vae.read_bytes()[:5000])
    lock(tmp_path / "sd15")
    own = Workshop(tmp_path, device="cpu")
    with pytest.raises(StepFailed, match="model-broken"), own.lend("redraw"):
        pass
    assert own.loaded() == []


def test_a_tokenizer_that_knows_no_words_reads_nobodys_prompt(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    words = tmp_path / "sd15" / "tokenizer" / "tokenizer.json"
    content = json.loads(words.read_text())
    unknown = content["model"]["vocab"]
    content["model"] |= {"vocab": {word: 0 for word in unknown if "|" in word}, "merges": []}
    words.write_text(json.dumps(content))
    lock(tmp_path / "sd15")
    own = Workshop(tmp_path, device="cpu")
    with pytest.raises(StepFailed, match="model-broken") as refusal, own.lend("redraw"):
        pass
    assert "knows no words" in refusal.value.facts["detail"]


def test_half_precision_files_are_found_by_their_variant(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    for file in list(tmp_path.rglob("*.safetensors")):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    lock(tmp_path / "sd15")
    with Workshop(tmp_path, device="cpu").lend("redraw") as tool:
        assert any(".fp16." in name for name in tool.weights.files)


def test_the_locked_revision_comes_with_the_tool(models, tmp_path):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    lock(tmp_path / "sd15", revision="451f4fe")
    with Workshop(tmp_path, device="cpu", dtype="bfloat16").lend("redraw") as tool:
        assert tool.weights.revision == "451f4fe"
        assert str(tool.pipeline.unet.dtype) == "torch.bfloat16"
