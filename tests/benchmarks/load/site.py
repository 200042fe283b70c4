"""The site as docs/operate.md starts it, the yardstick beside it, and what both used."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.services import databases, processes
from tests.services.need import ROOT

PROCESSES, THREADS = 2, 8
SOURCES = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])


@dataclass
class Server:
    """A running gunicorn; `url` is its address."""

    process: processes.Process
    url: str

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used so far."""
        master = psutil.Process(self.process.running.pid)
        family = [master, *master.children(recursive=True)]
        times = [each.cpu_times() for each in family]
        return float(sum(each.user + each.system for each in times))


@contextlib.contextmanager
def serving(
    application: str, environment: Mapping[str, str], folder: Path, ready: str
) -> Iterator[Server]:
    """gunicorn, with the words of docs/operate.md, two processes of eight threads."""
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", str(PROCESSES)]
    command += ["--threads", str(THREADS), "--no-control-socket", "--log-level", "warning"]
    command += ["--keep-alive", "75", "--worker-connections", "4000", "--backlog", "4096"]
    log = folder / f"{application.replace(':', '-')}.log"
    told = {**environment, "PYTHONPATH": SOURCES, "REKINDLE_SITE_URL": url}
    process = processes.Process(processes.start(command, log, told), log)
    try:
        process.wait_for(lambda: processes.answers(url + ready), f"{application} answered")
        yield Server(process, url)
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):  # then it is killed
            process.stop()


@contextlib.contextmanager
def parts(url: str, folder: Path, *, broker: str, cache: str) -> Iterator[dict[str, str]]:
    """The settings of an institution on this machine; static files collected, no bytes."""
    environment = {
        "REKINDLE_DATABASE_URL": url,
        "REKINDLE_BROKER_URL": broker,
        "REKINDLE_CACHE_URL": cache,
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_STATIC_DIR": str(folder / "static"),
        "REKINDLE_SECRET_KEY": "only-for-tests",
        "REKINDLE_LOG_LEVEL": "ERROR",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
    }
    (folder / "metrics").mkdir(parents=True, exist_ok=True)
    (folder / "static").mkdir(exist_ok=True)
    databases.manage("collectstatic", "--no-input", "--verbosity", "0", **environment)
    try:
        yield environment
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Caller:
    """One browser with a connection that stays, asking page after page."""

    def __init__(self, url: str, cookie: str = "", **headers: str) -> None:
        self.link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.headers = headers | ({"Cookie": cookie} if cookie else {})

    def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """State, body and headers of an address."""
        self.link.request("GET", path, headers=self.headers | headers)
        answer = self.link.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}


def milliseconds(
    server: Server,
    caller: Caller,
    paths: list[str],
    *,
    before: Callable[[], None] | None = None,
) -> float:
    """CPU milliseconds of the server for one of these pages, asked one after the other.

    `before` is done before each, by somebody else.
    """
    began = server.cpu()
    for path in paths:
        if before is not None:
            before()
        state, body, _headers = caller.get(path)
        if state != 200 or not body:
            raise AssertionError(f"{path} answered {state}")
    return 1000 * (server.cpu() - began) / len(paths)
