"""`manage.py fetch_models`: from a hub of our own or a folder, resumed, checked, locked."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from restoration import fetching, origins
from restoration.engine.generative.rows import MODELS
from restoration.engine.generative.weights import LOCK, lock, read_lock, verified
from restoration.management.commands import fetch_models
from restoration.management.meter import Meter
from tests.restoration.fetch.repositories import (
    BYTES,
    KEPT,
    NAME,
    ROW,
    UNET,
    fetch,
    lay,
    refused,
    repository,
)
from tests.services.hub_server import Hub, serving
from tests.services.need import ROOT, need
from tests.services.processes import Process, start, wait_until


def test_what_is_loaded_is_fetched_and_nothing_else(hub: Hub, models: Path) -> None:
    told = fetch()
    locked = read_lock(models / NAME)
    assert locked.files.keys() == KEPT
    assert locked.files[UNET].sha256 == hashlib.sha256(BYTES).hexdigest()
    assert (locked.repository, locked.revision) == (
        ROW.source.repository,
        hub.commit(ROW.source.repository),
    )
    assert (locked.trust, locked.licence) == ("hub", ROW.licence.spdx)
    assert locked.revision in told
    assert ROW.licence.label in told
    assert verified(models / NAME).revision == locked.revision


def test_half_precision_is_taken_where_all_of_it_is_there(hub: Hub, models: Path) -> None:
    half = "unet/diffusion_pytorch_model.fp16.safetensors"
    lay(repository(hub), **{half: BYTES[:100]})
    fetch()
    assert read_lock(models / NAME).files.keys() == KEPT - {UNET} | {half}


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ("diffusion_pytorch_model.bin", "no safetensors for vae"),
        ("diffusion_pytorch_model.fp16.safetensors", "vae only in a variant"),
    ],
)
def test_no_network_is_left_out_in_silence(hub: Hub, models: Path, left: str, told: str) -> None:
    index = json.loads((repository(hub) / "model_index.json").read_bytes())
    index["vae"] = ["diffusers", "AutoencoderKL"]
    lay(
        repository(hub),
        **{"model_index.json": json.dumps(index).encode(), f"vae/{left}": BYTES},
    )
    assert told in refused()
    assert not (models / NAME).exists()


@pytest.mark.slow
def test_a_pickle_that_somebody_turned_into_safetensors_as_the_manual_says_is_taken(
    hub: Hub, models: Path, tmp_path: Path
) -> None:
    need("torch")
    import torch

    tile = next(model for model in MODELS if model.name == "sd15-tile")
    lay(hub.folder / tile.source.repository)
    folder = tile.parts[0].folder
    flat = hub.folder / tile.parts[0].source.repository
    own = tmp_path / "own" / folder
    for place in (flat, own):
        place.mkdir(parents=True)
        (place / "config.json").write_bytes(b"{}")
    shared = torch.ones(2, 2)
    torch.save({"one": shared, "two": shared}, flat / "diffusion_pytorch_model.bin")
    assert "docs/operate.md" in refused("sd15-tile")
    shutil.copy(flat / "diffusion_pytorch_model.bin", own.parent)
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    code = text.partition("python - <<'END'\n")[2].partition("END\n")[0]
    subprocess.run([sys.executable, "-c", code], cwd=own.parent, check=True)
    (own.parent / "diffusion_pytorch_model.safetensors").rename(
        own / "diffusion_pytorch_model.safetensors"
    )
    fetch("sd15-tile", shelf=own.parent)
    assert read_lock(models / folder).trust == "first-use"
    assert verified(models / folder).numbers == 8


def test_nothing_is_fetched_before_the_licence_is_agreed_to(hub: Hub, models: Path) -> None:
    assert "--accept-licence" in refused(accept_licence=False)
    assert hub.asked == []
    assert not models.exists()


def test_what_may_not_earn_money_wants_a_setting(
    hub: Hub, models: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    strict = replace(ROW, licence=replace(ROW.licence, commercial=False))
    monkeypatch.setattr(fetch_models, "MODELS", (strict,))
    assert "REKINDLE_NONCOMMERCIAL_MODELS" in refused()
    settings.NONCOMMERCIAL_MODELS = True
    assert "no commercial use" in fetch()


def test_an_unknown_name_is_answered_with_those_there_are(models: Path) -> None:
    assert NAME in refused("stable-diffusion-9")


def test_a_half_file_is_gone_on_with(hub: Hub, models: Path) -> None:
    commit = hub.commit(ROW.source.repository)
    waiting = models / fetching.WAITING / f"{NAME}@{commit}" / "unet"
    waiting.mkdir(parents=True)
    (waiting / f".{Path(UNET).name}.half").write_bytes(BYTES[:700])
    fetch()
    assert hub.ranges(Path(UNET).name) == ["bytes=700-"]
    assert verified(models / NAME).files[UNET] == hashlib.sha256(BYTES).hexdigest()


def test_a_half_file_that_was_wrong_is_thrown_away_and_fetched_again(
    hub: Hub, models: Path
) -> None:
    commit = hub.commit(ROW.source.repository)
    waiting = models / fetching.WAITING / f"{NAME}@{commit}" / "unet"
    waiting.mkdir(parents=True)
    (waiting / f".{Path(UNET).name}.half").write_bytes(b"!" * 700)
    assert f"{UNET} had come in part, and the two do not fit" in fetch()
    assert hub.ranges(Path(UNET).name) == ["bytes=700-", ""]
    assert verified(models / NAME).files[UNET] == hashlib.sha256(BYTES).hexdigest()


def test_an_origin_is_warned_of_when_a_file_is_wrong_from_its_start_on(
    hub: Hub, models: Path
) -> None:
    commit = hub.commit(ROW.source.repository)
    waiting = models / fetching.WAITING / f"{NAME}@{commit}" / "unet"
    waiting.mkdir(parents=True)
    (waiting / f".{Path(UNET).name}.half").write_bytes(BYTES[:700])
    hub.altered.add(UNET)
    assert "do not use this origin" in refused()
    assert hub.ranges(Path(UNET).name) == ["bytes=700-", ""]
    assert not (models / NAME).exists()


@pytest.mark.parametrize("path", [UNET, "unet/config.json"])
def test_altered_bytes_are_refused_by_name(hub: Hub, models: Path, path: str) -> None:
    hub.altered.add(path)
    assert f"{NAME}/{path}" in refused()
    assert not (models / NAME).exists()


def test_the_commit_is_kept_until_an_update_is_asked_for(hub: Hub, models: Path) -> None:
    fetch()
    first = read_lock(models / NAME).revision
    lay(repository(hub), **{"unet/config.json": b'{"a": 1}'})
    assert "is here as it was locked" in fetch()
    assert read_lock(models / NAME).revision == first
    fetch(update=True)
    assert read_lock(models / NAME).revision == hub.commit(ROW.source.repository) != first
    assert verified(models / NAME)
    assert [path.name for path in (models / fetching.WAITING).iterdir()] == ["lock"]


def test_a_damaged_folder_is_mended_from_its_own_commit(hub: Hub, models: Path) -> None:
    fetch()
    (models / NAME / UNET).unlink()
    (models / NAME / "unlisted.txt").write_text("?")
    fetch()
    assert verified(models / NAME)
    asked = [path for _, path, _ in hub.asked if "/revision/" in path]
    assert asked[-1].endswith(read_lock(models / NAME).revision)


def test_the_same_commit_with_other_bytes_is_refused(hub: Hub, models: Path) -> None:
    fetch()
    content = json.loads((models / NAME / LOCK).read_text())
    content["files"][UNET]["sha256"] = "0" * 64
    (models / NAME / LOCK).write_text(json.dumps(content))
    assert "another file than the one that was locked" in refused()


def test_a_full_disk_is_seen_before_anything_large_comes(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2e9, 1e9, fetching.SPARE))
    assert "Make room" in refused()
    assert hub.ranges(UNET) == []


def test_a_hub_that_is_away_is_said_in_a_sentence(
    models: Path, settings: Any, online: None
) -> None:
    settings.MODELS_HUB = "http://127.0.0.1:9"
    assert "http://127.0.0.1:9 did not answer" in refused()


def test_what_the_hub_does_not_have_or_not_give_is_said(
    hub: Hub, models: Path, settings: Any
) -> None:
    assert "no repository" in refused("sd15")
    hub.gated = True
    assert "REKINDLE_MODELS_HUB_TOKEN" in refused()


def test_a_repository_of_pickles_is_refused(hub: Hub, models: Path) -> None:
    for path in repository(hub).rglob("*.safetensors"):
        path.unlink()
    assert "no safetensors" in refused()


def test_all_folders_of_a_model_are_fetched_each_once(hub: Hub, models: Path) -> None:
    tile = next(model for model in MODELS if model.name == "sd15-tile")
    lay(hub.folder / tile.source.repository)
    flat = hub.folder / tile.parts[0].source.repository
    flat.mkdir(parents=True)
    (flat / "config.json").write_bytes(b"{}")
    (flat / "diffusion_pytorch_model.safetensors").write_bytes(BYTES)
    (flat / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    told = fetch("sd15-tile", "sd15")
    assert told.count("sd15: ") == 1
    assert read_lock(models / tile.parts[0].folder).files.keys() == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }


def test_a_lora_is_one_file(hub: Hub, models: Path, tmp_path: Path) -> None:
    part = next(part for model in MODELS for part in model.parts if part.kind == "lora")
    source = hub.folder / part.source.repository
    source.mkdir(parents=True)
    (source / part.source.file).write_bytes(BYTES)
    (source / "another.safetensors").write_bytes(BYTES)
    wanted = fetching.Wanted(part.folder, part.source, part.licence)
    from django.conf import settings

    origin = origins.Hub(settings.MODELS_HUB)
    meter = Meter(StringIO(), "lora")
    fetching.fetch(wanted, models, origin, update=False, say=print, on=meter)
    assert read_lock(models / part.folder).files.keys() == {part.source.file}


def test_a_folder_without_a_lock_is_copied_and_locked_at_first_sight(
    models: Path, tmp_path: Path
) -> None:
    lay(tmp_path / "disk" / NAME)
    told = fetch(shelf=tmp_path / "disk")
    assert "nobody vouched for it" in told
    locked = read_lock(models / NAME)
    assert (locked.trust, locked.revision, locked.files.keys()) == ("first-use", "", KEPT)


def test_a_lock_that_was_carried_along_is_held_to(models: Path, tmp_path: Path) -> None:
    disk = lay(tmp_path / "disk" / NAME)
    (disk / "unet" / "diffusion_pytorch_model.bin").unlink()
    lock(disk, repository=ROW.source.repository, revision="c0ffee", trust="hub")
    (disk / UNET).write_bytes(BYTES[:-1] + b"?")
    assert UNET in refused(shelf=disk)
    (disk / UNET).write_bytes(BYTES)
    fetch(shelf=disk)
    assert (read_lock(models / NAME).revision, read_lock(models / NAME).trust) == ("c0ffee", "hub")


@pytest.mark.parametrize("above", [False, True], ids=["itself", "the one above it"])
def test_a_folder_that_is_locked_as_another_repository_is_refused(
    models: Path, tmp_path: Path, above: bool
) -> None:
    disk = lay(tmp_path / "disk" / NAME)
    (disk / "unet" / "diffusion_pytorch_model.bin").unlink()
    lock(disk, repository="somebody/fine", revision="c0ffee", licence="CC-BY-NC-4.0", trust="hub")
    told = refused(shelf=disk.parent if above else disk)
    assert f"{disk} holds somebody/fine (CC-BY-NC-4.0)" in told
    assert f"{NAME} is {ROW.source.repository} ({ROW.licence.spdx})" in told
    assert not (models / NAME).exists()
    assert f"{disk} holds somebody/fine" in refused(shelf=disk, update=True)


@pytest.mark.parametrize("locked", [False, True])
def test_a_pipeline_is_not_taken_for_the_part_that_is_put_onto_it(
    models: Path, tmp_path: Path, locked: bool
) -> None:
    tile = next(model for model in MODELS if model.name == "sd15-tile")
    disk = lay(tmp_path / "disk" / "sd15")
    if locked:
        (disk / "unet" / "diffusion_pytorch_model.bin").unlink()
        lock(disk, repository=tile.source.repository, trust="hub")
    folder = tile.parts[0].folder
    assert f"no folder {folder}" in refused("sd15-tile", shelf=disk)
    assert read_lock(models / "sd15").repository == tile.source.repository
    assert not (models / folder).exists()


def test_a_folder_that_is_not_there_is_named(models: Path, tmp_path: Path) -> None:
    assert str(tmp_path / "disk") in refused(shelf=tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    assert f"no folder {NAME}" in refused(shelf=tmp_path / "disk")


def test_two_fetches_do_not_write_into_each_other(hub: Hub, models: Path) -> None:
    with fetching._alone(models):
        assert "Another fetch" in refused()


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_a_log_gets_lines() -> None:
    for stream in (Terminal(), StringIO()):
        meter = Meter(stream, "sd15")
        meter.expect(200)
        meter.told(50)
        meter.end()
        assert "25" in stream.getvalue()
        assert ("\r" in stream.getvalue()) == stream.isatty()
        assert re.search(r"50 bytes of 200 bytes", stream.getvalue())


@pytest.mark.slow
def test_a_killed_fetch_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    large = os.urandom(25 << 20)
    lay(repository(hub), **{UNET: large})
    hub.stop_after = 22 << 20
    with serving(hub.folder) as (address, silent):
        silent.stop_after = 22 << 20
        killed = command(tmp_path, address)
        half = lambda: sorted((tmp_path / "models").rglob(".*.half"))  # noqa: E731
        wait_until(
            lambda: bool(half()) and half()[0].stat().st_size >= 20 << 20,
            "most of the file had come",
            log=killed.printed,
        )
        killed.kill()
        assert not (tmp_path / "models" / NAME).exists()
    with serving(hub.folder) as (address, served):
        again = command(tmp_path, address)
        assert again.running.wait(60) == 0, again.printed()
        (asked,) = served.ranges(Path(UNET).name)
        assert int(asked.removeprefix("bytes=").removesuffix("-")) >= 20 << 20
    digest = hashlib.sha256(large).hexdigest()
    assert verified(tmp_path / "models" / NAME).files[UNET] == digest


def command(folder: Path, address: str) -> Process:
    """Start the command in a process of its own."""
    environment = {
        "REKINDLE_VAR_DIR": str(folder / "var"),
        "REKINDLE_MODELS_DIR": str(folder / "models"),
        "REKINDLE_MODELS_HUB": address,
    }
    log = folder / "fetch.log"
    words = [sys.executable, str(ROOT / "manage.py"), "fetch_models", NAME, "--accept-licence"]
    return Process(start(words, log, environment), log)
