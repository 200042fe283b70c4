"""The faults, one function each: it strikes while the round's jobs are under way, and heals.

Each tells whether it really struck, by what it saw and not by what it meant to do: somebody stood
at the stage, a message was lost, a link is gone. A round that was not struck is a failed one.
"""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psutil
from django.db import connections

from archive import clock
from restoration.sweeps import sweep
from tests.benchmarks.faults import proxy
from tests.benchmarks.faults.cluster import armed
from tests.benchmarks.faults.lifetimes import PATIENCE
from tests.benchmarks.faults.world import LEASE_SECONDS, LIVE, RUNNING, Program, World

STEPS = ("tone", "repair", "denoise", "upscale", "guard")
STAND_SECONDS = 60 * PATIENCE
SWEEPERS_AT_ONCE = 8
LOST = "SELECT count(*) FROM restoration_attempt WHERE outcome = 'lost' AND worker = '{}@faults'"
OVERDUE = (
    "SELECT count(*) FROM restoration_job "
    "WHERE state = 'running' AND lease_until < pg_catalog.clock_timestamp()"
)
TEN_MINUTES = "UPDATE fault_clock SET wrong = interval '{} minutes'"


@dataclass
class Scene:
    """What a fault has at hand: the site, its dice, and how the round's three people ask."""

    there: World
    dice: random.Random
    ask: Callable[[], object]

    def begin(self, longest: float = 0.8) -> bool:
        """Have them ask, and wait until a worker is at it, or a moment longer; not to the end."""
        self.ask()
        is_running = self.there.wait_for(RUNNING, STAND_SECONDS)
        _seen(self.dice.uniform(0, longest), lambda: self.there.count(LIVE) < 2)
        return is_running and bool(self.there.count(LIVE))


Strike = Callable[[Scene], bool]


# --- workers -------------------------------------------------------------------------------------
def kill_at(stage: str, scene: Scene) -> bool:
    """Kill -9 a worker where it reaches a stage: right there, or a moment after."""
    there, is_prompt = scene.there, scene.dice.random() < 0.5
    with armed(there.cluster, stage) as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is not None and is_prompt:
            there.replace(found)
    if found is not None and not is_prompt:
        time.sleep(scene.dice.uniform(0, 0.6))
        there.replace(found)
    return found is not None


def kill_while_decoding(stage: str, scene: Scene) -> bool:
    """Kill -9 a worker while the process that it sent into the file is at work there."""
    there = scene.there
    with armed(there.cluster, stage) as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
    if found is None or not _seen(STAND_SECONDS, lambda: _decoders(found)):
        return False
    decoders = _decoders(found)
    there.replace(found)
    # They are in a group of their own and must know by themselves that nobody waits for them.
    return bool(decoders) and _seen(10, lambda: not any(each.is_running() for each in decoders))


def _decoders(worker: Program) -> list[psutil.Process]:
    found = []
    for process in worker.processes()[1:]:
        with contextlib.suppress(psutil.Error):
            if "archive.decoder" in process.cmdline():
                found.append(process)
    return found


def kill_the_child(scene: Scene) -> bool:
    """Kill only the pool's child, as the kernel does when memory is short."""
    with armed(scene.there.cluster, "denoise") as somebody:
        scene.ask()
        found = scene.there.owner_of(somebody(STAND_SECONDS))
        children = found.processes()[1:] if found else []
        for process in children:
            process.kill()
    return bool(children)


def kill_the_parent(scene: Scene) -> bool:
    """Kill only the worker itself; the system tells its child, which leaves the job where it is."""
    there = scene.there
    with armed(there.cluster, "denoise") as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is None:
            return False
        children = found.processes()[1:]
        found.running.send_signal(signal.SIGKILL)
        there.workers.remove(found)
        there.leaving.append(found)
        there.workers.append(there.worker())
    return bool(children)


