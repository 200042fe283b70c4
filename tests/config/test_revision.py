"""Which commit a backup was made by, and what is told who would bring it back elsewhere."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config import backup, revision
from tests.people import person
from tests.services.need import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def kept(on_sqlite_file: str, bytes_in_folder: Path, tmp_path: Path, settings: Any) -> Path:
    """A backup made by an image of that commit."""
    settings.REVISION = COMMIT
    person("vera")
    folder = tmp_path / "backup"
    folder.mkdir()
    call_command("backup", str(folder), stdout=StringIO())
    return folder


def manifest(folder: Path) -> Path:
    [found] = folder.glob(f"{backup.BACKUPS}/*/{backup.MANIFEST}")
    return found


def rewrite(folder: Path, **changes: Any) -> None:
    told = json.loads(manifest(folder).read_text()) | changes
    manifest(folder).write_text(json.dumps(told))


def before_the_update(folder: Path, **changes: Any) -> None:
    known = json.loads(manifest(folder).read_text())["migrations"]
    rewrite(folder, migrations=[each for each in known if "freeze_checks" not in each], **changes)


def restore(folder: Path) -> str:
    out = StringIO()
    call_command("restore_backup", str(folder), over=True, stdout=out, stderr=StringIO())
    return out.getvalue()


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=v", "-c", "user.email=v@x.org", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_checkout_knows_its_commit(settings: Any, tmp_path: Path) -> None:
    settings.REVISION, settings.BASE_DIR = "", tmp_path
    git(tmp_path, "init", "--quiet")
    assert "+" not in revision.version()  # nothing is committed yet
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "one")
    assert revision.version().partition("+")[2] == git(tmp_path, "rev-parse", "HEAD")


def test_what_is_installed_within_another_repository_is_not_of_its_commit(
    settings: Any, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "one")
    (tmp_path / "site-packages").mkdir()
    settings.REVISION, settings.BASE_DIR = "", tmp_path / "site-packages"
    assert "+" not in revision.version()


def test_without_git_there_is_no_commit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REVISION = ""
    monkeypatch.setenv("PATH", "/nowhere")
    assert "+" not in revision.version()


def test_a_backup_from_before_an_update_names_the_commit_to_go_back_to(kept: Path) -> None:
    before_the_update(kept)
    sentence = (
        rf"older than archive\.0005_freeze.*git checkout {COMMIT}.*, then go back .* update\."
    )
    with pytest.raises(CommandError, match=sentence):
        restore(kept)


def test_one_that_names_none_says_how_to_find_it(kept: Path) -> None:
    before_the_update(kept, version="0.1.0")
    sentence = r"older than archive\.0005_freeze.*git log --name-only -- '\*/migrations/\*'"
    with pytest.raises(CommandError, match=f"{sentence}.*the last commit before it"):
        restore(kept)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (
            f"0.1.0+{COMMIT}",
            f"version 0.1.0, revision {COMMIT}.*git fetch && git checkout {COMMIT}",
        ),
        ("0.1.0", r"names no revision\. Update with `git pull`"),
    ],
)
def test_a_backup_of_a_newer_program_says_what_to_update_to(
    kept: Path, version: str, sentence: str
) -> None:
    rewrite(kept, migrations=["archive.0999_from_the_future"], version=version)
    with pytest.raises(CommandError, match=f"0999_from_the_future.*{sentence}"):
        restore(kept)


@pytest.mark.parametrize("version", ["0.1.0", f"0.1.0+{COMMIT}"])
def test_another_form_of_a_backup_says_so_too(kept: Path, version: str) -> None:
    rewrite(kept, format=2, version=version)
    wanted = COMMIT if "+" in version else "Install that version"
    with pytest.raises(CommandError, match=f"format 2.*{wanted}"):
        restore(kept)


def test_what_a_later_program_wrote_besides_keeps_nobody_from_restoring(kept: Path) -> None:
    rewrite(kept, weather="fair")
    assert "The site is as it was" in restore(kept)


def test_a_program_from_before_reads_what_this_one_writes(kept: Path) -> None:
    """Those took every field by its name: one more would have been a traceback."""
    first = {"format", "version", "made_at", "database", "migrations", "tables"}
    first |= {"rows_sha256", "files_sha256", "files", "bytes", "lacking"}
    assert {each.name for each in dataclasses.fields(backup.Manifest)} == first
    assert json.loads(manifest(kept).read_text()).keys() == first


@pytest.mark.parametrize("name", ["web", "worker"])
def test_every_image_bears_the_commit_it_was_built_from(name: str) -> None:
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text(encoding="utf-8")
    assert "ARG REVISION=\nENV REKINDLE_REVISION=$REVISION\n" in text
    compose = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
    assert compose.count('REVISION: "${REVISION:-}"') == compose.count("args: {")
