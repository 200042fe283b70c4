"""The registry knows what lies in a folder without importing anything heavy."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from restoration.engine.catalog import CATALOG, GENERATIVE, TILED
from restoration.engine.generative import registry
from restoration.engine.generative.registry import FAMILIES, MODELS, available
from restoration.management.commands.models import remedy

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


@pytest.fixture
def lay_part(tmp_path):
    """Lay out a part in a folder of its own."""

    def lay(name, file="diffusion_pytorch_model.safetensors"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / file).write_bytes(b"")

    return lay


def reasons(folder):
    return {info.model.name: info.reason for info in available(folder)}


def test_the_catalog_offers_the_models_of_the_registry_in_the_same_order():
    for spec in CATALOG:
        able = tuple(model.name for model in MODELS if spec.name in model.pipelines)
        offered = [setting.choices for setting in spec.settings if setting.name == "model"]
        assert offered == ([able] if GENERATIVE in spec.backends else [])


def test_the_models_with_a_control_network_are_those_the_catalog_says():
    controlled = {m.name for m in MODELS if any(part.kind == "controlnet" for part in m.parts)}
    assert controlled == set(TILED)


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


def test_two_models_may_share_their_base(put, lay_part, tmp_path):
    put()
    assert reasons(tmp_path) == {"sd15": ""}
    lay_part("sd15-tile-controlnet")
    assert reasons(tmp_path) == {"sd15-tile": "", "sd15": ""}


def test_a_part_without_safe_weights_is_refused(put, lay_part, tmp_path):
    put()
    lay_part("sd15-tile-controlnet", "diffusion_pytorch_model.bin")
    assert reasons(tmp_path) == {"sd15-tile": "pickled-weights", "sd15": ""}


def test_a_family_whose_library_does_not_work_is_refused_by_its_name(put, lay_part, tmp_path):
    put("qwen-edit", "QwenImageEditPlusPipeline")
    lay_part("qwen-edit-lightning")
    expected = "" if registry.works("torchvision") else "torchvision-missing"
    assert reasons(tmp_path) == {"qwen-edit-lightning": expected, "qwen-edit": expected}


def test_a_library_that_dies_while_it_is_imported_does_not_work(tmp_path, monkeypatch):
    (tmp_path / "built_for_another.py").write_text("raise RuntimeError('operator missing')")
    monkeypatch.syspath_prepend(tmp_path)
    assert not registry.works("built_for_another")


def test_a_licence_names_every_part_and_allows_only_what_all_allow():
    tile = registry.named("sdxl-tile")
    assert tile.licence_label == "CreativeML Open RAIL++-M + Apache 2.0"
    assert tile.commercial
    bound = replace(tile.licence, commercial=False)
    assert not replace(tile, licence=bound).commercial
    assert registry.named("sd15-tile").licence_label == "CreativeML Open RAIL-M"


def test_every_licence_that_binds_has_its_text_somewhere():
    for model in MODELS:
        for licence in model.licences:
            assert licence.url.startswith("https://")


def test_a_distilled_model_is_not_run_for_many_more_steps_than_it_was_made_for():
    made = {model.name: (registry.steps_of(model), registry.most_steps(model)) for model in MODELS}
    assert made["klein"] == (4, 8)
    assert made["qwen-edit-lightning"] == (4, 8)
    assert made["qwen-edit"] == (40, 100)


def test_the_memory_to_decode_a_megapixel_is_what_was_measured():
    sdxl, qwen = (registry.family_of(registry.named(name)) for name in ("sdxl", "qwen-edit"))
    assert registry.work_bytes(sdxl, 1024 * 1024, 2) == pytest.approx(4.3 * 2**30, rel=0.01)
    assert registry.work_bytes(qwen, 2560 * 1440, 2) == pytest.approx(19.9 * 2**30, rel=0.01)


def test_without_the_libraries_nothing_can_run(monkeypatch):
    monkeypatch.setattr(registry, "NEEDED", ("no_such_library",))
    assert not registry.can_run()


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


@pytest.mark.parametrize("files", [(), ("tokenizer_config.json",), ("vocab.json",)])
@pytest.mark.parametrize("part", ["tokenizer", "tokenizer_2"])
def test_a_tokenizer_without_its_vocabulary_is_refused(put, tmp_path, part, files):
    folder = put(parts=(*PARTS, part)) / part
    for file in folder.iterdir():
        file.unlink()
    for name in files:
        (folder / name).write_text("{}")
    assert reasons(tmp_path) == {"sd15": "no-vocabulary"}
    assert "vocabulary" in remedy("no-vocabulary", name="sd15", file="")


@pytest.mark.parametrize(
    "files", [("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",)]
)
def test_a_tokenizer_is_read_from_any_kind_of_vocabulary(put, tmp_path, files):
    folder = put(parts=(*PARTS, "tokenizer"), suffix=".safetensors") / "tokenizer"
    for name in files:
        (folder / name).write_text("{}")
    assert reasons(tmp_path) == {"sd15": ""}


@pytest.mark.parametrize("content", ["", "[]", "{}", "no json", "[" * 100_000])
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


def test_the_operators_table_has_every_model_as_the_registry_knows_it():
    page = (Path(__file__).parents[3] / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for model in MODELS:
        (row,) = [line for line in rows if line.startswith(f"| `{model.name}` |")]
        _, _, label, licence, card, *steps, _, _ = [cell.strip() for cell in row.split("|")]
        assert (label, licence) == (model.label, model.licence_label)
        assert card.startswith(f"{model.min_memory_gb:g} GB")
        able = [step in model.pipelines for step in ("redraw", "repair", "colourise")]
        assert [cell == "yes" for cell in steps] == able
