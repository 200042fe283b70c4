"""The oracle of tests.benchmarks.faults sees each wrong that it is there for, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from archive import ingest, storage
from archive.lifecycle import PhotoState
from archive.models import Event, Photo, Rendition
from restoration import leases
from restoration.lifecycle import JobKind, JobState, VersionKind
from restoration.models import Attempt, Job, Preview, Version
from restoration.purses import CLOSING, Entry
from tests import factories
from tests.benchmarks.faults import report
from tests.benchmarks.faults.oracle import Verdict, judge
from tests.benchmarks.faults.report import Part, Told
from tests.benchmarks.faults.rounds import Round, prepared
from tests.benchmarks.faults.strikes import STRIKES


@pytest.fixture
def done(db: None) -> Round:
    """A round that went well; what the engine would have made is any picture."""
    done = Round(1, "a fault")
    with transaction.atomic():
        for ask in prepared(1, done):
            ask()
    ingest.read_photo(photo_id=done.photos[0])
    for job in Job.objects.filter(state=JobState.QUEUED):
        _made(job)
    return done


def _made(job: Job) -> Version | None:
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    kind = {JobKind.RESTORE: VersionKind.MACHINE, JobKind.RETOUCH: VersionKind.RETOUCH}[job.kind]
    made = leases.NewVersion(kind, factories.stored(factories.picture(job.pk)), 128, 96)
    return leases.finish(job=held, made=made, now=timezone.now())


def wrongs(found: Verdict) -> dict[str, int]:
    kinds = ("lost", "doubled", "changed", "illegal")
    return {kind: len(getattr(found, kind)) for kind in kinds if getattr(found, kind)}


def a_run() -> Job:
    return Job.objects.get(kind=JobKind.RESTORE)


def overwrite(key: str) -> None:
    default_storage.delete(key)
    default_storage.save(key, ContentFile(b"somebody else's"))


def an_original(done: Round) -> str:
    return storage.original_key(next(iter(done.originals)))


# Each is planted alone, and found where it belongs.
def a_job_that_vanished(done: Round) -> None:
    done.jobs.append(Job.objects.latest("pk").pk + 1)


def a_job_that_failed(done: Round) -> None:
    Job.objects.filter(pk=a_run().pk).update(state=JobState.FAILED)


def a_job_that_nobody_asked_of_the_rounds(done: Round) -> None:
    Job.objects.create(
        photo=a_run().photo, kind=JobKind.ASSESS, requested_at=timezone.now(), attempt=0
    )


def an_upload_that_waits_for_ever(done: Round) -> None:
    Photo.objects.filter(pk=done.photos[0]).update(state=PhotoState.READING)


def an_upload_that_was_refused(done: Round) -> None:
    Photo.objects.filter(pk=done.photos[0]).update(state=PhotoState.QUARANTINED)


def a_version_made_twice(done: Round) -> None:
    first = Version.objects.get(job=a_run())
    Version.objects.create(
        photo=first.photo,
        number=first.number + 1,
        parent=first.parent,
        kind=first.kind,
        sha256=first.sha256,
        width=first.width,
        height=first.height,
        made_by=first.made_by,
        made_at=first.made_at,
    )


def an_original_overwritten(done: Round) -> None:
    overwrite(an_original(done))


def an_original_deleted(done: Round) -> None:
    default_storage.delete(an_original(done))


def a_version_overwritten(done: Round) -> None:
    overwrite(storage.working_key(Version.objects.get(job=a_run()).sha256))


def a_version_deleted(done: Round) -> None:
    default_storage.delete(storage.working_key(Version.objects.get(job=a_run()).sha256))


def a_try_without_an_end(done: Round) -> None:
    Attempt.objects.filter(job=a_run()).update(ended_at=None, outcome="")


def a_try_that_is_not_counted(done: Round) -> None:
    Job.objects.filter(pk=a_run().pk).update(attempt=2)


def a_strike_too_many(done: Round) -> None:
    Job.objects.filter(pk=a_run().pk).update(strikes=1)


def a_job_that_is_over_and_held(done: Round) -> None:
    Job.objects.filter(pk=a_run().pk).update(lease_until=timezone.now())


def a_job_without_its_version(done: Round) -> None:
    Job.objects.filter(pk=a_run().pk).update(version=None)


def a_move_that_the_table_does_not_have(done: Round) -> None:
    a_run().record("queued", by=None, at=timezone.now(), facts={})


def a_history_without_an_end(done: Round) -> None:
    Event.objects.filter(verb="job.succeeded", facts__id=a_run().pk).delete()


def a_picture_left_behind(done: Round) -> None:
    Preview.objects.create(job=a_run(), picture=b"jpeg", width=1, height=1, made_at=timezone.now())


def tiles_given_up(done: Round) -> None:
    Rendition.objects.filter(pk=Rendition.objects.first().pk).update(given_up=1)


def time_that_stays_reserved(done: Round) -> None:
    Entry.objects.filter(kind__in=CLOSING, job=a_run()).delete()


def a_count_that_went_astray(done: Round) -> None:
    from restoration.models import Standing

    Standing.objects.filter(photo=a_run().photo).update(accepted=7)


PLANTED: list[tuple[Callable[[Round], None], set[str]]] = [
    (a_job_that_vanished, {"lost"}),
    (a_job_that_failed, {"lost", "illegal"}),
    (a_job_that_nobody_asked_of_the_rounds, {"lost", "illegal"}),
    (an_upload_that_waits_for_ever, {"lost"}),
    (an_upload_that_was_refused, {"lost"}),
    (a_version_made_twice, {"doubled"}),
    (an_original_overwritten, {"changed"}),
    (an_original_deleted, {"changed"}),
    (a_version_overwritten, {"changed"}),
    (a_version_deleted, {"changed"}),
    (a_try_without_an_end, {"illegal"}),
    (a_try_that_is_not_counted, {"illegal"}),
    (a_strike_too_many, {"illegal"}),
    (a_job_that_is_over_and_held, {"illegal"}),
    (a_job_without_its_version, {"doubled", "illegal"}),
    (a_move_that_the_table_does_not_have, {"illegal"}),
    (a_history_without_an_end, {"illegal"}),
    (a_picture_left_behind, {"illegal"}),
    (tiles_given_up, {"illegal"}),
    (time_that_stays_reserved, {"illegal"}),
    (a_count_that_went_astray, {"illegal"}),
]


def test_nothing_is_wrong_with_a_round_that_went_well(done: Round) -> None:
    found = judge([done], compare=0)
    assert (wrongs(found), found.is_good(), found.jobs) == ({}, True, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "kinds"), PLANTED, ids=[each.__name__ for each, _ in PLANTED])
def test_it_sees(plant: Callable[[Round], None], kinds: set[str], done: Round) -> None:
    plant(done)
    found = judge([done], compare=0)
    assert (set(wrongs(found)), found.is_good()) == (kinds, False)


@pytest.mark.slow
def test_it_sees_a_result_of_other_pixels(done: Round) -> None:
    assert wrongs(judge([done], compare=1)) == {"changed": 1}


def told(**fields: Any) -> Part:
    one = {"number": 1, "fault": "disk full", "struck": True, "seconds": 1.0, "lost_tries": 0}
    round_ = Told(**one | {"why": ""} | fields)
    wrong: dict[str, list[str]] = {name: [] for name in ("lost", "doubled", "changed", "illegal")}
    return Part("redis", 1, 1.0, [0.0], [round_], 1, **wrong, attempts={}, originals=1, files=1,
                compared=0)  # fmt: skip


def test_a_fault_that_did_not_strike_is_a_failed_round() -> None:
    assert told().is_good()
    assert not told(struck=False).is_good()
    assert not told(seconds=None).is_good()


def test_each_broker_is_struck_by_every_fault_in_half_of_a_hundred_rounds() -> None:
    assert len(STRIKES) <= 50


def test_what_one_process_wrote_the_other_reads_as_it_was(tmp_path: Path) -> None:
    part = replace(told(), attempts={"succeeded": 3}, lost=["job 7"])
    file = tmp_path / "found.json"
    file.write_text(report.to_json([part]))
    assert report.from_json(file) == [part]
    assert "job 7" in report.text([part])
