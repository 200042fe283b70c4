"""`manage.py ingest`: a folder and a table."""

from __future__ import annotations

import csv
import errno
import hashlib
import socket
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive.models import Batch, Collection, Event, Photo
from tests.archive.leaving import left_behind
from tests.archive.scans import broken, scan, tiff
from tests.factories import NOW, collection
from tests.people import appoint, person
from tests.services import addresses, buckets

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


def ingest(folder: Path | str, **options: Any) -> tuple[str, str]:
    """What the command prints; that it ends with 1 for what is left behind has tests of its own."""
    out, err = StringIO(), StringIO()
    words = {"collection": "games", "stdout": out, "stderr": err}
    with left_behind():
        call_command("ingest", str(folder), **words, **options)
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
    events = Event.objects.exclude(photo=None).count()
    out, _err = ingest(folder, wait=True)
    assert out.splitlines()[-1] == "3 already here, 1 in quarantine"
    assert Photo.objects.count() == 4
    assert Event.objects.exclude(photo=None).count() == events


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
    assert "a.jpg: not taken. “yesterday” cannot be read as a date." in err
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
        call_command("ingest", str(folder), collection="gmaes")
    with pytest.raises(CommandError, match="nobody called nemo"):
        ingest(folder, by="nemo")


def test_a_curator_may_take_them_in_and_a_volunteer_may_not(box: Collection, folder: Path) -> None:
    appoint(person("cora"), box)
    person("vera")
    with pytest.raises(CommandError, match="Only a curator of this collection"):
        ingest(folder, by="vera")
    assert not Photo.objects.exists()
    out, _err = ingest(folder, by="cora")
    assert out.splitlines()[-1] == "4 new"


# --- how it ends ---------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [{"wait": True}, {"dry_run": True}])
def test_scans_that_are_left_behind_end_the_command_with_1_behind_its_report(
    box: Collection, folder: Path, tmp_path: Path, how: dict[str, bool]
) -> None:
    (folder / "page.htm").write_bytes(b"<html>")
    out, report = StringIO(), tmp_path / "report.csv"
    words = {"collection": "games", "report": report, "stdout": out, "stderr": StringIO()}
    left = "1 file was" if "dry_run" in how else "2 files were"
    with pytest.raises(CommandError, match=f"{left} not taken or wait") as ended:
        call_command("ingest", str(folder), **words, **how)
    assert ended.value.returncode == 1
    assert "1 not taken" in out.getvalue().splitlines()[-1]
    assert "page.htm" in report.read_text(encoding="utf-8-sig")


def test_a_command_that_left_nothing_behind_ends_well(box: Collection, folder: Path) -> None:
    (folder / "bad.jpg").unlink()
    for how in ({"dry_run": True}, {"wait": True}, {"wait": True}):
        call_command("ingest", str(folder), collection="games", stdout=StringIO(), **how)


# --- words for what is here already --------------------------------------------------------------
def words_of(photo: Photo) -> tuple[str, str, str]:
    return photo.title_en, photo.date_edtf, photo.identifier


def test_a_row_that_was_put_right_is_written_to_its_photo_though_a_twin_came_in_first(
    box: Collection, folder: Path
) -> None:
    (folder / "copy-of-a.jpg").write_bytes(scan(1))
    head = "filename,title_en,date_edtf,identifier\n"
    _out, err = ingest(folder, csv=table(folder, f"{head}a.jpg,The opening,yesterday,1974/12\n"))
    assert "a.jpg: not taken. “yesterday” cannot be read as a date" in err
    photo = Photo.objects.get(filename="copy-of-a.jpg")
    assert words_of(photo) == ("", "", "")
    _out, err = ingest(folder, csv=table(folder, f"{head}a.jpg,The opening,1974,1974/12\n"))
    assert (
        "a.jpg: already here. Written down now, because nothing was there yet:"
        " title (English), date, identifier at the source."
    ) in err
    photo.refresh_from_db()
    assert words_of(photo) == ("The opening", "1974", "1974/12")
    event = Event.objects.get(photo=photo, verb="photo.described")
    assert event.actor is not None
    assert event.actor.username == "sten"
    assert event.facts["was"] == {"title_en": "", "date_edtf": "", "identifier": ""}


