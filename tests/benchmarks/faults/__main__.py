"""Faults against a whole site: `python -m tests.benchmarks.faults [--rounds 100] [--seed N]`.

On a machine that is busy otherwise, FAULTS_PATIENCE=3 makes every lease three times as long.
`--broker rabbitmq|redis|both`; with both, each gets half of the rounds. Needs PostgreSQL's programs
(a cluster of its own is made and really restarted), redis-server, rabbitmqctl and the S3 service of
tests/services/swift_server.py. Prints a table; ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.benchmarks.faults.lifetimes import addressed
from tests.services import addresses, buckets


def main() -> int:
    """Play the rounds on each broker asked for, in a process of its own; report."""
    asked = _asked()
    if asked.broker == "both":
        return _both(asked)
    return _one(asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Faults against real workers.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broker", choices=("rabbitmq", "redis", "both"), default="both")
    parser.add_argument("--port", type=int, default=9500, help="the first of three to use")
    parser.add_argument("--only", default="", help="faults whose names have these words")
    parser.add_argument("--minutes", type=float, default=0, help="begin no round after so long")
    parser.add_argument("--compare", type=int, default=5, help="results to compute once more")
    parser.add_argument("--json", type=Path, help="also write what was found to this file")
    return parser.parse_args()


def _both(asked: argparse.Namespace) -> int:
    ends = []
    for broker in ("rabbitmq", "redis"):
        words = ["--rounds", str(asked.rounds // 2), "--seed", str(asked.seed)]
        words += ["--broker", broker, "--port", str(asked.port), "--only", asked.only]
        words += ["--minutes", str(asked.minutes / 2), "--compare", str(asked.compare)]
        command = [sys.executable, "-m", "tests.benchmarks.faults", *words]
        ends.append(subprocess.run(command, check=False).returncode)
    return max(ends)


def _one(asked: argparse.Namespace) -> int:
    for name in [name for name in os.environ if name.startswith("REKINDLE_")]:
        if not name.startswith("REKINDLE_TEST_"):
            del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="rekindle-faults-"))
    folder.chmod(0o755)
    with buckets.bucket(addresses.s3()) as bucket:
        environment = addressed(folder, asked.broker, asked.port, bucket)
        _open_django(environment)
        from tests.benchmarks.faults.oracle import judge
        from tests.benchmarks.faults.world import world

        with world(environment, asked.broker, asked.port) as there:
            played, seconds = _play(there, asked)
            verdict = judge(played, compare=asked.compare)
    good = verdict.is_good() and all(each.seconds is not None for each in played)
    _report(asked, played, verdict, seconds)
    if asked.json:
        asked.json.write_text(json.dumps([vars(each) for each in played], default=str))
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"The logs of the workers and sweepers are in {folder}.")
    return 0 if good else 1


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
        if asked.minutes and time.monotonic() - began > 60 * asked.minutes:
            break
        done = play(there, number, fault, random.Random(f"{asked.seed} {number}"))
        took = "NOT SETTLED " + done.why if done.seconds is None else f"{done.seconds:.1f} s"
        _say(f"{number:>4}  {fault:<34} {'' if done.struck else '(did not strike) '}{took}")
        played.append(done)
    return played, time.monotonic() - began


def _report(asked: argparse.Namespace, played: list[Any], verdict: Any, seconds: float) -> None:
    by_fault = defaultdict(list)
    for each in played:
        by_fault[each.fault].append(each)
    struck = sum(each.struck for each in played)
    _say(
        f"\nPostgreSQL + {asked.broker}, seed {asked.seed}: {len(played)} rounds in {seconds:.0f} s"
    )
    _say(f"{'fault':<34} {'rounds':>6} {'struck':>6} {'median s':>9} {'max s':>7}")
    for fault in sorted(by_fault):
        rounds = by_fault[fault]
        times = [each.seconds for each in rounds if each.seconds is not None and each.struck]
        middle = f"{statistics.median(times):9.1f} {max(times):7.1f}" if times else f"{'-':>9}"
        _say(f"{fault:<34} {len(rounds):>6} {sum(each.struck for each in rounds):>6} {middle}")
    times = [each.seconds for each in played if each.seconds is not None and each.struck]
    if times:
        _say(f"to recovery: median {statistics.median(times):.1f} s, max {max(times):.1f} s")
    _say(f"faults that struck: {struck} of {len(played)}; unsettled rounds: "
         f"{sum(each.seconds is None for each in played)}")  # fmt: skip
    tries = ", ".join(
        f"{name or 'open'} {count}" for name, count in sorted(verdict.attempts.items())
    )
    _say(f"{verdict.jobs} jobs; tries: {tries}")
    _say(f"jobs lost {len(verdict.lost)}, versions doubled {len(verdict.doubled)}, "
         f"originals or bytes changed {len(verdict.changed)} (of {verdict.files} files, "
         f"{verdict.originals} originals), rows in an illegal state {len(verdict.illegal)}, "
         f"results computed again and the same {verdict.compared}")  # fmt: skip
    for line in [*verdict.lost, *verdict.doubled, *verdict.changed, *verdict.illegal]:
        _say(f"  WRONG: {line}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main())
