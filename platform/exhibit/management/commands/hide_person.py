"""`manage.py hide_person NAME`: hide everything by an account, or bring it back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from archive.policy import Refused
from exhibit import hiding


class Command(BaseCommand):
    help = "Hide and take back everything by an account; nothing is deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name the person signs in with")
        parser.add_argument("--by", metavar="STEWARD", help="the steward who answers for it")
        parser.add_argument("--reason", default="", help="why; the next steward will read it")
        parser.add_argument("--dry-run", action="store_true", help="say what would be hidden")
        parser.add_argument("--undo", action="store_true", help="bring back what was hidden")

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._who(options["name"])
        if options["dry_run"]:
            self._tell(hiding.look(person))
            return
        if not options["by"]:
            raise CommandError("Say with --by which steward answers for it.")
        try:
            self._do(person, self._who(options["by"]), options)
        except Refused as refused:
            raise CommandError(str(refused.message)) from None

    def _who(self, name: str) -> Any:
        person = get_user_model().objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {name}.")
        return person

    def _do(self, person: Any, by: Any, options: dict[str, Any]) -> None:
        now = timezone.now()
        if options["undo"]:
            came = hiding.undo_hiding(person=person, by=by, now=now)
            self.stdout.write(", ".join(f"{word}: {n}" for word, n in came.items()) or "nothing")
            return
        self._tell(hiding.look(person))
        hiding.hide_everything(person=person, by=by, reason=options["reason"], now=now)
        self.stdout.write("hidden")

    def _tell(self, found: hiding.Found) -> None:
        for name in ("claims", "jobs", "versions", "publications"):
            rows = getattr(found, name)
            photos = " ".join(each.photo.ref for each in rows)
            self.stdout.write(f"{name}: {len(rows)} {photos}".rstrip())
