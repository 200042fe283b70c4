"""`manage.py models`: what is here, what it needs, and which worker can run it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from restoration import machine
from restoration.engine.generative.rows import MODELS
from restoration.fetching import gigabytes
from restoration.management.meter import Meter
from restoration.queries.inventory import ABSENT, HERE, PARTLY, REFUSED, Stock, offering, stock

HEADS = ("name", "family", "licence", "state", "size", "needs", "offered by")
# Why a folder is refused, and what to do.
REASONS = {
    "weights-unlocked": "nothing says what its files should be: `manage.py fetch_models {name} "
    "--from {dir}` looks at it and locks it",
    "weights-pickled": "{file} is a pickle, and nothing of that kind is ever opened: remove it",
    "weights-linked": "{file} is a link to another folder, and what lies behind it would be on no "
    "list: put the folder itself there",
    "weights-unlisted": "{file} is not on its list: remove it",
    "weights-missing": "{file} is missing: `manage.py fetch_models {name}` brings it back",
    "weights-changed": "{file} was altered: `manage.py fetch_models {name}` brings it back",
    "no-vocabulary": "the vocabulary of its tokenizer is missing, so it would read no words: "
    "`manage.py fetch_models {name} --update` brings it whole",
    "other-class": "another kind of model lies in its folder",
    "torchvision-missing": "torchvision does not work here: beside a torch from PyPI, on a machine "
    "with a card, pip install 'rekindle[gpu,qwen]'; beside any other, the one of the same version "
    "and from the same index as torch (see The models in docs/operate.md)",
    "peft-missing": "peft does not work here: pip install 'rekindle[gpu]'",
}
# Why a worker on this machine does not offer what is whole; another machine's may.
UNFIT = {
    machine.NO_CARD: "no card is here, so a worker of this machine does not offer it; "
    "REKINDLE_MODELS_DEVICE=cpu lets it work without one, slowly",
    machine.TOO_LARGE: "it needs more memory than models may take here, so a worker of this "
    "machine does not offer it",
}


class Command(BaseCommand):
    help = "List the generative models: what is here, what it needs, which worker can run it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
        parser.add_argument("--verify", action="store_true", help="read every byte of what is here")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = set(options["names"]) - {model.name for model in MODELS}
        if unknown:
            raise CommandError(f"There is no model {', '.join(sorted(unknown))}.")
        found = self._stock(options)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(each) for each in found], indent=2))
        else:
            self._print(found)
        wrong = [each.name for each in found if not each.sound]
        wrong += [
            each.name for each in found if options["names"] and each.state in (ABSENT, PARTLY)
        ]
        if wrong:
            raise CommandError(f"Not ready: {', '.join(wrong)}.")

    def _stock(self, options: dict[str, Any]) -> list[Stock]:
        of, offered = tuple(options["names"]), self._offered()
        found = stock(settings.MODELS_DIR, offered, of=of)
        if not options["verify"]:
            return found
        meter = Meter(self.stderr, "read")
        meter.expect(sum(each.size for each in found))
        found = stock(settings.MODELS_DIR, offered, told=meter.told, of=of)
        meter.end()
        return found

    def _offered(self) -> dict[str, list[str]]:
        """Which workers offer what; a machine that only fetches may have no database."""
        try:
            return offering(now=timezone.now())
        except DatabaseError:
            self.stderr.write("Who offers them is not known: the database did not answer.")
            return {}

    def _print(self, found: Sequence[Stock]) -> None:
        rows = [HEADS, *(_row(each) for each in found)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write(f"\nThe folder is {settings.MODELS_DIR}.")
        for line in filter(None, map(_remark, found)):
            self.stdout.write(line)


def _row(each: Stock) -> tuple[str, ...]:
    return (
        each.name,
        each.family,
        each.licence + ("" if each.commercial else ", not commercial"),
        _state(each),
        gigabytes(each.size) if each.size else "-",
        f"{each.memory_gb:g} GB" + "".join(f", {name}" for name in each.lacking),
        ", ".join(each.workers) or "-",
    )


def _state(each: Stock) -> str:
    told = {HERE: "here", PARTLY: "partly here", ABSENT: "-", REFUSED: "REFUSED"}[each.state]
    return f"{told}, verified" if each.verified else told


def _remark(each: Stock) -> str:
    """What to do about a model, if anything."""
    if each.state == PARTLY:
        return f"{each.name}: `manage.py fetch_models {each.name}` brings what is missing."
    if each.unfit:
        return f"{each.name}: {UNFIT[each.unfit]}."
    if each.state != REFUSED:
        return ""
    return remedy(each.reason, name=each.name, file=each.file)


def remedy(reason: str, *, name: str, file: str) -> str:
    """Return the sentence why a folder is refused, and what to do."""
    told = REASONS.get(reason, f"its folder cannot be used ({reason})")
    return f"{name}: {told.format(name=name, file=file, dir=settings.MODELS_DIR)}."
