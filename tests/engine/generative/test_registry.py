"""The registry knows what lies in a folder without importing anything heavy."""

import json
import subprocess
import sys

import pytest

from restoration.engine.catalog import CATALOG, GENERATIVE
from restoration.engine.generative import registry
from restoration.engine.generative.registry import FAMILIES, MODELS, available, capabilities

PARTS = ("unet", "vae", "text_encoder")


@pytest.fixture
def put(tmp_path):
    """Lay out a folder as diffusers saves one, with empty files for weights."""

    def lay(name="sd15", class_name="StableDiffusionPipeline", suffix=".safetensors", parts=PARTS):
        index = {"_class_name": class_name, "safety_checker": [None, None]}
        for part in parts:
            index[part] = ["diffusers", part]
            (tmp_path / name / part).mkdir(parents=True)
            (tmp_path / name / part / "config.json").write_text("{}")
            (tmp_path / name / part / f"model{suffix}").write_bytes(b"")
        (tmp_path / name / "model_index.json").write_text(json.dumps(index))
        return tmp_path / name

    return lay


def reasons(folder):
    return {info.model.name: info.reason for info in available(folder)}


def test_the_catalog_offers_the_models_of_the_registry_in_the_same_order():
    for spec in CATALOG:
        able = tuple(model.name for model in MODELS if spec.name in model.pipelines)
        offered = [setting.choices for setting in spec.settings if setting.name == "model"]
        assert offered == ([able] if GENERATIVE in spec.backends else [])


def test_every_row_names_a_known_family_and_steps_of_the_catalog():
    generative = {spec.name for spec in CATALOG if GENERATIVE in spec.backends}
    for model in MODELS:
        assert registry.family_of(model) in FAMILIES
        assert set(model.pipelines) <= generative
        assert model.licence.spdx
    assert len({model.name for model in MODELS}) == len(MODELS)


def test_a_folder_of_safetensors_is_usable(put, tmp_path):
    put()
    assert reasons(tmp_path) == {"sd15": ""}


def test_what_a_worker_advertises_names_step_and_model(put, tmp_path, monkeypatch):
    put()
    put("sdxl-inpaint", "StableDiffusionXLInpaintPipeline")
    monkeypatch.setattr(registry, "can_run", lambda: True)
    assert capabilities(tmp_path) == ("repair:sdxl-inpaint", "redraw:sd15", "repair:sd15")


def test_without_the_libraries_nothing_is_advertised(put, tmp_path, monkeypatch):
    put()
    monkeypatch.setattr(registry, "NEEDED", ("no_such_library",))
    assert not registry.can_run()
    assert capabilities(tmp_path) == ()


def test_pickled_weights_are_refused(put, tmp_path):
    put(suffix=".bin")
    assert reasons(tmp_path) == {"sd15": "pickled-weights"}


def test_a_checkpoint_beside_safetensors_does_no_harm(put, tmp_path):
    (put() / "unet" / "model.ckpt").write_bytes(b"")
    assert reasons(tmp_path) == {"sd15": ""}


def test_a_folder_without_weights_is_refused(put, tmp_path):
    (put() / "vae" / "model.safetensors").unlink()
    assert reasons(tmp_path) == {"sd15": "no-weights"}


def test_a_folder_that_lacks_a_part_is_refused(put, tmp_path):
    folder = put()
    for file in (folder / "vae").iterdir():
        file.unlink()
    (folder / "vae").rmdir()
    assert reasons(tmp_path) == {"sd15": "part-missing"}


def test_another_pipeline_under_a_known_name_is_refused(put, tmp_path):
    put(class_name="FluxPipeline")
    assert reasons(tmp_path) == {"sd15": "other-class"}


@pytest.mark.parametrize("content", ["", "[]", "{}", "no json"])
def test_a_broken_index_is_refused(put, tmp_path, content):
    (put() / "model_index.json").write_text(content)
    assert reasons(tmp_path) == {"sd15": "broken-index"}


def test_a_folder_without_an_index_is_refused(tmp_path):
    (tmp_path / "sd15").mkdir()
    assert reasons(tmp_path) == {"sd15": "no-index"}


def test_folders_that_are_no_models_of_ours_are_left_alone(tmp_path):
    (tmp_path / "holiday").mkdir()
    assert available(tmp_path) == []
    assert available(tmp_path / "missing") == []


def test_looking_imports_neither_torch_nor_diffusers():
    code = (
        "import sys; from restoration.engine.generative import registry, weights, prompts, canvas,"
        " workshop; registry.can_run(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
