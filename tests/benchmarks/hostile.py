"""Sends hostile files by browser form, API and command, and says what became of them.

    python -m tests.benchmarks.hostile [--many 10000] [--seed 1] [--photos FOLDER] [--out FILE.md]

Every file of FOLDER/nasty goes in by all three doors, then so many mutated ones by each door in
turn. A scratch site of its own (SQLite, a folder) takes them; the real decoder opens them. Exit
code 1 when anything went wrong: a crash, a hang, more than 512 MiB or 20 s in the process that
opens the file, a refusal without a clear sentence in both languages, or bytes served as uploaded
that a browser could open. Peak memory is what that process says it had in use (VmHWM); one that was
ended by a limit or a fault says nothing, and its limit speaks for it.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.archive.hostile import Gate, Sent

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "photos"
EVERY = 250


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--photos", type=Path, default=_default())
    parser.add_argument("--out", type=Path, metavar="FILE.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rekindle-hostile-") as folder:
        gate = _site(Path(folder))
        report = Report(asked.seed, asked.out)
        for sent in _all(gate, asked.photos / "nasty", asked.many, asked.seed):
            report.add(sent)
        report.end()
    return int(bool(report.wrong))


def _default() -> Path:
    return Path(os.environ.get("REKINDLE_PHOTOS") or BESIDE)


def _site(folder: Path) -> Gate:
    """A migrated scratch site; everything of the product is imported here, after its settings."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_LOG_LEVEL": "ERROR",
    }
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "platform"))
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    from archive import tasks
    from tests.archive.hostile import Gate

    setup_test_environment()
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"] = {"BACKEND": plain}  # nothing is collected here
    call_command("migrate", verbosity=0)
    tasks._send = lambda _photo_id: None  # the files are read here, one after the other
    return Gate()


def _all(gate: Gate, nasty: Path, many: int, seed: int) -> Iterator[Sent]:
    from tests.archive.hostile import DOORS
    from tests.archive.mutations import mutated

    files = sorted(each for each in nasty.glob("*") if each.suffix != ".csv")
    for path in files:
        for door in DOORS:
            yield gate.send(path.name, path.read_bytes(), door, pages=True)
    for number, (name, content) in enumerate(mutated(many, seed)):
        yield gate.send(name, content, DOORS[number % 3], pages=number % 10 == 0)


class Report:
    """Counts and worst cases, written anew every few hundred files so that a kill loses little."""

    def __init__(self, seed: int, out: Path | None) -> None:
        self.seed, self.out = seed, out
        self.began = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.doors: Counter[str] = Counter()
        self.deaths: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.dearest: list[tuple[float, str]] = []
        self.slowest: list[tuple[float, str]] = []
        self.heaviest: list[tuple[int, str]] = []

    def add(self, sent: Sent) -> None:
        self.outcomes[sent.outcome] += 1
        self.doors[sent.door] += 1
        self.deaths[sent.outcome] += sent.died
        self.wrong += [f"{sent.name} by {sent.door}: {each}" for each in sent.wrong]
        self.dearest = sorted([*self.dearest, (sent.cpu, sent.name)])[-3:]
        self.slowest = sorted([*self.slowest, (sent.seconds, sent.name)])[-3:]
        self.heaviest = sorted([*self.heaviest, (sent.peak, sent.name)])[-3:]
        if self.outcomes.total() % EVERY == 0:
            self.say()

    def end(self) -> None:
        self.say()

    def say(self) -> None:
        text = "\n".join(self._lines())
        if self.out is not None:
            self.out.write_text(text + "\n", encoding="utf-8")
        print(text, flush=True)  # noqa: T201

    def _lines(self) -> Iterator[str]:
        seconds = time.monotonic() - self.began
        yield f"| hostile files, seed {self.seed} | seen |"
        yield "|---|---|"
        doors = ", ".join(f"{door} {count}" for door, count in self.doors.items())
        yield f"| files sent | {self.outcomes.total()} ({doors}) in {seconds:.0f} s |"
        for outcome, count in self.outcomes.most_common():
            died = f", {self.deaths[outcome]} decoders ended by a limit or a fault" * bool(
                self.deaths[outcome]
            )
            yield f"| {outcome} | {count}{died} |"
        yield f"| slowest, door to settled | {_named(self.slowest, 's', 1)} |"
        yield f"| dearest decoder, of the processor | {_named(self.dearest, 's', 1)} |"
        yield f"| heaviest decoder | {_named(self.heaviest, 'MiB', 1024**2)} |"
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield f"| the process that plays site and worker | still the first one, {own:.0f} MiB |"
        yield f"| wrong | {len(self.wrong)} |"
        yield from (f"| wrong | {each} |" for each in self.wrong[:50])


def _named(worst: list[tuple[float, str]] | list[tuple[int, str]], unit: str, by: int) -> str:
    return "; ".join(f"{value / by:.1f} {unit} {name}" for value, name in reversed(worst))


if __name__ == "__main__":
    sys.exit(main())
