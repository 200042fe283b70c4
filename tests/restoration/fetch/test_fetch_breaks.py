"""What breaks a fetch off, and what it leaves: nothing wrong in place, and nothing lost."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from restoration import fetching, origins
from restoration.engine.generative.weights import held, read_lock, verified
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
from tests.services.hub_server import Hub
from tests.services.processes import wait_until


def waits(models: Path, revision: str) -> Path:
    return models / fetching.WAITING / f"{NAME}@{revision}"


def break_off(patch: pytest.MonkeyPatch, error: int, *, after: int = 0) -> None:
    """Let the disk take so many bytes of what comes, and then no more."""
    honest, left = origins._Growing.write, [after]

    def write(self: Any, block: Any) -> int:
        taken = bytes(block)[: left[0]]
        left[0] -= honest(self, taken) if taken else 0
        if len(taken) < len(block):
            raise OSError(error, os.strerror(error))
        return len(taken)

    patch.setattr(origins._Growing, "write", write)


@pytest.mark.parametrize("path", [UNET, "unet/config.json"])
def test_a_file_that_lies_there_is_held_against_the_list(hub: Hub, models: Path, path: str) -> None:
    folder = waits(models, hub.commit(ROW.source.repository))
    (folder / "unet").mkdir(parents=True)
    zeros = bytes((repository(hub) / path).stat().st_size)
    (folder / path).write_bytes(zeros)  # what a power cut leaves of a name without its bytes
    assert f"{path} had come and is not what" in fetch()
    assert (models / NAME / path).read_bytes() == (repository(hub) / path).read_bytes()


def test_a_file_that_lies_there_as_listed_is_not_fetched_again(hub: Hub, models: Path) -> None:
    folder = waits(models, hub.commit(ROW.source.repository))
    (folder / "unet").mkdir(parents=True)
    (folder / UNET).write_bytes(BYTES)
    fetch()
    assert hub.ranges(Path(UNET).name) == []


def test_a_file_gets_its_name_only_when_its_bytes_are_on_the_disk(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[Path] = []
    monkeypatch.setattr(fetching.weights, "on_disk", settled.append)
    fetch()
    halves = [path.name for path in settled if path.suffix == ".half"]
    assert len(halves) == len(KEPT)
    half = next(path for path in settled if path.name == f".{Path(UNET).name}.half")
    assert settled[settled.index(half) + 1] == half.parent
    assert settled[-2:] == [models, models / fetching.WAITING]


def test_a_shelf_that_changes_between_two_tries_is_not_mixed(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = lay(tmp_path / "disk" / NAME)
    honest = fetching._finish

    def full(half: Path, path: Path) -> None:
        if path.name == Path(UNET).name:
            raise OSError(errno.ENOSPC, "full")
        honest(half, path)

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_finish", full)
        assert "no room" in refused(shelf=disk)
    lay(disk, **{"unet/config.json": b"[]", UNET: BYTES[::-1]})
    told = fetch(shelf=disk)
    assert "unet/config.json had come and is not what" in told
    assert f"{UNET} had come in part, and the two do not fit" in told
    assert (models / NAME / "unet/config.json").read_bytes() == b"[]"
    assert (models / NAME / UNET).read_bytes() == BYTES[::-1]


@pytest.mark.parametrize("had", [0, 700])
def test_a_page_of_a_gate_costs_nothing_that_had_come(hub: Hub, models: Path, had: int) -> None:
    folder = waits(models, hub.commit(ROW.source.repository)) / "unet"
    folder.mkdir(parents=True)
    half = folder / f".{Path(UNET).name}.half"
    half.write_bytes(BYTES[:had])
    hub.gate.add(UNET)
    told = refused()
    assert "broke off" in told
    assert "do not use this origin" not in told
    assert half.read_bytes() == BYTES[:had]
    assert [path.name for path in folder.iterdir() if path.suffix == origins.ANEW] == []
    hub.gate.clear()
    assert "do not fit" not in fetch()
    assert hub.ranges(Path(UNET).name)[-1] == (f"bytes={had}-" if had else "")
    assert verified(models / NAME).files[UNET] == hashlib.sha256(BYTES).hexdigest()


def test_a_hub_that_knows_no_ranges_is_fetched_from_all_the_same(hub: Hub, models: Path) -> None:
    folder = waits(models, hub.commit(ROW.source.repository)) / "unet"
    folder.mkdir(parents=True)
    (folder / f".{Path(UNET).name}.half").write_bytes(BYTES[:700])
    hub.from_start.add(UNET)
    fetch()
    assert hub.ranges(Path(UNET).name) == ["bytes=700-", ""]
    assert verified(models / NAME).files[UNET] == hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize("shelf", [False, True])
def test_a_disk_that_fills_while_a_file_comes_costs_nothing_that_came(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch, shelf: bool
) -> None:
    came = sum((repository(hub) / path).stat().st_size for path in KEPT - {UNET})
    options = {"shelf": lay(models.parent / "disk" / NAME)} if shelf else {}
    with monkeypatch.context() as patch:
        break_off(patch, errno.ENOSPC, after=came + 700)
        told = refused(**options)
    assert f"no room left on the disk of {models}" in told
    assert fetching.KEPT in told
    (half,) = models.rglob(".*.half")
    kept = half.stat().st_size
    assert kept >= 700
    fetch(**options)
    assert verified(models / NAME).files[UNET] == hashlib.sha256(BYTES).hexdigest()
    assert shelf or f"bytes={kept}-" in hub.ranges(Path(UNET).name)


def test_a_disk_that_fills_while_the_list_is_written_is_said(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "full", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert f"no room left on the disk of {models}" in refused()
    assert not (models / NAME).exists()
    fetch()
    assert len(hub.ranges(Path(UNET).name)) == 1
    assert verified(models / NAME)


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
def test_a_folder_that_is_only_to_be_read_is_said(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def closed(path: Path, *_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error), str(path))

    disk = lay(tmp_path / "disk" / NAME)
    monkeypatch.setattr(Path, "mkdir", closed)
    told = refused(shelf=disk)
    assert f"{models / fetching.WAITING} cannot be written: {os.strerror(error)}" in told
    assert f"may write to {models}" in told


def test_a_commit_that_was_only_begun_and_is_gone_is_begun_anew(hub: Hub, models: Path) -> None:
    left = waits(models, "c0ffee")
    (left / "unet").mkdir(parents=True)
    (left / UNET).write_bytes(BYTES)
    told = fetch()
    assert f"has no commit c0ffee of {ROW.source.repository}. What had come of it is" in told
    assert verified(models / NAME).revision == hub.commit(ROW.source.repository)
    assert [path.name for path in (models / fetching.WAITING).iterdir()] == ["lock"]


def test_a_commit_that_was_locked_and_is_gone_is_left_by_an_update_only(
    hub: Hub, models: Path
) -> None:
    fetch()
    first = read_lock(models / NAME).revision
    lay(repository(hub), **{"unet/config.json": b'{"a": 1}'})
    (models / NAME / UNET).unlink()
    told = refused()
    assert f"has no commit {first}" in told
    assert "--update fetches what is newest there" in told
    assert read_lock(models / NAME).revision == first
    fetch(update=True)
    assert verified(models / NAME).revision == hub.commit(ROW.source.repository)


def test_an_update_that_broke_off_goes_on(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch()
    lay(repository(hub), **{UNET: BYTES[::-1]})
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_put", lambda *_: os.write(-1, b""))
        assert "broke off" in refused(update=True)
    before = len(hub.ranges(Path(UNET).name))
    fetch(update=True)
    assert len(hub.ranges(Path(UNET).name)) == before
    assert (models / NAME / UNET).read_bytes() == BYTES[::-1]


def test_a_swap_waits_until_nobody_loads(hub: Hub, models: Path) -> None:
    fetch()
    old = (models / NAME / "unet/config.json").read_bytes()
    lay(repository(hub), **{"unet/config.json": b'{"a": 1}'})
    out = StringIO()
    updating = threading.Thread(target=fetch, kwargs={"update": True, "stdout": out})
    with held([models / NAME]):
        updating.start()
        wait_until(lambda: "A worker is loading" in out.getvalue(), "the fetch waits")
        assert (models / NAME / "unet/config.json").read_bytes() == old
    updating.join(30)
    assert (models / NAME / "unet/config.json").read_bytes() == b'{"a": 1}'


@pytest.mark.parametrize("update", [False, True])
def test_a_kill_between_the_two_moves_of_a_swap_leaves_a_whole_folder(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch, update: bool
) -> None:
    fetch()
    first = read_lock(models / NAME).revision
    lay(repository(hub), **{"unet/config.json": b'{"a": 1}'})
    honest = Path.rename

    def killed(path: Path, target: Path) -> Path:
        if target == models / NAME:
            raise KeyboardInterrupt
        return honest(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        assert "Stopped" in refused(update=True)
    assert not (models / NAME).exists()
    fetch(update=update)
    assert verified(models / NAME).revision == (
        hub.commit(ROW.source.repository) if update else first
    )
    assert not list((models / fetching.WAITING).glob("*.old"))


def test_a_swap_that_the_disk_refuses_leaves_the_old_folder_in_its_place(
    hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch()
    first = read_lock(models / NAME).revision
    lay(repository(hub), **{"unet/config.json": b'{"a": 1}'})
    honest = Path.rename

    def refusing(path: Path, target: Path) -> Path:
        if "@" in path.name:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return honest(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refusing)
        assert "cannot be written" in refused(update=True)
    assert verified(models / NAME).revision == first
    fetch(update=True)
    assert verified(models / NAME).revision != first


def test_a_link_to_a_folder_is_refused_in_words(models: Path, tmp_path: Path) -> None:
    disk = lay(tmp_path / "disk" / NAME)
    (disk / "unet").rename(tmp_path / "elsewhere")
    (disk / "unet").symlink_to(tmp_path / "elsewhere")
    assert "unet is a link to another folder" in refused(shelf=disk)
    assert not (models / NAME).exists()
