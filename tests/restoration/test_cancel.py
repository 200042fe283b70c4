"""A run is cancelled in every state it can be in: nothing of it is kept, and the worker is free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from archive.policy import Refused
from restoration import leases, runner
from restoration.actions.jobs import cancel_job
from restoration.lifecycle import JobKind, JobState, VersionKind
from restoration.models import Attempt, Job, Preview, Version

from .conftest import Desk, recipe

STEPS = {"step-tone": "on", "tone-strength": "0.5", "step-denoise": "on"}


@pytest.fixture
def job(vera: Desk) -> Job:
    vera.post("run", data=recipe(**STEPS))
    return Job.objects.get(kind=JobKind.RESTORE)


@pytest.fixture
def at_the_report_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do something in the moment a worker reports this step, before or after the row knows."""

    def arrange(step: str, act: Callable[[], object], *, after: bool) -> None:
        real, done = leases.beat, []

        def beat(**words: Any) -> None:
            mine = words.get("step") == step and not done
            if mine and not after:
                done.append(act())
            real(**words)
            if mine and after:
                done.append(act())

        monkeypatch.setattr(leases, "beat", beat)

    return arrange


def cancelled(job: Job, vera: Desk) -> None:
    """It is over, its tries are closed, nothing was made, and the page says so."""
    job.refresh_from_db()
    assert (job.state, job.version_id, job.lease_until) == (JobState.CANCELLED, None, None)
    assert job.ended_at is not None
    assert not Attempt.objects.filter(job=job, ended_at=None).exists()
    assert not Version.objects.filter(photo=job.photo, kind=VersionKind.MACHINE).exists()
    assert not Preview.objects.exists()
    assert "nothing of this run was kept" in vera.get("bench").text
    # The volunteer may ask again at once.
    assert vera.post("run", data=recipe(rev=1, **STEPS)).status_code == 302


def test_while_it_waits(job: Job, vera: Desk) -> None:
    assert vera.client.post(reverse("restoration:cancel", args=[job.pk])).status_code == 302
    runner.run(job_id=job.pk, worker="w")
    cancelled(job, vera)


def test_after_a_worker_took_it_and_before_its_first_step(
    job: Job, vera: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runner._load

    def load(sha256: str) -> Any:
        cancel_job(job=Job.objects.get(pk=job.pk), by=vera.user, now=timezone.now())
        monkeypatch.setattr(runner, "_load", real)
        return real(sha256)

    monkeypatch.setattr(runner, "_load", load)
    runner.run(job_id=job.pk, worker="w")
    cancelled(job, vera)


@pytest.mark.parametrize("after", [False, True], ids=["as-it-reports", "after-it-reported"])
@pytest.mark.parametrize("step", ["tone", "denoise", "guard", "store"])
def test_in_each_step_and_while_storing(
    job: Job,
    vera: Desk,
    at_the_report_of: Callable[..., None],
    step: str,
    after: bool,
) -> None:
    def cancel() -> None:
        cancel_job(job=Job.objects.get(pk=job.pk), by=vera.user, now=timezone.now())

    at_the_report_of(step, cancel, after=after)
    runner.run(job_id=job.pk, worker="w")
    cancelled(job, vera)
    assert Attempt.objects.get(job=job, number=1).outcome == "cancelled"


def test_between_storing_and_the_commit(
    job: Job, vera: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = leases.finish

    def finish(**words: Any) -> Any:
        cancel_job(job=Job.objects.get(pk=job.pk), by=vera.user, now=timezone.now())
        return real(**words)

    monkeypatch.setattr(leases, "finish", finish)
    runner.run(job_id=job.pk, worker="w")
    cancelled(job, vera)


def test_while_it_waits_for_a_part_that_is_away(job: Job, vera: Desk) -> None:
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    leases.give_back(job=held, code="storage-away", now=timezone.now())
    cancel_job(job=Job.objects.get(pk=job.pk), by=vera.user, now=timezone.now())
    runner.run(job_id=job.pk, worker="w")
    cancelled(job, vera)


def test_when_it_is_over_it_is_too_late(job: Job, vera: Desk) -> None:
    runner.run(job_id=job.pk, worker="w")
    with pytest.raises(Refused) as refused:
        cancel_job(job=Job.objects.get(pk=job.pk), by=vera.user, now=timezone.now())
    assert refused.value.code == "job-over"
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert Version.objects.filter(photo=job.photo, kind=VersionKind.MACHINE).count() == 1
