"""The sentences for what can be wrong with a file, by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

STORAGE_AWAY = _(
    "The place where the pictures are kept does not answer now. Nothing was lost and nothing is"
    " half saved; please try again in a minute."
)

SENTENCES: dict[str, str | Promise] = {
    "not-a-picture": _("This is not a picture. Send a JPEG, TIFF, PNG or WebP file."),
    "kind-not-allowed": _(
        "Files of the kind {kind} cannot be taken."
        " Save it as TIFF, PNG, JPEG or WebP and send that."
    ),
    "samples-not-allowed": _(
        "The way this file stores its samples cannot be read. Save it with 8 or 16 bits per sample"
        " and a usual compression, and send that."
    ),
    "truncated": _("The file breaks off before its end. Copy it again from where it came from."),
    "damaged": _("The file is damaged and cannot be read to its end. Scan or export it again."),
    "too-many-pixels": _(
        "The picture has {width} × {height} pixels, more than the {megapixels} million allowed."
    ),
    "too-small": _(
        "The picture has {width} × {height} pixels; at least {limit} on each side are needed."
    ),
    "bomb": _(
        "The file promises far more picture than it can hold, so it was not opened."
        " If it really is a scan, save it without compression."
    ),
    "too-large": _("The file is larger than the {megabytes} MB allowed."),
    "empty": _("The file is empty."),
    "took-too-long": _("Reading the file took too long. Try again when the site is less busy."),
    "too-costly": _(
        "Reading the file takes far more work than a picture of its size needs, so it was stopped."
        " Open it, save it as TIFF or JPEG and send that."
    ),
    "too-many-pages": _(
        "The file has {pages} pages, more than the {limit} allowed. Split it and send the parts."
    ),
    "too-heavy": _("Reading the file needs more memory than there is. Try again later."),
    "worker-lost": _("The worker that read this file went away three times. Try again later."),
    "lost-bytes": _("The file that was sent is not in the storage any more. Send it again."),
    "our-fault": _("Something went wrong on our side. It has been noted; try again later."),
}


def sentence(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """What is wrong and what to do about it, in the reader's language."""
    words = dict(facts or {})
    if "limit" in words:
        words["megapixels"] = int(words["limit"]) // 1_000_000
        words["megabytes"] = int(words["limit"]) // 1024**2
    text = str(SENTENCES.get(code, SENTENCES["our-fault"]))
    try:
        return text.format(**words)
    except (KeyError, IndexError):
        return gettext("The file cannot be taken ({code}).").format(code=code)


def date_sentence(text: str) -> str:
    """What is wrong with a date and how one is written."""
    return gettext(
        "“{text}” is not a date in EDTF. Write 1974, 1974-09 or 1974-09-01; 197X for the 1970s,"
        " 1974? when unsure, 1974~ for about, 1974/1976 for a span."
    ).format(text=text)
