"""Between a verb's reading and its move another hand was there: the move does not happen.

What races find by chance is found here each time: the other hand acts just before the UPDATE, which
asks once more for what the verb stood on. Take that question away, and a test fails.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from archive.actions import SEVERAL_PAGES, answer_pages, quarantine_photo
from archive.lifecycle import PairState, PhotoState, UploadState
from archive.models import Event, Pair, Photo, Upload
from archive.pairing import decide_pair, note_fingerprint, take_back_pair
from archive.policy import Refused
from archive.stateful import IllegalMove, Stateful
from archive.uploading import begin_upload, sweep_uploads
from restoration import leases
from restoration.actions.claims import claim_photo, expire_due
from restoration.actions.jobs import request_job
from restoration.actions.reviews import accept_version, beat_review, lapse_due, open_review
from restoration.actions.versions import scan_version, submit_version
from restoration.engine.plan import Plan
from restoration.leases import LeaseLost
from restoration.lifecycle import (
    CLAIM_IDLE,
    REVIEW_LEASE,
    ClaimState,
    JobState,
    ReviewState,
    VersionState,
)
from restoration.models import Attempt, Claim, Job, Review, Version
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
Meanwhile = Callable[[type[Stateful], Callable[[], Any]], None]


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """`meanwhile(Job, deed)`: the deed is done once, just before the next move of a job."""

    def arrange(model: type[Stateful], deed: Callable[[], Any]) -> None:
        real = model.move

        def late(row: Any, *words: Any, **more: Any) -> None:
            monkeypatch.setattr(model, "move", real)
            deed()
            real(row, *words, **more)

        monkeypatch.setattr(model, "move", late)

    return arrange


def change(row: Any, **fields: Any) -> Callable[[], Any]:
    """As another process would, so that the verb's own copy of the row does not know."""
    return lambda: type(row)._base_manager.filter(pk=row.pk).update(**fields)


def events(verb: str) -> int:
    return Event.objects.filter(verb=verb).count()


# --- runs ----------------------------------------------------------------------------------------
@pytest.fixture
def waiting(people: Cast) -> Job:
    photo = factories.photo(factories.collection())
    fence = claim_photo(photo=photo, by=people.vera, now=NOW).pk
    plan = Plan.from_json({"steps": [{"name": "tone"}]})
    scan = scan_version(photo=photo, now=NOW)
    return request_job(source=scan, by=people.vera, fence=fence, plan=plan, now=NOW)


@pytest.fixture
def running(waiting: Job) -> Job:
    """In the hands of the first worker."""
    job = leases.start(job_id=waiting.pk, worker="first", now=NOW)
    assert job
    return job


def taken_over(job: Job) -> Callable[[], Any]:
    """The sweep gave it to a second worker."""
    until = NOW + timedelta(hours=1)
    return change(job, token="second's", lease_until=until, attempt=job.attempt + 1)


MADE = leases.NewVersion(kind="machine", sha256="a" * 64, width=128, height=96)


def test_a_run_that_was_taken_and_came_back_is_not_begun_by_who_saw_it_before(
    waiting: Job, meanwhile: Meanwhile
) -> None:
    meanwhile(Job, change(waiting, attempt=waiting.attempt + 1))
    assert leases.begin(waiting, worker="late", now=NOW) is None
    assert not Attempt.objects.filter(worker="late").exists()


def test_a_result_of_a_worker_whose_run_was_taken_over_is_not_kept(
    running: Job, meanwhile: Meanwhile
) -> None:
    meanwhile(Job, taken_over(running))
    with pytest.raises(LeaseLost):
        leases.finish(job=running, made=MADE, now=NOW)
    assert not Version.objects.filter(kind="machine").exists()
    assert Job.objects.get(pk=running.pk).state == JobState.RUNNING


ENDS: dict[str, Callable[[Job], None]] = {
    "fail": lambda job: leases.fail(job=job, code="x", facts={}, permanent=True, now=NOW),
    "give back": lambda job: leases.give_back(job=job, code="x", now=NOW),
    "pass on": lambda job: leases.pass_on(job=job, code="x", facts={}, elsewhere=False, now=NOW),
}
OTHER_HANDS: dict[str, dict[str, Any]] = {
    "a second worker's": {"token": "second's"},
    "nobody's again": {"state": JobState.QUEUED},
}


