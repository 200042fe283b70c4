"""A job is given back, unpunished, when a part of the site is away or its worker leaves."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from restoration import drain, leases, runner
from restoration.actions.jobs import sweep_jobs
from restoration.lifecycle import JOB_ATTEMPTS, JOB_BACKOFF, JOB_RETURNS, JobKind, JobState
from restoration.models import Job

from .conftest import Desk, recipe


@pytest.fixture
def job(vera: Desk) -> Job:
    vera.post("run", data=recipe())
    return Job.objects.get(kind=JobKind.RESTORE)


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let every run break with this error."""

    def with_(error: Exception) -> None:
        def work(*_: Any) -> None:
            raise error

        monkeypatch.setitem(runner.WORK, JobKind.RESTORE, work)

    return with_


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_an_outage_does_not_count_among_the_tries(
    job: Job, breaks: Callable[[Exception], None], vera: Desk, worker_on: None
) -> None:
    breaks(FULL)
    for number in range(JOB_ATTEMPTS + 1):
        runner.run(job_id=job.pk, worker="w")
        job.refresh_from_db()
        assert (job.state, job.strikes, job.attempt) == (JobState.QUEUED, 0, number + 1)
        assert job.error_code == "disk-full"
    outcomes = set(job.attempts.values_list("outcome", flat=True))
    assert outcomes == {"returned"}
    assert "A part of the site could not be reached" in vera.get("bench").text


def test_each_return_waits_longer_than_the_one_before(
    job: Job, breaks: Callable[[Exception], None]
) -> None:
    breaks(FULL)
    waits = []
    for _again in range(3):
        runner.run(job_id=job.pk, worker="w")
        job.refresh_from_db()
        assert job.not_before is not None
        waits.append(round((job.not_before - timezone.now()) / JOB_BACKOFF))
    assert waits == [1, 2, 4]


def test_no_bell_rings_before_its_time(
    job: Job, breaks: Callable[[Exception], None], now: Any
) -> None:
    breaks(FULL)
    runner.run(job_id=job.pk, worker="w")
    sweep_jobs(now=timezone.now())
    job.refresh_from_db()
    assert job.rung_at is None
    sweep_jobs(now=timezone.now() + timedelta(minutes=1))
    job.refresh_from_db()
    assert job.rung_at is not None


def test_what_never_mends_fails_at_last_and_says_why(job: Job, vera: Desk) -> None:
    Job.objects.filter(pk=job.pk).update(attempt=JOB_RETURNS - 1)
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    leases.give_back(job=held, code="storage-away", now=timezone.now())
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "storage-away")
    assert "could not be reached" in vera.get("bench").text


@pytest.fixture
def broken_once(job: Job) -> Job:
    """A run whose first try broke, and that waits for the second."""
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    leases.fail(
        job=held, code="our-fault", facts={"step": "tone"}, permanent=False, now=timezone.now()
    )
    return Job.objects.get(pk=job.pk)


def told(desk: Desk, job: Job) -> tuple[str, str]:
    """What a program is told of what went wrong."""
    found = desk.client.get(reverse("api:job", args=[job.pk])).json()
    return found["error_code"], found["problem"]


def test_what_went_wrong_with_an_earlier_try_is_forgotten_when_the_next_begins(
    broken_once: Job, vera: Desk
) -> None:
    assert told(vera, broken_once) == ("our-fault", ""), "it has not failed: it waits"
    leases.start(job_id=broken_once.pk, worker="next", now=timezone.now())
    assert told(vera, broken_once) == ("", "")
    assert Job.objects.get().error_facts == {}


def test_a_run_that_succeeds_at_the_second_try_tells_of_no_error(
    broken_once: Job, vera: Desk
) -> None:
    runner.run(job_id=broken_once.pk, worker="next")
    assert Job.objects.get(pk=broken_once.pk).state == JobState.SUCCEEDED
    assert told(vera, broken_once) == ("", "")


def test_of_a_run_that_waits_again_it_is_the_last_try_that_is_told_of(
    job: Job, vera: Desk, worker_on: None
) -> None:
    now = timezone.now()
    held = leases.start(job_id=job.pk, worker="w", now=now)
    assert held is not None
    leases.give_back(job=held, code="worker-leaving", now=now, wait=False)
    leases.start(job_id=job.pk, worker="next", now=now)
    later = now + 2 * leases.lease()
    sweep_jobs(now=later)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_facts) == (JobState.QUEUED, "worker-lost", {})
    page = vera.get("bench").text
    assert "The last try did not succeed" in page
    assert "is being stopped" not in page


@pytest.fixture
def asked_to_leave(settings: Any) -> Iterator[None]:
    settings.DRAIN_SECONDS = 0
    yield
    drain.forget()


def test_a_worker_that_leaves_hands_back_what_it_cannot_finish(
    job: Job, vera: Desk, asked_to_leave: None, worker_on: None
) -> None:
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    drain.ask()
    runner._do(held)
    job.refresh_from_db()
    assert (job.state, job.strikes, job.not_before) == (JobState.QUEUED, 0, None)
    assert "is being stopped" in vera.get("bench").text
    drain.forget()
    runner.run(job_id=job.pk, worker="next")
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    outcomes = list(job.attempts.order_by("number").values_list("outcome", flat=True))
    assert outcomes == ["returned", "succeeded"]


def test_a_worker_that_leaves_finishes_what_it_can(job: Job, asked_to_leave: None) -> None:
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    drain.ask()
    runner.settings.DRAIN_SECONDS = 60
    runner._do(held)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED


def test_a_worker_that_leaves_begins_nothing_new(job: Job, asked_to_leave: None) -> None:
    drain.ask()
    assert runner.answer(job_id=job.pk, worker="w") == ""
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_a_result_is_not_lost_to_a_database_that_is_away_for_a_moment(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "AGAIN", 0)
    monkeypatch.setattr(runner.connection, "close", lambda: None)  # the test's own transaction
    real, refusals = leases.finish, iter([True, True])

    def away(**words: Any) -> object:
        if next(refusals, False):
            raise OperationalError("terminating connection due to administrator command")
        return real(**words)

    monkeypatch.setattr(leases, "finish", away)
    runner.run(job_id=job.pk, worker="w")
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
