"""`manage.py ingest SOURCE --collection SLUG`: takes a folder, a ZIP, a table, a bucket's prefix or
a IIIF manifest into a collection. Killed in the middle, it is simply called again.
"""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import batch as worker
from archive import batches, progress, reports, wording
from archive.intake import Batch, BatchFile
from archive.lifecycle import AT_WORK, BatchState, FileOutcome, PagesAre, SourceKind
from archive.models import Collection
from archive.policy import Refused
from archive.sources.source import BLOCK
from archive.sources.table import LARGEST

if TYPE_CHECKING:
    from accounts.models import User

EVERY = {True: 0.5, False: 10.0}  # seconds between two lines of progress, on a terminal or not
HELD_ELSEWHERE = 1.0
NO_STORE = "cannot-store"


class Command(BaseCommand):
    help = (
        "Take scans into a collection: a folder, a ZIP, a table, s3://bucket/prefix or a manifest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", default="", help="what to take in")
        parser.add_argument("--collection", metavar="SLUG")
        parser.add_argument("--batch", type=int, metavar="N", help="go on with this batch")
        parser.add_argument("--csv", type=Path, metavar="TABLE", help="columns: filename, ...")
        parser.add_argument(
            "--pages",
            choices=PagesAre.values,
            default="",
            help="what several pages of one file are (else each such file waits for an answer)",
        )
        parser.add_argument("--by", metavar="NAME", help="who takes them in (else: a steward)")
        parser.add_argument("--dry-run", action="store_true", help="look, take nothing in")
        parser.add_argument("--wait", action="store_true", help="read here, without a worker")
        parser.add_argument("--at-once", type=int, default=1, metavar="N", help="files at once")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write a CSV of all files")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = self._batch(options)
        try:
            self._work(batch, options["wait"], max(1, options["at_once"]))
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. manage.py ingest --batch {batch.pk} goes on.") from None
        batch.refresh_from_db()
        self._tell_oddities(batch)
        if options["report"]:
            _write_report(batch, options["report"])
        if batch.state == BatchState.FAILED:
            raise CommandError(_failure(batch))
        self._sum_up(batch)
        _end_badly(batch)

    # --- which -----------------------------------------------------------------------------------
    def _batch(self, options: dict[str, Any]) -> Batch:
        by = _person(options["by"])
        try:
            if options["batch"]:
                return _known(options["batch"], by)
            if not options["source"] or not options["collection"]:
                raise CommandError("Say what to take in, and into which --collection.")
            return batches.begin_batch(
                collection=_collection(options["collection"]),
                origin=_origin(options["source"], options["csv"]),
                by=by,
                now=timezone.now(),
                look=options["dry_run"],
                by_command=True,
                pages=options["pages"],
            )
        except Refused as refused:
            raise CommandError(str(refused.message)) from None

    # --- the work --------------------------------------------------------------------------------
    def _work(self, batch: Batch, reads: bool, at_once: int) -> None:
        shown = progress.Shown(batch, self.stderr, EVERY[self.stderr.isatty()])

        def tell(file: BatchFile) -> None:
            self._tell(file)
            shown.count()

        with shown:
            # The list first, by one hand; then as many as were asked for.
            worker.work(batch, worker.hand(seconds=0, reads=reads))
            while _is_at_work(batch):
                if at_once == 1:
                    worker.work(batch, worker.hand(reads=reads, tell=tell))
                else:
                    _together(batch, at_once, reads, tell)
                if _is_at_work(batch):
                    # Another process holds the last ones; its death frees them too.
                    threading.Event().wait(HELD_ELSEWHERE)

    def _tell(self, file: BatchFile) -> None:
        line = f"{file.filename}: {reports.outcome(file)}"
        sentence = reports.sentence(file)
        if sentence:
            self.stderr.write(self.style.WARNING(f"{line}. {sentence}"))
        else:
            self.stdout.write(line)

    def _tell_oddities(self, batch: Batch) -> None:
        for code, facts in batch.oddities:
            self.stderr.write(self.style.WARNING(wording.sentence(code, facts)))
        for file in batch.files.filter(code__in=wording.NEVER_AGAIN).order_by("pk"):
            self._tell(file)

    def _sum_up(self, batch: Batch) -> None:
        told = ", ".join(f"{count} {label}" for _kind, label, count in reports.tally(batch))
        if batch.state == BatchState.LOOKED:
            self.stdout.write(f"manage.py ingest --batch {batch.pk} takes these in.")
            told = f"{told or '0'} (dry run)"
        self.stdout.write(told or "0")