@pytest.mark.parametrize("hands", OTHER_HANDS)
@pytest.mark.parametrize("end", ENDS)
def test_a_worker_does_not_end_a_run_that_is_not_its_own_any_more(
    running: Job, meanwhile: Meanwhile, end: str, hands: str
) -> None:
    meanwhile(Job, change(running, **OTHER_HANDS[hands]))
    with pytest.raises(LeaseLost):
        ENDS[end](running)
    assert Attempt.objects.get().ended_at is None
    assert not Job.objects.get(pk=running.pk).error_code


AFTER_ALL: dict[str, dict[str, Any]] = {
    "is in other hands": {"token": "second's"},
    "beat after all": {"lease_until": NOW + timedelta(hours=1)},
}


@pytest.mark.parametrize("found", AFTER_ALL)
def test_the_sweep_leaves_a_run_that_came_alive(
    running: Job, meanwhile: Meanwhile, found: str
) -> None:
    late = NOW + 2 * leases.lease()
    meanwhile(Job, change(running, **AFTER_ALL[found]))
    assert not leases.requeue_lost(job=running, now=late)
    job = Job.objects.get(pk=running.pk)
    assert (job.state, job.strikes) == (JobState.RUNNING, 0)


# --- claims --------------------------------------------------------------------------------------
@pytest.fixture
def claim(people: Cast) -> Claim:
    return factories.claim(factories.photo(factories.collection()), people.vera)


def test_a_claim_whose_page_beat_at_the_last_moment_goes_on(
    claim: Claim, meanwhile: Meanwhile
) -> None:
    idle = NOW + CLAIM_IDLE + SECOND
    meanwhile(Claim, change(claim, seen_at=idle))
    assert expire_due(now=idle) == 0
    assert Claim.objects.get().state == ClaimState.OPEN


def test_a_claim_whose_end_was_moved_at_the_last_moment_goes_on(
    claim: Claim, meanwhile: Meanwhile
) -> None:
    over = claim.ends_at + SECOND
    change(claim, seen_at=over)()
    meanwhile(Claim, change(claim, ends_at=over + SECOND))
    assert expire_due(now=over) == 0
    assert Claim.objects.get().state == ClaimState.OPEN


# --- versions and reviews ------------------------------------------------------------------------
def test_a_draft_that_was_withdrawn_meanwhile_is_not_sent_to_review(
    people: Cast, meanwhile: Meanwhile
) -> None:
    draft = factories.version(factories.photo(factories.collection()), people.vera)
    meanwhile(Version, change(draft, state=VersionState.WITHDRAWN))
    with pytest.raises(Refused) as refused:
        submit_version(version=draft, by=people.vera, note="", now=NOW)
    assert refused.value.code == "not-a-draft"
    assert events("version.submitted") == 0


ENDED_MEANWHILE = (ClaimState.EXPIRED, ClaimState.REVOKED, ClaimState.RELEASED)


@pytest.mark.parametrize("ended", ENDED_MEANWHILE)
def test_a_draft_whose_claim_ended_meanwhile_is_sent_to_review_all_the_same(
    people: Cast, claim: Claim, meanwhile: Meanwhile, ended: ClaimState
) -> None:
    draft = factories.version(claim.photo, people.vera)
    meanwhile(Claim, change(claim, state=ended, closed_at=NOW))
    submit_version(version=draft, by=people.vera, note="Late.", now=NOW)
    sent = Version.objects.get(pk=draft.pk)
    assert (sent.state, sent.note, sent.is_alternative) == (VersionState.SUBMITTED, "Late.", False)
    assert Claim.objects.get().state == ended
    assert events("claim.fulfilled") == 0


def test_and_is_an_alternative_when_somebody_else_holds_the_photo_by_then(
    people: Cast, claim: Claim, meanwhile: Meanwhile
) -> None:
    draft = factories.version(claim.photo, people.vera)

    def taken_over() -> None:
        change(claim, state=ClaimState.EXPIRED, closed_at=NOW)()
        factories.claim(claim.photo, people.victor)

    meanwhile(Claim, taken_over)
    submit_version(version=draft, by=people.vera, note="", now=NOW)
    sent = Version.objects.get(pk=draft.pk)
    assert (sent.state, sent.is_alternative) == (VersionState.SUBMITTED, True)
    assert Claim.objects.get(state=ClaimState.OPEN).volunteer == people.victor
    assert Event.objects.get(verb="version.submitted").facts["late"]


