"""The sentences for what can be wrong with a file, by code; and a cell of a table as it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from archive import edtf

STORAGE_AWAY = _(
    "The place where the pictures are kept does not answer now. Nothing was lost and nothing is"
    " half saved; please try again in a minute."
)

SENTENCES: dict[str, str | Promise] = {
    "not-a-picture": _("This is not a picture. Send a JPEG, TIFF, PNG, WebP or JPEG 2000 file."),
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
    "size-differs": _("What arrived is not as long as the file. Send it again."),
    "sha256-differs": _(
        "What arrived is not what was sent: its sha256 is another one. Send it again."
    ),
    "empty": _("The file is empty."),
    "took-too-long": _("Reading the file took too long. Try again when the site is less busy."),
    "too-costly": _(
        "Reading the file takes far more work than a picture of its size needs, so it was stopped."
        " Open it, save it as TIFF or JPEG and send that."
    ),
    "too-many-pages": _(
        "The file has {pages} pages, more than the {limit} allowed. Split it and send the parts."
    ),
    "several-pages": _(
        "The file has {pages} pages. Say what they are: one photo each, or front and back."
        " Nothing of it is lost meanwhile."
    ),
    "no-such-page": _("The file has no page {page}."),
    "too-heavy": _("Reading the file needs more memory than there is. Try again later."),
    "worker-lost": _("The worker that read this file went away three times. Try again later."),
    "lost-bytes": _("The file that was sent is not in the storage any more. Send it again."),
    "not-the-promised": _(
        "The file's sha256 is not the one in the table: it was changed or cut on its way."
    ),
    "date-not-edtf": _(
        "“{text}” cannot be read as a date. Write for example {examples}; the rest can stand in"
        " the description."
    ),
    "date-no-such-day": _("There is no {day}. Correct the day, or leave it out."),
    "date-two-ways": _(
        "“{years}” may mean ten years or a hundred. Write {century}0X for {century}00 to"
        " {century}09, or {century}XX for {century}00 to {century}99."
    ),
    "field-not-valid": _("{field}: {problem}"),
    # sources of a batch
    "named-in-vain": _("The table names this file, but it is not in the source."),
    "name-not-utf8": _(
        "This name, or that of its folder, is not written in UTF-8. Rename it and take it in again."
    ),
    "name-too-long": _(
        "The path of this file is too long. Shorten its name or those of its folders and take it in"
        " again."
    ),
    "not-there": _("The file is not there any more."),
    "cannot-open": _("The file cannot be opened ({problem})."),
    "no-such-folder": _("There is no folder {path} that can be read."),
    "not-a-zip": _("This is not a ZIP file, or it is damaged. Make it again."),
    "zip-damaged": _("This file inside the ZIP is damaged. Make the ZIP again."),
    "zip-locked": _("This file inside the ZIP is locked with a password. Make one without."),
    "zip-packed": _("This file is packed in a way that cannot be read. Make an ordinary ZIP."),
    "too-many-files": _("There are more than {limit_files} files. Take them in by parts."),
    "bucket-not-allowed": _(
        "The bucket {bucket} is not among those that the operator lets the site read."
    ),
    "bucket-refused": _("The storage service refuses to give it ({problem})."),
    "host-not-allowed": _(
        "The site may not fetch from {host}. Whoever runs it can add the name to the list."
    ),
    "address-not-allowed": _("{host} leads to an address inside a private network."),
    "not-https": _("Only addresses that begin with https:// are fetched ({host})."),
    "web-refused": _("The other side answers {http} instead of the file."),
    "web-slow": _("The other side is too slow. Try again later."),
    "web-broken": _("The other side does not answer, or broke off. Try again later."),
    "web-certificate": _("The certificate of {host} is not valid, so nothing was fetched."),
    "not-a-manifest": _("This is not a manifest or a collection of IIIF Presentation 2 or 3."),
    "cannot-store": _("The site cannot store anything now. Go on when that is put right."),
    "not-curator": _("Whoever began this is not a curator of the collection any more."),
    "nobody": _("Whoever began this has no account any more. Begin it again."),
    # tables
    "table-empty": _("The table is empty."),
    "table-broken": _("The table cannot be read: its quotation marks do not match."),
    "table-not-utf8": _("The table is not written in UTF-8."),
    "table-names-no-files": _("The table has no column “filename” and no column “url”."),
    "table-columns": _(
        "These columns are not known and were left out: {names}. Known are: {known}."
    ),
    "table-row-without-file": _("Row {number} names no file."),
    "table-row-again": _("Row {number} names {filename} again; the first row counts."),
    "table-row-too-long": _(
        "Row {number} has more cells than there are headings, so its words were left out. Put"
        " quotation marks around words that have a comma or a semicolon in them."
    ),
    "table-columns-twice": _(
        "These headings stand more than once: {names}. Of each the last column counts."
    ),
    "table-identifiers-twice": _(
        "Several rows have the same identifier, as front and back may. Look whether that is meant:"
        " {rows}."
    ),
    "table-identifiers-taken": _(
        "Other photos of this collection have these identifiers already. Look whether that is"
        " meant: {files}."
    ),
    "table-odd-besides": _("{count} more oddities of these kinds are not listed."),
    "table-name-of-several": _("{filename} fits {count} files; write its folder too."),
    "table-in-gb18030": _(
        "The table is not written in UTF-8 and was read as GB18030. Look whether its words are"
        " right."
    ),
    "our-fault": _("Something went wrong on our side. It has been noted; try again later."),
}

# A spreadsheet takes what begins so for a formula and carries it out.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

# What a form says of an address that has other letters or spaces in it.
ADDRESS = _("Use letters from a to z, digits and hyphens only, for example town-archive.")

# What a badge says of a batch that failed, where its source could be reached.
FAILURES: dict[str, str | Promise] = {
    **dict.fromkeys(
        ("too-large", *(code for code in SENTENCES if code.startswith("table-"))),
        pgettext_lazy("state of a batch", "its table cannot be read"),
    ),
    **dict.fromkeys(
        ("not-a-zip", "not-a-manifest", "too-many-files"),
        pgettext_lazy("state of a batch", "its source cannot be used"),
    ),
    **dict.fromkeys(
        ("cannot-store", "not-curator", "nobody", "our-fault"),
        pgettext_lazy("state of a batch", "could not go on"),
    ),
}


# There is nothing to try again: only the table knows the file, or its name must be another first,
# and then only a new list of the source finds it.
IN_VAIN = "named-in-vain"
NEVER_AGAIN = frozenset({IN_VAIN, "name-not-utf8", "name-too-long"})
# What is wrong with the words that came with a file, not with the file: by the codes.
OF_THE_TABLE = frozenset({"date-not-edtf", "field-not-valid"})
# Where those words can be put right, by the kind of the source; a manifest is somebody else's.
CORRECTED: dict[str, str | Promise] = {
    "zip": _(
        "Correct the table and send it with the ZIP as a new batch; what is here already is not"
        " taken twice."
    ),
    **dict.fromkeys(
        ("folder", "bucket", "table"),
        _("Correct the table and send it as a new batch; what is here already is not taken twice."),
    ),
}

# Each of them is read by archive.edtf, in every language that they are told in.
DATES = _("1890, May 1904, about 1890, 1890s or between 1890 and 1899")
# What archive.edtf reads in no way, because it can be read in two.
TWO_WAYS = re.compile(r"(?<!\d)(?P<century>\d{2})00['\u2019]?s(?!\w)", re.ASCII | re.IGNORECASE)


def harmless(cell: str) -> str:
    """The same text with an apostrophe before it where a spreadsheet would calculate."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def meant(cell: str) -> str:
    """What `harmless` was given, for a table of ours that comes back."""
    return cell[1:] if cell.startswith("'") and harmless(cell) != cell else cell


def failure(code: str) -> str | Promise:
    """What failed of a batch, in a few words; nothing when its source cannot be reached."""
    return FAILURES.get(code, "")


def sentence(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """What is wrong and what to do about it, in the reader's language."""
    words = dict(facts or {})
    if code == "date-not-edtf":
        code, words = _of_a_date(str(words.get("text", "")))
    if "limit" in words:
        words["megapixels"] = int(words["limit"]) // 1_000_000
        words["megabytes"] = int(words["limit"]) // 1024**2
    text = str(SENTENCES.get(code, SENTENCES["our-fault"]))
    try:
        return text.format(**words)
    except (KeyError, IndexError):
        return gettext("The file cannot be taken ({code}).").format(code=code)


def _of_a_date(text: str) -> tuple[str, dict[str, Any]]:
    """What is wrong with a date, as a code and its facts."""
    if found := TWO_WAYS.search(text):
        return "date-two-ways", {"years": found[0], "century": found["century"]}
    if day := edtf.no_such_day(text):
        return "date-no-such-day", {"day": day}
    return "date-not-edtf", {"text": text, "examples": str(DATES)}


def date_sentence(text: str) -> str:
    """What is wrong with a date and how one is written."""
    return sentence("date-not-edtf", {"text": text})
