"""How a received file reaches a worker: the message carries the id and nothing else."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from archive.intake import Batch
from archive.models import Photo, Upload

logger = logging.getLogger(__name__)


@shared_task(name="archive.read_photo", ignore_result=True)
def read_photo(*, photo_id: int) -> None:
    """Read one received file."""
    # The one late import: it keeps the decoder out of every web process.
    from archive import ingest

    ingest.read_photo(photo_id=photo_id)


@shared_task(name="archive.settle_upload", ignore_result=True)
def settle_upload(*, upload_id: int) -> None:
    """Hash one upload that has arrived whole, and make it a scan."""
    from archive import uploading  # the verbs ring, and this bell calls a verb

    uploading.settle_upload(upload_id=upload_id, now=timezone.now())


def ring_upload(*, upload_id: int, now: datetime) -> None:
    """Ring for an upload once this transaction is in; the sweep rings again if nobody hears."""
    Upload.objects.filter(pk=upload_id).update(rung_at=now)
    transaction.on_commit(partial(_send_upload, upload_id))


def _send_upload(upload_id: int) -> None:
    try:
        settle_upload.apply_async(kwargs={"upload_id": upload_id}, queue="cpu", retry=False)
    except (OperationalError, OSError):
        logger.warning("no broker took the bell for upload %s", upload_id, exc_info=True)


def ring(*, photo_id: int, now: datetime) -> None:
    """Ring the doorbell once this transaction is in; the sweep rings again if nobody hears."""
    Photo.objects.filter(pk=photo_id).update(rung_at=now)
    transaction.on_commit(partial(_send, photo_id))


def _send(photo_id: int) -> None:
    try:
        read_photo.apply_async(kwargs={"photo_id": photo_id}, queue="batch", retry=False)
    except (OperationalError, OSError):
        # The row is the truth: the broker may be down, the sweep rings again.
        logger.warning("no broker took the bell for photo %s", photo_id, exc_info=True)


@shared_task(name="archive.render", ignore_result=True)
def render(*, sha256: str) -> None:
    """Make the sizes and tiles of one working file."""
    # A late import, as above.
    from archive import rendering

    rendering.render(sha256=sha256)


def ring_for_rendition(*, sha256: str) -> None:
    """Call a worker once this transaction is in; the sweep calls again if nobody hears."""
    transaction.on_commit(partial(_send_for_rendition, sha256))


def _send_for_rendition(sha256: str) -> None:
    try:
        render.apply_async(kwargs={"sha256": sha256}, queue="cpu", retry=False)
    except (OperationalError, OSError):
        logger.warning("no broker took the bell for the tiles of %s", sha256, exc_info=True)


@shared_task(name="archive.work_on_batch", ignore_result=True)
def work_on_batch(*, batch_id: int) -> None:
    """Do a slice of a batch, then stand at the end of the queue again: others wait too."""
    from archive import batch

    if batch.work_for_a_while(batch_id=batch_id):
        ring_for_batch(batch_id=batch_id, now=timezone.now())


def ring_for_batch(*, batch_id: int, now: datetime) -> None:
    """Call a worker for a batch; the sweep calls again if nobody hears."""
    Batch.objects.filter(pk=batch_id).update(rung_at=now)
    transaction.on_commit(partial(_send_batch, batch_id))


def _send_batch(batch_id: int) -> None:
    try:
        work_on_batch.apply_async(kwargs={"batch_id": batch_id}, queue="batch", retry=False)
    except (OperationalError, OSError):
        logger.warning("no broker took the bell for batch %s", batch_id, exc_info=True)
