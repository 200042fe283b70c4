"""`manage.py restore_backup PLACE`: bring a site back, all of it verified."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.places import StorageAway
from config import backup


class Command(BaseCommand):
    help = "Bring back the newest whole backup of a place into an empty site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", help="a folder, or s3://BUCKET")
        parser.add_argument("--at", default="", metavar="STAMP", help="another than the newest")
        parser.add_argument(
            "--over", action="store_true", help="replace the rows of a site that is in use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = backup.restore(
                backup.at(options["place"]),
                stamp=options["at"],
                over=options["over"],
                say=self.stdout.write,
            )
        except backup.BackupRefused as refused:
            raise CommandError(str(refused)) from None
        except StorageAway as away:
            raise CommandError(f"A storage does not answer; call this again. {away}") from None
        for key in manifest.lacking:
            self.stderr.write(self.style.WARNING(f"not in the backup: {key}"))
        self.stdout.write(f"The site is as it was at {manifest.made_at}.")
