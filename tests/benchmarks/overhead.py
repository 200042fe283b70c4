"""What the platform adds to a run, beside the bare engine call and a bare Celery round trip.

    python -m tests.benchmarks.overhead [--megapixels 6] [--runs 5] [--bells 40]

On PostgreSQL and Redis, in turns within the same minutes. Overhead: all that the worker spends on a
run but the engine call itself (reading, keeping, sizes for looking at, rows), by CPU and by the
clock, over that call. Start: from the moment in which the job is in the queue to that in which its
row says it runs, over a task of two lines that answers. Exit code 1 when more than may be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tests.environment  # a world of its own, before the settings are read

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

import psycopg2  # noqa: E402
from celery import Celery  # noqa: E402
from django.conf import settings  # noqa: E402

from accounts.models import User  # noqa: E402
from archive import clock  # noqa: E402
from restoration import runner, tasks  # noqa: E402
from restoration.actions.claims import claim_photo  # noqa: E402
from restoration.actions.jobs import request_job  # noqa: E402
from restoration.actions.versions import scan_version  # noqa: E402
from restoration.engine.plan import Plan, StepPlan  # noqa: E402
from restoration.lifecycle import JobState  # noqa: E402
from restoration.models import Job  # noqa: E402
from tests import factories  # noqa: E402
from tests.services import brokers, databases, processes  # noqa: E402

__all__ = ["tests"]

MOST_OVERHEAD, MOST_START = 0.05, 2.0
# Not the current app, or our bells would go by its settings.
echo_app = Celery("echo", set_as_current=False)


@echo_app.task(name="echo")
def echo(word: str) -> str:
    """The yardstick."""
    return word


@dataclass
class Spent:
    """CPU seconds of this process and its children, and seconds of the clock."""

    cpu: float = 0.0
    clock: float = 0.0

    @classmethod
    def now(cls) -> Spent:
        """Since some moment that is always the same."""
        times = os.times()
        cpu = times.user + times.system + times.children_user + times.children_system
        return cls(cpu, time.perf_counter())

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.cpu - other.cpu, self.clock - other.clock)


@dataclass
class Engine:
    """Stands before the engine's one door, and notes what each call cost."""

    door: Callable[..., Any]
    spent: list[Spent] = field(default_factory=list)

    def __call__(self, *told: Any) -> Any:
        began = Spent.now()
        try:
            return self.door(*told)
        finally:
            self.spent.append(Spent.now() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=6.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bells", type=int, default=40)
    asked = parser.parse_args()
    _say(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with _site() as told:
        overhead = _overhead(asked.megapixels, asked.runs) if asked.runs else 0.0
        start = _start(told, asked.bells) if asked.bells else 0.0
    return int(overhead > MOST_OVERHEAD or start > MOST_START)


@contextlib.contextmanager
def _site() -> Iterator[dict[str, str]]:
    """Rows in a PostgreSQL database of its own, bells through Redis, bytes in a folder."""
    with (
        databases.postgres_database() as url,
        tempfile.TemporaryDirectory() as name,
        _redis(Path(name)) as broker,
        brokers.bells_through(broker, Path(name)),
    ):
        databases.migrate(url)
        settings.STORAGES["default"]["OPTIONS"]["location"] = f"{name}/bytes"
        told = {
            "REKINDLE_DATABASE_URL": url,
            "REKINDLE_BROKER_URL": broker,
            "REKINDLE_VAR_DIR": name,
            "REKINDLE_BYTES_DIR": f"{name}/bytes",
            "REKINDLE_SECRET_KEY": "only-for-tests",
            "REKINDLE_LOG_LEVEL": "WARNING",
            "REKINDLE_ALLOWANCE_PERCENT": "0",
        }
        settings.ALLOWANCE_PERCENT = 0
        with databases.rows_in(url):
            yield told


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """A Redis of our own: nobody else may answer our bells, or lose them."""
    port, log = processes.free_port(), folder / "redis.log"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = processes.Process(processes.start(command, log, {}), log)
    try:
        server.wait_for(lambda: "Ready to accept" in server.printed(), "Redis was ready")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()


# --- what a run costs beside the engine ----------------------------------------------------------
def _overhead(megapixels: float, runs: int) -> float:
    """The share of CPU that is not the engine's, median over the runs."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    image = factories.picture(3, height=height, width=round(1.5 * height))
    bench = Bench.of(image)
    plan = Plan((StepPlan("tone"), StepPlan("repair"), StepPlan("denoise")))
    engine = Engine(runner.restore)
    runner.restore = engine
    shares: list[tuple[float, float]] = []
    for _each in range(runs + 1):
        job = bench.ask(plan)
        began = Spent.now()
        runner.run(job_id=job.pk, worker="here")
        all_ = Spent.now() - began
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, job.error_code
        alone = engine.spent[-1]
        shares.append((all_.cpu / alone.cpu - 1, all_.clock / alone.clock - 1))
    runner.restore = engine.door
    cpu, by_clock = (statistics.median(each) for each in zip(*shares[1:], strict=True))
    alone = engine.spent[-1]
    _say(
        f"a run of {megapixels} megapixels: engine {alone.cpu:.2f} s of CPU; the platform adds "
        f"{100 * cpu:.1f} % by CPU, {100 * by_clock:.1f} % by the clock "
        f"(at most {100 * MOST_OVERHEAD:.0f} %) {'ok' if cpu <= MOST_OVERHEAD else 'MISSED'}"
    )
    return cpu


@dataclass
class Bench:
    """Somebody with a photo in hand."""

    user: User
    source: Any
    fence: int

    @classmethod
    def of(cls, image: Any) -> Bench:
        """A photo with its bytes, and a volunteer who holds it."""
        user = User.objects.create_user(f"vera{time.time_ns()}", trust="trusted")
        photo = factories.photo(factories.collection(), image=image)
        claim = claim_photo(photo=photo, by=user, now=clock.now())
        return cls(user, scan_version(photo=photo, now=clock.now()), claim.pk)

    def ask(self, plan: Plan) -> Job:
        """Put a run in the queue."""
        return request_job(
            source=self.source, by=self.user, fence=self.fence, plan=plan, now=clock.now()
        )


# --- from the queue to the start -----------------------------------------------------------------
def _start(told: dict[str, str], bells: int) -> float:
    """Seconds from the queue to the start over those of a bare round trip, medians of each."""
    folder = Path(told["REKINDLE_VAR_DIR"])
    url = told["REKINDLE_BROKER_URL"]
    echo_app.conf.update(broker_url=url, result_backend=url, task_default_queue="echo")
    bare = {**told, "ECHO_BROKER": url}
    echoing = ["-A", "tests.benchmarks.overhead:echo_app", "-Q", "echo"]
    working = ["-A", "config", "-Q", "cpu"]
    with _working(echoing, folder, bare), _working(working, folder, told):
        bench = Bench.of(factories.picture(5))
        rows = [(_queue_to_start(bench, told), _round_trip()) for _each in range(bells + 3)]
    ours, theirs = (statistics.median(each) for each in zip(*rows[3:], strict=True))
    ratio = ours / theirs
    _say(
        f"from the queue to the start: {1000 * ours:.1f} ms, a bare round trip {1000 * theirs:.1f} "
        f"ms, {ratio:.2f} (at most {MOST_START:.0f}) {'ok' if ratio <= MOST_START else 'MISSED'}"
    )
    return ratio


def _round_trip() -> float:
    began = time.perf_counter()
    assert echo.delay("hello").get(timeout=60) == "hello"
    return time.perf_counter() - began


def _queue_to_start(bench: Bench, told: dict[str, str]) -> float:
    """From the end of the asker's transaction to the first sight of a row that waits no more."""
    began: list[float] = []
    send = tasks._send

    def noting(*words: Any) -> None:
        began.append(time.perf_counter())
        send(*words)

    tasks._send = noting
    try:
        job = bench.ask(Plan((StepPlan("tone"),)))
    finally:
        tasks._send = send
    query = "SELECT state FROM restoration_job WHERE id = %s"
    with contextlib.closing(psycopg2.connect(told["REKINDLE_DATABASE_URL"])) as link:
        link.autocommit = True
        with link.cursor() as cursor:

            def left(*states: str) -> bool:
                cursor.execute(query, [job.pk])
                return cursor.fetchone()[0] not in states

            started = _when(lambda: left(JobState.QUEUED), every=0.0002)
            _when(lambda: left(JobState.QUEUED, JobState.RUNNING), every=0.01)
    time.sleep(0.05)  # the worker waits for its next bell
    return started - began[0]


def _when(is_so: Callable[[], bool], *, every: float) -> float:
    """The moment in which it is so."""
    late = time.perf_counter() + 60
    while not is_so():
        assert time.perf_counter() < late, "the worker did not take a run within a minute"
        time.sleep(every)
    return time.perf_counter()


@contextlib.contextmanager
def _working(words: list[str], folder: Path, told: dict[str, str]) -> Iterator[None]:
    """A worker with the words of docs/operate.md, until it takes messages and to the end."""
    command = [sys.executable, "-m", "celery", *words[:2], "worker", *words[2:]]
    command += ["--pool", "prefork", "--concurrency", "1", "--loglevel", "info"]
    command += ["--hostname", f"{words[-1]}@%h", "--without-gossip", "--without-mingle"]
    log = folder / f"{words[-1]}.log"
    told = told | {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "REKINDLE_LOG_LEVEL": "INFO"}
    worker = processes.Process(processes.start(command, log, told), log)
    try:
        worker.wait_for(lambda: " ready." in worker.printed(), "a worker was ready")
        yield
    finally:
        worker.kill()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if os.environ.get("ECHO_BROKER"):  # in the worker that answers
    echo_app.conf.update(
        broker_url=os.environ["ECHO_BROKER"], result_backend=os.environ["ECHO_BROKER"]
    )

if __name__ == "__main__":
    sys.exit(main())
