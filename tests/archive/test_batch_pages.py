"""The pages of batches, through their addresses; the worker's slices are done here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive import batch as worker
from archive import batches, ingest, progress, storage
from archive.lifecycle import BatchState
from archive.models import Batch, BatchFile, Collection, Event, Photo
from archive.policy import Refused
from restoration.holdings import named
from tests import factories
from tests.archive.scans import broken, scan, tiff, zipped
from tests.people import Cast, appoint
from tests.services import web_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batches for which a worker was called."""
    called: list[int] = []
    monkeypatch.setattr("archive.tasks._send", lambda _photo: None)
    monkeypatch.setattr("archive.tasks._send_batch", called.append)
    return called


@pytest.fixture
def box(people: Cast) -> Collection:
    made = factories.collection(slug="games")
    appoint(people.cora, made)
    return made


@pytest.fixture
def there(settings: Any) -> Iterator[web_server.Web]:
    with web_server.serving() as found:
        settings.INGEST_PRIVATE_HOSTS = [urlsplit(found.address).netloc]
        yield found


def a_zip(files: dict[str, bytes]) -> SimpleUploadedFile:
    return SimpleUploadedFile("box 12.zip", zipped(files))


def begin(client: Client, **fields: Any) -> Any:
    return client.post(reverse("archive:batch-new", args=["games"]), fields)


def slices(batch: Batch) -> None:
    """What workers do until there is nothing to do."""
    while worker.work_for_a_while(batch_id=batch.pk):
        pass


def page(client: Client, batch: Batch, **asked: Any) -> str:
    answer = client.get(reverse("archive:batch", args=["games", batch.pk]), **asked)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return str(answer.content.decode())


def press(client: Client, batch: Batch, verb: str) -> int:
    address = reverse("archive:batch-move", args=["games", batch.pk, verb])
    return int(client.post(address).status_code)


def test_a_zip_is_looked_through_and_taken_in_when_the_curator_says_so(
    cora: Client,
    box: Collection,
    calls: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    files = {"a.jpg": scan(1), "b.jpg": broken(), "c.htm": b"<html>"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = begin(cora, kind="zip", file=a_zip(files))
    batch = Batch.objects.get()
    assert answer.url == reverse("archive:batch", args=["games", batch.pk])
    assert calls == [batch.pk]
    slices(batch)
    assert not Photo.objects.exists()
    told = page(cora, batch)
    assert "Nothing has been taken in yet." in told
    assert "This is not a picture." in told
    assert press(cora, batch, "take") == 302
    slices(batch)
    assert sorted(box.photos.values_list("filename", "state")) == [
        ("a.jpg", "ready"),
        ("b.jpg", "quarantined"),
    ]
    told = page(cora, batch)
    assert "breaks off before its end" in told
    # What could not be taken may be tried again, so the ZIP is kept until the batch is closed.
    assert default_storage.exists(Batch.objects.get().place)
    with django_capture_on_commit_callbacks(execute=True):
        press(cora, batch, "close")
    assert not default_storage.exists(Batch.objects.get().place)
    verbs = Event.objects.filter(collection=box).values_list("verb", flat=True).order_by("pk")
    assert list(verbs) == [
        "batch.begun",
        "batch.looked",
        "batch.taking",
        "batch.done",
        "batch.closed",
    ]


def test_a_zip_of_which_all_is_in_is_let_go_of(cora: Client, box: Collection) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch = Batch.objects.get()
    assert batch.place in named()  # a backup has it while it is needed
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    assert not default_storage.exists(batch.place)
    assert batch.place not in named()


def test_a_table_that_cannot_be_used_is_said_before_anything_begins(
    cora: Client, box: Collection
) -> None:
    table = SimpleUploadedFile("t.csv", b"name\na.jpg\n")
    answer = begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}), table=table)
    assert answer.status_code == 422
    assert "no column “filename”" in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_table_beside_a_zip_describes_the_scans(cora: Client, box: Collection) -> None:
    table = SimpleUploadedFile("t.csv", "filename,title_zh\na.jpg,开幕式\n".encode())
    begin(cora, kind="zip", file=a_zip({"x/a.jpg": scan(1)}), table=table)
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    assert Photo.objects.get().title_zh == "开幕式"


