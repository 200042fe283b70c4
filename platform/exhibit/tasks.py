"""How an evidence pack that was asked for reaches a worker: the message carries the id alone."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from celery import shared_task
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from archive.places import StorageAway
from exhibit import packing
from exhibit.models import Evidence

logger = logging.getLogger(__name__)

# How long a bell may go unheard before whoever waits rings again, and how long one pack may take.
UNHEARD = timedelta(seconds=30)
LEASE = timedelta(minutes=30)


@shared_task(name="exhibit.make_evidence", ignore_result=True)
def make_evidence(*, evidence_id: int) -> None:
    """Make one pack; nothing when another worker has it or it is made."""
    now = timezone.now()
    if not _free(now).filter(pk=evidence_id).update(started_at=now):
        return
    evidence = Evidence.objects.get(pk=evidence_id)
    try:
        sha256, size = packing.keep(evidence.publication_id)
    except StorageAway:
        logger.warning("the storage is away; evidence %s waits", evidence_id, exc_info=True)
        _mine(evidence).update(started_at=None)
    except (FileNotFoundError, packing.Altered):
        logger.warning("evidence %s lacks bytes", evidence_id, exc_info=True)
        _mine(evidence).update(failed="bytes-in-doubt")
    except Exception:
        logger.exception("evidence %s could not be made and it is our fault", evidence_id)
        _mine(evidence).update(failed="our-fault")
    else:
        _mine(evidence).update(made_at=timezone.now(), sha256=sha256, size=size)


def _free(now: datetime) -> QuerySet[Evidence]:
    nobody = Q(started_at=None) | Q(started_at__lt=now - LEASE)
    return Evidence.objects.filter(nobody, made_at=None, failed="")


def _mine(evidence: Evidence) -> QuerySet[Evidence]:
    """The row, while this worker still holds it."""
    return Evidence.objects.filter(pk=evidence.pk, started_at=evidence.started_at, made_at=None)


def ring(*, evidence: Evidence, now: datetime) -> None:
    """Ring once this transaction is in."""
    Evidence.objects.filter(pk=evidence.pk).update(rung_at=now)
    transaction.on_commit(partial(_send, evidence.pk))


def ring_again(*, evidence: Evidence, now: datetime) -> None:
    """Ring for one that nobody makes and for which nobody was called lately.

    Asked by the page of whoever waits for it: nobody else does.
    """
    unheard = _free(now).filter(pk=evidence.pk, rung_at__lt=now - UNHEARD)
    if unheard.update(rung_at=now):
        _send(evidence.pk)


def _send(evidence_id: int) -> None:
    try:
        make_evidence.apply_async(kwargs={"evidence_id": evidence_id}, queue="cpu", retry=False)
    except (OperationalError, OSError):
        logger.warning("no broker took the bell for evidence %s", evidence_id, exc_info=True)