def _is_at_work(batch: Batch) -> bool:
    batch.refresh_from_db()
    return batch.state in AT_WORK


def _together(batch: Batch, at_once: int, reads: bool, tell: worker.Tell) -> None:
    """Several hands of this process; pictures are decoded in processes of their own anyway."""
    lock = threading.Lock()

    def told(file: BatchFile) -> None:
        with lock:
            tell(file)

    threads = [
        threading.Thread(target=worker.work_apart, args=(batch.pk, reads, told))
        for _number in range(at_once)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _failure(batch: Batch) -> str:
    """Why nothing goes on; here, but on no page, with the path of what could not be written."""
    said = wording.sentence(batch.code, batch.facts)
    return _with(said, batch.facts.get("problem", "")) if batch.code == NO_STORE else said


def _with(sentence: str, problem: str) -> str:
    return f"{sentence} ({problem})" if problem else sentence


def _end_badly(batch: Batch) -> None:
    """End with 1 where scans are left behind, so that a script notices it."""
    counts = {word: count for word, _label, count in reports.tally(batch)}
    left = counts.get(FileOutcome.REFUSED, 0) + counts.get("quarantined", 0)
    if left:
        text = ngettext(
            "%(count)d file was not taken or waits in quarantine; --report FILE says why.",
            "%(count)d files were not taken or wait in quarantine; --report FILE says why.",
            left,
        )
        raise CommandError(text % {"count": left})


def _write_report(batch: Batch, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        stream.writelines(reports.lines(batch))


# --- what was asked for --------------------------------------------------------------------------
def _origin(source: str, table: Path | None) -> batches.Origin:
    key = _kept(table) if table else ""
    if source.startswith("s3://"):
        return batches.Origin(SourceKind.BUCKET, source, source, key)
    if source.startswith(("http://", "https://")):
        name = unquote(urlsplit(source).path).rstrip("/").rpartition("/")[2]
        return batches.Origin(SourceKind.MANIFEST, source, name or source, key)
    path = Path(source).absolute()
    if path.is_dir():
        return batches.Origin(SourceKind.FOLDER, str(path), path.name, key)
    if path.is_file() and path.suffix.lower() == ".zip":
        return batches.Origin(SourceKind.ZIP, str(path), path.name, key)
    if path.is_file() and path.suffix.lower() == ".csv":
        return batches.Origin(SourceKind.TABLE, str(path), path.name, _kept(path))
    raise CommandError(f"There is no folder {source}, and it is no ZIP, no table and no address.")


def _kept(table: Path) -> str:
    """The table in our storage, so that a batch goes on without the file."""
    try:
        stream = table.open("rb")
    except OSError as error:
        raise CommandError(str(error)) from None
    with stream:
        blocks = iter(lambda: stream.read(BLOCK), b"")
        try:
            return batches.keep_source(chunks=blocks, suffix=".csv", limit=LARGEST)
        except OSError as error:
            problem = worker.not_stored(error)
            raise CommandError(_with(wording.sentence(NO_STORE), problem)) from None


def _known(number: int, by: User) -> Batch:
    batch = Batch.objects.filter(pk=number).first()
    if batch is None:
        raise CommandError(_("There is no batch {number}.").format(number=number))
    if batch.state != BatchState.TAKING:
        begin = batches.retry_batch if batch.state == BatchState.DONE else batches.take_batch
        begin(batch=batch, by=by, now=timezone.now())
    return batch


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
