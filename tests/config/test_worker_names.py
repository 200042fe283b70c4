"""A worker says goodbye for itself alone, also where another bears its name."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import ResourceLocked
from django.conf import settings
from django.utils import timezone

from config import logs, worker
from restoration import presence
from restoration.models import Worker

NAME = "celery@here"
WORDS: dict[str, Any] = {"name": NAME, "queues": ["cpu"], "offers": [], "models": []}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has announced nobody; the test's own link to the database stays."""
    monkeypatch.setattr(worker, "_since", {})
    monkeypatch.setattr(worker, "_said", set())
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    yield
    worker._stop.clear()


def another_speaks() -> None:
    now = timezone.now()
    presence.announce(**WORDS, now=now, since=now - timedelta(hours=1))


@pytest.mark.django_db
def test_a_worker_that_was_turned_away_leaves_the_row_of_the_one_that_lives() -> None:
    another_speaks()
    worker.end(SimpleNamespace(hostname=NAME))
    assert Worker.objects.filter(name=NAME).exists()


@pytest.mark.django_db
def test_a_worker_that_stops_leaves_the_row_of_another_with_its_name() -> None:
    worker._since[NAME] = timezone.now()
    worker._say(**WORDS)
    another_speaks()
    worker.end(SimpleNamespace(hostname=NAME))
    assert Worker.objects.filter(name=NAME).exists()


@pytest.mark.django_db
def test_a_worker_that_stops_is_not_offered_any_more() -> None:
    worker._since[NAME] = timezone.now()
    worker._say(**WORDS)
    worker.end(SimpleNamespace(hostname=NAME))
    assert not Worker.objects.filter(name=NAME).exists()


@pytest.mark.django_db
def test_two_workers_with_one_name_are_told_of_it_and_one_after_the_other_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    another_speaks()
    worker._since[NAME] = timezone.now()
    worker._say(**WORDS)
    worker._say(**WORDS)
    assert "two workers" not in caplog.text
    another_speaks()
    worker._say(**WORDS)
    assert f"two workers are called {NAME}; give each its own --hostname" in caplog.text


def turned_away() -> logging.LogRecord:
    try:
        raise ResourceLocked("cannot obtain exclusive access", (50, 10), "Queue.declare")
    except ResourceLocked:
        told = "celery.worker", logging.CRITICAL, "worker.py", 1, "Unrecoverable error: %r", ("x",)
        return logging.LogRecord(*told, exc_info=sys.exc_info())


def test_a_worker_that_rabbitmq_turns_away_says_in_a_sentence_why() -> None:
    record = turned_away()
    assert logs.OneName().filter(record)
    line = logging.Formatter().format(record)
    assert line.startswith("Another worker with this name is here already")
    assert "--hostname cpu-2@%h" in line
    assert "Traceback" not in line


def test_every_other_error_of_a_worker_stays_as_it_is() -> None:
    record = logging.makeLogRecord({"msg": "lost", "exc_info": (OSError, OSError(), None)})
    assert logs.OneName().filter(record)
    assert (record.msg, record.exc_info is None) == ("lost", False)


def test_these_sentences_are_what_the_log_is_set_up_to_write() -> None:
    loggers = settings.LOGGING["loggers"]
    assert loggers["celery.worker"]["filters"] == ["one_name"]
    assert settings.LOGGING["filters"]["one_name"]["()"] == "config.logs.OneName"
    # Eight warnings at each start, of tasks with a time to come, which are never sent here.
    assert loggers["kombu.transport.native_delayed_delivery"]["level"] == "ERROR"
