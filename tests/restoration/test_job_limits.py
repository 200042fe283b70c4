"""What ends a job from outside its work: the time it may take, and a card that is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from celery.exceptions import WorkerShutdown

from restoration import runner, tasks
from restoration.engine.errors import DeviceLost
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job

from .conftest import Desk, recipe

Work = Callable[[], list[Job]]


def test_a_job_that_works_too_long_fails_and_says_so(vera: Desk, work: Work, settings: Any) -> None:
    settings.JOB_LIMIT_SECONDS = -1  # it was over before it began
    vera.post("run", data=recipe())
    (done,) = work()
    assert (done.state, done.error_code) == (JobState.FAILED, "took-too-long")
    assert vera.photo.versions.count() == 1
    assert "was stopped" in vera.get("bench").text


def test_a_lost_card_gives_the_job_back_and_ends_the_worker(
    vera: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise DeviceLost("device-lost", {"detail": "CUDA error: unspecified launch failure"})

    monkeypatch.setitem(runner.WORK, JobKind.RESTORE, lost)
    vera.post("run", data=recipe())
    job = Job.objects.get(kind=JobKind.RESTORE)
    with pytest.raises(WorkerShutdown) as end:
        tasks.run_job(job_id=job.pk)
    assert end.value.code == 70
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.QUEUED, "device-lost")


ENDING = """
from celery import Celery
from celery.exceptions import WorkerShutdown
app = Celery("ending", broker="memory://", set_as_current=True)
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True)
@app.task
def lost():
    raise WorkerShutdown(70)
lost.delay()
worker = app.Worker(pool="solo", without_gossip=True, without_mingle=True, without_heartbeat=True)
worker.start()
raise SystemExit(worker.exitcode)
"""


@pytest.mark.slow
def test_celery_lets_a_worker_end_with_the_code_it_is_given() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 70, done.stderr
