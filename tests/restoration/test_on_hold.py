"""A curator puts a photo on hold, or withdraws it, while a volunteer sits at it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from archive import storage
from archive.actions import hold_photo, release_photo_hold, withdraw_photo
from archive.models import Event
from archive.policy import Refused
from archive.trust import LIMITS, Trust
from restoration import leases, ledger
from restoration.actions.claims import expire_due
from restoration.actions.jobs import request_job
from restoration.actions.reviews import open_review
from restoration.engine.plan import Plan
from restoration.lifecycle import CLAIM_IDLE, ClaimState, JobState, VersionState
from restoration.models import Claim, Draft, Job, Version
from restoration.purses import Resource
from restoration.sweeps import sweep
from tests import factories
from tests.people import Cast, appoint

from .conftest import Desk, recipe
from .test_mask import drafted, paint, png

Work = Callable[[], list[Job]]
JSON = {"accept": "application/json"}
ON_HOLD = "This photo is on hold, so nobody can work on it for now. Your draft and versions are"
AWAY = "This photo has been withdrawn, so nobody works on it any more. Your draft and versions are"


@pytest.fixture(autouse=True)
def _cora_curates(people: Cast, photo: Any) -> None:
    appoint(people.cora, photo.collection)


@pytest.fixture
def hold(people: Cast, photo: Any, now: datetime) -> Callable[[], None]:
    return lambda: hold_photo(photo=photo, by=people.cora, reason="A wish", now=now)


@pytest.fixture
def lift(people: Cast, photo: Any, now: datetime) -> Callable[[], None]:
    return lambda: release_photo_hold(photo=photo, by=people.cora, now=now)


@pytest.fixture
def withdraw(people: Cast, photo: Any, now: datetime) -> Callable[[], None]:
    """Withdrawn, and the clock has come by."""

    def away() -> None:
        withdraw_photo(photo=photo, by=people.cora, reason="The family asked", now=now)
        assert {"claims on withdrawn photos", "runs of withdrawn photos"} <= set(sweep(now=now))

    return away


def claim_of(desk: Desk) -> Claim:
    return Claim.objects.get(volunteer=desk.user)


def retouched(desk: Desk, number: int) -> Any:
    file = SimpleUploadedFile("retouch.tif", b"II*\0 and so on")
    return desk.post("retouch", number, data={"file": file}, headers=JSON)


class TestOnHold:
    def test_the_next_press_says_why_where_she_looks(self, vera: Desk, hold: Any) -> None:
        hold()
        answer = vera.htmx("run", data=recipe())
        assert (answer.status_code, answer.templates[0].name) == (422, "restoration/_job.html")
        assert ON_HOLD in answer.text
        assert not Job.objects.exists()

    def test_an_open_page_is_told_with_its_next_beat_and_keeps_the_claim(
        self, vera: Desk, hold: Any, lift: Any
    ) -> None:
        hold()
        told = vera.post("beat").json()
        assert told["state"] == "open"
        assert ON_HOLD in told["warning"]
        lift()
        assert vera.post("beat").json()["warning"] == ""

    def test_a_page_without_a_script_keeps_the_draft_and_leads_to_the_reason(
        self, vera: Desk, hold: Any
    ) -> None:
        hold()
        page = reverse("restoration:bench", args=[vera.photo.ref])
        sent = recipe() | {"prompt-place": "Tehran"}
        came = {"referer": f"http://testserver{page}"}
        answer = vera.client.post(vera.url("run"), sent, headers=came, follow=True)
        assert answer.templates[0].name == "restoration/away.html"
        assert ON_HOLD in answer.text
        assert Draft.objects.get(volunteer=vera.user).body["prompt"]["place"] == "Tehran"

    def test_the_wall_does_not_lead_back_to_it_and_my_work_says_why(
        self, vera: Desk, hold: Any
    ) -> None:
        hold()
        assert vera.client.get(reverse("restoration:wall")).context["my_claim"] is None
        page = vera.client.get(reverse("people:work")).text
        assert ON_HOLD in page
        assert "it goes back to the wall in" not in page

    def test_given_back_it_is_not_said_to_be_on_the_wall(self, vera: Desk, hold: Any) -> None:
        hold()
        answer = vera.client.post(vera.url("release"), follow=True)
        assert "back on the wall" not in answer.text
        assert f"You gave the photo back. {ON_HOLD}" in answer.text
        assert claim_of(vera).state == ClaimState.RELEASED

    def test_what_is_still_on_her_page_is_kept(self, vera: Desk, hold: Any) -> None:
        hold()
        mask = paint(vera, png())
        assert mask.status_code == 201
        assert drafted(vera, mask.json()["sha256"]).status_code == 200
        assert Draft.objects.get(volunteer=vera.user).body["mask"] == mask.json()["sha256"]

    def test_her_run_is_done_and_its_version_kept(
        self, vera: Desk, hold: Any, work: Work, now: datetime
    ) -> None:
        vera.post("run", data=recipe())
        hold()
        sweep(now=now)
        (job,) = work()
        assert job.state == JobState.SUCCEEDED
        assert job.version is not None
        assert vera.get("working", job.version.number, "tif").status_code == 200

    def test_no_retouch_comes_in_and_not_a_byte_of_it_is_kept(self, vera: Desk, hold: Any) -> None:
        mine = factories.version(vera.photo, vera.user)
        hold()
        for number in (0, mine.number):
            answer = retouched(vera, number)
            assert (answer.status_code, answer.json()["code"]) == (409, "photo-not-ready")
        assert not Job.objects.exists()
        assert not incoming()

    def test_a_doubtful_version_is_not_run_again(self, vera: Desk, hold: Any) -> None:
        plan = Plan.from_json({"steps": [{"name": "tone"}]})
        source = Version.objects.get()
        source.photo = vera.photo  # as it was read before
        hold()
        with pytest.raises(Refused, match="photo-not-ready"):
            request_job(
                source=source, by=vera.user, fence=claim_of(vera).pk, plan=plan, now=factories.NOW
            )

    def test_a_program_is_told_the_same_and_keeps_its_draft(self, vera: Desk, hold: Any) -> None:
        hold()
        fence, asked = claim_of(vera).pk, {"content_type": "application/json"}
        jobs, draft = (
            reverse(f"api:{name}", args=[vera.photo.ref]) for name in ("photo-jobs", "draft")
        )
        plan = {"steps": [{"name": "tone"}]}
        answer = vera.client.post(jobs, {"claim": fence, "plan": plan}, **asked)
        assert (answer.status_code, answer.json()["code"]) == (409, "photo-not-ready")
        assert ON_HOLD in answer.json()["detail"]
        answer = vera.client.put(draft, {"claim": fence, "rev": 0, "body": {}}, **asked)
        assert answer.status_code == 200

    def test_a_version_that_is_handed_in_waits_until_the_hold_is_lifted(
        self, vera: Desk, people: Cast, hold: Any, lift: Any, now: datetime
    ) -> None:
        mine = factories.version(vera.photo, vera.user)
        hold()
        data = {"note": "The left edge"}
        answer = vera.client.post(vera.url("submit", mine.number), data, follow=True)
        assert "a curator will look at your version when the hold is lifted" in answer.text
        mine.refresh_from_db()
        assert (mine.state, mine.note) == (VersionState.SUBMITTED, "The left edge")
        with pytest.raises(Refused, match="photo-not-ready"):
            open_review(version=Version.objects.get(pk=mine.pk), by=people.cora, now=now)
        lift()
        assert open_review(version=Version.objects.get(pk=mine.pk), by=people.cora, now=now)

    def test_it_is_in_nobodys_way(self, vera: Desk, hold: Any) -> None:
        for _each in range(LIMITS[Trust.REGULAR].claims - 1):
            factories.claim(factories.photo(vera.photo.collection), vera.user)
        hold()
        assert factories.claim(factories.photo(vera.photo.collection), vera.user)

    def test_when_it_is_lifted_her_work_goes_on(self, vera: Desk, hold: Any, lift: Any) -> None:
        drafted(vera, "")
        hold()
        assert vera.get("bench").status_code == 409
        lift()
        assert vera.get("bench").templates[0].name == "restoration/bench.html"
        assert vera.post("run", data=recipe(rev=1)).status_code == 302
        assert Job.objects.get().state == JobState.QUEUED

    def test_when_her_time_ran_out_meanwhile_her_draft_still_waits_for_her(
        self, vera: Desk, hold: Any, lift: Any, now: datetime
    ) -> None:
        drafted(vera, "")
        hold()
        assert expire_due(now=now + CLAIM_IDLE * 2) == 1
        answer = drafted(vera, "")
        assert answer.status_code == 409
        lift()
        assert "Take this photo" in vera.get("bench").text
        assert Draft.objects.filter(volunteer=vera.user).exists()

    def test_who_never_had_it_in_hand_learns_nothing(self, victor: Desk, hold: Any) -> None:
        hold()
        for name in ("bench", "compare"):
            assert victor.get(name).status_code == 404
        assert victor.post("run", data=recipe()).status_code == 404


class TestWithdrawn:
    def test_the_next_press_says_why(self, vera: Desk, withdraw: Any) -> None:
        withdraw()
        assert AWAY in vera.get("bench").text
        told = vera.post("beat", headers=JSON)
        assert (told.status_code, told.json()["state"]) == (409, "revoked")

    def test_her_claim_ends_and_the_history_says_so(self, vera: Desk, withdraw: Any) -> None:
        withdraw()
        assert claim_of(vera).state == ClaimState.REVOKED
        assert Event.objects.filter(photo=vera.photo, verb="claim.revoked", actor=None).exists()

    def test_what_she_made_is_kept(self, vera: Desk, withdraw: Any) -> None:
        mine = factories.version(vera.photo, vera.user, image=factories.picture(3))
        drafted(vera, "")
        withdraw()
        mine.refresh_from_db()
        assert mine.state == VersionState.DRAFT
        assert vera.get("working", mine.number, "tif").status_code == 200
        assert Draft.objects.filter(volunteer=vera.user).exists()

    def test_her_waiting_run_is_stopped_told_and_costs_nothing(
        self, vera: Desk, withdraw: Any, now: datetime
    ) -> None:
        before = left(vera, now)
        vera.post("run", data=recipe())
        assert left(vera, now) < before
        withdraw()
        job = Job.objects.get()
        assert (job.state, job.error_code) == (JobState.CANCELLED, "photo-withdrawn")
        assert left(vera, now) == before
        url = reverse("restoration:job", args=[job.pk])
        assert AWAY in vera.client.get(url, headers={"HX-Request": "true"}).text

    def test_a_run_at_work_is_stopped_as_well_and_costs_nothing(
        self, vera: Desk, withdraw: Any, now: datetime
    ) -> None:
        before = left(vera, now)
        vera.post("run", data=recipe())
        job = leases.start(job_id=Job.objects.get().pk, worker="w", now=now)
        assert job is not None
        withdraw()
        with pytest.raises(leases.LeaseLost):
            leases.finish(job=job, made=None, now=now)
        assert left(vera, now) == before

    def test_before_the_clock_comes_by_nothing_begins_either(
        self, vera: Desk, people: Cast, now: datetime
    ) -> None:
        mine = factories.version(vera.photo, vera.user)
        withdraw_photo(photo=vera.photo, by=people.cora, reason="The family asked", now=now)
        assert AWAY in vera.htmx("run", data=recipe()).text
        assert retouched(vera, mine.number).json()["code"] == "photo-not-ready"
        answer = vera.post("submit", mine.number, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "photo-not-ready")
        mine.refresh_from_db()
        assert mine.state == VersionState.DRAFT
        assert not Job.objects.exists()

    def test_the_sweep_leaves_other_photos_alone(
        self, vera: Desk, people: Cast, now: datetime
    ) -> None:
        vera.post("run", data=recipe())
        sweep(now=now)
        assert claim_of(vera).state == ClaimState.OPEN
        assert Job.objects.get(requested_by=vera.user).state == JobState.QUEUED


def left(desk: Desk, now: datetime) -> int:
    """Seconds of processors that she may still use."""
    found = ledger.left(desk.user, desk.photo.collection_id, now=now)
    (cpu,) = [each for each in found if each.resource == Resource.CPU]
    return cpu.own or 0


def incoming() -> bool:
    """Whether the file of retouched() was kept."""
    return storage.exists(storage.incoming_key(hashlib.sha256(b"II*\0 and so on").hexdigest()))
