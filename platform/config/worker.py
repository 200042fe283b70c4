"""A worker says that it is here and what it can run, from its start until it is asked to leave.

Wired to Celery's own signals by config.celery; the row it writes is what the interface offers by
and what whose turn it is depends on.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import Any

from celery.signals import (
    celeryd_after_setup,
    task_prerun,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from archive import clock
from config import broker
from restoration import drain, machine, presence
from restoration.engine.errors import EngineError

logger = logging.getLogger(__name__)

EVERY = 15.0
LOOK = 1.0
ALIVE = "worker-alive"
_stop = threading.Event()
# The models that this worker offers, as they were found last; before the queues are chosen first.
_held: list[dict[str, Any]] = []
# When this process began, by the name that it bears. Nothing before it is ready, so that one that
# is turned away at the broker because of its name says no goodbye for another.
_since: dict[str, datetime] = {}
_said: set[datetime] = set()  # of these, the ones that the database has heard of


def choose_queues(sender: str, instance: Any, **_: Any) -> None:
    """Listen to what goes with the kinds that the operator named: background, models, oneself."""
    queues = instance.app.amqp.queues
    named = list(queues.consume_from)
    besides = [name for kind in named for name in broker.BESIDES.get(kind, ())]
    if presence.GENERATIVE in named:
        _look()
        besides += _bells()
        own = broker.own_queue(presence.own_bell(sender), settings.BELLS_EXCHANGE)
        queues.select_add(own)
    for name in besides:
        if name not in named:
            queues.select_add(queues[name])


def begin(sender: Any, **_: Any) -> None:
    """Announce the worker now and every EVERY seconds from a thread of its own."""
    queues = [queue.name for queue in sender.task_consumer.queues]
    slots = getattr(sender.pool, "limit", None) or 1
    _stop.clear()
    drain.forget()
    _since[sender.hostname] = timezone.now()
    words = {"name": sender.hostname, "queues": queues, "slots": slots, "consumer": sender}
    threading.Thread(target=_announce, kwargs=words, daemon=True).start()


def _announce(*, name: str, queues: list[str], slots: int = 1, consumer: Any = None) -> None:
    while True:
        # Whoever watches this process sees that it lives, also while the database does not.
        (settings.VAR_DIR / ALIVE).touch()
        if drain.is_asked():
            _farewell(name)  # it ends what it does, and is not offered any more
        else:
            if presence.GENERATIVE in queues:
                _look()
                _listen(consumer)
            offers = [presence.EMBEDDED, *(offer for model in _held for offer in model["offers"])]
            _say(name=name, queues=queues, offers=offers, models=_held, slots=slots)
        if _wait():
            return


def _wait() -> bool:
    """Wait for the next round, shorter when somebody asks to leave; whether it is all over."""
    was_asked = drain.is_asked()
    for _second in range(int(EVERY / LOOK)):
        if _stop.wait(LOOK):
            return True
        if drain.is_asked() != was_asked:
            break
    return False


def _say(**words: Any) -> None:
    name, since = words["name"], _since.get(words["name"])
    try:
        if since in _said and presence.spoke_last(name=name) not in (None, since):
            logger.warning("two workers are called %s; give each its own --hostname", name)
        presence.announce(**words, since=since, now=clock.now())
        _said.update({since} if since else ())
    except DatabaseError:
        logger.warning("worker %s could not say that it is here", name, exc_info=True)
    finally:
        connection.close()


def _farewell(name: str) -> None:
    since = _since.get(name)
    if since is None:
        return
    try:
        presence.farewell(name=name, since=since)
    except DatabaseError:
        logger.warning("worker %s could not say goodbye", name, exc_info=True)
    finally:
        connection.close()


def _look() -> None:
    """See which models can be offered now; while the folder cannot be read, those of before."""
    try:
        found = machine.listed()
    except (OSError, EngineError):
        logger.warning("the models folder could not be looked at", exc_info=True)
        return
    names, before = ({model["name"] for model in each} for each in (found, _held))
    if names != before and _held:
        logger.warning("offered now: %s", ", ".join(sorted(names)) or "no model")
    _held[:] = found


def _bells() -> list[str]:
    return presence.bells(model["name"] for model in _held)


def _listen(consumer: Any) -> None:
    """Hear the bells for what is offered now, and no others: they are for another worker.

    The consumer's own thread does it; the names are set at once, so that a new link has them too.
    """
    if consumer is None:
        return
    queues, wanted = consumer.app.amqp.queues, set(_bells())
    heard = {name for name in queues.consume_from if name.startswith(f"{presence.GENERATIVE}.")}
    for name in wanted - heard:
        queues.select_add(queues[name])
        consumer.call_soon(consumer.add_task_queue, name)
    for name in heard - wanted:
        queues.deselect(name)
        consumer.call_soon(consumer.cancel_task_queue, name)


def keep_link(**_: Any) -> None:
    """The link to the database is kept from task to task, as a site's is from request to request.

    One that is old is closed here, and one that broke meanwhile is found out at its next use.
    """
    close_old_connections()


def leave(**_: Any) -> None:
    """SIGTERM came: begin nothing new, and hand back what is not finished in time."""
    drain.ask()


def end(sender: Any, **_: Any) -> None:
    """A worker that stops in order is not offered any more."""
    _stop.set()
    _farewell(sender.hostname)


def connect() -> None:
    """Hang all of these on Celery's signals."""
    celeryd_after_setup.connect(choose_queues, weak=False)
    worker_ready.connect(begin, weak=False)
    task_prerun.connect(keep_link, weak=False)
    worker_shutting_down.connect(leave, weak=False)
    worker_shutdown.connect(end, weak=False)
