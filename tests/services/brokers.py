"""Brokers of each kind, apart from those of other tests, and how to ring through one from here."""

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from kombu import Queue

from config import broker
from config.celery import app
from restoration.engine.generative.rows import FAMILIES
from tests.services import addresses

# One database of Redis for each process of a parallel run.
REDIS_DATABASES = {"gw0": 13, "gw1": 14}


@contextlib.contextmanager
def redis_broker() -> Iterator[str]:
    """Empty one database of the Redis server and lend it."""
    number = REDIS_DATABASES.get(os.environ.get("PYTEST_XDIST_WORKER", ""), 15)
    url = f"{addresses.redis()}/{number}"
    with contextlib.closing(redis.Redis.from_url(url)) as link:
        link.flushdb()
        yield url
        link.flushdb()


@contextlib.contextmanager
def rabbitmq_broker() -> Iterator[str]:
    """Make a virtual host of RabbitMQ and remove it again."""
    name = f"rekindle-test-{uuid.uuid4().hex[:12]}"
    user = urlsplit(addresses.rabbitmq()).username or "guest"
    rabbitmqctl("add_vhost", name)
    try:
        rabbitmqctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield f"{addresses.rabbitmq()}/{name}"
    finally:
        rabbitmqctl("delete_vhost", name)


@contextlib.contextmanager
def bells_through(url: str, folder: Path) -> Iterator[None]:
    """Let tasks sent by this process go to the broker at `url` of a site with this var folder."""
    before = (app.conf.broker_url, app.conf.broker_transport_options, app.conf.task_queues)
    scheme = urlsplit(url).scheme
    # RabbitMQ's queues are of another kind, and it takes no second word about one.
    queues = broker.queues(scheme, settings.BELLS_EXCHANGE, {each.name for each in FAMILIES})
    _point_at(url, broker.transport_options(scheme, folder / "broker"), queues)
    try:
        yield
    finally:
        _point_at(*before)


def _point_at(url: str, options: dict[str, Any] | None, queues: list[Queue]) -> None:
    app.conf.update(
        task_queues=queues,
        broker_url=url,
        broker_read_url=url,
        broker_write_url=url,
        broker_transport_options=options,
    )
    for remembered in ("queues", "router"):
        vars(app.amqp).pop(remembered, None)
    app._after_fork()  # type: ignore[attr-defined] # forget the links to the other broker


def rabbitmqctl(*words: str) -> None:
    """Tell RabbitMQ something; OSError or CalledProcessError where this user may not."""
    command = shutil.which("rabbitmqctl") or "/usr/sbin/rabbitmqctl"
    subprocess.run([command, "--quiet", *words], check=True, capture_output=True, timeout=300)
