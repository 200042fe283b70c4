"""`manage.py backup FOLDER`: all rows and all bytes that they name, whole or not at all."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import backup


class Command(BaseCommand):
    help = "Back up the database and every stored file that it names; only new files are copied."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where all backups of this site go")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            here, manifest = backup.make(options["folder"], now=timezone.now())
        except backup.BackupRefused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(
            f"{here}: {sum(manifest.tables.values())} rows, {manifest.files} files,"
            f" {manifest.bytes} bytes"
        )
        for key in manifest.lacking:
            self.stderr.write(self.style.WARNING(f"missing or altered: {key}"))
        if manifest.lacking:
            raise CommandError(
                "The backup is whole but for these files; see `manage.py fixity --restore`."
            )
