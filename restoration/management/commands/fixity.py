"""`manage.py fixity`: hash the kept files again, oldest-checked first; or bring back bad ones."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from archive import places
from archive.lifecycle import BAD, Outcome
from archive.models import FixityCheck
from restoration import fixity
from restoration.holdings import Holding


class Command(BaseCommand):
    help = "Read every original and version again and compare its sha256, oldest-checked first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, metavar="N", help="check at most N files")
        parser.add_argument("--bytes", type=int, metavar="N", help="stop after N bytes were read")
        parser.add_argument(
            "--restore", metavar="FROM", help="bring back bad files: a folder, or s3://BUCKET"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["restore"]:
            checks = self._restore(_replica(options["restore"]), now)
        else:
            found = fixity.check_round(
                now=now, before=now, most=options["limit"], most_bytes=options["bytes"]
            )
            checks = [self._told(check) for check in found]
        fixity.note_age()
        self._sum_up(checks)

    def _restore(self, replica: Storage, now: datetime) -> list[FixityCheck]:
        checks, under = [], _top(replica)
        for holding in fixity.alarmed():
            try:
                check = fixity.restore_holding(
                    holding=holding, replica=replica, now=now, under=under
                )
            except (ValueError, OSError) as error:
                self.stderr.write(f"{fixity.key_of(holding)}: {_why_not(error)}")
                check = FixityCheck.objects.filter(**holding._asdict()).latest("at")
            checks.append(self._told(check))
        return checks

    def _told(self, check: FixityCheck) -> FixityCheck:
        if check.outcome != Outcome.OK:
            key = fixity.key_of(Holding(check.kind, check.sha256))
            self.stderr.write(self.style.WARNING(f"{key}: {check.outcome}"))
        return check

    def _sum_up(self, checks: list[FixityCheck]) -> None:
        counts = fixity.counted(checks)
        told = ", ".join(f"{counts[each]} {each.value}" for each in Outcome if counts[each])
        self.stdout.write(f"{sum(counts.values())} files: {told}" if told else "0 files")
        if counts[Outcome.UNREACHABLE]:
            self.stderr.write("What could not be reached is tried again in an hour.")
        if any(counts[each] for each in BAD):
            raise CommandError("Files are missing or altered; --restore FROM brings them back.")


def _top(replica: Storage) -> str:
    try:
        return fixity.folder_in(replica)
    except places.StorageAway as away:
        raise CommandError(f"The replica does not answer; call this again. {away}") from None


def _why_not(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the replica has no such file"
    if isinstance(error, ValueError):
        return "the replica's file is not the right one either"
    return str(error)


def _replica(where: str) -> Storage:
    try:
        return places.at(where)
    except places.NoPlace as error:
        raise CommandError(str(error)) from None
