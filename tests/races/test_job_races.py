"""Workers that meet over one job: one runs it, one result counts."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from functools import partial

import psycopg2
import pytest
from django.db import connection

from archive.models import Photo
from restoration import leases
from restoration.actions.jobs import cancel_job, sweep_jobs
from restoration.actions.versions import scan_version
from restoration.lifecycle import JOB_ATTEMPTS, JOB_BACKOFF, JobKind, JobState, VersionKind
from restoration.models import Attempt, Job, Version
from tests import factories
from tests.people import person
from tests.races.together import together

SHA = "a" * 64


def queued(photo: Photo | None = None) -> Job:
    vera = person(f"vera{Job.objects.count()}")
    photo = photo or factories.photo(factories.collection())

    source = scan_version(photo=photo, now=factories.NOW)
    return Job.objects.create(
        photo=photo,
        kind=JobKind.RESTORE,
        source=source,
        requested_by=vera,
        requested_at=factories.NOW,
    )


def made() -> leases.NewVersion:
    return leases.NewVersion(kind=VersionKind.MACHINE, sha256=SHA, width=128, height=96)


@pytest.mark.usefixtures("on_postgres")
def test_twenty_bells_for_one_job_start_it_once() -> None:
    job = queued()
    results = together(
        [
            partial(leases.start, job_id=job.pk, worker=f"w{number}", now=factories.NOW)
            for number in range(20)
        ]
    )
    assert sum(each is not None for each in results) == 1
    assert Attempt.objects.filter(job=job).count() == 1


def gone(server: int) -> None:
    """Wait until a link's server process has ended: closing the link only asks it to."""
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [server])
            if cursor.fetchone() is None:
                return
            time.sleep(0.05)
    raise AssertionError("the server process of the closed link is still there")


def test_a_worker_frozen_in_the_middle_of_a_beat_does_not_hold_up_the_sweep(
    on_postgres: str,
) -> None:
    frozen, silent = queued(), queued()
    for job in (frozen, silent):
        leases.start(job_id=job.pk, worker="w", now=factories.NOW)
    later = factories.NOW + leases.lease() + timedelta(seconds=1)
    with contextlib.closing(psycopg2.connect(on_postgres)) as link, link.cursor() as cursor:
        cursor.execute("UPDATE restoration_job SET step = 'tone' WHERE id = %s", [frozen.pk])
        with connection.cursor() as ours:
            ours.execute("SET lock_timeout = '3s'")  # or a failure would last for ever
        assert sweep_jobs(now=later) == 1
        server = link.info.backend_pid
    silent.refresh_from_db()
    assert silent.state == JobState.QUEUED
    gone(server)
    assert sweep_jobs(now=later) == 1  # its link is gone now


@pytest.mark.django_db
def test_a_lease_from_before_the_clock_was_put_back_is_no_longer_than_a_new_one() -> None:
    running, waiting, tomorrow = queued(), queued(), factories.NOW + timedelta(days=1)
    leases.start(job_id=running.pk, worker="w", now=tomorrow)
    Job.objects.filter(pk=waiting.pk).update(not_before=tomorrow)
    assert sweep_jobs(now=factories.NOW) == 0
    for job in (running, waiting):
        job.refresh_from_db()
    assert running.lease_until == factories.NOW + leases.lease()
    assert waiting.not_before == factories.NOW + JOB_BACKOFF
    assert sweep_jobs(now=factories.NOW + leases.lease() + timedelta(seconds=1)) == 1


@pytest.mark.usefixtures("on_postgres")
def test_the_database_ends_a_transaction_whose_client_went_silent() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
        cursor.execute("SHOW tcp_keepalives_idle")
        assert cursor.fetchone() == ("30",)


@pytest.mark.usefixtures("on_postgres")
def test_two_jobs_that_finish_together_get_two_numbers() -> None:
    photo = factories.photo(factories.collection())
    held = [leases.start(job_id=queued(photo).pk, worker="w", now=factories.NOW) for _ in range(6)]
    results = together(
        [partial(leases.finish, job=job, made=made(), now=factories.NOW) for job in held if job]
    )
    assert sorted(each.number for each in results) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_a_silent_worker_loses_the_job_and_its_late_result_is_refused() -> None:
    job = queued()
    slow = leases.start(job_id=job.pk, worker="slow", now=factories.NOW)
    assert slow is not None
    later = factories.NOW + leases.lease() + timedelta(seconds=1)
    assert sweep_jobs(now=later) == 1
    quick = leases.start(job_id=job.pk, worker="quick", now=later)
    assert quick is not None
    assert quick.attempt == 2
    with pytest.raises(leases.LeaseLost):
        leases.beat(job=slow, now=later)
    with pytest.raises(leases.LeaseLost):
        leases.finish(job=slow, made=made(), now=later)
    with pytest.raises(leases.LeaseLost):
        leases.fail(job=slow, code="our-fault", facts={}, permanent=True, now=later)
    version = leases.finish(job=quick, made=made(), now=later)
    assert version is not None
    assert Version.objects.filter(photo=job.photo, kind=VersionKind.MACHINE).count() == 1
    job.refresh_from_db()
    assert (job.state, job.version_id) == (JobState.SUCCEEDED, version.pk)
    outcomes = list(job.attempts.order_by("number").values_list("outcome", flat=True))
    assert outcomes == ["lost", "succeeded"]


@pytest.mark.django_db
def test_a_worker_that_beats_keeps_the_job() -> None:
    held = leases.start(job_id=queued().pk, worker="w", now=factories.NOW)
    assert held is not None
    leases.beat(job=held, now=factories.NOW + leases.lease() / 2, step="tone", progress=0.4)
    assert sweep_jobs(now=factories.NOW + leases.lease() + timedelta(seconds=1)) == 0
    held.refresh_from_db()
    assert (held.step, held.progress) == ("tone", 0.4)


@pytest.mark.django_db
def test_a_job_that_kills_every_worker_fails_after_the_last_try() -> None:
    job, now = queued(), factories.NOW
    for _ in range(JOB_ATTEMPTS):
        assert leases.start(job_id=job.pk, worker="w", now=now) is not None
        now += leases.lease() + timedelta(seconds=1)
        sweep_jobs(now=now)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "worker-lost")


@pytest.mark.django_db
def test_a_cancelled_job_refuses_the_result_that_was_on_its_way() -> None:
    job = queued()
    held = leases.start(job_id=job.pk, worker="w", now=factories.NOW)
    assert held is not None
    assert job.requested_by is not None
    cancel_job(job=job, by=job.requested_by, now=factories.NOW)
    with pytest.raises(leases.LeaseLost):
        leases.finish(job=held, made=made(), now=factories.NOW)
    assert not Version.objects.filter(photo=job.photo, kind=VersionKind.MACHINE).exists()


@pytest.mark.django_db
def test_a_passing_failure_is_tried_again_and_a_lasting_one_is_not() -> None:
    job = queued()
    held = leases.start(job_id=job.pk, worker="w", now=factories.NOW)
    assert held is not None
    leases.fail(job=held, code="our-fault", facts={}, permanent=False, now=factories.NOW)
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    held = leases.start(job_id=job.pk, worker="w", now=factories.NOW)
    assert held is not None
    leases.fail(job=held, code="bad-mask", facts={}, permanent=True, now=factories.NOW)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "bad-mask")
