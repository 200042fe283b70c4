"""Whoever makes work for a worker calls one, once the row is in; nobody waits for the sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celery.app.task import Task

from archive import batches, renditions, uploading
from archive.actions import SEVERAL_PAGES, answer_pages, read_again, receive_scan
from archive.batches import Origin
from archive.lifecycle import BatchState, PhotoState, SourceKind, UploadState
from archive.models import Collection, Photo, Rendition, Upload
from exhibit.actions import ask_for_evidence, publish_version
from exhibit.arranging import Words
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job, request_look
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db
Bells = list[tuple[str, Any]]
Rung = Callable[[Callable[[], Any]], Bells]


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def box(people: Cast) -> Collection:
    made = factories.collection()
    appoint(people.cora, made)
    return made


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Rung:
    """`rung(deed)`: the task and the id of each message that the deed sent when it was in."""
    heard: Bells = []

    def sent(task: Task, kwargs: dict[str, Any], **_where: Any) -> None:
        heard.append((task.name, *kwargs.values()))

    monkeypatch.setattr(Task, "apply_async", sent)

    def after(deed: Callable[[], Any]) -> Bells:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            deed()
            assert not heard, "before the row was in"
        return heard

    return after


# --- files that came in --------------------------------------------------------------------------
def test_a_scan_that_came_in_is_read(box: Collection, people: Cast, rung: Rung) -> None:
    def send() -> None:
        receive_scan(collection=box, chunks=[b"x"], filename="a.tif", by=people.cora, now=NOW)

    heard = rung(send)
    assert heard == [("archive.read_photo", Photo.objects.get().pk)]
    assert rung(send) == []


def set_aside(box: Collection, code: str) -> Photo:
    facts = {"pages": 3} if code == SEVERAL_PAGES else {}
    told = {"quarantine_code": code, "quarantine_facts": facts}
    return factories.photo(box, state=PhotoState.QUARANTINED, **told)


def test_a_file_that_is_to_be_read_again_is_read(box: Collection, people: Cast, rung: Rung) -> None:
    photo = set_aside(box, "damaged")
    heard = rung(lambda: read_again(photo=photo, by=people.cora, now=NOW))
    assert heard == [("archive.read_photo", photo.pk)]


def test_each_page_of_an_answered_file_is_read(box: Collection, people: Cast, rung: Rung) -> None:
    photo = set_aside(box, SEVERAL_PAGES)
    heard = rung(lambda: answer_pages(photo=photo, pages="photos", by=people.cora, now=NOW))
    pages = box.photos.order_by("page").values_list("pk", flat=True)
    assert len(pages) == 3
    assert sorted(heard) == [("archive.read_photo", pk) for pk in pages]


@pytest.mark.usefixtures("bytes_in_folder")
def test_an_upload_that_is_whole_is_hashed(box: Collection, people: Cast, rung: Rung) -> None:
    told: dict[str, Any] = {"collection": box, "by": people.cora, "filename": "a.tif"}
    upload = uploading.begin_upload(size=1, now=NOW, **told)
    heard = rung(lambda: uploading.finish_upload(upload=upload, now=NOW))
    assert heard == [("archive.settle_upload", upload.pk)]
    assert Upload.objects.get().state == UploadState.WHOLE


# --- batches -------------------------------------------------------------------------------------
ORIGIN = Origin(SourceKind.ZIP, "sources/none.zip", "none.zip")


def test_a_batch_is_worked_on_when_it_is_begun_and_when_it_is_taken(
    box: Collection, people: Cast, rung: Rung
) -> None:
    told: dict[str, Any] = {"by": people.cora, "now": NOW}
    heard = rung(lambda: batches.begin_batch(collection=box, origin=ORIGIN, **told))
    (batch,) = box.batches.all()
    mine = [("archive.work_on_batch", batch.pk)]
    assert heard == mine
    box.batches.update(state=BatchState.LOOKED)
    batch.refresh_from_db()
    assert rung(lambda: batches.take_batch(batch=batch, **told)) == mine
    box.batches.update(state=BatchState.FAILED)
    batch.refresh_from_db()
    assert rung(lambda: batches.retry_batch(batch=batch, **told)) == mine


# --- runs, tiles, evidence -----------------------------------------------------------------------
def test_a_run_that_was_asked_for_is_run(box: Collection, people: Cast, rung: Rung) -> None:
    photo = factories.photo(box)
    claim = claim_photo(photo=photo, by=people.vera, now=NOW)
    scan = scan_version(photo=photo, now=NOW)
    plan = Plan.from_json({"steps": [{"name": "tone"}]})
    asked: dict[str, Any] = {"source": scan, "by": people.vera, "fence": claim.pk, "plan": plan}
    heard = rung(lambda: request_job(now=NOW, **asked))
    assert heard == [("restoration.run_job", photo.jobs.get().pk)]


def test_a_new_photo_is_looked_at_once(box: Collection, rung: Rung) -> None:
    photo = factories.photo(box)
    heard = rung(lambda: request_look(photo=photo, now=NOW))
    assert heard == [("restoration.run_job", photo.jobs.get().pk)]
    assert rung(lambda: request_look(photo=photo, now=NOW)) == []


def test_tiles_are_made_of_a_few_at_once_and_of_one_that_somebody_waits_for(rung: Rung) -> None:
    def kept() -> None:
        for number in range(renditions.AT_ONCE + 1):
            renditions.note(f"{number:064}", now=NOW)

    heard = rung(kept)
    assert heard == [("archive.render", f"{number:064}") for number in range(renditions.AT_ONCE)]
    waits = f"{renditions.AT_ONCE:064}"
    assert Rendition.objects.filter(pk=waits, rung_at=None).exists()
    heard = rung(lambda: renditions.note(waits, now=NOW, hurry=True))
    assert heard == [("archive.render", waits)]


def test_evidence_that_was_asked_for_is_made(box: Collection, people: Cast, rung: Rung) -> None:
    version, _review = factories.accepted(factories.photo(box), people.vera, people.cora)
    words = Words(caption_en="The opening")
    room = factories.room(box)
    publication = publish_version(version=version, room=room, words=words, by=people.sten, now=NOW)
    heard = rung(lambda: ask_for_evidence(publication=publication, by=people.cora, now=NOW))
    assert heard == [("exhibit.make_evidence", publication.evidence.get().pk)]
