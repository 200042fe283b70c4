"""Keep, extend, give back and lose a photo: the three clocks of a claim."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from restoration import leases
from restoration.actions.claims import expire_due, revoke_claim
from restoration.actions.jobs import sweep_jobs
from restoration.lifecycle import (
    CLAIM_CAP,
    CLAIM_EXTENSION,
    CLAIM_IDLE,
    JOB_ATTEMPTS,
    ClaimState,
    JobState,
)
from restoration.models import Claim, Draft, Job
from tests.people import Cast, appoint

from .conftest import Desk, newest, recipe

JSON = {"accept": "application/json"}
A_MOMENT = timedelta(seconds=1)


def claim(desk: Desk) -> Claim:
    return Claim.objects.get(pk=desk.claim.pk) if desk.claim else Claim.objects.get()


def aged(desk: Desk, *, seen: timedelta = timedelta(), ends: timedelta | None = None) -> None:
    """Let time pass for a claim."""
    now = timezone.now()
    changes = {"seen_at": now - seen} | ({"ends_at": now + ends} if ends is not None else {})
    Claim.objects.filter(volunteer=desk.user).update(**changes)


class TestBeat:
    def test_an_open_page_keeps_the_photo(self, vera: Desk) -> None:
        aged(vera, seen=timedelta(minutes=29))
        answer = vera.post("beat")
        assert answer.json()["state"] == "open"
        assert "no-store" in answer["Cache-Control"]
        assert expire_due(now=timezone.now() + timedelta(minutes=29)) == 0

    def test_it_warns_in_time(self, vera: Desk) -> None:
        assert vera.post("beat").json()["warning"] == ""
        aged(vera, ends=timedelta(minutes=100))
        assert "less than 2 hours" in vera.post("beat").json()["warning"]
        aged(vera, ends=timedelta(minutes=10))
        assert "less than 15 minutes" in vera.post("beat").json()["warning"]

    def test_when_it_has_ended_the_page_is_told(self, vera: Desk) -> None:
        aged(vera, seen=CLAIM_IDLE + A_MOMENT)
        expire_due(now=timezone.now())
        answer = vera.post("beat")
        assert (answer.status_code, answer.json()["state"]) == (409, "expired")

    def test_a_page_of_an_older_claim_does_not_keep_the_new_one(self, vera: Desk) -> None:
        vera.post("release")
        vera.client.post(reverse("restoration:claim", args=[vera.photo.ref]))
        assert vera.post("beat").status_code == 409

    def test_nobody_else_can_beat_for_her(self, vera: Desk, victor: Desk) -> None:
        url = vera.url("beat")
        assert victor.client.post(url, headers=JSON).status_code == 404
        assert victor.post("beat", headers=JSON).status_code == 409

    def test_opening_the_bench_counts_as_being_there(self, vera: Desk) -> None:
        aged(vera, seen=timedelta(minutes=20))
        vera.get("bench")
        assert timezone.now() - claim(vera).seen_at < timedelta(minutes=1)


class TestExtend:
    def test_once_it_moves_the_end_by_a_day(self, vera: Desk) -> None:
        before = claim(vera).ends_at
        assert vera.post("extend", headers={"accept": "text/html"}).status_code == 302
        assert claim(vera).ends_at == before + CLAIM_EXTENSION

    def test_a_script_gets_the_new_end(self, vera: Desk) -> None:
        answer = vera.post("extend", headers=JSON)
        assert answer.json()["expires_at"] == claim(vera).ends_at.isoformat()
        left = (claim(vera).ends_at - timezone.now()).total_seconds()
        assert abs(answer.json()["seconds_left"] - left) < 60

    def test_a_second_time_is_refused(self, vera: Desk) -> None:
        vera.post("extend")
        answer = vera.post("extend", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "not-extendable")

    def test_the_refusal_is_a_sentence_on_the_same_page(self, vera: Desk) -> None:
        vera.post("extend")
        page = reverse("restoration:bench", args=[vera.photo.ref])
        answer = vera.client.post(
            vera.url("extend"), follow=True, headers={"referer": f"http://testserver{page}"}
        )
        assert "can be extended once" in answer.text


class TestRelease:
    def test_the_photo_is_back_on_the_wall_and_the_draft_stays(self, vera: Desk) -> None:
        vera.client.put(vera.url("draft"), {"rev": 0, "draft": {}}, content_type="application/json")
        answer = vera.client.post(vera.url("release"), follow=True)
        assert "back on the wall" in answer.text
        assert claim(vera).state == ClaimState.RELEASED
        assert Draft.objects.filter(volunteer=vera.user).exists()

    def test_nobody_else_can_release_it(self, vera: Desk, victor: Desk) -> None:
        assert victor.client.post(vera.url("release")).status_code == 404
        assert claim(vera).state == ClaimState.OPEN

    def test_twice_is_told_and_harms_nothing(self, vera: Desk) -> None:
        vera.post("release")
        answer = vera.post("release", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "claim-closed")


class TestExpire:
    def test_nobody_there_for_half_an_hour_ends_it(self, vera: Desk, victor: Desk) -> None:
        aged(vera, seen=CLAIM_IDLE + A_MOMENT)
        assert expire_due(now=timezone.now()) == 1
        assert claim(vera).state == ClaimState.EXPIRED
        assert victor.post("claim").status_code == 302
        assert Claim.objects.get(state=ClaimState.OPEN).volunteer == victor.user

    def test_two_days_end_it_however_busy_the_page_is(self, vera: Desk) -> None:
        aged(vera, ends=-A_MOMENT)
        assert expire_due(now=timezone.now()) == 1

    def test_an_expired_claim_gives_way_even_before_the_sweep(
        self, vera: Desk, victor: Desk
    ) -> None:
        aged(vera, seen=CLAIM_IDLE + A_MOMENT)
        victor.post("claim")
        assert Claim.objects.get(state=ClaimState.OPEN).volunteer == victor.user

    def test_her_own_run_keeps_it(self, vera: Desk) -> None:
        vera.post("run", data=recipe())
        aged(vera, seen=CLAIM_CAP)
        assert expire_due(now=timezone.now()) == 0

    def test_a_run_that_waits_does_not_keep_it_for_more_than_two_days(self, vera: Desk) -> None:
        vera.post("run", data=recipe())
        aged(vera, ends=-A_MOMENT)
        assert expire_due(now=timezone.now()) == 1
        assert claim(vera).state == ClaimState.EXPIRED

    def test_a_run_at_work_keeps_it_to_its_end_and_no_longer(
        self, vera: Desk, now: datetime
    ) -> None:
        vera.post("run", data=recipe())
        job = leases.start(job_id=Job.objects.get().pk, worker="w", now=now)
        assert job is not None
        aged(vera, ends=-A_MOMENT)
        assert expire_due(now=timezone.now()) == 0
        leases.fail(job=job, code="our-fault", facts={}, permanent=True, now=now)
        assert expire_due(now=timezone.now()) == 1

    def test_her_waiting_run_is_done_when_a_machine_comes_and_is_an_alternative_then(
        self, vera: Desk, victor: Desk, work: Callable[[], list[Job]]
    ) -> None:
        vera.post("run", data=recipe())
        aged(vera, ends=-A_MOMENT)
        assert victor.post("claim").status_code == 302
        page = vera.get("bench").text
        assert "With Victor, until" in page
        assert "Your run waits and starts by itself." in page
        (done,) = work()
        assert done.state == JobState.SUCCEEDED
        answer = vera.client.post(vera.url("submit", 1), {"note": ""}, follow=True)
        assert "Submitted as an alternative" in answer.text
        assert newest(vera.photo).is_alternative
        assert Claim.objects.get(state=ClaimState.OPEN).volunteer == victor.user

    def test_when_the_machines_went_silent_she_has_half_an_hour_to_read_it(
        self, vera: Desk, now: datetime
    ) -> None:
        vera.post("run", data=recipe())
        for _ in range(JOB_ATTEMPTS):
            leases.start(job_id=Job.objects.get().pk, worker="w", now=now)
            now += CLAIM_IDLE
            sweep_jobs(now=now)
        assert Job.objects.get().state == JobState.FAILED
        assert expire_due(now=now + CLAIM_IDLE) == 0
        assert expire_due(now=now + CLAIM_IDLE + A_MOMENT) == 1

    def test_what_she_opens_afterwards_is_a_page_with_her_work(self, vera: Desk) -> None:
        aged(vera, seen=CLAIM_IDLE + A_MOMENT)
        expire_due(now=timezone.now())
        answer = vera.get("bench")
        assert answer.status_code == 200
        assert "Take this photo" in answer.text

    def test_a_curator_can_take_it_back(self, vera: Desk, people: Cast) -> None:
        appoint(people.cora, vera.photo.collection)
        revoke_claim(claim=claim(vera), by=people.cora, now=timezone.now())
        assert vera.post("beat").json()["state"] == "revoked"
