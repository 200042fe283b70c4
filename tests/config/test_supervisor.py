"""The supervisor: what dies comes back, what hangs is ended, nothing stays behind."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config import supervisor
from config.supervisor import Program, Supervisor
from tests.services.need import ROOT
from tests.services.processes import wait_until

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
WITH_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"
ALONE = """
import os, sys
from config.supervisor import Program, Supervisor
say = lambda name, line: print(name, line, flush=True)
Supervisor([Program("a", [sys.executable, "-c", sys.argv[1]])], say, os.environ).run()
"""


def start(code: str) -> subprocess.Popen[str]:
    """A supervisor of one program in a process of its own, once its program is up."""
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE, code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "a up\n"
    return process


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.fixture
def supervise() -> Iterator[subprocess.Popen[str]]:
    process = start(SLEEP)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_everything(supervise: subprocess.Popen[str], number: int) -> None:
    children = family(supervise)
    supervise.send_signal(number)
    assert supervise.wait(5) == 0
    assert children
    assert gone(children)


def test_what_is_killed_is_started_again(supervise: subprocess.Popen[str]) -> None:
    [child] = family(supervise)
    child.kill()
    assert supervise.stdout is not None
    assert supervise.stdout.readline() == "serve a ended (signal 9), starting it again\n"
    assert supervise.stdout.readline() == "a up\n"


def test_a_killed_supervisor_leaves_nobody_behind(supervise: subprocess.Popen[str]) -> None:
    children = family(supervise)
    supervise.kill()
    wait_until(lambda: gone(children), "the programs ended with their supervisor", seconds=10)


def test_the_children_of_a_program_end_with_it() -> None:
    process = start(WITH_CHILD)
    wait_until(lambda: len(family(process)) == 2, "the program has a child")
    children = family(process)
    process.terminate()
    assert process.wait(15) == 0
    assert gone(children)


def test_a_stubborn_program_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    up = threading.Event()
    ours = Supervisor([Program("a", [sys.executable, "-c", STUBBORN])], lambda *_: up.set(), {})
    threading.Thread(target=lambda: (up.wait(20), ours.stop())).start()
    started = time.monotonic()
    run_without_signals(ours, monkeypatch)
    assert time.monotonic() - started < 20
    assert all(run.is_over() for run in ours._runs)


@pytest.mark.slow
def test_one_that_always_dies_is_started_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    starts: list[float] = []
    program = Program("a", [sys.executable, "-c", "raise SystemExit(3)"])
    ours = Supervisor([program], lambda name, line: starts.append(time.monotonic()), {})
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.1)
    threading.Timer(4, ours.stop).start()
    run_without_signals(ours, monkeypatch)
    assert 2 <= len(starts) <= 7


def run_without_signals(ours: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run it in this process, whose own signals stay as they are."""
    monkeypatch.setattr(supervisor.signal, "signal", lambda *_: None)
    ours.run()