def test_the_claim_of_whose_second_tab_was_quicker_is_fulfilled_once_and_both_are_sent(
    people: Cast, claim: Claim, meanwhile: Meanwhile
) -> None:
    first, second = (factories.version(claim.photo, people.vera) for _ in range(2))
    meanwhile(Claim, lambda: submit_version(version=first, by=people.vera, note="", now=NOW))
    submit_version(version=second, by=people.vera, note="", now=NOW)
    sent = Version.objects.filter(state=VersionState.SUBMITTED, is_alternative=False)
    assert set(sent) == {first, second}
    assert events("claim.fulfilled") == 1


def test_a_draft_that_was_sent_meanwhile_ends_no_other_claim(
    people: Cast, claim: Claim, meanwhile: Meanwhile
) -> None:
    draft = factories.version(claim.photo, people.vera)
    meanwhile(Version, change(draft, state=VersionState.SUBMITTED))
    with pytest.raises(Refused) as refused:
        submit_version(version=draft, by=people.vera, note="", now=NOW)
    assert refused.value.code == "not-a-draft"
    assert Claim.objects.get().state == ClaimState.OPEN
    assert events("claim.fulfilled") == 0


@pytest.fixture
def review(people: Cast) -> Review:
    box = factories.collection()
    appoint(people.cora, box)
    appoint(people.clive, box)
    version = factories.submitted(factories.photo(box), people.vera)
    return open_review(version=version, by=people.cora, now=NOW)


def test_a_review_that_passed_to_another_curator_is_not_decided(
    review: Review, people: Cast, meanwhile: Meanwhile
) -> None:
    meanwhile(Review, change(review, reviewer=people.clive))
    with pytest.raises(Refused) as refused:
        accept_version(review=review, by=people.cora, now=NOW)
    assert refused.value.code == "already-decided"
    assert Version.objects.get(pk=review.version_id).state == VersionState.SUBMITTED
    assert events("review.accepted") == 0


def test_a_review_whose_page_beat_at_the_last_moment_goes_on(
    review: Review, people: Cast, meanwhile: Meanwhile
) -> None:
    at_the_end = NOW + REVIEW_LEASE - SECOND
    fresh = Review.objects.get()
    meanwhile(Review, lambda: beat_review(review=fresh, by=people.cora, now=at_the_end))
    assert lapse_due(now=NOW + REVIEW_LEASE + SECOND) == 0
    assert Review.objects.get().state == ReviewState.OPEN


# --- photos, pairs, uploads ----------------------------------------------------------------------
def test_pages_are_not_answered_of_a_file_that_waits_for_something_else_now(
    people: Cast, meanwhile: Meanwhile
) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    asked = {"state": PhotoState.QUARANTINED, "quarantine_code": SEVERAL_PAGES}
    photo = factories.photo(box, quarantine_facts={"pages": 2}, **asked)
    meanwhile(Photo, change(photo, quarantine_code="damaged"))
    with pytest.raises(Refused):
        answer_pages(photo=photo, pages="photos", by=people.cora, now=NOW)
    assert Photo.objects.get().state == PhotoState.QUARANTINED


def test_a_reader_that_comes_late_does_not_set_aside_what_another_reads(
    meanwhile: Meanwhile,
) -> None:
    reading = {"state": PhotoState.READING, "reading_since": NOW}
    photo = factories.photo(factories.collection(), **reading)
    meanwhile(Photo, change(photo, reading_since=NOW + SECOND))
    with pytest.raises(IllegalMove):
        quarantine_photo(photo=photo, code="damaged", facts={}, now=NOW)
    assert Photo.objects.get().state == PhotoState.READING


def test_a_pair_that_was_decided_anew_meanwhile_is_not_taken_back(
    people: Cast, meanwhile: Meanwhile
) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    for fingerprint in (0x0F1E, 0x0F1F):
        note_fingerprint(photo=factories.photo(box), fingerprint=fingerprint, now=NOW)
    pair = Pair.objects.get()
    decide_pair(pair=pair, to=PairState.DIFFERENT, by=people.cora, now=NOW)
    meanwhile(Pair, change(pair, state=PairState.SAME))
    with pytest.raises(Refused) as refused:
        take_back_pair(pair=pair, by=people.cora, now=NOW)
    assert refused.value.code == "pair-moved-on"


@pytest.mark.usefixtures("bytes_in_folder")
def test_an_upload_that_somebody_went_on_with_at_the_last_moment_is_not_ended(
    people: Cast, meanwhile: Meanwhile
) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    upload = begin_upload(collection=box, by=people.cora, filename="a.tif", size=10, now=NOW)
    late = upload.expires_at + SECOND
    meanwhile(Upload, change(upload, expires_at=late + SECOND))
    sweep_uploads(now=late)
    assert Upload.objects.get().state == UploadState.ARRIVING
