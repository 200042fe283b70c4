"""`manage.py fetch_models NAME ...`: bring generative models here, from a hub or a folder."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from restoration import fetching, origins
from restoration.engine.errors import StepFailed
from restoration.engine.generative.rows import MODELS, Licence, Model
from restoration.management.commands.models import remedy
from restoration.management.meter import Meter


class Command(BaseCommand):
    help = "Fetch generative models into REKINDLE_MODELS_DIR; stopped, it goes on where it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME", help="see `manage.py models`")
        parser.add_argument(
            "--from", dest="shelf", type=Path, metavar="DIR", help="copy from here, not from a hub"
        )
        parser.add_argument("--update", action="store_true", help="take what is newest now")
        parser.add_argument(
            "--accept-licence", action="store_true", help="agree to the licences that are printed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        models = [self._known(name) for name in dict.fromkeys(options["names"])]
        self._agree(models, accepted=options["accept_licence"])
        origin = self._origin(options["shelf"])
        wanted = dict.fromkeys(each for model in models for each in fetching.wanted_of(model))
        for each in wanted:
            self._fetch(each, origin, update=options["update"])

    def _known(self, name: str) -> Model:
        found = next((model for model in MODELS if model.name == name), None)
        if found is None:
            names = ", ".join(model.name for model in MODELS)
            raise CommandError(f"There is no model {name}. There are: {names}.")
        return found

    def _agree(self, models: list[Model], *, accepted: bool) -> None:
        """Print the licences and go on only when they are agreed to."""
        for model in models:
            if not model.commercial and not settings.NONCOMMERCIAL_MODELS:
                raise CommandError(
                    f"{model.label} may not be used to earn money ({model.licence_label}). If that "
                    "is right for you, set REKINDLE_NONCOMMERCIAL_MODELS=yes."
                )
            for licence in model.licences:
                self.stdout.write(f"{model.label}: {_told(licence)}")
        if not accepted and not self._says_yes():
            raise CommandError("Nothing was fetched. Read the licences, then --accept-licence.")

    def _says_yes(self) -> bool:
        if not sys.stdin.isatty():
            return False
        return input("Do you agree to these licences? [yes/no] ").strip().lower() in ("y", "yes")

    def _origin(self, shelf: Path | None) -> fetching.Origin:
        if shelf is None:
            return origins.Hub(settings.MODELS_HUB, settings.MODELS_HUB_TOKEN)
        if not shelf.is_dir():
            raise CommandError(f"There is no folder {shelf}.")
        return origins.Shelf(shelf)

    def _fetch(self, wanted: fetching.Wanted, origin: fetching.Origin, *, update: bool) -> None:
        meter = Meter(self.stderr, wanted.folder)
        try:
            lock = fetching.fetch(
                wanted, settings.MODELS_DIR, origin, update=update, say=self.stdout.write, on=meter
            )
        except fetching.NotFetched as refusal:
            raise CommandError(str(refusal)) from None
        except StepFailed as refusal:
            file = refusal.facts.get("file", "")
            raise CommandError(remedy(refusal.code, name=wanted.folder, file=file)) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.") from None
        meter.end()
        self.stdout.write(
            f"{wanted.folder}: {len(lock.files)} files, {fetching.gigabytes(lock.size)}, "
            f"{lock.repository}, commit {lock.revision or 'unknown'}, {TRUST[lock.trust]}."
        )


TRUST = {
    "pinned": "of the commit this release was made with, every file as the hub says",
    "hub": "every file as the hub says; this commit is kept from now on",
    "first-use": "as it was found: nobody vouched for it before, any change is seen from now on",
}


def _told(licence: Licence) -> str:
    use = "commercial use allowed" if licence.commercial else "no commercial use"
    return f"{licence.label} ({use}) {licence.url}".rstrip()
