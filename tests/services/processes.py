"""Programs of the product in processes of their own: a whole site, or one worker."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services.databases import manage
from tests.services.need import ROOT

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass
class Process:
    """A program that runs beside the tests; what it prints goes to the file `log`."""

    running: subprocess.Popen[bytes]
    log: Path

    def printed(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def is_running(self) -> bool:
        """Tell whether it still runs."""
        return self.running.poll() is None

    def stop(self) -> int:
        """Ask it to stop and wait; return its exit code."""
        self.running.send_signal(signal.SIGTERM)
        try:
            return self.running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """kill -9, and its children too."""
        try:
            os.killpg(self.running.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.running.wait()

    def wait_for(self, is_there: Callable[[], bool], what: str) -> None:
        """Wait until it is there; fail with the log when the program ends before or time is up."""
        wait_until(lambda: is_there() or not self.is_running(), what, log=self.printed)
        assert self.is_running(), f"ended before {what}:\n{self.printed()}"


@dataclass
class Site(Process):
    """A running site. `url` is its address, `environment` what it was started with."""

    url: str
    var_dir: Path
    environment: dict[str, str]

    def manage(self, *words: str) -> str:
        """Run a management command on this site's data; return what it printed."""
        return manage(*words, **self.environment)

    def run(self, code: str) -> str:
        """Run lines of Python on this site's data; return what they printed."""
        return self.manage("shell", "--no-imports", "--command", code)

    def end(self) -> None:
        """End it without waiting for its workers: asked twice, the supervisor hurries."""
        if not self.is_running():
            return
        self.running.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.stop()

    def programs(self) -> list[int]:
        """The process ids of the supervisor's children."""
        command = ["ps", "-o", "pid=", "--ppid", str(self.running.pid)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return [int(word) for word in answer.stdout.split()]


def start(
    command: Sequence[str], log: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def start_site(folder: Path, environment: dict[str, str]) -> Site:
    """Start `manage.py serve` on a free port over a migrated database; wait until it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = environment | {"REKINDLE_VAR_DIR": str(folder), "REKINDLE_SITE_URL": url}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    log = folder / "site.log"
    site = Site(start(command, log, environment), log, url, folder, environment)
    site.wait_for(lambda: answers(f"{url}/health/live"), "the site answered")
    return site


def start_worker(folder: Path, environment: dict[str, str], *, kind: str = "cpu") -> Process:
    """Start one Celery worker for a queue; wait until it takes messages."""
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker"]
    command += ["--queues", kind, "--loglevel", "info", "--concurrency", "1"]
    command += ["--hostname", f"{kind}-{time.time_ns()}@%h", "--without-gossip", "--without-mingle"]
    command += ["--pool", "solo" if kind == "generative" else "prefork"]
    log = folder / f"worker-{time.time_ns()}.log"
    environment = environment | {"REKINDLE_VAR_DIR": str(folder), "REKINDLE_LOG_LEVEL": "INFO"}
    worker = Process(start(command, log, environment), log)
    worker.wait_for(lambda: " ready." in worker.printed(), "the worker was ready")
    return worker


def wait_until(
    is_so: Callable[[], bool],
    what: str,
    *,
    seconds: float = START_SECONDS,
    log: Callable[[], str] = lambda: "",
) -> None:
    """Wait until it is so, or fail saying what did not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}\n{log()}")


def answers(url: str) -> bool:
    """Tell whether the address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def free_ports(many: int) -> int:
    """The first of so many in a row that nobody has, and that the system lends to nobody."""
    for first in random.sample(range(20_000, 30_000, many), 100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + many):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise OSError(f"no {many} free ports in a row")


def free_port() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)