def test_what_somebody_wrote_stays_and_the_report_says_where_the_table_says_otherwise(
    box: Collection, folder: Path, tmp_path: Path
) -> None:
    ingest(folder, csv=table(folder, "filename,title_en\na.jpg,The opening\n"))
    rows = "filename,title_en,date_edtf\na.jpg,The closing,1974\n"
    told = "title (English) “The opening”, there “The closing”"
    _out, err = ingest(folder, csv=table(folder, rows), dry_run=True)
    assert "Would be written down, because nothing is there yet: date." in err
    assert told in err
    photo = Photo.objects.get(filename="a.jpg")
    assert words_of(photo) == ("The opening", "", "")
    _out, err = ingest(folder, csv=table(folder, rows), report=tmp_path / "report.csv")
    assert told in err
    photo.refresh_from_db()
    assert words_of(photo) == ("The opening", "1974", "")
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["file"] == "a.jpg")
    assert row["outcome"] == "already here"
    assert told in row["why"]


def test_a_table_that_says_the_same_again_writes_nothing(box: Collection, folder: Path) -> None:
    rows = table(folder, "filename,title_en\na.jpg,The opening\n")
    ingest(folder, csv=rows)
    events = Event.objects.exclude(photo=None).count()
    out, err = ingest(folder, csv=rows)
    assert "a.jpg: already here\n" in out
    assert "a.jpg" not in err
    assert Event.objects.exclude(photo=None).count() == events


def test_of_two_twins_in_a_source_the_one_with_a_row_is_the_photo(
    box: Collection, folder: Path
) -> None:
    (folder / "0-copy.jpg").write_bytes(scan(1))
    ingest(folder, csv=table(folder, "filename,title_en\na.jpg,The opening\n"))
    assert Photo.objects.get(title_en="The opening").filename == "a.jpg"
    assert not Photo.objects.filter(filename="0-copy.jpg").exists()


def test_further_pages_get_the_words_that_the_first_one_gets_now(
    box: Collection, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "a.tif").write_bytes(tiff(2))
    ingest(tmp_path / "box", wait=True, pages="photos")
    second = Photo.objects.get(page=2)
    Photo.objects.filter(pk=second.pk).update(title_en="The back")
    rows = "filename,title_en,identifier\na.tif,The front,1974/12\n"
    ingest(tmp_path / "box", wait=True, csv=table(tmp_path / "box", rows))
    assert [words_of(each) for each in Photo.objects.order_by("page")] == [
        ("The front", "", "1974/12"),
        ("The back", "", "1974/12"),
    ]


# --- other sources -------------------------------------------------------------------------------
def zipped(path: Path, files: dict[str, bytes], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content, **how)
    return path


def test_a_zip_is_taken_with_the_table_inside_it(box: Collection, tmp_path: Path) -> None:
    rows = "filename,title_zh\n开幕.jpg,开幕式\n"
    files = {"box/开幕.jpg": scan(1), "box/b.png": scan(2, suffix=".png"), "__MACOSX/x.jpg": b"x"}
    path = zipped(tmp_path / "box.zip", files | {"box/metadata.csv": rows.encode()})
    out, _err = ingest(path)
    assert out.splitlines()[-1] == "2 new"
    assert Photo.objects.get(title_zh="开幕式").filename == "开幕.jpg"


def test_the_names_in_a_zip_of_a_chinese_desk_are_read(box: Collection, tmp_path: Path) -> None:
    path = zipped(tmp_path / "box.zip", {"aaaa.jpg": scan(1)})
    # What a desk writes that does not say in which letters: GBK, without the mark for UTF-8.
    path.write_bytes(path.read_bytes().replace(b"aaaa.jpg", "开幕.jpg".encode("gb18030")))
    ingest(path)
    assert Photo.objects.get().filename == "开幕.jpg"


