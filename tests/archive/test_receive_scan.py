"""A file comes in."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import pytest

from archive import actions, ingest, storage
from archive.actions import receive_scan
from archive.lifecycle import PhotoState
from archive.models import Collection, Event, Photo
from archive.policy import Refused
from tests.archive.scans import scan, tiff
from tests.factories import NOW, collection
from tests.people import Cast, appoint, cast, person
from tests.races.together import together


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the photos for which a worker was called."""
    rung: list[int] = []
    monkeypatch.setattr("archive.tasks._send", rung.append)
    return rung


def receive(box: Any, by: Any, content: bytes = b"", **more: Any) -> tuple[Photo, bool]:
    sent = {"chunks": [content or scan()], "filename": "scan.jpg"} | more
    return receive_scan(collection=box, by=by, now=NOW, **sent)


@pytest.mark.django_db
def test_a_file_is_kept_as_it_came_and_a_worker_is_called(
    bells: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    people, box = cast(), collection()
    appoint(people.cora, box)
    with django_capture_on_commit_callbacks(execute=True):
        photo, new = receive(box, people.cora, chunks=[scan()[:100], scan()[100:]])
    assert new
    assert bells == [photo.pk]
    assert (photo.state, photo.added_by, photo.rung_at or NOW) == ("reading", people.cora, NOW)
    assert photo.sha256 == hashlib.sha256(scan()).hexdigest()
    with storage.open_key(storage.incoming_key(photo.sha256)) as stream:
        assert stream.read() == scan()
    event = Event.objects.get(photo=photo)
    assert (event.verb, event.actor) == ("photo.received", people.cora)
    assert event.facts["sha256"] == photo.sha256
    assert event.facts["size"] == len(scan())


@pytest.mark.django_db
def test_the_same_file_again_is_the_same_photo(bells: list[int]) -> None:
    people, box = cast(), collection()
    first, _new = receive(box, people.sten)
    again, new = receive(box, people.sten, filename="copy of scan.jpg")
    assert (again.pk, new) == (first.pk, False)
    assert again.filename == "scan.jpg"
    assert Event.objects.count() == 1


def lost(photo: Photo) -> Photo:
    """Its bytes go, and a worker finds out."""
    storage.delete(storage.incoming_key(photo.sha256))
    storage.put_bytes(storage.sheet_key("0" * 64), b"the disk is there")
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.quarantine_code) == ("quarantined", "lost-bytes")
    return photo


def a_lost_scan() -> tuple[Cast, Collection, Photo]:
    people, box = cast(), collection()
    photo, _new = receive(box, people.sten)
    return people, box, lost(photo)


@pytest.mark.django_db
def test_a_file_whose_bytes_are_gone_is_sent_again_as_the_page_says(
    bells: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    people, box, photo = a_lost_scan()
    with django_capture_on_commit_callbacks(execute=True):
        again, new = receive(box, people.sten, filename="copy of scan.jpg")
    assert (again.pk, new, again.state, again.quarantine_code) == (photo.pk, False, "reading", "")
    assert bells == [photo.pk]
    assert list(photo.events.filter(verb="photo.reading").values_list("actor", flat=True)) == [
        people.sten.pk
    ]
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.filename) == (PhotoState.READY, "scan.jpg")


@pytest.mark.django_db
def test_all_pages_whose_bytes_are_gone_come_back_with_the_file(bells: list[int]) -> None:
    people, box = cast(), collection()
    photo, _new = receive(box, people.sten, tiff(2), pages="photos")
    storage.delete(storage.incoming_key(photo.sha256))
    actions.unfold(photo=photo, count=2, by=people.sten, now=NOW)
    for page in box.photos.order_by("page"):
        lost(page)
    receive(box, people.sten, tiff(2))
    for page in box.photos.order_by("page"):
        ingest.read_photo(photo_id=page.pk)
    assert [each.state for each in box.photos.all()] == [PhotoState.READY] * 2


