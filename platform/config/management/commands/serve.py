"""Start the whole site with one command."""

import fcntl
import hashlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import broker, metrics
from config.supervisor import Program, Supervisor

SWEEP_SECONDS = 5
WEB_THREADS = 8
READY_SECONDS = 60
DRAIN_SECONDS = 4
# The demonstration's accounts, one line each, written by `seed_demo`.
ACCOUNTS = "demo-accounts.txt"


class Command(BaseCommand):
    """`manage.py serve`: the site, its workers and the sweeper under one supervisor."""

    help = "Start the site, its workers and the sweeper, and keep them running until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and how much to do at once."""
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on")
        parser.add_argument("--workers", type=int, default=1, help="CPU jobs worked on at once")
        parser.add_argument("--web-processes", type=int, default=1, help="of 8 threads each")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse to start twice or on a taken port; then run until told to stop."""
        lock = _only_one(settings.VAR_DIR / "serve.lock")
        host, port = options["host"], options["port"]
        _port_is_free(host, port)
        supervisor = Supervisor(
            programs=programs(host, port, options["workers"], options["web_processes"]),
            say=self._say,
            environment=_environment() | _adding_up(options["web_processes"]),
            chores=[_sweep_the_broker],
        )
        greeter = threading.Thread(target=self._greet, args=(supervisor, port), daemon=True)
        greeter.start()
        if os.geteuid() == 0:
            self._say(
                "serve", "This runs as root: fine on a machine of your own, not for visitors."
            )
        with closing(lock):
            supervisor.run()
            _forget_counts()
        self._say("serve", "stopped")

    def _say(self, name: str, line: str) -> None:
        try:
            self.stdout.write(f"{name:<10} | {line}")
            self.stdout.flush()
        except BrokenPipeError:  # the terminal is gone; the site need not follow it
            return

    def _greet(self, supervisor: Supervisor, port: int) -> None:
        """Print the address and the accounts as soon as the site answers."""
        deadline = time.monotonic() + READY_SECONDS
        while not supervisor.is_stopping() and time.monotonic() < deadline:
            if _answers(f"http://127.0.0.1:{port}/health/live"):
                for line in ["", f"Rekindle is ready: http://localhost:{port}/", *_accounts(), ""]:
                    self._say("serve", line)
                return
            time.sleep(0.2)


def programs(host: str, port: int, workers: int, web_processes: int) -> list[Program]:
    """Return the programs of a site: web, sweeper, and a worker for each kind of work."""
    python = sys.executable
    manage = str(settings.BASE_DIR / "manage.py")
    web = [python, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}"]
    web += ["--workers", str(web_processes), "--worker-class", "gthread"]
    web += ["--threads", str(WEB_THREADS), "--timeout", "120", "--graceful-timeout", "4"]
    web += ["--log-level", "warning", "--no-control-socket"]
    if (memory := metrics.memory()) is not None:  # a full disk keeps no process from starting
        web += ["--worker-tmp-dir", str(memory)]
    sweeper = [python, manage, "sweep", "--every", str(SWEEP_SECONDS)]
    return [
        Program("web", web),
        Program("sweeper", sweeper),
        *(Program(f"{kind}", worker(kind, workers)) for kind in settings.WORKER_KINDS),
    ]


def worker(kind: str, concurrency: int) -> list[str]:
    """Return the command of a worker that serves one queue.

    CUDA and fork do not mix, so the generative worker works in its own process; the CPU worker
    forks, so that a picture that eats all memory kills a child and the message is given again.
    """
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker"]
    command += ["--queues", kind, "--hostname", f"{kind}-{os.getpid()}@%h", "--loglevel", "warning"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    if kind == "generative":
        return [*command, "--pool", "solo"]
    return [*command, "--pool", "prefork", "--concurrency", str(concurrency)]


def _environment() -> dict[str, str]:
    """Return our environment, with the source roots on the path of those we start."""
    roots = [str(settings.BASE_DIR / "platform"), str(settings.BASE_DIR)]
    known = os.environ.get("PYTHONPATH", "")
    # Less than the supervisor's patience: what is not finished is handed back, not killed.
    drain = os.environ.get("REKINDLE_DRAIN_SECONDS", str(DRAIN_SECONDS))
    given = {name: value for name, value in os.environ.items() if name != metrics.SHARED}
    return given | {
        "REKINDLE_DRAIN_SECONDS": drain,
        "PYTHONPATH": os.pathsep.join([*roots, *filter(None, [known])]),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # said by us instead
    }


def _adding_up(web_processes: int) -> dict[str, str]:
    """Where several processes of the site add up what they count, if there is anybody to read it.

    An empty folder: what processes that are gone had counted is no part of this run.
    """
    _forget_counts()
    if not settings.METRICS_TOKEN or web_processes < 2:
        return {}
    folder, name = _counts()
    return {metrics.SHARED: tempfile.mkdtemp(prefix=name, dir=folder)}


def _counts() -> tuple[Path, str]:
    """The folder of those folders, and how the names begin that are this site's own."""
    ours = hashlib.sha256(str(settings.VAR_DIR).encode()).hexdigest()[:12]
    return metrics.memory() or settings.VAR_DIR, f"rekindle-counts-{ours}-"


def _forget_counts() -> None:
    """Also those of a run that was killed: the lock says that it is over."""
    folder, name = _counts()
    for each in folder.glob(f"{name}*"):
        shutil.rmtree(each, ignore_errors=True)


def _only_one(path: Path) -> IO[str]:
    """Hold the lock of this var folder; the kernel gives it back however we end."""
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(f"A site is already running on {path.parent}.") from None
    return file


def _port_is_free(host: str, port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            message = f"Cannot listen on {host}:{port}: {error.strerror}. Try --port."
            raise CommandError(message) from None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False


def _accounts() -> list[str]:
    file = settings.VAR_DIR / ACCOUNTS
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _sweep_the_broker() -> None:
    if urlsplit(settings.CELERY_BROKER_URL).scheme == broker.ALIAS:
        broker.sweep(settings.VAR_DIR / "broker" / "queue", now=time.time())
