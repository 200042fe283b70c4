"""How a row reaches a worker: the message carries the id and nothing else."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from celery import current_task, shared_task
from celery.exceptions import WorkerShutdown
from django.db import transaction
from kombu.exceptions import OperationalError

from restoration.engine.errors import DeviceLost
from restoration.models import Job

logger = logging.getLogger(__name__)

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
