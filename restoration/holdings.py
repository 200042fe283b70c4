"""Which stored bytes the rows name: what must be there, and what a check or a copy has to read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from django.db.models import F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from archive import arriving, storage
from archive.lifecycle import BatchState, Kept, Outcome, UploadState
from archive.models import Batch, FixityCheck, Original, Photo, Rendition, Upload
from restoration.lifecycle import LIVE_JOBS
from restoration.models import Assessment, Job, Sheet, Version

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Holding(NamedTuple):
    """A file that is kept for ever, by its kind and the sha256 that rows name."""

    kind: str
    sha256: str


def due(*, before: datetime, retry: datetime, most: int) -> list[Holding]:
    """The files whose last check is from before, the oldest first, each of them once.

    One that could not be read is asked for again when the failed try is older than `retry`.
    """
    rows = [
        _dated(Original.objects.all(), Kept.ORIGINAL, "sha256", before, retry),
        _dated(Version.objects.all(), Kept.WORKING, "sha256", before, retry),
        _dated(
            Photo.objects.exclude(working_sha256=""), Kept.WORKING, "working_sha256", before, retry
        ),
    ]
    found = rows[0].union(*rows[1:]).order_by("last", "held_as", "sha256")
    return [Holding(kind, sha256) for _last, kind, sha256 in found[:most]]


def _dated(
    rows: QuerySet[Any], kind: Kept, column: str, before: datetime, retry: datetime
) -> QuerySet[Any, Any]:
    checks = FixityCheck.objects.filter(kind=kind, sha256=OuterRef(column)).values("sha256")
    tried = Q(outcome=Outcome.UNREACHABLE)
    dated = rows.annotate(
        last=Coalesce(Subquery(checks.filter(~tried).values(last=Max("at"))), NEVER),
        tried=Coalesce(Subquery(checks.filter(tried).values(last=Max("at"))), NEVER),
        held_as=Value(kind.value),
    )
    wanted = dated.filter(last__lt=before, tried__lt=retry).order_by()
    columns: QuerySet[Any, Any] = wanted.values_list("last", "held_as", column)
    return columns


def longest_unread() -> datetime | None:
    """When the file was last read that was not read for longest; a new one counts from its coming.

    Goes through every file, so it is for once an hour and not for a page.
    """
    rows = [
        _read_last(Original.objects.all(), Kept.ORIGINAL, "sha256", "stored_at"),
        _read_last(Version.objects.all(), Kept.WORKING, "sha256", "made_at"),
        _read_last(
            Photo.objects.exclude(working_sha256=""), Kept.WORKING, "working_sha256", "added_at"
        ),
    ]
    return min((last for last in rows if last is not None), default=None)


def _read_last(rows: QuerySet[Any], kind: Kept, column: str, came: str) -> datetime | None:
    checks = FixityCheck.objects.filter(kind=kind, sha256=OuterRef(column)).values("sha256")
    read = checks.exclude(outcome=Outcome.UNREACHABLE).values(last=Max("at"))
    dated = rows.annotate(last=Coalesce(Subquery(read), F(came)))
    oldest: datetime | None = dated.aggregate(oldest=Min("last"))["oldest"]
    return oldest


def photos_of(holding: Holding) -> QuerySet[Photo]:
    """The photos that need this file."""
    if holding.kind == Kept.ORIGINAL:
        return Photo.objects.filter(original=holding.sha256)
    versions = Version.objects.filter(sha256=holding.sha256)
    return Photo.objects.filter(
        Q(working_sha256=holding.sha256) | Q(pk__in=versions.values("photo"))
    )


def unrendered(*, most: int) -> list[str]:
    """Working files that no rendition is noted for, as after a copy was brought back."""
    known = Rendition.objects.values("sha256")
    scans = Photo.objects.exclude(Q(working_sha256="") | Q(working_sha256__in=known))
    versions = Version.objects.exclude(sha256__in=known)
    found = scans.order_by().values_list("working_sha256", flat=True)
    return list(found.union(versions.order_by().values_list("sha256", flat=True))[:most])


def named() -> dict[str, str]:
    """Every stored file that some row names: its key, and the sha256 its bytes must have.

    Sizes are not among them: they are made again from these. A file that nobody has read yet lies
    where it came in; of an upload that is whole and not hashed yet the sha256 is "".
    """
    found = {storage.original_key(sha): sha for sha in _column(Original.objects, "sha256")}
    for rows, column in ((Photo.objects, "working_sha256"), (Version.objects, "sha256")):
        found |= {storage.working_key(sha): sha for sha in _column(rows, column)}
    found |= {storage.sheet_key(sha): sha for sha in _sheets()}
    found |= {storage.incoming_key(sha): sha for sha in _incoming()}
    whole = Upload.objects.filter(state=UploadState.WHOLE)
    found |= {arriving.key(ref): sha for ref, sha in whole.values_list("ref", "sha256")}
    return found | {key: PurePosixPath(key).stem for key in _sources()}


def whereabouts(key: str, sha256: str) -> Iterator[str]:
    """Where a named file may lie by now, one after the other: what came in goes on its way."""
    yield key
    if key.startswith(arriving.FOLDER):
        # Asked only now: its sha256 is written before it is carried on.
        row = Upload.objects.filter(ref=key.removeprefix(arriving.FOLDER)).first()
        sha256 = sha256 or (row.sha256 if row else "")
        if sha256:
            yield storage.incoming_key(sha256)
    elif key != storage.incoming_key(sha256):
        return
    if sha256:
        yield storage.original_key(sha256)


def _sources() -> set[str]:
    """What the open batches were sent as: a ZIP, a table."""
    rows = Batch.objects.exclude(state=BatchState.CLOSED)
    keys = _column(rows, "table") | _column(rows.filter(by_command=False), "place")
    return {key for key in keys if key.startswith("sources/") and storage.exists(key)}


def _column(rows: Any, name: str) -> set[str]:
    return set(rows.values_list(name, flat=True)) - {"", None}


def _sheets() -> set[str]:
    maps = Version.objects.exclude(maps={}).values_list("maps", flat=True)
    return (
        {sha for each in maps.iterator() for sha in each.values()}
        | _column(Sheet.objects, "sha256")
        | _column(Assessment.objects, "mask_sha256")
        | _column(Job.objects, "plan__mask_sha256")
    ) - {"", None}


def _incoming() -> set[str]:
    live = Job.objects.filter(state__in=LIVE_JOBS)
    unread = Photo.objects.filter(original=None)
    return _column(unread, "sha256") | _column(live, "plan__upload_sha256")