def test_what_is_wrong_with_a_zip_is_said(box: Collection, tmp_path: Path) -> None:
    path = tmp_path / "box.zip"
    path.write_bytes(b"PK not really")
    with pytest.raises(CommandError, match="not a ZIP file"):
        ingest(path)
    assert not Photo.objects.exists()


def test_a_damaged_file_in_a_zip_costs_itself_only(box: Collection, tmp_path: Path) -> None:
    path = tmp_path / "box.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.jpg", scan(1))
        archive.writestr("b.jpg", scan(2))
    content = bytearray(path.read_bytes())
    content[content.index(scan(2)[-200:])] ^= 0xFF
    path.write_bytes(bytes(content))
    out, err = ingest(path)
    assert out.splitlines()[-1] == "1 new, 1 not taken"
    assert "b.jpg: not taken. This file inside the ZIP is damaged." in err


def test_an_entry_that_promises_far_too_much_is_not_unpacked(
    box: Collection, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "bomb.zip", {"a.jpg": b"\xff\xd8\xff" + bytes(70 * 1024**2)})
    out, err = ingest(path)
    assert out.splitlines()[-1] == "1 not taken"
    assert "promises far more picture than it can hold" in err


def test_a_table_alone_takes_the_files_it_names(box: Collection, folder: Path) -> None:
    path = folder / "list.csv"
    path.write_text("filename,title_en\na.jpg,One\nbox 2/c.png,Three\ngone.jpg,Four\n")
    out, err = ingest(path)
    assert out.splitlines()[-1] == "2 new, 1 not taken"
    assert "gone.jpg: not taken. The table names this file" in err
    assert set(box.photos.values_list("title_en", flat=True)) == {"One", "Three"}


def test_a_folder_in_a_bucket_is_taken_where_the_operator_allows_it(
    box: Collection, bytes_in_s3: dict[str, str], settings: Any
) -> None:
    with buckets.bucket(addresses.s3()) as other:
        name = other["REKINDLE_S3_BUCKET"]
        s3 = buckets.client(addresses.s3())
        s3.put_object(Bucket=name, Key="box 1/a.jpg", Body=scan(1))
        s3.put_object(Bucket=name, Key="box 1/b.jpg", Body=b"<html>")
        s3.put_object(Bucket=name, Key="box 2/c.jpg", Body=scan(3))
        with pytest.raises(CommandError, match="not among those that the operator lets"):
            ingest(f"s3://{name}/box 1/")
        settings.INGEST_BUCKETS = [name, settings.S3_BUCKET]
        with pytest.raises(CommandError, match="not among those"):
            ingest(f"s3://{settings.S3_BUCKET}/")
        out, _err = ingest(f"s3://{name}/box 1/", dry_run=True)
        assert out.splitlines()[-1] == "1 not fetched yet, 1 not taken (dry run)"
        out, err = ingest(f"s3://{name}/box 1/", wait=True)
        assert out.splitlines()[-1] == "1 new, 1 not taken"
        assert "b.jpg: not taken. This is not a picture." in err
    assert Photo.objects.get().state == "ready"


