"""kill -9 of a worker in the middle of a job, on every broker: finished once, one version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job, sweep_jobs
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from restoration.lifecycle import JobState, VersionKind
from restoration.models import Job, Version
from tests import factories
from tests.people import person
from tests.services import brokers
from tests.services.processes import wait_until

LEASE = 4  # on a busy machine a beat may be late by some seconds
slow = pytest.mark.slow  # the two brokers that others wrote; the folder is our own
WORLDS = [
    pytest.param(("on_sqlite_file", None), id="sqlite-and-a-folder"),
    *(
        pytest.param(("on_postgres", f"{broker}_url"), id=f"postgres-and-{broker}", marks=slow)
        for broker in ("rabbitmq", "redis")
    ),
]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> tuple[str, str]:
    """A database, a broker, and a folder of bytes that this test and its workers share."""
    database, broker = request.param
    settings.JOB_LEASE_SECONDS = LEASE
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "bytes")},
        }
    }
    url = request.getfixturevalue(database)
    return url, request.getfixturevalue(broker) if broker else "fsatomic://localhost"


def long_job() -> Job:
    """A run that takes some seconds: a picture of two megapixels, cleaned."""
    vera = person("vera")
    image = factories.picture(1, height=1200, width=1600)
    photo = factories.photo(factories.collection(), image=image)
    now = timezone.now()
    claim = claim_photo(photo=photo, by=vera, now=now)
    plan = Plan.from_json({"steps": [{"name": "tone"}, {"name": "denoise"}], "seed": 1})
    source = scan_version(photo=photo, now=now)
    return request_job(source=source, by=vera, fence=claim.pk, plan=plan, now=now)


@pytest.mark.slow
def test_the_next_worker_finishes_what_a_killed_one_began(
    world: tuple[str, str], running_worker: Callable[..., Any], tmp_path: Path
) -> None:
    database, broker = world
    start = {"database_url": database, "broker_url": broker}
    with brokers.bells_through(broker, tmp_path):
        job = long_job()
        first = running_worker(**start, REKINDLE_JOB_LEASE_SECONDS=str(LEASE))

        def in_the_middle() -> bool:
            job.refresh_from_db()
            assert job.state != JobState.SUCCEEDED, "it was over before it could be killed"
            return job.state == JobState.RUNNING and job.step == "denoise"

        wait_until(in_the_middle, "the first worker was in the middle", log=first.printed)
        first.kill()
        second = running_worker(**start, REKINDLE_JOB_LEASE_SECONDS=str(LEASE))

        def finished() -> bool:
            sweep_jobs(now=timezone.now())
            job.refresh_from_db()
            return job.state not in (JobState.QUEUED, JobState.RUNNING)

        wait_until(finished, "the second worker finished it", log=second.printed)
    assert job.state == JobState.SUCCEEDED, (job.error_code, second.printed())
    outcomes = list(job.attempts.order_by("number").values_list("outcome", flat=True))
    assert outcomes == ["lost", "succeeded"]
    versions = Version.objects.filter(photo=job.photo, kind=VersionKind.MACHINE)
    assert [each.pk for each in versions] == [job.version_id]
