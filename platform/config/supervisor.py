"""Keeps the programs of a site running: starts them, starts again what dies, stops all of them.

Each program has a process group of its own, so that Ctrl-C reaches only us and we end the others in
order; and each asks the kernel for SIGTERM should we be killed, so that nothing is left behind.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

LOOK_SECONDS = 0.2
GRACE_SECONDS = 8.0  # what a program may take to stop by itself
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
STEADY_SECONDS = 30.0  # one that lived so long is started again without waiting
CHORE_SECONDS = 600.0
PR_SET_PDEATHSIG = 1

# Loaded before any fork: the child may do no more than call it.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Program:
    """One program to keep running."""

    name: str
    command: Sequence[str]


@dataclass
class _Run:
    """One life of a program."""

    program: Program
    process: subprocess.Popen[str]
    since: float
    wait: float = FIRST_WAIT
    again_at: float | None = None

    def is_over(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Supervisor:
    """Runs `programs` until it is told to stop.

    `say(name, line)` prints a line of a program; `chores` are called every ten minutes.
    """

    programs: Sequence[Program]
    say: Say
    environment: Mapping[str, str]
    chores: Sequence[Callable[[], object]] = ()
    _runs: list[_Run] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _hurry: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Start everything, watch over it, and stop it all when a signal or `stop` says so."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        next_chores = 0.0
        try:
            self._runs = [self._start(program) for program in self.programs]
            while not self._stop.wait(LOOK_SECONDS):
                now = time.monotonic()
                self._runs = [self._look_after(run, now) for run in self._runs]
                if now >= next_chores:
                    next_chores = now + CHORE_SECONDS
                    for chore in self.chores:
                        chore()
        finally:
            self._stop_all()

    def stop(self) -> None:
        """Ask `run` to end; asked twice, it no longer waits for anybody."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def is_stopping(self) -> bool:
        """Tell whether the end was asked for."""
        return self._stop.is_set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _start(self, program: Program) -> _Run:
        process = subprocess.Popen(
            program.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent if _LIBC else None,
        )
        threading.Thread(target=self._echo, args=(program.name, process), daemon=True).start()
        return _Run(program, process, time.monotonic())

    def _echo(self, name: str, process: subprocess.Popen[str]) -> None:
        """Print what the program prints, until it closes its end."""
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        for line in process.stdout:
            self.say(name, line.rstrip())

    def _look_after(self, run: _Run, now: float) -> _Run:
        """Return the run as it is, or the next life of a program that ended."""
        if not run.is_over():
            return run
        if run.again_at is None:
            _signal_group(run.process, signal.SIGKILL)  # what it left of its children
            steady = now - run.since > STEADY_SECONDS
            run.wait = FIRST_WAIT if steady else run.wait
            run.again_at = now + run.wait
            self.say("serve", f"{run.program.name} ended ({_how(run.process)}), starting it again")
        if now < run.again_at:
            return run
        again = self._start(run.program)
        again.wait = min(run.wait * 2, LONGEST_WAIT)
        return again

    def _stop_all(self) -> None:
        """End every program politely, then whatever is left of any group by force."""
        for run in self._runs:
            if not run.is_over():
                run.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and not self._hurry.is_set():
            if all(run.is_over() for run in self._runs):
                break
            time.sleep(LOOK_SECONDS / 4)
        for run in self._runs:
            _signal_group(run.process, signal.SIGKILL)
            run.process.wait()


def _die_with_parent() -> None:
    """In the new process: ask the kernel for SIGTERM when the supervisor dies."""
    assert _LIBC is not None  # noqa: S101 - only called where there is one
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal the program's whole group, if anybody is left in it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _how(process: subprocess.Popen[str]) -> str:
    """Say in words how the process ended."""
    code = process.returncode
    return f"signal {-code}" if code < 0 else f"exit {code}"
