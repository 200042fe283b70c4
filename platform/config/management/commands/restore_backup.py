"""`manage.py restore_backup FOLDER`: bring a site back, all of it verified."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import backup


class Command(BaseCommand):
    help = "Bring back the newest whole backup of a folder into an empty site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--at", default="", metavar="STAMP", help="another than the newest")
        parser.add_argument(
            "--over", action="store_true", help="replace the rows of a site that is in use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = backup.restore(
                options["folder"],
                stamp=options["at"],
                over=options["over"],
                say=self.stdout.write,
            )
        except backup.BackupRefused as refused:
            raise CommandError(str(refused)) from None
        for key in manifest.lacking:
            self.stderr.write(self.style.WARNING(f"not in the backup: {key}"))
        self.stdout.write(f"The site is as it was at {manifest.made_at}.")
