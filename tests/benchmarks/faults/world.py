"""A site at the institution's size in one folder: rows, bells, bytes, two workers, two sweepers."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.faults import lifetimes
from tests.benchmarks.faults.nursery import Nursery
from tests.benchmarks.faults.parts import BROKERS, GATES, Cluster
from tests.benchmarks.faults.proxy import Proxy
from tests.services import addresses
from tests.services.need import ROOT

LEASE_SECONDS = lifetimes.LEASE_SECONDS
WORKERS, SWEEPERS = 2, 2
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


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
        """Kill -9 and bury it."""
        self.signal(9)
        self.running.wait()

    def holds_port(self, port: int) -> bool:
        """Whether one of its processes has this local port."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if any(link.laddr.port == port for link in process.net_connections("tcp")):
                    return True
        return False

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
    environment: dict[str, str]
    nursery: Nursery
    workers: list[Program] = field(default_factory=list)
    sweepers: list[Program] = field(default_factory=list)
    made: int = 0

    def worker(self, **more: str) -> Program:
        """A new worker, with the words of docs/operator.md; it does not wait until it is ready."""
        self.made += 1
        name = f"w{self.made}"
        words = ["celery", "--quiet", "-A", "config", "worker"]
        words += ["--queues", "cpu", "--loglevel", "info", "--pool", "prefork"]
        words += ["--concurrency", "1", "--hostname", f"{name}@faults"]
        words += ["--without-gossip", "--without-mingle"]
        log = self.folder / f"{name}.log"
        if more:  # an environment of its own: it cannot be forked
            return Program(self._spawned([sys.executable, "-m", *words], log, more), log)
        return Program(self.nursery.start(words, log), log)

    def sweeper(self) -> Program:
        """A new sweeper."""
        self.made += 1
        log = self.folder / f"s{self.made}.log"
        return Program(self.nursery.start(["manage.py", "sweep", "--every", "2"], log), log)

    def _spawned(self, command: list[str], log: Path, more: Mapping[str, str]) -> Any:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | self.environment | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def replace(self, gone: Program, **more: str) -> None:
        """What a supervisor does: another in the place of one that ended."""
        gone.end()
        group = self.workers if gone in self.workers else self.sweepers
        group.remove(gone)
        group.append(self.worker(**more) if group is self.workers else self.sweeper())

    def owner_of(self, port: int | None) -> Program | None:
        """The worker whose link to the database has this port."""
        if port is None:
            return None
        return next((each for each in self.workers if each.holds_port(port)), None)

    def wait_for_workers(self, seconds: float = 120 * lifetimes.PATIENCE) -> None:
        """Wait until every worker is ready; a round begins on a whole site."""
        deadline = time.monotonic() + seconds
        for group, start in ((self.workers, self.worker), (self.sweepers, self.sweeper)):
            for each in [one for one in group if one.running.poll() is not None]:
                group.remove(each)
                group.append(start())
        while time.monotonic() < deadline:
            if all(each.is_ready() for each in self.workers):
                return
            time.sleep(0.2)
        raise AssertionError("the workers are not ready: " + str(self.workers[-1].log))


@contextlib.contextmanager
def world(environment: dict[str, str], broker: str, port: int) -> Iterator[World]:
    """Make it all, lend it, and take it all down; the environment is that of `addressed`."""
    folder = Path(environment["REKINDLE_VAR_DIR"])
    cluster = Cluster(folder / "rows", port)
    bells = BROKERS[broker](folder / "bells", port + 1)
    with contextlib.ExitStack() as ends:
        cluster.make()
        ends.callback(cluster.stop)
        bells.start()
        ends.callback(bells.stop)
        proxy = Proxy(port + 2, addresses.s3())
        ends.callback(proxy.close)
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=os.environ | environment, check=True)
        cluster.ask(GATES)
        nursery = Nursery(environment)
        ends.callback(nursery.close)
        there = World(folder, cluster, bells, proxy, environment, nursery)
        there.workers = [there.worker() for _ in range(WORKERS)]
        there.sweepers = [there.sweeper() for _ in range(SWEEPERS)]
        ends.callback(lambda: [each.end() for each in [*there.workers, *there.sweepers]])
        yield there
    shutil.rmtree(folder / "rows", ignore_errors=True)
