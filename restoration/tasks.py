"""How a row reaches a worker: the message carries the id and nothing else."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from celery import current_task, shared_task
from celery.exceptions import WorkerShutdown
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from restoration import fixity
from restoration.engine.errors import DeviceLost
from restoration.models import Job

logger = logging.getLogger(__name__)

FIXITY_EVERY = 3600  # seconds
BROKEN = 70  # EX_SOFTWARE: what a supervisor sees when the card was lost


@shared_task(name="restoration.run_job", ignore_result=True)
def run_job(*, job_id: int) -> None:
    """Run one job; a worker whose card is lost ends here, for its supervisor to start another.

    The solo pool lets WorkerShutdown through, and the worker stops in order with that exit code.
    """
    # The one late import: it keeps the pixels' libraries out of every web process.
    from restoration import runner

    hostname = getattr(getattr(current_task, "request", None), "hostname", None)
    try:
        runner.run(job_id=job_id, worker=hostname or "here")
    except DeviceLost:
        logger.critical("the card failed; this worker ends so that another can start")
        raise WorkerShutdown(BROKEN) from None


@shared_task(name="restoration.check_kept_bytes", ignore_result=True)
def check_kept_bytes() -> None:
    """Hash again what was not hashed for long, as much as an hour may read."""
    now = timezone.now()
    before = now - timedelta(days=settings.FIXITY_DAYS)
    most = settings.FIXITY_MB_PER_HOUR * 1024**2
    for check in fixity.check_round(now=now, before=before, most_bytes=most):
        logger.debug("%s", check)


def ring_for_fixity(*, now: datetime) -> int:
    """Call a worker for the checks once an hour; a message that nobody took by then is dropped."""
    if not settings.FIXITY_DAYS or not cache.add("fixity-rung", now.isoformat(), FIXITY_EVERY):
        return 0
    try:
        check_kept_bytes.apply_async(queue="cpu", retry=False, expires=FIXITY_EVERY)
    except (OperationalError, OSError):
        logger.warning("no broker took the bell for the checks of files", exc_info=True)
    return 1


def ring(*, job: Job, now: datetime) -> None:
    """Ring the doorbell once this transaction is in; the sweep rings again if nobody hears."""
    Job.objects.filter(pk=job.pk).update(rung_at=now)
    transaction.on_commit(partial(_send, job.pk, job.queue))


def _send(job_id: int, queue: str) -> None:
    try:
        run_job.apply_async(kwargs={"job_id": job_id}, queue=queue, retry=False)
    except (OperationalError, OSError):
        # The row is the truth: the broker may be down, the job is not lost.
        logger.warning("no broker took the bell for job %s", job_id, exc_info=True)
