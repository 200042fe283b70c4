"""`manage.py models`: what is here, what is wrong with it, and who can run it."""

from __future__ import annotations

import json
import shutil
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from restoration import machine, presence
from restoration.engine.generative.memory import GIB
from restoration.engine.generative.rows import MODELS
from restoration.engine.generative.weights import LOCK, lock
from restoration.fetching import WAITING
from restoration.management.commands.models import remedy
from tests.services.need import ROOT, need

pytestmark = pytest.mark.django_db

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def models(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one locked model: the inpainting Stable Diffusion 1.5."""
    settings.MODELS_DIR = tmp_path / "models"
    monkeypatch.setattr(machine, "card", lambda: 8 * GIB)
    folder = tmp_path / "models" / "sd15-inpaint"
    (folder / "unet").mkdir(parents=True)
    index = {"_class_name": "StableDiffusionInpaintPipeline", "unet": ["diffusers", "UNet"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").write_text("{}")
    (folder / UNET).write_bytes(bytes(1500))
    lock(folder, repository="somebody/model", revision="c0ffee", trust="hub")
    return tmp_path / "models"


def listed(*names: str, **options: Any) -> str:
    out = StringIO()
    call_command("models", *names, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def rows(**options: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(listed(json=True, **options))}


def line(told: str, name: str) -> str:
    return next(each for each in told.splitlines() if each.startswith(name + " "))


def test_every_model_has_a_line_with_licence_state_and_needs(models: Path) -> None:
    told = listed()
    assert all(line(told, model.name) for model in MODELS)
    here = line(told, "sd15-inpaint")
    assert "CreativeML Open RAIL-M" in here
    assert "  here  " in here
    assert "1.6 kB" in here
    assert "4 GB" in here
    assert str(models) in told


def test_programs_get_json(models: Path) -> None:
    row = rows()["sd15-inpaint"]
    assert (row["state"], row["revision"], row["trust"]) == ("here", "c0ffee", "hub")
    assert row["commercial"] is True
    assert row["verified"] is None
    assert rows()["klein"]["state"] == "absent"


def test_what_a_living_worker_offers_is_named_with_it(models: Path) -> None:
    mine = {"name": "sd15-inpaint", "offers": ["repair:sd15-inpaint"]}
    presence.announce(
        name="gpu1@here", queues=["generative"], offers=[], models=[mine], now=timezone.now()
    )
    assert "gpu1@here" in line(listed(), "sd15-inpaint")
    assert rows()["sd15"]["workers"] == []


@pytest.mark.parametrize(
    ("card", "code", "told"),
    [(0, "no-card", "no card is here"), (2 * GIB, "too-large", "it needs more memory")],
)
def test_what_a_worker_here_would_not_offer_is_said(
    models: Path, monkeypatch: pytest.MonkeyPatch, card: int, code: str, told: str
) -> None:
    need("torch")
    assert rows()["sd15-inpaint"]["unfit"] == ""
    monkeypatch.setattr(machine, "card", lambda: card)
    assert rows()["sd15-inpaint"]["unfit"] == code
    assert f"sd15-inpaint: {told}" in listed()


def test_an_altered_file_is_found_when_every_byte_is_read(models: Path) -> None:
    assert rows(verify=True)["sd15-inpaint"]["verified"] is True
    assert "here, verified" in listed(verify=True)
    (models / "sd15-inpaint" / UNET).write_bytes(bytes(1499) + b"!")
    assert rows()["sd15-inpaint"]["state"] == "here"  # names and sizes are as they were
    out = StringIO()
    with pytest.raises(CommandError, match="sd15-inpaint"):
        call_command("models", stdout=out, stderr=StringIO(), verify=True)
    assert f"sd15-inpaint/{UNET} was altered" in out.getvalue()


def test_a_folder_that_nobody_locked_is_refused_with_what_to_do(models: Path) -> None:
    (models / "sd15-inpaint" / LOCK).unlink()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("models", stdout=out, stderr=StringIO())
    assert "fetch_models sd15-inpaint --from" in out.getvalue()


def test_that_advice_helps(models: Path) -> None:
    (models / "sd15-inpaint" / LOCK).unlink()
    words = {"shelf": models, "accept_licence": True, "stdout": StringIO(), "stderr": StringIO()}
    call_command("fetch_models", "sd15-inpaint", **words)
    assert rows()["sd15-inpaint"]["trust"] == "first-use"


@pytest.mark.parametrize("file", ["notes.txt", "unet/other.safetensors", "unet/model.bin"])
def test_a_file_too_many_is_named(models: Path, file: str) -> None:
    (models / "sd15-inpaint" / file).write_bytes(b"?")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("models", stdout=out, stderr=StringIO())
    assert f"sd15-inpaint/{file}" in out.getvalue()


def test_what_came_half_is_said_to_be_partly_here(models: Path) -> None:
    (models / WAITING / "sdxl@c0ffee").mkdir(parents=True)
    assert rows()["sdxl"]["state"] == "partly"
    shutil.copytree(models / "sd15-inpaint", models / "sd15")
    index = models / "sd15" / "model_index.json"
    index.write_text(index.read_text().replace("InpaintPipeline", "Pipeline"))
    lock(models / "sd15")
    assert rows()["sd15-tile"]["state"] == "partly"


def test_a_model_asked_for_by_name_must_be_here(models: Path) -> None:
    assert "sd15-inpaint" in listed("sd15-inpaint")
    with pytest.raises(CommandError, match="Not ready: klein"):
        listed("klein")
    with pytest.raises(CommandError, match="no model flux9"):
        listed("flux9")


def test_a_link_to_a_folder_is_named(models: Path, tmp_path: Path) -> None:
    (models / "sd15-inpaint" / "unet").rename(tmp_path / "elsewhere")
    (models / "sd15-inpaint" / "unet").symlink_to(tmp_path / "elsewhere")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("models", stdout=out, stderr=StringIO())
    assert "sd15-inpaint/unet is a link to another folder" in out.getvalue()


def test_who_lacks_torchvision_is_told_what_belongs_beside_torch() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert "'rekindle[gpu,qwen]'" in remedy("torchvision-missing", name="qwen-edit", file="")
    (pinned,) = extras["qwen"]
    assert pinned in (ROOT / "docs/operate.md").read_text()
    assert not [name for name, asks in extras.items() if name != "qwen" and pinned in asks]


def test_without_a_models_folder_everything_is_absent(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_DIR = tmp_path / "none"
    assert {row["state"] for row in rows().values()} == {"absent"}
