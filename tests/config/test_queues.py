"""Which queues there are, and which a worker listens to besides the one that it was given."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings

from config import broker, worker
from config.broker import queues
from config.celery import app
from restoration import presence, tasks
from tests.services.brokers import bells_through

FAMILIES = ("sdxl", "klein")


def test_there_is_a_queue_for_each_kind_and_each_family() -> None:
    names = [queue.name for queue in queues("redis", "hall", FAMILIES)]
    assert names == ["cpu", "batch", "generative", "generative.klein", "generative.sdxl"]


def test_rabbitmq_keeps_them_as_quorum_queues_that_drop_what_kills_its_readers() -> None:
    (cpu, *_others) = queues("amqp", "hall", FAMILIES)
    assert cpu.queue_arguments["x-queue-type"] == "quorum"
    assert cpu.queue_arguments["x-delivery-limit"] == broker.MOST_DELIVERIES
    # In milliseconds, and longer than the job limit may be.
    assert cpu.queue_arguments["x-consumer-timeout"] == 24 * 3600 * 1000


def test_redis_gives_nothing_again_while_it_may_still_be_worked_on(tmp_path: Any) -> None:
    options = broker.transport_options("redis", tmp_path)
    assert options is not None
    assert options["visibility_timeout"] == broker.LONGEST_JOB
    assert options["queue_order_strategy"] == "priority"


def listened(kind: str, name: str = "w@here") -> list[str]:
    app = Celery("listening", broker="memory://", set_as_current=False)
    app.conf.task_queues = queues("memory", "hall", ("sdxl", "klein"))
    app.amqp.queues.select(kind.split(","))
    worker.choose_queues(name, SimpleNamespace(app=app))
    return list(app.amqp.queues.consume_from)


def test_a_cpu_worker_reads_files_when_no_person_waits() -> None:
    assert listened("cpu") == ["cpu", "batch"]


def test_a_worker_with_models_listens_for_their_families_and_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = {"name": "sdxl-tile", "offers": ["redraw:sdxl-tile"]}
    monkeypatch.setattr(worker.machine, "listed", lambda: [model])
    heard = listened("generative", "gpu1@here")
    assert set(heard) == {"generative", "at.gpu1@here", "generative.sdxl"}
    assert listened("cpu,generative")[:2] == ["cpu", "generative"]


def test_a_bell_for_one_worker_arrives_although_the_broker_forgot_which_queues_there_are(
    redis_url: str, tmp_path: Path
) -> None:
    own = broker.own_queue(presence.own_bell("gpu1@here"), settings.BELLS_EXCHANGE)
    with bells_through(redis_url, tmp_path), app.connection() as link:
        own(link.default_channel).declare()
        with contextlib.closing(redis.Redis.from_url(redis_url)) as server:
            server.flushdb()
        tasks._send(7, "generative", near="gpu1@here")
        heard = own(link.default_channel).get()
    assert heard is not None
    assert heard.headers["task"] == tasks.run_job.name