@pytest.mark.django_db
def test_whoever_reads_it_himself_calls_nobody(
    bells: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    people, box, _photo = a_lost_scan()
    with django_capture_on_commit_callbacks(execute=True):
        again, _new = receive(box, people.sten, ring=False)
    assert (again.state, bells) == (PhotoState.READING, [])


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["withdrawn", "other reason"])
def test_sending_it_again_wakes_nothing_else(state: str, bells: list[int]) -> None:
    people, box = cast(), collection()
    photo, _new = receive(box, people.sten)
    code = "lost-bytes" if state == "withdrawn" else "not-a-picture"
    actions.quarantine_photo(photo=photo, code=code, facts={}, now=NOW)
    if state == "withdrawn":
        actions.withdraw_photo(photo=photo, by=people.sten, reason="", now=NOW)
    again, new = receive(box, people.sten)
    assert (again.state, new) == (photo.state, False)


@pytest.mark.django_db
def test_the_same_file_in_another_collection_is_another_photo(bells: list[int]) -> None:
    people = cast()
    first, _new = receive(collection(), people.sten)
    second, new = receive(collection(), people.sten)
    assert new
    assert first.pk != second.pk


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["vera", "clive"])
def test_only_a_curator_of_this_collection_sends_scans(who: str, bells: list[int]) -> None:
    people, box, elsewhere = cast(), collection(), collection()
    appoint(people.clive, elsewhere)
    with pytest.raises(Refused) as refused:
        receive(box, getattr(people, who))
    assert refused.value.code == "not-curator"
    assert not Photo.objects.exists()


@pytest.mark.django_db
def test_a_file_past_the_limit_leaves_nothing_behind(bells: list[int], settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024**2
    people, box = cast(), collection()
    with pytest.raises(Refused) as refused:
        receive(box, people.sten, chunks=(b"x" * 400_000 for _ in range(3)))
    assert refused.value.code == "too-large"
    assert "1 MB" in str(refused.value.message)
    assert not Photo.objects.exists()


@pytest.mark.django_db
def test_an_empty_file_is_refused_with_a_sentence(bells: list[int]) -> None:
    with pytest.raises(Refused) as refused:
        receive(collection(), cast().sten, chunks=[])
    assert str(refused.value.message) == "The file is empty."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\scans\\box 1\\a.tif", "a.tif"),
        ("../../etc/passwd", "passwd"),
        ("nul\0byte.jpg", "nulbyte.jpg"),
        ("x" * 300 + ".tif", "x" * 251 + ".tif"),
        ("开幕式.tif", "开幕式.tif"),
    ],
)
def test_a_file_name_is_kept_as_data_only(sent: str, kept: str, bells: list[int]) -> None:
    photo, _new = receive(collection(), cast().sten, filename=sent)
    assert photo.filename == kept


@pytest.mark.django_db
def test_a_description_may_come_along(bells: list[int]) -> None:
    told = {"title_zh": "开幕式", "date_edtf": "1974-09"}
    photo, _new = receive(collection(), cast().sten, describe=told)
    photo.refresh_from_db()
    assert (photo.title_zh, photo.date_edtf) == ("开幕式", "1974-09")


@pytest.mark.django_db
def test_a_file_with_a_bad_description_is_not_kept(bells: list[int]) -> None:
    with pytest.raises(Refused) as refused:
        receive(collection(), cast().sten, describe={"date_edtf": "harvest 1974"})
    assert refused.value.code == "date-not-edtf"
    assert not Photo.objects.exists()


@pytest.mark.django_db
def test_a_broker_that_is_down_does_not_lose_the_file(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def down(**_words: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr("archive.tasks.read_photo.apply_async", down)
    with django_capture_on_commit_callbacks(execute=True):
        photo, _new = receive(collection(), cast().sten)
    assert photo.state == PhotoState.READING


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_eight_hands_with_one_file_make_one_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    sten, box = person("sten", is_steward=True), collection()
    for seed in range(5):
        content = scan(seed)
        results = together([partial(receive, box, sten, content) for _ in range(8)])
        assert len({photo.pk for photo, _new in results}) == 1
        assert [new for _photo, new in results].count(True) == 1
    assert Photo.objects.count() == 5
    assert Event.objects.filter(verb="photo.received").count() == 5
