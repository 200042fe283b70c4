"""The faults, one function each: it strikes while the round's jobs are under way, and heals."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import psutil
from django.db import connections

from archive import clock
from restoration.sweeps import sweep
from tests.benchmarks.faults import proxy
from tests.benchmarks.faults.lifetimes import PATIENCE
from tests.benchmarks.faults.parts import armed
from tests.benchmarks.faults.world import FAKETIME, LEASE_SECONDS, Program, World

Strike = Callable[[World, random.Random, Callable[[], object]], bool]
STAND_SECONDS = 60 * PATIENCE
SMALL_FILE = 24 * 1024
RESUME = int(signal.SIGCONT)


def kill_at(stage: str, there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Kill -9 a worker where it reaches a stage: right there, or a moment after."""
    with armed(there.cluster, stage) as somebody:
        ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is not None and dice.random() < 0.5:
            there.replace(found)
            return True
    if found is None:
        return False
    time.sleep(dice.uniform(0, 0.6))
    there.replace(found)
    return True


def kill_a_child(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Kill only the pool's child, as the kernel does when memory is short."""
    with armed(there.cluster, "denoise") as somebody:
        ask()
        port = somebody(STAND_SECONDS)
        found = there.owner_of(port)
        if found is None:
            return False
        for process in found.processes()[1:]:
            with contextlib.suppress(psutil.Error):
                process.kill()
    return True


def ask_to_leave(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """SIGTERM in the middle: the worker finishes or hands back, and another takes its place."""
    with armed(there.cluster, "denoise") as somebody:
        ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is None:
            return False
        found.running.send_signal(signal.SIGTERM)
        time.sleep(dice.uniform(0, 1))
    there.workers.remove(found)
    there.workers.append(there.worker())
    with contextlib.suppress(Exception):
        found.running.wait(30)
    found.end()
    return True


def freeze(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Stop a worker for longer than its lease; what it hands in afterwards is not wanted."""
    with armed(there.cluster, dice.choice(["tone", "denoise", "store"])) as somebody:
        ask()
        found = there.owner_of(somebody(STAND_SECONDS))
        if found is None:
            return False
        found.signal(signal.SIGSTOP)
    time.sleep(LEASE_SECONDS + 3)
    found.signal(RESUME)
    return True


def sweep_at_once(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Kill a worker, then eight sweepers come to its job in the same moment, twice."""
    struck = kill_at("denoise", there, dice, ask)
    for wait in (LEASE_SECONDS, 1):
        time.sleep(wait)
        threads = [threading.Thread(target=_sweep_once) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    return struck


def _sweep_once() -> None:
    try:
        sweep(now=clock.now())
    finally:
        connections.close_all()


def stop_the_broker(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """It goes with everything in it, before or after the bells, and comes back empty."""
    before = dice.random() < 0.5
    if not before:
        ask()
        time.sleep(dice.uniform(0, 1.5))
    there.broker.stop()
    if before:
        ask()
    time.sleep(dice.uniform(1, 4))
    there.broker.start()
    return True


def flush_the_broker(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Every message is forgotten, again and again for two seconds."""
    ask()
    until = time.monotonic() + 2
    while time.monotonic() < until:
        there.broker.flush()
        time.sleep(0.1)
    return True


def cut_the_broker(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Every link to it is closed."""
    ask()
    time.sleep(dice.uniform(0, 1.5))
    there.broker.cut_links()
    return True


def restart_the_database(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """It crashes and recovers."""
    ask()
    time.sleep(dice.uniform(0, 3))
    there.cluster.stop()
    time.sleep(dice.uniform(0, 3))
    there.cluster.start()
    connections.close_all()
    return True


def cut_the_database(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """Every link to it is ended, three times, as in a failover."""
    ask()
    for _again in range(3):
        time.sleep(dice.uniform(0, 1.5))
        there.cluster.cut_links()
    connections.close_all()
    return True


def trouble_the_storage(
    mode: str, there: World, dice: random.Random, ask: Callable[[], object]
) -> bool:
    """The S3 service refuses, dawdles or breaks off for some seconds."""
    ask()
    time.sleep(dice.uniform(0, 1.5))
    there.proxy.mode = mode
    try:
        time.sleep(dice.uniform(3, 8))
    finally:
        there.proxy.mode = proxy.PASS
    return True


def fill_the_disk(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """No worker can write a file of any size for some seconds."""
    processes = [each for worker in there.workers for each in worker.processes()]
    before = _limit_files(processes, SMALL_FILE)
    ask()
    time.sleep(dice.uniform(4, 8))
    for process, limits in before:
        with contextlib.suppress(psutil.Error):
            process.rlimit(psutil.RLIMIT_FSIZE, limits)
    return bool(before)


def _limit_files(
    processes: list[psutil.Process], most: int
) -> list[tuple[psutil.Process, tuple[int, int]]]:
    changed = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            limits = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (most, limits[1]))
            changed.append((process, limits))
    return changed


def jump_the_clock(there: World, dice: random.Random, ask: Callable[[], object]) -> bool:
    """The clock of both workers jumps ten minutes, ahead or back, while they work."""
    if not FAKETIME.exists():
        return False
    hand = there.folder / f"clock{there.made}"
    hand.write_text("+0")
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(hand),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    honest: list[Program] = list(there.workers)
    for each in honest:
        there.replace(each, **faked)
    there.wait_for_workers()
    ask()
    time.sleep(dice.uniform(0, 1.5))
    hand.write_text(dice.choice(["+600", "-600"]))
    return True


STEPS = ("tone", "repair", "denoise", "upscale", "guard")
STRIKES: dict[str, Strike] = {
    "kill before start": partial(kill_at, "to running"),
    "kill at taking up an upload": partial(kill_at, "take up"),
    "kill while decoding a retouch": partial(kill_at, "read"),
    **{f"kill in {step}": partial(kill_at, step) for step in STEPS},
    "kill while storing": partial(kill_at, "store"),
    "kill before the commit": partial(kill_at, "to succeeded"),
    "kill before an upload settles": partial(kill_at, "settle"),
    "kill the pool's child": kill_a_child,
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
    "clock jumps": jump_the_clock,
}
