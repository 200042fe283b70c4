"""`manage.py orphans`: list stored files that no row names; with --delete clear them away."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from archive.places import Item, StorageAway
from config import orphans

DAYS = 7


class Command(BaseCommand):
    help = "List stored files that no row of any table names; nothing is changed without --delete."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older", type=int, default=DAYS, metavar="DAYS", help=f"at least so old ({DAYS})"
        )
        parser.add_argument(
            "--delete",
            action="store_true",
            help="set them aside, and delete for good what lay aside for a day",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            found = orphans.find(now=now, older=timedelta(days=options["older"]))
            self._tell(found)
            if options["delete"]:
                self._clear(found)
        except ValueError:
            raise CommandError(
                "Nothing younger than a day is looked at: its row may be on the way."
            ) from None
        except orphans.Moving:
            raise CommandError(
                "The bytes are moving to another place; call this when they have settled there."
            ) from None
        except StorageAway as error:
            raise CommandError(f"The storage does not answer: {error}") from None

    def _tell(self, found: orphans.Found) -> None:
        for each in found.orphans:
            self.stdout.write(f"{each.changed:%Y-%m-%d}  {each.size:>12}  {each.key}")
        for each in found.halves:
            self.stdout.write(f"{each.changed:%Y-%m-%d}  {each.size:>12}  {each.key} (half)")
        for upload in found.uploads:
            self.stdout.write(f"{upload.began:%Y-%m-%d}  {'':>12}  {upload.key} (half, in parts)")
        for each in found.strangers:
            self.stderr.write(f"not ours, left alone: {each.key}")
        count = Counter(each.key.partition("/")[0] for each in found.orphans)
        told = ", ".join(f"{number} of {name}" for name, number in sorted(count.items()))
        self.stdout.write(
            f"{len(found.orphans)} files that no row names ({_size(found.orphans)})"
            + (f": {told}" if told else "")
            + f"; {len(found.halves) + len(found.uploads)} half files;"
            f" {len(found.aside)} aside for a day or named again"
        )

    def _clear(self, found: orphans.Found) -> None:
        done = orphans.Cleared()
        for step in orphans.clear(found):
            done = step
        self.stdout.write(
            f"{done.aside} set aside under {orphans.ASIDE}, {done.back} put back,"
            f" {done.gone} deleted ({done.bytes} bytes)"
        )
        if done.aside:
            self.stdout.write("What was set aside goes for good with the next --delete in a day.")


def _size(items: Iterable[Item]) -> str:
    return f"{sum(each.size for each in items)} bytes"
