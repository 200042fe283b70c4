"""A run while it waits, works, ends and fails: the truth in words, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from restoration import leases
from restoration.actions.versions import scan_version
from restoration.lifecycle import WORKER_ALIVE, JobState
from restoration.models import Job, Version, Worker
from tests import factories
from tests.people import Cast

from .conftest import Desk, recipe

HTMX = {"HX-Request": "true"}
Work = Callable[[], list[Job]]


def asked(desk: Desk) -> Job:
    desk.htmx("run", data=recipe())
    return Job.objects.latest("pk")


def look(desk: Desk, job: Job) -> Any:
    return desk.client.get(reverse("restoration:job", args=[job.pk]), headers=HTMX)


def cancel(desk: Desk, job: Job, **more: Any) -> Any:
    return desk.client.post(reverse("restoration:cancel", args=[job.pk]), **more)


def history(desk: Desk, *seconds: float) -> None:
    """Runs that have finished, each of which took so long."""
    now = timezone.now()
    scan = scan_version(photo=desk.photo, now=now)
    for each in seconds:
        Job.objects.create(
            photo=desk.photo,
            source=scan,
            needs=["embedded"],
            state=JobState.SUCCEEDED,
            requested_at=now,
            started_at=now - timedelta(seconds=each),
            ended_at=now,
        )


def test_without_a_machine_it_says_so(vera: Desk) -> None:
    answer = look(vera, asked(vera))
    assert "Nobody can run this now" in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "Nobody can run this now" in vera.get("bench").context["estimate"]


def test_its_place_counts_those_who_waited_longer(
    vera: Desk, people: Cast, sit: Callable[..., Desk], worker_on: None
) -> None:
    other = sit(people.victor, factories.photo(vera.photo.collection))
    asked(other)
    assert "place 2 in the queue" in look(vera, asked(vera)).text


def test_the_range_comes_from_runs_like_it(vera: Desk, worker_on: None) -> None:
    history(vera, *range(10, 20))
    assert "done in about 12 to 19 s" in look(vera, asked(vera)).text
    assert vera.get("bench").context["estimate"].endswith("1 run before you")


def test_without_runs_like_it_no_time_is_promised(vera: Desk, worker_on: None) -> None:
    assert "done in about" not in look(vera, asked(vera)).text


def test_a_larger_photo_takes_longer(vera: Desk, worker_on: None) -> None:
    history(vera, *range(10, 20))
    job = asked(vera)
    large = factories.version(vera.photo, vera.user, width=3000, height=2000)
    Job.objects.filter(pk=job.pk).update(source=large)
    assert "done in about 2 to 4 min" in look(vera, job).text


def test_while_it_works_it_names_the_step_and_how_far_it_is(
    vera: Desk, worker_on: None, now: datetime
) -> None:
    job = asked(vera)
    started = leases.start(job_id=job.pk, worker="w", now=now)
    assert started is not None
    leases.beat(job=started, now=now, step="tone", progress=0.25)
    page = look(vera, job).text
    assert "Tone, 25 % of the whole" in page
    assert 'value="25"' in page
    assert 'job-step-running"' in page


def test_of_a_run_at_work_it_is_not_said_that_nobody_can_run_it(
    vera: Desk, worker_on: None, now: datetime
) -> None:
    job = asked(vera)
    assert leases.start(job_id=job.pk, worker="cpu@here", now=now) is not None
    silent = now - WORKER_ALIVE - timedelta(seconds=1)
    Worker.objects.update(seen_at=silent)  # and within its lease
    page = look(vera, job).text
    assert 'data-state="running"' in page
    assert "Nobody can run this now" not in page


def test_when_it_has_ended_the_strip_is_fetched_and_polling_stops(vera: Desk, work: Work) -> None:
    job = asked(vera)
    work()
    page = look(vera, job).text
    assert 'hx-trigger="every' not in page
    strip = reverse("restoration:strip", args=[vera.photo.ref])
    assert f'hx-get="{strip}?base=0"' in page
    assert "See the result" in page
    part = vera.client.get(strip, {"base": 0})
    assert "v1" in part.text
    assert "<html" not in part.text


def test_when_it_has_ended_a_link_leads_to_the_menu_of_the_newest_version(
    vera: Desk, work: Work
) -> None:
    job = asked(vera)
    assert "Submit or retouch it" not in look(vera, job).text
    assert "Go to the newest version" not in vera.get("strip").text
    work()
    assert 'href="#version-1-menu"' in look(vera, job).text
    strip = vera.get("strip").text
    assert strip.index('href="#version-1-menu"') < strip.index("<ol")
    assert strip.count('<summary id="version-1-menu">') == 1


def test_a_failure_says_what_happened_what_is_safe_and_what_to_do(vera: Desk) -> None:
    job = asked(vera)
    why = {"error_code": "out-of-memory", "error_facts": {"step": "denoise"}}
    job.move(JobState.FAILED, by=None, at=job.requested_at, set_=why)
    for page in (look(vera, job).text, vera.get("bench").text):
        assert "The machine ran out of memory." in page
        assert "Your draft and all versions are safe." in page
        assert "or try again later" in page


def test_what_is_our_fault_is_called_that(vera: Desk) -> None:
    job = asked(vera)
    why = {"error_code": "never-heard-of"}
    job.move(JobState.FAILED, by=None, at=job.requested_at, set_=why)
    assert "on our side, not on yours" in look(vera, job).text


def test_a_second_try_is_told(vera: Desk, now: datetime) -> None:
    job = asked(vera)
    started = leases.start(job_id=job.pk, worker="w", now=now)
    assert started is not None
    leases.fail(job=started, code="our-fault", facts={}, permanent=False, now=now)
    assert "it is tried again by itself" in look(vera, job).text


def test_without_a_script_the_bench_shows_it(vera: Desk) -> None:
    job = asked(vera)
    answer = vera.client.get(reverse("restoration:job", args=[job.pk]))
    assert answer["Location"] == reverse("restoration:bench", args=[vera.photo.ref]) + "#job"
    assert f'data-job="{job.pk}"' in vera.get("bench").text


def test_nobody_else_sees_it(vera: Desk, victor: Desk, people: Cast) -> None:
    job = asked(vera)
    assert look(victor, job).status_code == 404
    assert cancel(victor, job).status_code == 404
    stranger = Client().get(reverse("restoration:job", args=[job.pk]))
    assert stranger["Location"].startswith(reverse("account_login"))


class TestCancel:
    def test_a_waiting_run_is_stopped(self, vera: Desk, work: Work) -> None:
        job = asked(vera)
        assert cancel(vera, job)["Location"].endswith("#job")
        assert work() == []
        page = vera.get("bench").text
        assert "Cancelled; nothing of this run was kept." in page

    def test_a_working_run_keeps_nothing(self, vera: Desk, now: datetime) -> None:
        job = asked(vera)
        started = leases.start(job_id=job.pk, worker="w", now=now)
        assert started is not None
        page = cancel(vera, job, headers=HTMX).text
        assert 'data-state="cancelled"' in page
        made = leases.NewVersion(kind="machine", sha256="a" * 64, width=1, height=1)
        with pytest.raises(leases.LeaseLost):
            leases.finish(job=started, made=made, now=now)
        assert Version.objects.count() == 1

    def test_one_that_has_just_ended_is_shown_as_it_is(self, vera: Desk, work: Work) -> None:
        job = asked(vera)
        work()
        answer = cancel(vera, job, headers=HTMX)
        assert 'data-state="succeeded"' in answer.text
        again = cancel(vera, job, headers={"accept": "application/json"})
        assert (again.status_code, again.json()["code"]) == (409, "job-over")

    def test_a_steward_may_stop_any(
        self, vera: Desk, people: Cast, sit: Callable[..., Desk]
    ) -> None:
        job = asked(vera)
        sten = sit(people.sten, vera.photo, holding=False)
        cancel(sten, job)
        assert Job.objects.get().state == JobState.CANCELLED


def test_once_it_has_ended_the_page_is_told_what_holds_for_the_next_run(
    vera: Desk, worker_on: None, work: Work
) -> None:
    job = asked(vera)
    while_it_waits = look(vera, job)
    assert "1 run before you" in vera.get("bench").context["estimate"]
    assert "data-now" not in while_it_waits.text
    work()
    ended = look(vera, job)
    page = vera.get("bench")
    assert ended.context["estimate"] == page.context["estimate"]
    assert "nobody before you" in ended.context["estimate"]
    assert ended.context["left"] == page.context["left"]
    assert f'<span data-now="estimate">{page.context["estimate"]}</span>' in ended.text


def test_once_it_has_ended_it_says_what_it_began_from_and_what_it_made(
    vera: Desk, work: Work
) -> None:
    job = asked(vera)
    assert "data-result" not in look(vera, job).text
    work()
    assert 'data-source="0" data-result="1" data-result-label="v1"' in look(vera, job).text
