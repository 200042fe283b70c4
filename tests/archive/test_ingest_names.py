"""Which file a table means, and what no name or folder of a source may do to the others."""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import batch as worker
from archive import batches
from archive.batches import SILENT
from archive.models import Batch, Collection, Photo
from archive.policy import Refused
from archive.sources.folder import Folder
from archive.sources.source import Unreachable
from tests.archive.leaving import left_behind
from tests.archive.scans import scan
from tests.factories import collection
from tests.people import Cast, appoint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo: None)
    monkeypatch.setattr("archive.tasks._send_batch", lambda _batch: None)


@pytest.fixture
def box(people: Cast) -> Collection:
    made = collection(slug="games")
    appoint(people.cora, made)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2):
        (tmp_path / "scans" / f"box{number}").mkdir(parents=True)
        (tmp_path / "scans" / f"box{number}" / "001.jpg").write_bytes(scan(number))
    return tmp_path / "scans"


def ingest(source: Path, rows: str = "", **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    if rows:
        options["csv"] = source.parent / "rows.csv"
        options["csv"].write_text(rows, encoding="utf-8")
    with left_behind():
        call_command("ingest", str(source), collection="games", stdout=out, stderr=err, **options)
    return out.getvalue().splitlines()[-1], err.getvalue()


def packed(folder: Path, parted: str = "/") -> Path:
    """The folder as a ZIP, with whatever parts the folders in its names."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"box1{parted}"), b"")
        for each in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = each.relative_to(folder).as_posix().replace("/", parted)
            archive.writestr(zipfile.ZipInfo(name), each.read_bytes())
    return path


# --- which file is meant -------------------------------------------------------------------------
@pytest.mark.parametrize("as_zip", [False, True])
def test_a_name_that_several_files_have_gives_none_of_them_its_words(
    box: Collection, folder: Path, as_zip: bool
) -> None:
    digest = hashlib.sha256(scan(1)).hexdigest()
    rows = f"filename,title_en,sha256\n001.jpg,The opening,{digest}\n"
    said, err = ingest(packed(folder) if as_zip else folder, rows)
    assert said == "2 new"
    assert set(box.photos.values_list("title_en", flat=True)) == {""}
    assert "001.jpg fits 2 files; write its folder too." in err
    assert "it is not in the source" not in err


def test_a_path_means_its_own_file_whatever_else_its_end_fits(
    box: Collection, folder: Path
) -> None:
    (folder / "001.jpg").write_bytes(scan(3))
    rows = "filename,title_en\n001.jpg,Three\nbox1/001.jpg,One\n"
    said, err = ingest(folder, rows)
    assert said == "3 new"
    assert "fits" not in err
    titles = {photo.sha256: photo.title_en for photo in box.photos.all()}
    wanted = {1: "One", 2: "", 3: "Three"}
    assert titles == {hashlib.sha256(scan(n)).hexdigest(): title for n, title in wanted.items()}


def test_an_end_that_fits_one_file_is_enough(box: Collection, folder: Path) -> None:
    (folder / "box2" / "001.jpg").rename(folder / "box2" / "002.jpg")
    ingest(folder, "filename,title_en\n001.jpg,One\n002.jpg,Two\n")
    assert set(box.photos.values_list("title_en", flat=True)) == {"One", "Two"}


def test_a_zip_that_parts_its_folders_by_backslashes_keeps_its_table(
    box: Collection, folder: Path
) -> None:
    rows = "filename,title_en\nbox1/001.jpg,One\nbox2\\001.jpg,Two\n"
    (folder / "metadata.csv").write_text(rows)
    said, _err = ingest(packed(folder, parted="\\"))
    assert said == "2 new"
    assert set(box.photos.values_list("title_en", "filename")) == {
        ("One", "001.jpg"),
        ("Two", "001.jpg"),
    }


@pytest.mark.parametrize("ways", [("NFD", "NFC"), ("NFC", "NFD")])
@pytest.mark.parametrize("alone", [False, True])
def test_an_accent_written_as_a_mac_does_is_the_same_letter(
    box: Collection, folder: Path, ways: tuple[str, str], alone: bool
) -> None:
    there, told = (unicodedata.normalize(way, "été.jpg") for way in ways)
    (folder / there).write_bytes(scan(3))
    rows = f"filename,title_en\n{told},Summer\n"
    if alone:
        (folder / "list.csv").write_text(rows, encoding="utf-8")
        ingest(folder / "list.csv")
    else:
        ingest(folder, rows)
    assert Photo.objects.get(title_en="Summer").filename == there


# --- what cannot be written or read --------------------------------------------------------------
def test_a_name_that_is_not_utf8_costs_itself_only(
    box: Collection, folder: Path, tmp_path: Path
) -> None:
    name = os.fsdecode("开幕.jpg".encode("gb18030"))
    (folder / "box1" / name).write_bytes(scan(3))
    said, _err = ingest(folder, report=tmp_path / "report.csv")
    assert said == "2 new, 1 not taken"
    told = (tmp_path / "report.csv").read_text(encoding="utf-8-sig")
    assert "box1/开幕.jpg" in told
    assert "is not written in UTF-8. Rename it and take it in again." in told
    batch = Batch.objects.get()
    assert batch.state == "done"
    with pytest.raises(Refused, match="nothing-left"):
        batches.retry_batch(batch=batch, by=batch.begun_by, now=timezone.now())


def test_a_path_that_is_too_long_is_told_and_not_left_out(box: Collection, folder: Path) -> None:
    deep = folder.joinpath(*["幕" * 80] * 9)
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(scan(3))
    said, _err = ingest(folder)
    assert said == "2 new, 1 not taken"
    assert Batch.objects.get().files.get(code="name-too-long").filename.endswith("幕/a.jpg")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of folders that nobody may look into; the tests may run as root, who may always."""
    names: set[str] = set()
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if Path(os.fsdecode(path)).name in names:
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return names


def test_a_folder_that_may_not_be_read_is_told(
    box: Collection, folder: Path, closed: set[str]
) -> None:
    closed.add("box2")
    said, err = ingest(folder)
    assert said == "1 new, 1 not taken"
    assert "box2/: not taken. The file cannot be opened (Permission denied)." in err


def test_a_source_that_may_not_be_read_is_no_empty_one(
    box: Collection, folder: Path, closed: set[str]
) -> None:
    closed.add("scans")
    with pytest.raises(CommandError, match=r"There is no folder .*scans that can be read"):
        ingest(folder)
    assert Batch.objects.get().state == "failed"


def test_a_file_nobody_may_ask_for_is_told_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_file", nobody)
    found = [(each.place, each.size) for each in Folder(folder).find()]
    assert found == [("box1/001.jpg", 0), ("box2/001.jpg", 0)]


def test_links_to_folders_are_followed_once_and_by_the_operator_only(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "z.jpg").write_bytes(scan(3))
    (folder / "a link").symlink_to(tmp_path / "more")
    (folder / "again").symlink_to(folder / "box1")
    (folder / "box1" / "round").symlink_to(folder)
    real = ["box1/001.jpg", "box2/001.jpg"]
    assert [each.place for each in Folder(folder).find()] == ["a link/z.jpg", *real]
    assert [each.place for each in Folder(folder, confined=True).find()] == real


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EIO, "Input/output error"), "cannot-open"),
        (ValueError("nobody thought of it"), "our-fault"),
    ],
)
def test_a_list_that_breaks_off_ends_the_batch_and_is_not_rung_for_for_ever(
    cora: Client,
    folder: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
) -> None:
    def find(_source: Folder, _place: str = "") -> Iterator[Any]:
        raise error

    settings.INGEST_DIR = folder.parent
    monkeypatch.setattr(Folder, "find", find)
    fields = {"kind": "folder", "place": "scans"}
    assert cora.post(reverse("archive:batch-new", args=["games"]), fields).status_code == 302
    batch = Batch.objects.get()
    assert not worker.work_for_a_while(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.code) == ("failed", code)
    assert batches.sweep_batches(now=timezone.now() + 2 * SILENT) == 0


def test_a_folder_whose_bytes_are_asked_for_is_no_file(folder: Path) -> None:
    with pytest.raises(Unreachable, match="cannot-open"):
        b"".join(Folder(folder).chunks("box1/"))
