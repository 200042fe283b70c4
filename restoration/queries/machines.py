"""Workers, the line before them, and the runs that failed; each in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from archive.lifecycle import PhotoState
from restoration import policy, presence, wording
from restoration.lifecycle import LIVE_JOBS, JobKind, JobState
from restoration.models import Job, Worker

A_DAY = timedelta(days=1)
MOST_FAILED = 50


@dataclass(frozen=True)
class Machine:
    """A living worker: what it is at, and the models it can run."""

    worker: Worker
    busy: int
    models: list[str]
    warm: list[str]


@dataclass(frozen=True)
class Line:
    """What waits for one kind of worker and what runs there."""

    queue: str
    waiting: int
    running: int
    oldest: datetime | None
    # Workers that are on and take from it; none: nothing of it will run.
    workers: int


@dataclass(frozen=True)
class Failure:
    """A run that failed, or a look that was stopped, and why; `again` when a steward may ask for it
    once more."""

    job: Job
    why: str
    again: bool


def machines(*, now: datetime) -> list[Machine]:
    """Every worker that is on."""
    busy = presence.busy(now=now)
    return [_machine(each, busy.get(each.name, 0)) for each in presence.alive(now=now)]


def _machine(worker: Worker, busy: int) -> Machine:
    labels = {each["name"]: str(each.get("label", each["name"])) for each in worker.models_listed}
    warm = [labels.get(name, name) for name in worker.warm]
    return Machine(worker, busy, list(labels.values()), warm)


def lines(here: list[Machine]) -> list[Line]:
    """The line of each kind of worker, also of those that nobody waits for."""
    waits = Q(state=JobState.QUEUED)
    live = Job.objects.filter(state__in=LIVE_JOBS).order_by()
    rows = live.values("queue").annotate(
        waiting=Count("pk", filter=waits),
        running=Count("pk", filter=Q(state=JobState.RUNNING)),
        oldest=Min("requested_at", filter=waits),
    )
    nobody: dict[str, Any] = {"waiting": 0, "running": 0, "oldest": None}
    found: dict[str, dict[str, Any]] = {
        queue: {"queue": queue, **nobody} for queue in (presence.CPU, presence.GENERATIVE)
    }
    found |= {row["queue"]: dict(row) for row in rows}
    return [
        Line(**found[queue], workers=sum(queue in each.worker.queues for each in here))
        for queue in sorted(found)
    ]


def failures(*, now: datetime) -> list[Failure]:
    """The runs that failed within a day, newest first; and the looks that were stopped, as long as
    nobody has looked: the site does not ask for them again by itself."""
    ended = Job.objects.filter(
        state__in=(JobState.FAILED, JobState.CANCELLED), ended_at__gte=now - A_DAY
    )
    unseen = Q(kind=JobKind.ASSESS, photo__state=PhotoState.READY, photo__assessment=None)
    rows = ended.filter(Q(state=JobState.FAILED) | unseen)
    rows = rows.select_related("photo__collection", "photo__assessment", "requested_by")
    return [
        Failure(each, _why(each), _can_run_again(each))
        for each in rows.order_by("-ended_at", "-pk")[:MOST_FAILED]
    ]


def _why(job: Job) -> str:
    stopped = job.state == JobState.CANCELLED
    return wording.problem("cancelled" if stopped else job.error_code, job.error_facts)


def _can_run_again(job: Job) -> bool:
    return policy.may_look_again(job) and job.photo.state == PhotoState.READY
