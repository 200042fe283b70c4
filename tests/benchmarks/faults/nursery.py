"""Starts workers and sweepers by forking a process that has imported everything already.

A round ends with a new worker; importing Django, Celery and the engine again each time would take
most of the run. What is forked is the same program with the same words, in a group of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.benchmarks.faults.lifetimes import ROOT


class Forked:
    """A process that is not our child; what a Popen would tell and do."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end, or raise subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return 0

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Nursery:
    """The process that forks; asked over a pipe."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.faults.nursery"],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def start(self, words: Sequence[str], log: Path) -> Forked:
        """Fork one; its words are those after `python -m celery` or `manage.py`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([*words, str(log)]) + "\n")
        self._process.stdin.flush()
        return Forked(self._answer())

    def close(self) -> None:
        """End it; what it forked is not touched."""
        self._process.kill()
        self._process.wait()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def main() -> None:
    """Import it all once; then fork for each line that comes in."""
    import django

    django.setup()

    from restoration import runner

    assert runner
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    print(os.getpid(), flush=True)  # noqa: T201 - the answer of this program
    for line in sys.stdin:
        *words, log = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(words, log)
        print(pid, flush=True)  # noqa: T201


def _become(words: list[str], log: str) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = list(words)
    try:
        if words[0] == "celery":
            from celery.__main__ import main as celery

            celery()
        else:
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
