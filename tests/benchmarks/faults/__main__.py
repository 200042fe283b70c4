"""Faults against a whole site: `python -m tests.benchmarks.faults [--rounds 100] [--seed N]`.

`--broker rabbitmq|redis|both`; with both, each gets half of the rounds, on a site of its own, and
the two are played at the same time. On a machine that is busy otherwise, FAULTS_PATIENCE=2 makes
every lease twice as long.

Needs PostgreSQL's programs (a cluster of its own is made and really restarted), redis-server and
rabbitmq-server (likewise), libfaketime, the S3 service of tests/services/swift_server.py, and root,
for a small file system that can be full. Prints a table; ends with 1 when anything is wrong: a
fault that did not strike, a round that did not come to its end, or whatever the oracle finds.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from tests.benchmarks.faults import report
from tests.benchmarks.faults.bells import BROKERS
from tests.benchmarks.faults.lifetimes import PORTS, addressed
from tests.services import addresses, buckets


def main() -> int:
    """Play the rounds on each broker asked for, in a process of its own; report."""
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is taken down
    if asked.broker == "both":
        return _both(asked)
    part = _one(asked)
    _say(report.text([part]))
    if asked.json:
        asked.json.write_text(report.to_json([part]))
    return 0 if part.is_good() else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Faults against real workers.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broker", choices=("rabbitmq", "redis", "both"), default="both")
    parser.add_argument("--port", type=int, default=9500, help="the first of ten to use")
    parser.add_argument("--only", default="", help="faults whose names have these words")
    parser.add_argument("--compare", type=int, default=5, help="results to compute once more")
    parser.add_argument("--json", type=Path, help="also write what was found to this file")
    return parser.parse_args()


def _both(asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="rekindle-faults-") as folder:
        running = []
        for place, broker in enumerate(("rabbitmq", "redis")):
            found = Path(folder) / broker
            words = ["--rounds", str(asked.rounds // 2), "--seed", str(asked.seed)]
            words += ["--broker", broker, "--port", str(asked.port + place * PORTS)]
            words += ["--only", asked.only, "--compare", str(asked.compare), "--json", str(found)]
            running.append((broker, found, _begun(words)))
        try:
            for broker, _found, process in running:
                threading.Thread(target=_relay, args=(broker, process.stdout)).start()
            for _broker, _found, process in running:
                process.wait()
        finally:
            for _broker, _found, process in running:
                process.terminate()
        parts = [report.from_json(found) for _b, found, _p in running if found.exists()]
    together = [part for each in parts for part in each]
    _say(report.text(together))
    if asked.json:
        asked.json.write_text(report.to_json(together))
    return 0 if len(together) == len(running) and all(each.is_good() for each in together) else 1


def _begun(words: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.faults", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _relay(name: str, output: IO[str]) -> None:
    for line in output:
        _say(f"{name:<9}{line.rstrip()}")


def _one(asked: argparse.Namespace) -> report.Part:
    for name in [name for name in os.environ if name.startswith("REKINDLE_")]:
        if not name.startswith("REKINDLE_TEST_"):
            del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="rekindle-faults-"))
    folder.chmod(0o755)
    broker = BROKERS[asked.broker](folder / "bells", asked.port + 1)
    load = [os.getloadavg()[0]]
    with buckets.bucket(addresses.s3()) as bucket:
        environment = addressed(folder, broker.url, asked.port, bucket)
        _open_django(environment)
        from tests.benchmarks.faults.oracle import judge
        from tests.benchmarks.faults.world import world

        with world(environment, broker, asked.port) as there:
            rounds, seconds = _play(there, asked)
            load.append(os.getloadavg()[0])
            verdict = judge(rounds, compare=asked.compare)
    told = [
        report.Told(each.number, each.fault, each.struck, each.seconds, each.lost_tries, each.why)
        for each in rounds
    ]
    part = report.Part(asked.broker, asked.seed, seconds, load, told, **vars(verdict))
    if part.is_good():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"The logs of the workers and sweepers are in {folder}.")
    return part


def _open_django(environment: dict[str, str]) -> None:
    """This process is a site process of the same site; only now may its settings be read."""
    os.environ.update(environment)
    sys.path.extend(environment["PYTHONPATH"].split(os.pathsep))
    os.environ["REKINDLE_LOG_LEVEL"] = "ERROR"
    import django

    django.setup()


def _play(there: Any, asked: argparse.Namespace) -> tuple[list[Any], float]:
    from tests.benchmarks.faults.rounds import play
    from tests.benchmarks.faults.strikes import STRIKES

    dice = random.Random(asked.seed)
    names = [name for name in STRIKES if asked.only in name]
    order: list[str] = []
    while len(order) < asked.rounds:
        dice.shuffle(names)
        order += names
    began, played = time.monotonic(), []
    for number, fault in enumerate(order[: asked.rounds], start=1):
        done = play(there, number, fault, random.Random(f"{asked.seed} {number}"))
        took = "NOT SETTLED " + done.why if done.seconds is None else f"{done.seconds:.1f} s"
        _say(f"{number:>4}  {fault:<34} {'' if done.struck else 'DID NOT STRIKE '}{took}")
        played.append(done)
    return played, time.monotonic() - began


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main())
