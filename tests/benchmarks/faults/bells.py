"""The brokers that the faults strike: a server of our own each, never one that others use."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kombu
import redis
from amqp.exceptions import AMQPError, NotFound

QUEUES = ("cpu", "batch")
START_SECONDS = 180


class RedisBroker:
    """A Redis server that keeps nothing on disk."""

    name = "redis"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        command = ["redis-server", *words, "--appendonly", "no", "--dir", str(self.folder)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _wait_for(self._answers, "Redis")

    def stop(self) -> None:
        """Kill -9; what it held is gone."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def waiting(self) -> int:
        """How many messages lie there that nobody took."""
        return sum(int(self._client().llen(name)) for name in QUEUES)

    def flush(self) -> None:
        """Forget everything, as FLUSHALL does: the messages, and which queues there are."""
        self._client().flushall()

    def cut_links(self) -> None:
        """Close every client's connection."""
        client = self._client()
        for each in client.client_list():
            with contextlib.suppress(redis.ResponseError):
                client.client_kill_filter(_id=each["id"], skipme=True)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self._client().ping())
        return False

    def _client(self) -> redis.Redis:
        return redis.Redis(port=self.port)


class RabbitBroker:
    """A RabbitMQ node with its own folder, its own name, its own cookie and its own epmd."""

    name = "rabbitmq"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"amqp://guest:guest@127.0.0.1:{port}//"
        self._programs: list[subprocess.Popen[bytes]] = []
        between, names = str(port + 2), str(port + 3)  # port + 1 is the way to S3
        self._environment = os.environ | {
            "HOME": str(folder),  # where the cookie lies
            "RABBITMQ_NODENAME": f"faults-{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": between,
            "ERL_EPMD_PORT": names,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(folder / "kept"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }

    def start(self) -> None:
        """Start it, empty, and wait until it lets somebody in."""
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, content in (("environment", ""), ("plugins", "[]."), ("rabbitmq.conf", "")):
            (self.folder / name).write_text(content)
        # Before the node, which would start a daemon that outlives us.
        self._programs = [self._run("epmd", "-address", "127.0.0.1"), self._run("rabbitmq-server")]
        _wait_for(self._answers, "RabbitMQ")

    def stop(self) -> None:
        """Kill -9; the next start finds an empty folder."""
        for each in self._programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()

    def waiting(self) -> int:
        """How many messages lie there that nobody took."""
        with contextlib.suppress(NotFound):
            return sum(self._told(name, "queue_declare", passive=True)[1] for name in QUEUES)
        return 0

    def flush(self) -> None:
        """Forget every message that nobody took."""
        for name in QUEUES:
            self._told(name, "queue_purge")

    def cut_links(self) -> None:
        """Close every client's connection."""
        command = [_program("rabbitmqctl"), "--quiet", "close_all_connections", "a fault"]
        subprocess.run(
            command, env=self._environment, check=True, capture_output=True, timeout=START_SECONDS
        )

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        program, *rest = words
        with (self.folder / "output").open("ab") as output:
            return subprocess.Popen(
                [_program(program), *rest],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _told(self, queue: str, verb: str, **words: Any) -> Any:
        with kombu.Connection(self.url) as link:
            return getattr(link.default_channel, verb)(queue, **words)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, AMQPError), kombu.Connection(self.url) as link:
            link.connect()
            return True
        return False


def _program(name: str) -> str:
    """The program itself: what is on the PATH may be a wrapper that changes the user."""
    inner = Path("/usr/lib/rabbitmq/bin") / name
    found = str(inner) if inner.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not on this machine")
    return found


def _wait_for(answers: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers():
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} does not answer")


BROKERS: dict[str, Any] = {"redis": RedisBroker, "rabbitmq": RabbitBroker}
