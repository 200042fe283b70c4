"""Asks the API, as everybody, for all that its description allows and forbids: a report.

    python -m tests.benchmarks.api [--examples 50] [--walks 200] [--seed 1] [--database URL]
                                   [--out FILE.md]

Every operation, as a stranger and as each of the cast by token and by session: its corner cases,
then so many invented requests; then walks of twelve requests by anybody, each on what those before
it have left. A scratch site of its own takes them: SQLite, or an empty database of PostgreSQL that
is thrown away (`--database postgres://…/name`; it is made and dropped). Exit code 1 when an answer
was not as described.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api.fuzzing import Fuzzer, Tally

STEPS = 12


def main() -> int:
    asked = _asked()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rekindle-api-") as folder:
        run = _site(Path(folder), asked.database)
        tally = run(asked)
    text = "\n".join(_lines(tally, asked, time.monotonic() - began))
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")
    print(text)  # noqa: T201
    return int(bool(tally.wrong))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--walks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", metavar="URL", default="")
    parser.add_argument("--out", type=Path, metavar="FILE.md")
    return parser.parse_args()


def _site(folder: Path, database: str) -> Callable[[argparse.Namespace], Tally]:
    """A site of its own; everything of the product is imported here, after its settings."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_LOG_LEVEL": "ERROR",
    }
    if database:
        os.environ["REKINDLE_DATABASE_URL"] = database
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "platform"))
    import django

    django.setup()
    logging.disable(logging.CRITICAL)  # thousands of refusals are no news
    return _run


def _run(asked: argparse.Namespace) -> Tally:
    from django.conf import settings
    from django.test.utils import (
        setup_databases,
        setup_test_environment,
        teardown_databases,
    )

    setup_test_environment()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    made = setup_databases(verbosity=0, interactive=False)
    try:
        return _fuzzed(asked)
    finally:
        teardown_databases(made, verbosity=0)


def _fuzzed(asked: argparse.Namespace) -> Tally:
    from tests.access import world
    from tests.api.fuzzing import ROLES, Fuzzer

    fuzzer = Fuzzer(world.build(), seed=asked.seed)
    everybody = [[role] for role in ROLES]
    for number, operation in enumerate(fuzzer.operations, 1):
        fuzzer.corners(operation, *everybody)
        if asked.examples:
            fuzzer.invent(operation, *everybody, many=asked.examples)
        _say(f"{number} of {len(fuzzer.operations)}: {operation.label}", fuzzer)
    if asked.walks:
        fuzzer.walk(STEPS, asked.walks)
    return fuzzer.tally


def _say(what: str, fuzzer: Fuzzer) -> None:
    told = f"{what}; {fuzzer.tally.requests} requests, {len(fuzzer.tally.wrong)} wrong"
    print(told, file=sys.stderr, flush=True)  # noqa: T201


def _lines(tally: Tally, asked: argparse.Namespace, seconds: float) -> Iterator[str]:
    roles = {role for seen in tally.answers.values() for role in seen}
    states: Counter[int] = Counter()
    for seen in tally.answers.values():
        for counts in seen.values():
            states.update(counts)
    told = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
    where = "PostgreSQL" if asked.database else "SQLite"
    yield f"| the API, seed {asked.seed}, {where} | seen |"
    yield "|---|---|"
    yield f"| operations × roles | {len(tally.answers)} × {len(roles)} |"
    yield f"| requests | {tally.requests} in {seconds:.0f} s |"
    yield f"| answers | {told} |"
    yield f"| server errors | {sum(count for state, count in states.items() if state >= 500)} |"
    yield f"| not as described | {len(tally.wrong)} |"
    yield ""
    yield "| Operation | requests | answers |"
    yield "|---|---|---|"
    for operation, seen in sorted(tally.answers.items()):
        counts = sum(seen.values(), Counter[int]())
        told = ", ".join(f"{state} {count}" for state, count in sorted(counts.items()))
        yield f"| `{operation}` | {counts.total()} | {told} |"
    for (operation, title, _message), sample in tally.wrong.items():
        yield f"\n**{operation}: {title}**\n\n```\n{sample[:3000]}\n```"


if __name__ == "__main__":
    sys.exit(main())
