"""`manage.py ingest FOLDER --collection SLUG [--csv TABLE]`: takes a folder of scans."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from archive.batch import BadTable, Outcome, Table, read_table, take
from archive.models import Collection

if TYPE_CHECKING:
    from accounts.models import User

KINDS = {
    "new": _("new"),
    "known": _("already here"),
    "quarantined": _("in quarantine"),
    "refused": _("not taken"),
}


class Command(BaseCommand):
    help = "Take a folder of scans into a collection, with a table of descriptions if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--collection", required=True, metavar="SLUG")
        parser.add_argument("--csv", type=Path, metavar="TABLE", help="columns: filename, ...")
        parser.add_argument("--by", metavar="NAME", help="who takes them in (else: a steward)")
        parser.add_argument("--dry-run", action="store_true", help="look, change nothing")
        parser.add_argument("--wait", action="store_true", help="read here, without a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        collection, by = _collection(options["collection"]), _person(options["by"])
        if not options["folder"].is_dir():
            raise CommandError(f"There is no folder {options['folder']}.")
        table = self._table(options["csv"])
        counts: Counter[str] = Counter()
        for outcome in take(
            options["folder"],
            collection=collection,
            by=by,
            table=table,
            dry_run=options["dry_run"],
            wait=options["wait"],
        ):
            counts[outcome.kind] += 1
            self._tell(outcome)
        told = ", ".join(f"{counts[kind]} {KINDS[kind]}" for kind in KINDS if counts[kind])
        self.stdout.write(f"{told or '0'}{' (dry run)' if options['dry_run'] else ''}")

    def _table(self, path: Path | None) -> Table:
        if path is None:
            return Table()
        try:
            table = read_table(path)
        except (BadTable, OSError) as error:
            raise CommandError(str(error)) from None
        for oddity in table.oddities:
            self.stderr.write(self.style.WARNING(oddity))
        return table

    def _tell(self, outcome: Outcome) -> None:
        line = f"{outcome.filename}: {KINDS[outcome.kind]}"
        if outcome.sentence:
            self.stderr.write(self.style.WARNING(f"{line}. {outcome.sentence}"))
        else:
            self.stdout.write(line)


def _collection(slug: str) -> Collection:
    found = Collection.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Collection.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(f"There is no collection {slug}. There are: {known or 'none yet'}.")
    return found


def _person(name: str | None) -> User:
    people = get_user_model().objects.filter(is_active=True)
    if name:
        found = people.filter(username=name).first()
    else:
        found = people.filter(is_steward=True).order_by("pk").first()
    if found is None:
        raise CommandError(f"There is nobody called {name}." if name else "There is no steward.")
    return found
