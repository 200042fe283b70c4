"""`manage.py ingest`: a folder and a table."""

from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive.models import Collection, Event, Photo
from tests.archive.scans import broken, scan
from tests.factories import collection
from tests.people import appoint, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr("archive.tasks._send", rung.append)
    return rung


@pytest.fixture
def box() -> Collection:
    person("sten", is_steward=True)
    return collection(slug="games")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scans" / "box 2").mkdir(parents=True)
    (tmp_path / "scans" / "a.jpg").write_bytes(scan(1))
    (tmp_path / "scans" / "b.tif").write_bytes(scan(2, suffix=".tif"))
    (tmp_path / "scans" / "box 2" / "c.png").write_bytes(scan(3, suffix=".png"))
    (tmp_path / "scans" / "bad.jpg").write_bytes(broken())
    (tmp_path / "scans" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "scans"


def ingest(folder: Path, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("ingest", folder, collection="games", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder.parent / "metadata.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_folder_is_taken_and_what_is_bad_is_told(box: Collection, folder: Path) -> None:
    out, err = ingest(folder, wait=True)
    assert out.splitlines()[-1] == "3 new, 1 in quarantine"
    assert "bad.jpg: in quarantine. The file breaks off before its end." in err
    assert sorted(box.photos.values_list("filename", "state")) == [
        ("a.jpg", "ready"),
        ("b.tif", "ready"),
        ("bad.jpg", "quarantined"),
        ("c.png", "ready"),
    ]


def test_doing_it_again_adds_nothing(box: Collection, folder: Path) -> None:
    ingest(folder, wait=True)
    events = Event.objects.count()
    out, _err = ingest(folder, wait=True)
    assert out.splitlines()[-1] == "3 already here, 1 in quarantine"
    assert Photo.objects.count() == 4
    assert Event.objects.count() == events


def test_without_wait_a_worker_is_called_for_each(
    box: Collection,
    folder: Path,
    bells: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ingest(folder)
    assert sorted(bells) == sorted(box.photos.values_list("pk", flat=True))


def test_a_dry_run_changes_nothing_and_tells_what_it_can(box: Collection, folder: Path) -> None:
    (folder / "page.htm").write_bytes(b"<html>")
    rows = "filename,date_edtf\na.jpg,yesterday\nmissing.tif,1974\n"
    out, err = ingest(folder, dry_run=True, csv=table(folder, rows))
    assert out.splitlines()[-1] == "3 new, 3 not taken (dry run)"
    assert "page.htm: not taken. This is not a picture." in err
    assert "a.jpg: not taken. “yesterday” is not a date in EDTF." in err
    assert "missing.tif: not taken. The table names this file" in err
    assert not Photo.objects.exists()


def test_a_table_describes_the_files(box: Collection, folder: Path) -> None:
    digest = hashlib.sha256(scan(1)).hexdigest()
    rows = (
        "Filename,title_en,title_zh,identifier,date_edtf,sha256\n"
        f"a.jpg,The opening,开幕式,1974/12,1974-09-01,{digest.upper()}\n"
        "box 2/c.png,Football,足球,1974/13,197X~,\n"
    )
    ingest(folder, csv=table(folder, rows))
    photo = Photo.objects.get(identifier="1974/12")
    assert (photo.title_en, photo.title_zh, photo.date_edtf) == (
        "The opening",
        "开幕式",
        "1974-09-01",
    )
    assert Photo.objects.get(filename="c.png").title_zh == "足球"


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("gb18030", ";"), ("utf-8", "\t")]
)
def test_a_table_as_spreadsheets_write_it(
    box: Collection, folder: Path, encoding: str, delimiter: str
) -> None:
    rows = delimiter.join(("filename", "title_zh")) + "\r\n" + delimiter.join(("a.jpg", "开幕式"))
    ingest(folder, csv=table(folder, rows, encoding))
    assert Photo.objects.get(filename="a.jpg").title_zh == "开幕式"


def test_a_file_that_changed_on_its_way_is_not_taken(box: Collection, folder: Path) -> None:
    rows = f"filename,sha256\na.jpg,{'0' * 64}\n"
    _out, err = ingest(folder, csv=table(folder, rows))
    assert "a.jpg: not taken. The file's sha256 is not the one in the table" in err
    assert not Photo.objects.filter(filename="a.jpg").exists()


def test_what_is_odd_about_a_table_is_named(box: Collection, folder: Path) -> None:
    rows = "filename,titel_en\na.jpg,one\na.jpg,two\n,three\n"
    out, err = ingest(folder, csv=table(folder, rows))
    assert "not known and were left out: titel_en." in err
    assert "Row 3 names a.jpg again; the first row counts." in err
    assert out.splitlines()[-1] == "4 new"


def test_a_table_without_the_one_column_it_needs_stops_everything(
    box: Collection, folder: Path
) -> None:
    with pytest.raises(CommandError, match="no column “filename”"):
        ingest(folder, csv=table(folder, "name,title_en\na.jpg,x\n"))
    assert not Photo.objects.exists()


def test_an_unknown_collection_or_person_is_answered_with_a_sentence(
    box: Collection, folder: Path
) -> None:
    with pytest.raises(CommandError, match="There are: games"):
        call_command("ingest", folder, collection="gmaes")
    with pytest.raises(CommandError, match="nobody called nemo"):
        ingest(folder, by="nemo")


def test_a_curator_may_take_them_in_and_a_volunteer_may_not(box: Collection, folder: Path) -> None:
    appoint(person("cora"), box)
    person("vera")
    out, _err = ingest(folder, by="vera")
    assert out.splitlines()[-1] == "4 not taken"
    out, _err = ingest(folder, by="cora")
    assert out.splitlines()[-1] == "4 new"
