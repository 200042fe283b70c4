"""A worker says that it is here and what it can run, from its start to its end.

Wired to Celery's own signals by config.celery; the row it writes is what the interface offers by.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

from celery.signals import worker_ready, worker_shutdown
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from restoration import presence
from restoration.engine.generative import registry, workshop

logger = logging.getLogger(__name__)

EVERY = 15.0
ALIVE = "worker-alive"
_stop = threading.Event()


def begin(sender: Any, **_: Any) -> None:
    """Announce the worker now and every EVERY seconds from a thread of its own."""
    queues = [queue.name for queue in sender.task_consumer.queues]
    name = sender.hostname
    _stop.clear()
    threading.Thread(target=_announce, args=(name, queues), daemon=True).start()


def _announce(name: str, queues: list[str]) -> None:
    models = _models() if presence.GENERATIVE in queues else []
    offers = [presence.EMBEDDED, *(offer for model in models for offer in model["offers"])]
    while True:
        # Whoever watches this process sees that it lives, also while the database does not.
        (settings.VAR_DIR / ALIVE).touch()
        try:
            presence.announce(
                name=name, queues=queues, offers=offers, models=models, now=timezone.now()
            )
        except DatabaseError:
            logger.warning("worker %s could not say that it is here", name, exc_info=True)
        finally:
            connection.close()
        if _stop.wait(EVERY):
            return


def _models() -> list[dict[str, Any]]:
    if not registry.can_run():
        return []
    return [_listed(info) for info in _usable(workshop.ready(settings.MODELS_DIR))]


def _usable(found: Iterable[Any]) -> list[Any]:
    return [info for info in found if info.usable]


def _listed(info: Any) -> dict[str, Any]:
    model = info.model
    return {
        "name": model.name,
        "label": model.label,
        "licence": model.licence_label,
        "commercial": model.commercial,
        "offers": [f"{step}:{model.name}" for step in sorted(model.pipelines)],
    }


def end(sender: Any, **_: Any) -> None:
    """A worker that stops in order is not offered any more."""
    _stop.set()
    try:
        presence.farewell(name=sender.hostname)
    except DatabaseError:
        logger.warning("worker %s could not say goodbye", sender.hostname, exc_info=True)
    finally:
        connection.close()


def connect() -> None:
    """Hang begin and end on Celery's signals."""
    worker_ready.connect(begin, weak=False)
    worker_shutdown.connect(end, weak=False)