def test_the_page_says_where_a_table_says_otherwise_than_what_is_here(
    cora: Client, box: Collection
) -> None:
    for said in ("Opening,", "Closing,1974"):
        table = SimpleUploadedFile("t.csv", f"filename,title_en,date_edtf\na.jpg,{said}".encode())
        begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}), table=table)
        batch = Batch.objects.latest("pk")
        slices(batch)
        press(cora, batch, "take")
        slices(batch)
    told = page(cora, batch)
    assert "Written down now, because nothing was there yet: date." in told
    assert "title (English) “Opening”, there “Closing”" in told
    photo = Photo.objects.get()
    assert (photo.title_en, photo.date_edtf) == ("Opening", "1974")
    event = Event.objects.get(photo=photo, verb="photo.described")
    assert event.actor == batch.begun_by


def test_a_folder_is_taken_from_where_the_operator_put_it_and_from_nowhere_else(
    cora: Client, box: Collection, settings: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "secret.jpg"
    outside.write_bytes(scan(9))
    settings.INGEST_DIR = tmp_path / "out"
    (settings.INGEST_DIR / "box").mkdir(parents=True)
    (settings.INGEST_DIR / "box" / "a.jpg").write_bytes(scan(1))
    (settings.INGEST_DIR / "box" / "link.jpg").symlink_to(outside)
    for place in ("../", "/etc", "no such"):
        assert begin(cora, kind="folder", place=place).status_code == 422
    assert begin(cora, kind="folder", place="box").status_code == 302
    batch = Batch.objects.get()
    slices(batch)
    assert list(batch.files.values_list("filename", "outcome")) == [("a.jpg", "new")]


def test_what_the_operator_has_not_allowed_is_not_offered(
    cora: Client, box: Collection, settings: Any
) -> None:
    address = reverse("archive:batch-new", args=["games"])
    told = cora.get(address).content.decode()
    assert 'value="zip"' in told
    assert 'value="manifest"' not in told
    assert "once whoever runs the site has allowed them" in told
    assert begin(cora, kind="manifest", place="https://iiif.example.org/m").status_code == 422
    assert begin(cora, kind="bucket", place="s3://scans/").status_code == 422
    assert not Batch.objects.exists()


def test_a_table_of_addresses_is_fetched(
    cora: Client, box: Collection, there: web_server.Web
) -> None:
    there.says["/scans/1.jpg"] = scan(1)
    rows = f"url,title_en\n{there.address}/scans/1.jpg,One\n{there.address}/gone.jpg,Two\n"
    begin(cora, kind="table", table=SimpleUploadedFile("list.csv", rows.encode()))
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    photo = Photo.objects.get()
    assert (photo.filename, photo.title_en, photo.state) == ("1.jpg", "One", "ready")
    assert "The other side answers 404" in page(cora, batch)


def test_a_batch_that_is_stopped_goes_on_where_it_was(cora: Client, box: Collection) -> None:
    begin(cora, kind="zip", file=a_zip({f"{n}.jpg": scan(n) for n in range(3)}))
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    batch.refresh_from_db()
    # A curator stops it after the first file.
    stops = worker.hand(reads=False, tell=lambda _file: press(cora, batch, "stop") and None)
    worker.work(batch, stops)
    assert Photo.objects.count() == 1
    assert "Go on" in page(cora, batch)
    press(cora, batch, "take")
    batch.refresh_from_db()
    worker.work(batch, worker.hand(reads=False))
    assert Photo.objects.count() == 3
    assert Batch.objects.get().state == "done"


def test_two_who_press_at_once_begin_one_batch(cora: Client, box: Collection) -> None:
    sent = a_zip({"a.jpg": scan(1)})
    begin(cora, kind="zip", file=sent)
    sent.seek(0)
    begin(cora, kind="zip", file=sent)
    batch = Batch.objects.get()
    slices(batch)
    assert press(cora, batch, "take") == 302
    events = Event.objects.filter(verb="batch.taking").count()
    press(cora, batch, "take")
    assert Event.objects.filter(verb="batch.taking").count() == events


def test_what_was_not_taken_is_tried_again(
    cora: Client, box: Collection, there: web_server.Web
) -> None:
    rows = f"url\n{there.address}/1.jpg\n"
    begin(cora, kind="table", table=SimpleUploadedFile("list.csv", rows.encode()))
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    assert "Try once more" in page(cora, batch)
    there.says["/1.jpg"] = scan(1)
    press(cora, batch, "again")
    slices(batch)
    assert Photo.objects.get().state == "ready"
    assert "Try once more" not in page(cora, batch)


def test_the_page_asks_for_its_moving_part_only_while_it_moves(
    cora: Client, box: Collection
) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch = Batch.objects.get()
    part = page(cora, batch, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 3s"' in part
    assert "<html" not in part
    slices(batch)
    assert "hx-trigger" not in page(cora, batch)


def focusable(part: str) -> list[str]:
    """The id of whatever the keyboard can stand on, or nothing."""
    tags = re.findall(r"<(?:a|button|summary|select|textarea)\b[^>]*>", part)
    return ["".join(re.findall(r'\bid="([^"]*)"', tag)) for tag in tags]


def test_whoever_stands_on_a_button_of_the_moving_part_is_led_back_to_it(
    cora: Client, box: Collection
) -> None:
    """It is replaced every few seconds, and the focus is given back by an id alone."""
    begin(cora, kind="zip", file=a_zip({"a.tif": tiff(2), "b.jpg": scan(1), "c.jpg": broken()}))
    batch = Batch.objects.get()
    asked = {"HX-Request": "true"}
    assert focusable(page(cora, batch, headers=asked)) == ["batch-close"]
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    Batch.objects.update(state="taking")
    first, again = (focusable(page(cora, batch, headers=asked)) for _ in range(2))
    assert first == again
    assert {"batch-stop", "batch-report", "batch-pages-photos", "batch-outcome-new"} <= {*first}
    assert "" not in first
    assert len({*first}) == len(first)


def test_the_table_of_files_comes_anew_when_the_batch_stands_still(
    cora: Client, box: Collection
) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch = Batch.objects.get()
    slices(batch)
    address = reverse("archive:batch", args=["games", batch.pk])
    assert cora.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_batch_without_news_offers_nothing_to_take(cora: Client, box: Collection) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": b"not a picture"}))
    batch = Batch.objects.get()
    slices(batch)
    told = page(cora, batch)
    assert "Nothing in it is new." in told
    assert "Take these in" not in told


def test_the_report_is_a_table_that_calculates_nothing(cora: Client, box: Collection) -> None:
    begin(cora, kind="zip", file=a_zip({"=1+1.jpg": scan(1), "-x.htm": b"<html>"}))
    batch = Batch.objects.get()
    slices(batch)
    address = reverse("archive:batch-report", args=["games", batch.pk])
    answer = cora.get(address)
    assert answer["Content-Disposition"] == f'attachment; filename="games-{batch.pk}.csv"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["file"] for row in rows] == ["'-x.htm", "'=1+1.jpg"]
    assert [row["outcome"] for row in rows] == ["not taken", "new"]


def test_a_batch_nobody_works_on_is_called_for_again_and_says_so(
    cora: Client,
    box: Collection,
    calls: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch, later = Batch.objects.get(), timezone.now() + timedelta(minutes=3)
    calls.clear()
    assert progress.is_silent(batch, later)
    with django_capture_on_commit_callbacks(execute=True):
        assert batches.sweep_batches(now=later) == 1
        assert batches.sweep_batches(now=later) == 0
    assert calls == [batch.pk]


def test_a_curator_who_was_dismissed_takes_in_nothing_more(
    cora: Client, box: Collection, people: Cast
) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    box.curatorships.all().delete()
    slices(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.code) == (BatchState.FAILED, "not-curator")
    assert not Photo.objects.exists()


def test_the_pages_ask_the_database_the_same_whatever_is_in_them(
    cora: Client, box: Collection
) -> None:
    counts = []
    for files in (2, 6):
        begin(cora, kind="zip", file=a_zip({f"{files}-{n}.jpg": scan(n) for n in range(files)}))
        batch = Batch.objects.order_by("pk").last()
        assert batch is not None
        slices(batch)
        for file in batch.files.all():
            BatchFile.objects.filter(pk=file.pk).update(photo=factories.photo(box))
        for address in (
            reverse("archive:batches", args=["games"]),
            reverse("archive:batch", args=["games", batch.pk]),
        ):
            with CaptureQueriesContext(connection) as seen:
                cora.get(address)
            counts.append(len(seen))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 11


def test_rate_and_time_left_are_told_while_it_goes(cora: Client, box: Collection) -> None:
    begin(cora, kind="zip", file=a_zip({"a.jpg": scan(1)}))
    batch, now = Batch.objects.get(), timezone.now()
    Batch.objects.update(state="taking", taking_since=now - timedelta(seconds=100), listed_at=now)
    rows = [
        BatchFile(
            batch=batch,
            place=str(n),
            filename="x",
            step="settled" if n < 50 else "listed",
            outcome="new" if n < 50 else "",
            settled_at=now - timedelta(seconds=n) if n < 50 else None,
        )
        for n in range(350)
    ]
    BatchFile.objects.bulk_create(rows)
    batch.refresh_from_db()
    far = progress.of(batch, now)
    assert (far.done, far.total, far.rate) == (50, 350, 0.5)
    assert progress.sentence(far) == "50 of 350, 0.5 a second, about 10 minutes left"


def test_a_key_of_a_source_is_not_kept_for_ever() -> None:
    storage.put_bytes(storage.source_key("a" * 64, ".zip"), b"x")
    storage.delete(storage.source_key("a" * 64, ".zip"))


# --- files of several pages ----------------------------------------------------------------------
def taken(cora: Client, files: dict[str, bytes]) -> Batch:
    """A batch whose files have been taken in and read."""
    begin(cora, kind="zip", file=a_zip(files))
    batch = Batch.objects.get()
    slices(batch)
    press(cora, batch, "take")
    slices(batch)
    return batch


def test_one_answer_counts_for_all_files_that_wait(
    cora: Client, box: Collection, people: Cast
) -> None:
    batch = taken(cora, {"a.tif": tiff(2), "b.tif": tiff(3), "c.tif": tiff(4), "d.jpg": scan(1)})
    told = page(cora, batch)
    address = reverse("archive:batch-pages", args=["games", batch.pk])
    assert "3 files have several pages and wait." in told
    assert address in told
    answer = cora.post(address, {"pages": "sides"}, follow=True)
    assert "The pages of 2 files are being read." in answer.text
    assert "1 file still waits" in answer.text
    for photo in box.photos.filter(state="reading").order_by("page"):
        ingest.read_photo(photo_id=photo.pk)
    states = box.photos.filter(filename__in=("a.tif", "c.tif")).values_list("state", flat=True)
    assert sorted(states) == ["on_hold"] * 3 + ["ready"] * 3
    assert box.photos.get(filename="b.tif").state == "quarantined"
    told = Event.objects.get(verb="batch.pages")
    assert (told.actor, told.facts["pages"], told.facts["files"]) == (people.cora, "sides", 2)
    batch.refresh_from_db()
    assert batch.pages_are == "sides"
    cora.post(address, {"pages": "photos"})
    assert box.photos.filter(filename="b.tif").count() == 3


def test_no_answer_changes_nothing(cora: Client, box: Collection) -> None:
    batch = taken(cora, {"a.tif": tiff(2)})
    address = reverse("archive:batch-pages", args=["games", batch.pk])
    answer = cora.post(address, {"pages": "leaves"}, follow=True)
    assert "Choose what the pages are." in answer.text
    batch.refresh_from_db()
    assert (batch.pages_are, box.photos.get().state) == ("", "quarantined")


def test_who_may_not_decide_here_answers_nothing(
    cora: Client, box: Collection, people: Cast
) -> None:
    batch = taken(cora, {"a.tif": tiff(2)})
    cora.force_login(people.vera)
    address = reverse("archive:batch-pages", args=["games", batch.pk])
    assert cora.post(address, {"pages": "photos"}).status_code == 404
    with pytest.raises(Refused):
        batches.answer_batch_pages(batch=batch, pages="photos", by=people.vera, now=timezone.now())
    assert box.photos.get().state == "quarantined"


# --- what failed ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.jpg": b"x", "metadata.csv": b"name\na.jpg"}, "its table cannot be read"),
        ({"a.jpg": b"x", "metadata.csv": b""}, "its table cannot be read"),
        ({}, "its source cannot be used"),
    ],
)
def test_the_badge_names_what_failed(cora: Client, files: dict[str, bytes], said: str) -> None:
    sent = a_zip(files) if files else SimpleUploadedFile("no.zip", b"no zip at all")
    begin(cora, kind="zip", file=sent)
    batch = Batch.objects.get()
    slices(batch)
    listed = cora.get(reverse("archive:batches", args=["games"])).text
    for told in (page(cora, batch), listed):
        assert said in told
        assert "cannot be reached" not in told