# --- beginning, stopping, going on ---------------------------------------------------------------
def test_a_dry_run_says_how_to_go_on_and_that_takes_them_in(box: Collection, folder: Path) -> None:
    out, _err = ingest(folder, dry_run=True)
    assert out.splitlines()[-1] == "4 new (dry run)"
    batch = Batch.objects.get()
    assert f"manage.py ingest --batch {batch.pk} takes these in." in out
    out = StringIO()
    call_command("ingest", batch=batch.pk, stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[-1] == "4 new"
    assert Batch.objects.get().state == "done"


def test_the_same_file_twice_in_a_source_is_foretold_as_one(box: Collection, folder: Path) -> None:
    (folder / "z.jpg").write_bytes(scan(1))
    out, _err = ingest(folder, dry_run=True)
    assert out.splitlines()[-1] == "4 new, 1 already here (dry run)"
    out, _err = ingest(folder)
    assert out.splitlines()[-1] == "4 new, 1 already here"


def test_a_source_that_went_away_stops_the_batch_and_it_goes_on_when_it_is_back(
    box: Collection, folder: Path
) -> None:
    ingest(folder, dry_run=True)
    away = folder.rename(folder.with_name("away"))
    out = StringIO()
    batch = Batch.objects.get()
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("ingest", batch=batch.pk, stdout=out, stderr=StringIO())
    assert Batch.objects.get().state == "failed"
    away.rename(folder)
    call_command("ingest", batch=batch.pk, stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[-1] == "4 new"


def test_a_storage_that_is_full_stops_the_batch_and_blames_no_file(
    box: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(key: str, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("archive.storage.put_file", full)
        with pytest.raises(CommandError, match=r"cannot store anything.*No space left"):
            ingest(folder)
    assert not Photo.objects.exists()
    out, _err = ingest(folder)
    assert out.splitlines()[-1] == "4 new"


def test_a_storage_that_cannot_be_written_to_is_named_without_a_traceback(
    box: Collection,
    folder: Path,
    tmp_path: Path,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "taken").write_bytes(b"a file where the folder should be")
    place = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "taken")},
    }
    settings.STORAGES = settings.STORAGES | {"default": place}
    named = rf"cannot store anything now.*\({tmp_path / 'taken'}\S*: "
    with pytest.raises(CommandError, match=named):
        ingest(folder, wait=True)
    with pytest.raises(CommandError, match=named):
        ingest(folder, csv=table(folder, "filename\na.jpg\n"))
    assert str(tmp_path / "taken") in caplog.text
    assert "Traceback" not in caplog.text


def test_a_file_that_kills_its_reader_three_times_is_given_up(
    box: Collection, folder: Path
) -> None:
    ingest(folder, dry_run=True)
    batch = Batch.objects.get()
    batch.files.filter(filename="a.jpg").update(tries=3)
    Batch.objects.update(state="taking", taking_since=NOW)
    batch.files.update(step="listed")
    out, err = StringIO(), StringIO()
    with left_behind():
        call_command("ingest", batch=batch.pk, stdout=out, stderr=err)
    assert out.getvalue().splitlines()[-1] == "3 new, 1 not taken"
    assert "went away three times" in err.getvalue()


@pytest.mark.parametrize("is_reading", [True, False])
def test_a_scan_that_took_three_readers_is_given_up_and_not_read_for_ever(
    box: Collection, folder: Path, is_reading: bool
) -> None:
    ingest(folder, wait=True)
    batch, photo = Batch.objects.get(), Photo.objects.get(filename="bad.jpg")
    gone = f"{socket.gethostname()}:{2**22 + 1}"  # no process has so high a number
    batch.files.filter(photo=photo).update(held_by=gone)
    since = timezone.now() if is_reading else None
    Photo.objects.filter(pk=photo.pk).update(state="reading", reading_since=since, attempts=3)
    Batch.objects.update(state="taking", taking_since=NOW)
    with left_behind():
        call_command("ingest", batch=batch.pk, wait=True, stdout=StringIO(), stderr=StringIO())
    photo.refresh_from_db()
    assert (photo.state, photo.quarantine_code) == ("quarantined", "worker-lost")
    assert Batch.objects.get().state == "done"


def test_the_report_is_safe_to_open_in_a_spreadsheet(
    box: Collection, folder: Path, tmp_path: Path
) -> None:
    (folder / "=cmd|' !A0'.jpg").write_bytes(b"<html>")
    ingest(folder, report=tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5
    assert {row["file"]: row["outcome"] for row in rows}["a.jpg"] == "new"
    bad = next(row for row in rows if row["outcome"] == "not taken")
    assert bad["file"] == "'=cmd|' !A0'.jpg"
    assert bad["why"].startswith("This is not a picture.")
