"""How a row reaches a worker: the message carries the id and nothing else."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_task, shared_task
from celery.exceptions import WorkerShutdown
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from kombu import Queue
from kombu.exceptions import OperationalError

from archive import clock
from restoration import fixity, presence
from restoration.engine.errors import DeviceLost
from restoration.lifecycle import JOB_RING_AGAIN, JobState
from restoration.models import Job

logger = logging.getLogger(__name__)

FIXITY_EVERY = 3600  # seconds
FIXITY_SLICE_SECONDS = 10.0
BROKEN = 70  # EX_SOFTWARE: what a supervisor sees when the card was lost


@shared_task(name="restoration.run_job", ignore_result=True)
def run_job(*, job_id: int) -> None:
    """Answer a bell: run the job whose turn it is, which need not be the one that rang.

    A worker whose card is lost ends here, for its supervisor to start another: the solo pool lets
    WorkerShutdown through, and the worker stops in order with that exit code.
    """
    # The one late import: it keeps the pixels' libraries out of every web process.
    from restoration import runner

    hostname = getattr(getattr(current_task, "request", None), "hostname", None)
    try:
        queue = runner.answer(job_id=job_id, worker=hostname or "here")
    except DeviceLost:
        logger.critical("the card failed; this worker ends so that another can start")
        raise WorkerShutdown(BROKEN) from None
    if queue:
        _ring_for_next(queue)


def _ring_for_next(queue: str) -> None:
    """A worker that is done calls itself to one that waits unheard: its bell may have been lost."""
    now = clock.now()
    heard = Q(rung_at__gte=now - JOB_RING_AGAIN) | Q(not_before__gt=now)
    waiting = Job.objects.filter(state=JobState.QUEUED, queue=queue).exclude(heard)
    job = waiting.order_by("requested_at").first()
    if job is not None:
        ring(job=job, now=now)


@shared_task(name="restoration.check_kept_bytes", ignore_result=True)
def check_kept_bytes(*, most_bytes: int | None = None) -> None:
    """Hash again what was not hashed for long: a slice of what an hour may read.

    Then it stands at the end of the queue again for the rest, `most_bytes`, because people wait
    for this worker.
    """
    now, late = clock.now(), time.monotonic() + FIXITY_SLICE_SECONDS
    if most_bytes is None:
        fixity.note_age()
    before = now - timedelta(days=settings.FIXITY_DAYS)
    left = settings.FIXITY_MB_PER_HOUR * 1024**2 if most_bytes is None else most_bytes
    for check in fixity.check_round(now=now, before=before, most_bytes=left):
        left -= check.size
        if time.monotonic() >= late:
            if left > 0:
                _ring_for_checks(most_bytes=left)
            return


def ring_for_fixity(*, now: datetime) -> int:
    """Call a worker for the checks once an hour; a message that nobody took by then is dropped."""
    if not settings.FIXITY_DAYS or not cache.add("fixity-rung", now.isoformat(), FIXITY_EVERY):
        return 0
    _ring_for_checks()
    return 1


def _ring_for_checks(**rest: int) -> None:
    try:
        check_kept_bytes.apply_async(kwargs=rest, queue="batch", retry=False, expires=FIXITY_EVERY)
    except (OperationalError, OSError):
        # The next hour's round goes on where this one ended.
        logger.warning("no broker took the bell for the checks of files", exc_info=True)


def ring(*, job: Job, now: datetime) -> None:
    """Ring the doorbell once this transaction is in; the sweep rings again if nobody hears."""
    Job.objects.filter(pk=job.pk).update(rung_at=now)
    tried = presence.found_unfit(job.pk) if job.attempt else set()
    near = presence.nearest(job.needs, tried=tried, now=now)
    transaction.on_commit(partial(_send, job.pk, presence.bell(job.needs), near))


def _send(job_id: int, queue: str, near: str = "") -> None:
    """Ring at one worker that has the model in memory and nothing to do, else at all who can.

    Were that one gone by now, nobody hears: then the sweep rings again.
    """
    where: dict[str, Any] = {"queue": queue}
    if near:
        # By its name alone: a broker that was emptied does not know any more what hangs where. And
        # not declared, for it is the worker's own.
        where = {"queue": Queue(presence.own_bell(near)), "declare": []}
    try:
        run_job.apply_async(kwargs={"job_id": job_id}, retry=False, **where)
    except (OperationalError, OSError):
        # The row is the truth: the broker may be down, the job is not lost.
        logger.warning("no broker took the bell for job %s", job_id, exc_info=True)
