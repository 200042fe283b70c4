"""What became of the files of a batch, in words: on a page, on a terminal and in a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from archive import wording
from archive.intake import Batch, BatchFile
from archive.lifecycle import FileOutcome, FileStep, PhotoState
from archive.models import DESCRIPTION, Photo

# What a person wants to know of a file: what became of it, or how far its photo is.
LABELS = {
    "new": FileOutcome.NEW.label,
    "known": FileOutcome.KNOWN.label,
    "unseen": FileOutcome.UNSEEN.label,
    "reading": pgettext_lazy("outcome of a file", "being read"),
    "quarantined": pgettext_lazy("outcome of a file", "in quarantine"),
    "refused": FileOutcome.REFUSED.label,
    "waiting": pgettext_lazy("outcome of a file", "waiting"),
}
LONGEST_WORDS = 80
# The headings of archive.sources.table, but that of files which lie elsewhere.
DESCRIBED = ("filename", "sha256", *DESCRIPTION)
A_PAGE = 500


def kind(file: BatchFile) -> str:
    """Which of the labels a file has; its photo is looked at when it is new."""
    state = file.photo.state if file.photo else ""
    return _kind(file.step, file.outcome, state)


def _kind(step: str, outcome: str, state: str | None) -> str:
    if not outcome or (step == FileStep.LISTED and outcome != FileOutcome.OPENED):
        return "waiting"
    if state == PhotoState.QUARANTINED:
        return "quarantined"
    return str(outcome)


@dataclass(frozen=True)
class Told:
    """A file of a batch as a page shows it."""

    file: BatchFile
    kind: str
    label: str
    sentence: str


def told(file: BatchFile) -> Told:
    """A file with what became of it, in words."""
    return Told(file, kind(file), outcome(file), sentence(file))


def outcome(file: BatchFile) -> str:
    """What became of a file, in a word or two."""
    return str(LABELS[kind(file)]) if file.outcome != FileOutcome.OPENED else _("a list, opened")


def sentence(file: BatchFile) -> str:
    """Why a file was not taken or is in quarantine, and what became of the words that came with one
    that was here already; nothing when all is well.
    """
    if file.code:
        return wording.sentence(file.code, file.facts)
    said = [_filled(file), _differs(file)]
    if file.photo and file.photo.state == PhotoState.QUARANTINED:
        said.insert(0, wording.sentence(file.photo.quarantine_code, file.photo.quarantine_facts))
    return " ".join(filter(None, said))


def _filled(file: BatchFile) -> str:
    names = ", ".join(_field(name) for name in file.facts.get("filled", ()))
    if not names:
        return ""
    if file.step == FileStep.SETTLED:
        text = _("Written down now, because nothing was there yet: {fields}.")
    else:
        text = _("Would be written down, because nothing is there yet: {fields}.")
    return text.format(fields=names)


def _differs(file: BatchFile) -> str:
    pair = _("{field} “{here}”, there “{there}”")
    told = "; ".join(
        pair.format(field=_field(name), here=_short(here), there=_short(there))
        for name, (here, there) in file.facts.get("differs", {}).items()
    )
    if not told:
        return ""
    text = _(
        "Left as it is here, though the table or the manifest says otherwise: {fields}."
        " If that is right, write it on the photo's page."
    )
    return text.format(fields=told)


def _field(name: str) -> str:
    return str(Photo._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _short(text: str) -> str:
    """Enough of it to know which words are meant, on one line."""
    return Truncator(" ".join(text.split())).chars(LONGEST_WORDS)


def tally(batch: Batch) -> list[tuple[str, str, int]]:
    """How many files have each label: its word, the label, the count. One query."""
    rows = batch.files.exclude(outcome=FileOutcome.OPENED)
    counts: Counter[str] = Counter()
    for step, told, state, count in rows.values_list("step", "outcome", "photo__state").annotate(
        Count("pk")
    ):
        counts[_kind(step, told, state)] += count
    return [(word, str(label), counts[word]) for word, label in LABELS.items() if counts[word]]


def lines(batch: Batch) -> Iterator[str]:
    """The report of a batch as lines of a CSV, a row for each file, safe for a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield _line(writer, buffer, _head())
    rows = batch.files.exclude(outcome=FileOutcome.OPENED).select_related("photo").order_by("pk")
    for file in rows.iterator(500):
        yield _line(writer, buffer, _row(file))


def descriptions(photos: QuerySet[Photo]) -> Iterator[str]:
    """What is said of photos, as lines of the table that a batch takes: one can be put right and
    sent with its scans again. One query a page, however many there are.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield _line(writer, buffer, list(DESCRIBED))
    after = 0
    while rows := list(photos.filter(pk__gt=after).order_by("pk").only(*DESCRIBED)[:A_PAGE]):
        for photo in rows:
            yield _line(writer, buffer, [str(getattr(photo, name)) for name in DESCRIBED])
        after = rows[-1].pk


def _line(writer: object, buffer: io.StringIO, cells: list[str]) -> str:
    writer.writerow([wording.harmless(each) for each in cells])  # type: ignore[attr-defined]
    line = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return line


def _head() -> list[str]:
    return [
        _("file"),
        _("source"),
        _("outcome"),
        _("why"),
        _("state of the photo"),
        _("reference"),
        "sha256",
        _("bytes"),
        _("address"),
    ]


def _row(file: BatchFile) -> list[str]:
    photo = file.photo
    return [
        file.filename,
        file.place.removeprefix("?") if file.code in wording.NEVER_AGAIN else file.place,
        outcome(file),
        sentence(file),
        photo.get_state_display() if photo else "",
        photo.ref if photo else "",
        file.sha256,
        str(file.size or ""),
        settings.SITE_URL + reverse("archive:describe", args=[photo.ref]) if photo else "",
    ]
