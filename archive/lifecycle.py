"""The states of a photo and of its files, and the moves between them. Pure: no model, no clock."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

Moves = Mapping[str, frozenset[str]]


class PhotoState(TextChoices):
    """What a photo stores of itself; "in work" and "in review" are queries, not states."""

    READING = "reading", pgettext_lazy("state of a photo", "being read")
    READY = "ready", pgettext_lazy("state of a photo", "ready")
    QUARANTINED = "quarantined", pgettext_lazy("state of a photo", "in quarantine")
    ON_HOLD = "on_hold", pgettext_lazy("state of a photo", "on hold")
    WITHDRAWN = "withdrawn", pgettext_lazy("state of a photo", "withdrawn")


PHOTO_MOVES: Moves = {
    PhotoState.READING: frozenset({PhotoState.READY, PhotoState.QUARANTINED}),
    PhotoState.READY: frozenset({PhotoState.ON_HOLD, PhotoState.WITHDRAWN}),
    PhotoState.QUARANTINED: frozenset({PhotoState.READING, PhotoState.WITHDRAWN}),
    PhotoState.ON_HOLD: frozenset({PhotoState.READY, PhotoState.WITHDRAWN}),
    PhotoState.WITHDRAWN: frozenset(),
}


class PagesAre(TextChoices):
    """What a curator says that the pages of one file are."""

    FIRST = "first", pgettext_lazy("pages of a file", "only the first page counts")
    PHOTOS = "photos", pgettext_lazy("pages of a file", "one photo each")
    SIDES = "sides", pgettext_lazy("pages of a file", "front and back")


class Kept(TextChoices):
    """What of a photo is kept for ever and checked."""

    ORIGINAL = "original", pgettext_lazy("kind of file", "original scan")
    WORKING = "working", pgettext_lazy("kind of file", "working copy or version")


class Outcome(TextChoices):
    """What a check of stored bytes found."""

    OK = "ok", pgettext_lazy("check of a file", "as it was")
    MISSING = "missing", pgettext_lazy("check of a file", "missing")
    MISMATCH = "mismatch", pgettext_lazy("check of a file", "not the bytes that were kept")
    # Not a finding about the bytes: a disk that is not mounted, a service that does not answer.
    UNREACHABLE = "unreachable", pgettext_lazy("check of a file", "could not be read")


BAD = (Outcome.MISSING, Outcome.MISMATCH)


class AlarmState(TextChoices):
    """Whether a file of a photo is still known to be bad."""

    OPEN = "open", pgettext_lazy("state of an alarm", "open")
    CLOSED = "closed", pgettext_lazy("state of an alarm", "closed")


ALARM_MOVES: Moves = {
    AlarmState.OPEN: frozenset({AlarmState.CLOSED}),
    AlarmState.CLOSED: frozenset(),
}


class BatchState(TextChoices):
    """How far a batch of files has come; what became of each file is in its row."""

    LOOKING = "looking", pgettext_lazy("state of a batch", "being looked through")
    LOOKED = "looked", pgettext_lazy("state of a batch", "looked through, waits for you")
    TAKING = "taking", pgettext_lazy("state of a batch", "being taken in")
    STOPPED = "stopped", pgettext_lazy("state of a batch", "stopped")
    FAILED = "failed", pgettext_lazy("state of a batch", "cannot be reached")
    DONE = "done", pgettext_lazy("state of a batch", "done")
    CLOSED = "closed", pgettext_lazy("state of a batch", "closed")


BATCH_MOVES: Moves = {
    BatchState.LOOKING: frozenset({BatchState.LOOKED, BatchState.FAILED, BatchState.CLOSED}),
    BatchState.LOOKED: frozenset({BatchState.TAKING, BatchState.CLOSED}),
    BatchState.TAKING: frozenset({BatchState.DONE, BatchState.STOPPED, BatchState.FAILED}),
    BatchState.STOPPED: frozenset({BatchState.TAKING, BatchState.CLOSED}),
    BatchState.FAILED: frozenset({BatchState.LOOKING, BatchState.TAKING, BatchState.CLOSED}),
    BatchState.DONE: frozenset({BatchState.TAKING, BatchState.CLOSED}),
    BatchState.CLOSED: frozenset(),
}
AT_WORK = (BatchState.LOOKING, BatchState.TAKING)


class SourceKind(TextChoices):
    """Where the files of a batch come from."""

    FOLDER = "folder", pgettext_lazy("source of a batch", "folder")
    ZIP = "zip", pgettext_lazy("source of a batch", "ZIP file")
    TABLE = "table", pgettext_lazy("source of a batch", "table")
    BUCKET = "bucket", pgettext_lazy("source of a batch", "S3 bucket")
    MANIFEST = "manifest", pgettext_lazy("source of a batch", "IIIF manifest")


class FileStep(TextChoices):
    """How far one file of a batch has come."""

    LISTED = "listed", pgettext_lazy("step of a file", "listed")
    LOOKED = "looked", pgettext_lazy("step of a file", "looked at")
    SETTLED = "settled", pgettext_lazy("step of a file", "settled")


class FileOutcome(TextChoices):
    """What became of one file of a batch, or what the look at it foretells."""

    NEW = "new", pgettext_lazy("outcome of a file", "new")
    KNOWN = "known", pgettext_lazy("outcome of a file", "already here")
    REFUSED = "refused", pgettext_lazy("outcome of a file", "not taken")
    # Far away: it is fetched only when it is taken, so nobody has looked inside.
    UNSEEN = "unseen", pgettext_lazy("outcome of a file", "not fetched yet")
    # No file but a list of some, whose rows were added.
    OPENED = "opened", pgettext_lazy("outcome of a file", "a list, opened")


class PairState(TextChoices):
    """What a curator says of two photos that look alike."""

    WAITING = "waiting", pgettext_lazy("two photos", "waits for a decision")
    SAME = "same", pgettext_lazy("two photos", "the same photograph")
    DIFFERENT = "different", pgettext_lazy("two photos", "different photographs")
    OTHER_SIDE = "other_side", pgettext_lazy("two photos", "front and back")
    BETTER_SCAN = "better_scan", pgettext_lazy("two photos", "a better scan")


_DECIDED = frozenset(set(PairState) - {PairState.WAITING})
PAIR_MOVES: Moves = {
    PairState.WAITING: _DECIDED,
    **{state: frozenset({PairState.WAITING}) for state in _DECIDED},
}


class UploadState(TextChoices):
    """How far an upload is that may be cut off and go on."""

    ARRIVING = "arriving", pgettext_lazy("state of an upload", "arriving")
    WHOLE = "whole", pgettext_lazy("state of an upload", "all of it is here")
    TAKEN = "taken", pgettext_lazy("state of an upload", "taken")
    REFUSED = "refused", pgettext_lazy("state of an upload", "not taken")
    ENDED = "ended", pgettext_lazy("state of an upload", "ended before all of it was here")


UPLOAD_MOVES: Moves = {
    UploadState.ARRIVING: frozenset({UploadState.WHOLE, UploadState.ENDED}),
    UploadState.WHOLE: frozenset({UploadState.TAKEN, UploadState.REFUSED}),
    UploadState.TAKEN: frozenset(),
    UploadState.REFUSED: frozenset(),
    UploadState.ENDED: frozenset(),
}


def sources(moves: Moves, to: str) -> frozenset[str]:
    """The states from which `to` may be reached."""
    return frozenset(state for state, targets in moves.items() if to in targets)