def ask_to_leave(scene: Scene) -> bool:
    """SIGTERM in the middle: the worker finishes or hands back, and goes by itself."""
    there = scene.there
    with armed(there.cluster, "denoise") as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is None:
            return False
        found.running.send_signal(signal.SIGTERM)
        time.sleep(scene.dice.uniform(0, 1))
    there.workers.remove(found)
    there.workers.append(there.worker())
    try:
        found.running.wait(30 * PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    finally:
        found.end()
    return True


def freeze(scene: Scene) -> bool:
    """Stop a worker until its job was given to another; what it hands in then is not wanted."""
    there = scene.there
    with armed(there.cluster, scene.dice.choice(["tone", "denoise", "store"])) as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is None:
            return False
        found.signal(signal.SIGSTOP)
    was_lost = there.wait_for(LOST.format(found.log.stem), LEASE_SECONDS + STAND_SECONDS)
    found.signal(signal.SIGCONT)
    return was_lost


# --- sweepers ------------------------------------------------------------------------------------
def sweep_at_once(scene: Scene) -> bool:
    """Kill a worker; eight sweepers come to its job in one moment, and one of them takes it."""
    there = scene.there
    for each in there.sweepers:
        each.end()  # or one of them were there before the eight
    struck = kill_at("denoise", scene) and there.wait_for(OVERDUE, LEASE_SECONDS + STAND_SECONDS)
    together, found = threading.Barrier(SWEEPERS_AT_ONCE), list[int]()
    threads = [
        threading.Thread(target=_sweep_once, args=(together, found))
        for _ in range(SWEEPERS_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in list(there.sweepers):
        there.replace(each)
    return struck and len(found) == SWEEPERS_AT_ONCE and sum(found) >= 1


def _sweep_once(together: threading.Barrier, found: list[int]) -> None:
    try:
        now = clock.now()
        together.wait(STAND_SECONDS)
        found.append(sweep(now=now)["jobs"])
    finally:
        connections.close_all()


# --- the broker ----------------------------------------------------------------------------------
def stop_the_broker(scene: Scene) -> bool:
    """Kill -9, before or after the bells were rung; it comes back empty."""
    there, is_before = scene.there, scene.dice.random() < 0.5
    struck = True if is_before else scene.begin(1.5)
    links = there.links_to(there.broker.port)
    there.broker.stop()
    if is_before:
        scene.ask()
    time.sleep(scene.dice.uniform(1, 4))
    there.broker.start()
    return struck and bool(links - there.links_to(there.broker.port))


def flush_the_broker(scene: Scene) -> bool:
    """The bells lie there while the workers hold still, and all are forgotten; later ones too."""
    there = scene.there
    for each in there.workers:
        each.signal(signal.SIGSTOP)
    scene.ask()
    struck = _seen(STAND_SECONDS, lambda: there.broker.waiting() > 0)
    there.broker.flush()
    struck = struck and there.broker.waiting() == 0
    for each in there.workers:
        each.signal(signal.SIGCONT)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        there.broker.flush()
        time.sleep(0.1)
    return struck


def cut_the_broker(scene: Scene) -> bool:
    """Every link to it is closed while a worker is in the middle of a job."""
    there = scene.there
    with armed(there.cluster, scene.dice.choice(["to running", *STEPS, "store"])) as somebody:
        scene.ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        links = there.links_to(there.broker.port)
        there.broker.cut_links()
        # RabbitMQ waits for a goodbye from those that are not listening just now; the workers are.
        is_cut = _seen(
            STAND_SECONDS,
            lambda: len(links - there.links_to(there.broker.port)) >= len(there.workers),
        )
    return found is not None and is_cut


# --- the database --------------------------------------------------------------------------------
def restart_the_database(scene: Scene) -> bool:
    """It crashes and recovers."""
    struck = scene.begin(2)
    scene.there.cluster.stop()
    time.sleep(scene.dice.uniform(0, 3))
    scene.there.cluster.start()
    connections.close_all()
    return struck


def cut_the_database(scene: Scene) -> bool:
    """Every link to it is ended, three times, as in a failover."""
    struck, ended = scene.begin(), 0
    for _again in range(3):
        ended += scene.there.cluster.cut_links()
        time.sleep(scene.dice.uniform(0, 1.5))
    connections.close_all()
    return struck and ended > 0


# --- bytes ---------------------------------------------------------------------------------------
def trouble_the_storage(mode: str, scene: Scene) -> bool:
    """The S3 service refuses, dawdles or breaks off for some seconds and until it was felt."""
    there = scene.there
    before, begun = there.proxy.hits, scene.begin(0.3)
    there.proxy.mode = mode
    try:
        time.sleep(scene.dice.uniform(3, 8))
        return begun and _seen(STAND_SECONDS, lambda: there.proxy.hits > before)
    finally:
        there.proxy.mode = proxy.PASS


def fill_the_disk(scene: Scene) -> bool:
    """The disk of temporary files is full for some seconds, and until somebody said so."""
    there, marks = scene.there, scene.there.marks()
    if not there.scratch.can_be_full:
        return False
    scene.ask()
    until = time.monotonic() + scene.dice.uniform(4, 8)
    latest, said = until + STAND_SECONDS, False
    try:
        while time.monotonic() < (latest if not said else until):
            there.scratch.fill()
            said = there.say_since(marks, b"disk-full")
            time.sleep(0.1)
    finally:
        there.scratch.empty()
    return said


# --- clocks --------------------------------------------------------------------------------------
def jump_the_machines_clock(scene: Scene) -> bool:
    """The clock of the machine with all workers and sweepers jumps ten minutes while they work."""
    there = scene.there
    there.hand.write_text("+0")
    for each in [*there.workers, *there.sweepers]:
        there.leaving.append(there.replace(each, there.misled))
    there.wait_until_ready()
    begun = scene.begin()
    there.hand.write_text(scene.dice.choice(["+600", "-600"]))
    return begun and all("libfaketime" in _libraries(each) for each in there.leaving)


def _libraries(program: Program) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(each.path for each in program.processes()[0].memory_maps())
    return ""


def jump_the_databases_clock(scene: Scene) -> bool:
    """The clock that all leases go by jumps ten minutes while they work, and is put right again."""
    begun = scene.begin(0.3)
    before = clock.now()
    scene.there.cluster.ask(TEN_MINUTES.format(scene.dice.choice([10, -10])))
    after = clock.now()
    time.sleep(scene.dice.uniform(2, 5))
    scene.there.cluster.ask(TEN_MINUTES.format(0))
    return begun and abs((after - before).total_seconds()) > 500


def _seen(seconds: float, look: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


STRIKES: dict[str, Strike] = {
    "kill before start": partial(kill_at, "to running"),
    "kill at taking up an upload": partial(kill_at, "take up"),
    "kill while decoding an upload": partial(kill_while_decoding, "take up"),
    "kill while decoding a retouch": partial(kill_while_decoding, "read"),
    **{f"kill in {step}": partial(kill_at, step) for step in STEPS},
    "kill while storing": partial(kill_at, "store"),
    "kill before the commit": partial(kill_at, "to succeeded"),
    "kill in the commit": partial(kill_at, "commit"),
    "kill before an upload settles": partial(kill_at, "settle"),
    "kill the pool's child": kill_the_child,
    "kill the pool's parent": kill_the_parent,
    "SIGTERM in the middle": ask_to_leave,
    "worker frozen beyond its lease": freeze,
    "eight sweepers at once": sweep_at_once,
    "broker stopped and emptied": stop_the_broker,
    "broker flushed": flush_the_broker,
    "broker's links cut": cut_the_broker,
    "database restarted": restart_the_database,
    "database's links cut": cut_the_database,
    "S3 refuses": partial(trouble_the_storage, proxy.REFUSE),
    "S3 dawdles": partial(trouble_the_storage, proxy.SLOW),
    "S3 breaks off": partial(trouble_the_storage, proxy.BREAK),
    "disk full": fill_the_disk,
    "workers' clock jumps": jump_the_machines_clock,
    "database's clock jumps": jump_the_databases_clock,
}
