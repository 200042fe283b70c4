"""`manage.py move_storage --to PLACE`: all bytes to another place while the site runs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from archive.places import StorageAway
from config import moving

EVERY = 10.0  # seconds between two lines on how far it is


class Command(BaseCommand):
    help = "Copy all bytes to another place, verify them by sha256, and switch; nothing is deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--to", metavar="PLACE", help="a folder, or s3://BUCKET")
        what.add_argument("--back", action="store_true", help="call off a move before its end")
        parser.add_argument("--dry-run", action="store_true", help="say what there is to do")
        parser.add_argument(
            "--despite-bad",
            action="store_true",
            help="switch although files are missing or altered; they stay at the old place",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.last, folder = -EVERY, Path(settings.VAR_DIR) / "moving"
        try:
            if options["back"]:
                self.stdout.write(f"Called off: the bytes stay at {moving.call_off(folder)}.")
            elif options["dry_run"]:
                self._tell(moving.plan(options["to"]))
            else:
                self._move(options, folder)
        except moving.MoveRefused as refused:
            raise CommandError(str(refused)) from None
        except StorageAway as error:
            raise CommandError(
                f"{error}. Nothing is lost: call this again, and it goes on where it was."
            ) from None

    def _move(self, options: dict[str, Any], folder: Path) -> None:
        moving.move(options["to"], folder=folder, despite_bad=options["despite_bad"], say=self._say)
        self.stdout.write(
            "Every program asks there. Change REKINDLE_S3_BUCKET or REKINDLE_BYTES_DIR when it"
            " suits you and restart; until then leave moving.json at the old place."
        )

    def _say(self, line: str) -> None:
        """Not each of them: the lines of a long move go into a log."""
        is_progress = "minutes left" in line
        if is_progress and time.monotonic() - self.last < EVERY:
            return
        self.last = time.monotonic() if is_progress else self.last
        self.stdout.write(line)

    def _tell(self, plan: moving.Plan) -> None:
        self.stdout.write(
            f"{plan.files} files ({plan.bytes} bytes), {plan.to_copy} of them to copy"
            f" ({plan.bytes_to_copy} bytes). Nothing was changed."
        )
        for key in plan.lacking:
            self.stderr.write(self.style.WARNING(f"named by a row, and nowhere: {key}"))
