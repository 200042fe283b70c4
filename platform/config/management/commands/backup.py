"""`manage.py backup PLACE`: all rows and all bytes that they name, whole or not at all."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from archive.places import StorageAway
from config import backup


class Command(BaseCommand):
    help = "Back up the database and every stored file that it names; only new files are copied."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place", help="where all backups of this site go: a folder, or s3://BUCKET"
        )
        parser.add_argument(
            "--again", action="store_true", help="read also what lies in the bucket already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            place = backup.at(options["place"])
            stamp, manifest = backup.make(place, now=timezone.now(), again=options["again"])
        except backup.BackupRefused as refused:
            raise CommandError(str(refused)) from None
        except StorageAway as away:
            raise CommandError(f"A storage does not answer; this is no backup. {away}") from None
        self.stdout.write(
            f"{backup.address(place, f'{backup.BACKUPS}/{stamp}')}:"
            f" {sum(manifest.tables.values())} rows, {manifest.files} files,"
            f" {manifest.bytes} bytes"
        )
        for key in manifest.lacking:
            self.stderr.write(self.style.WARNING(f"missing or altered: {key}"))
        if manifest.lacking:
            raise CommandError(
                "The backup is whole but for these files; see `manage.py fixity --restore`."
            )
