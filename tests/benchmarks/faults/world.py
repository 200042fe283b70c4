"""A site at the institution's size in one folder: rows, bells, bytes, two workers, two sweepers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.faults import lifetimes
from tests.benchmarks.faults.cluster import GATES, Cluster
from tests.benchmarks.faults.nursery import Nursery
from tests.benchmarks.faults.proxy import Proxy
from tests.benchmarks.faults.scratch import Scratch
from tests.services import addresses
from tests.services.need import ROOT

LEASE_SECONDS = lifetimes.LEASE_SECONDS
WORKERS, SWEEPERS = 2, 2
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("libfaketimeMT.so.1"))
RUNNING = "SELECT count(*) FROM restoration_job WHERE state = 'running'"
LIVE = "SELECT count(*) FROM restoration_job WHERE state IN ('queued', 'running')"


@dataclass
class Program:
    """A worker or a sweeper, with all its children."""

    running: Any
    log: Path

    def processes(self) -> list[psutil.Process]:
        """It and its children, as far as they live."""
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.running.pid)
            return [top, *top.children(recursive=True)]
        return []

    def signal(self, number: int) -> None:
        """Send a signal to all of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, number)

    def end(self) -> None:
        """Kill -9 and bury it, children and all."""
        self.signal(signal.SIGKILL)
        self.running.wait()

    def links_to(self, port: int) -> set[tuple[int, int]]:
        """Its connections to a server: the process, and the port at this end."""
        found = set()
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                for link in process.net_connections("tcp"):
                    # One that was closed at the other end stays until somebody reads that it was.
                    is_open = link.status == psutil.CONN_ESTABLISHED
                    if is_open and link.raddr.port == port:
                        found.add((process.pid, link.laddr.port))
        return found

    def is_ready(self) -> bool:
        """Whether it said since its start that it takes messages."""
        return self.log.exists() and b" ready." in self.log.read_bytes()


@dataclass
class World:
    """Everything a fault may strike."""

    folder: Path
    cluster: Cluster
    broker: Any
    proxy: Proxy
    scratch: Scratch
    environment: dict[str, str]
    nursery: Nursery
    workers: list[Program] = field(default_factory=list)
    sweepers: list[Program] = field(default_factory=list)
    # What the next round does not begin with: programs whose clock is wrong, orphans of a parent.
    leaving: list[Program] = field(default_factory=list)
    made: int = 0

    @cached_property
    def hand(self) -> Path:
        """The file that says how wrong the clock of the misled programs is."""
        hand = self.folder / "clock"
        hand.write_text("+0")
        return hand

    @cached_property
    def misled(self) -> Nursery:
        """Starts programs whose clock goes by `hand`."""
        wrong = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.hand),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        return Nursery(self.environment | wrong)

    def worker(self, nursery: Nursery | None = None) -> Program:
        """A new worker, with the words of docs/operate.md; it does not wait until it is ready."""
        self.made += 1
        name = f"w{self.made}"
        words = ["celery", "--quiet", "-A", "config", "worker"]
        words += ["--queues", "cpu", "--loglevel", "info", "--pool", "prefork"]
        words += ["--concurrency", "1", "--hostname", f"{name}@faults"]
        words += ["--without-gossip", "--without-mingle"]
        log = self.folder / f"{name}.log"
        return Program((nursery or self.nursery).start(words, log), log)

    def sweeper(self, nursery: Nursery | None = None) -> Program:
        """A new sweeper."""
        self.made += 1
        log = self.folder / f"s{self.made}.log"
        words = ["manage.py", "sweep", "--every", "2"]
        return Program((nursery or self.nursery).start(words, log), log)

    def replace(self, gone: Program, nursery: Nursery | None = None) -> Program:
        """What a supervisor does: another in the place of one that ended."""
        gone.end()
        group, start = (
            (self.workers, self.worker) if gone in self.workers else (self.sweepers, self.sweeper)
        )
        group.remove(gone)
        group.append(start(nursery))
        return group[-1]

    def owner_of(self, port: int | None) -> Program | None:
        """The worker whose link to the database has this port."""
        if port is None:
            return None
        for each in self.workers:
            if any(port == own for _pid, own in each.links_to(self.cluster.port)):
                return each
        return None

    def links_to(self, port: int) -> set[tuple[int, int]]:
        """The connections of all programs to a server."""
        programs = [*self.workers, *self.sweepers]
        return {link for each in programs for link in each.links_to(port)}

    def count(self, question: str) -> int:
        """One number out of the rows."""
        return int(str(self.cluster.ask(question)[0][0]))

    def wait_for(self, question: str, seconds: float) -> bool:
        """Wait until a count is not nought; whether it was in time."""
        deadline = time.monotonic() + seconds
        while not self.count(question):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def marks(self) -> dict[Path, int]:
        """How long each log is, for `say_since`."""
        return {log: log.stat().st_size for log in self.folder.glob("[sw]*.log")}

    def say_since(self, marks: dict[Path, int], words: bytes) -> bool:
        """Whether any program said these words since the marks were made."""
        logs = self.folder.glob("[sw]*.log")
        return any(words in log.read_bytes()[marks.get(log, 0) :] for log in logs)

    def make_whole(self, seconds: float = 120 * lifetimes.PATIENCE) -> None:
        """A round begins on a whole site: every program lives, is honest and takes messages."""
        for each in self.leaving:
            if each in [*self.workers, *self.sweepers]:
                self.replace(each)
            each.end()
        self.leaving.clear()
        for each in [*self.workers, *self.sweepers]:
            if each.running.poll() is not None:
                self.replace(each)
        self.wait_until_ready(seconds)

    def wait_until_ready(self, seconds: float = 120 * lifetimes.PATIENCE) -> None:
        """Wait until every worker takes messages."""
        deadline = time.monotonic() + seconds
        while not all(each.is_ready() for each in self.workers):
            if time.monotonic() > deadline:
                raise AssertionError(f"the workers are not ready: {self.workers[-1].log}")
            time.sleep(0.1)

    def close(self) -> None:
        """End every program."""
        for each in [*self.workers, *self.sweepers, *self.leaving]:
            each.end()
        self.nursery.close()
        if "misled" in vars(self):
            self.misled.close()


@contextlib.contextmanager
def world(environment: dict[str, str], broker: Any, port: int) -> Iterator[World]:
    """Make it all, lend it, and take it all down; the environment is that of `addressed`."""
    folder = Path(environment["REKINDLE_VAR_DIR"])
    cluster = Cluster(folder / "rows", port)
    with contextlib.ExitStack() as ends:
        cluster.make()
        ends.callback(cluster.stop)
        ends.callback(broker.stop)
        broker.start()
        proxy = Proxy(port + 2, addresses.s3())
        ends.callback(proxy.close)
        scratch = Scratch(folder / "scratch")
        ends.callback(scratch.close)
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=os.environ | environment, check=True)
        cluster.ask(GATES)
        told = environment | {"TMPDIR": str(scratch.folder)}
        there = World(folder, cluster, broker, proxy, scratch, told, Nursery(told))
        ends.callback(there.close)
        there.workers = [there.worker() for _ in range(WORKERS)]
        there.sweepers = [there.sweeper() for _ in range(SWEEPERS)]
        yield there
    shutil.rmtree(folder / "rows", ignore_errors=True)
