"""What is said about a published picture: the notice on it, its text alternative, its account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from archive.languages import said
from archive.models import Collection, Photo
from restoration import guarding, telling
from restoration.lifecycle import VersionKind

Sentence = str | Promise

# By what was done: (a generative model, any machine, colour, a hand).
NOTICES: dict[tuple[bool, bool, bool, bool], Sentence] = {
    (True, True, True, True): gettext_lazy("AI-restored and coloured, retouched by hand"),
    (True, True, True, False): gettext_lazy("AI-restored and coloured"),
    (True, True, False, True): gettext_lazy("AI-restored, retouched by hand"),
    (True, True, False, False): gettext_lazy("AI-restored"),
    (False, True, True, True): gettext_lazy("Cleaned and coloured by machine, retouched by hand"),
    (False, True, True, False): gettext_lazy("Cleaned and coloured by machine"),
    (False, True, False, True): gettext_lazy("Cleaned by machine, retouched by hand"),
    (False, True, False, False): gettext_lazy("Cleaned by machine"),
    (False, False, False, True): gettext_lazy("Retouched by hand"),
}
# Where the colour is a hand's alone, by: (a generative model, any machine).
COLOURED_BY_HAND: dict[tuple[bool, bool], Sentence] = {
    (True, True): gettext_lazy("AI-restored, coloured by hand"),
    (False, True): gettext_lazy("Cleaned by machine, coloured by hand"),
    (False, False): gettext_lazy("Retouched and coloured by hand"),
}
ALTERNATIVES: dict[tuple[bool, bool], Sentence] = {
    (True, True): gettext_lazy("Restored and coloured with AI: %(title)s"),
    (True, False): gettext_lazy("Restored with AI: %(title)s"),
    (False, True): gettext_lazy("Cleaned and coloured by machine: %(title)s"),
    (False, False): gettext_lazy("Restored: %(title)s"),
}
ROLES: dict[str, Sentence] = {
    "restored": pgettext_lazy("credit", "Restored by"),
    "retouched": pgettext_lazy("credit", "Retouched by hand by"),
    "reviewed": pgettext_lazy("credit", "Reviewed by"),
}
SIDES: dict[str, Sentence] = {
    "original": pgettext_lazy("side of the comparison", "Original"),
    "restored": pgettext_lazy("side of the comparison", "Restored"),
}
SOMEBODY = gettext_lazy("a volunteer")
KINDS = {str(kind.value): kind.label for kind in VersionKind}


def untitled(photo: Photo) -> str:
    """What the public calls a photo that has no title."""
    return photo.identifier or photo.ref


def notice(deeds: Sequence[str]) -> str:
    """The sentence on the picture: what was done to it, in the fewest true words."""
    colour = "colour" in deeds
    machine = "machine" in deeds or colour or "generative" in deeds
    if "hand-colour" in deeds and not colour:
        return str(COLOURED_BY_HAND["generative" in deeds, machine])
    key = ("generative" in deeds, machine, colour, "hand" in deeds)
    return str(NOTICES.get(key, NOTICES[(False, True, False, False)]))


EVIDENCE_FAILED: Mapping[str, Sentence] = {
    "bytes-in-doubt": gettext_lazy(
        "A file of this photo is missing or altered, so no pack can be made. Ask the steward to"
        " bring it back."
    ),
    "our-fault": gettext_lazy(
        "The pack could not be made. Try again; if it happens again, tell the steward."
    ),
}


def notices(deeds: Sequence[str], collection: Any) -> str:
    """The notice, and the collection's own sentence that stands on every picture of it."""
    text, lang = said(collection, "notice")
    if not text:
        return notice(deeds)
    own = format_html('<span lang="{}">{}</span>', lang, text) if lang else text
    return format_html("{} · {}", notice(deeds), own)


def alternative(title: str, deeds: Sequence[str]) -> str:
    """The text alternative of the restored picture; it says the same as the notice."""
    if "hand-colour" in deeds and "colour" not in deeds:
        return _("Restored, coloured by hand: %(title)s") % {"title": title}
    key = ("generative" in deeds, "colour" in deeds)
    return str(ALTERNATIVES[key]) % {"title": title}


def original_alternative(title: str) -> str:
    """The text alternative of the original."""
    return _("The original, as it was scanned: %(title)s") % {"title": title}


@dataclass(frozen=True)
class Letter:
    """Whom a visitor writes to about a picture, and the link that begins the letter."""

    to: str
    address: str
    href: str


def letter(collection: Collection, *, title: str, address: str) -> Letter | None:
    """To the collection, or where it names nobody to whoever runs the site; None without either."""
    to = collection.contact or settings.CONTACT_MAIL
    if not to:
        return None
    text, lang = said(collection, "title")
    name = format_html('<span lang="{}">{}</span>', lang, text) if lang else text
    whom = format_html(_("Write to {name}"), name=name)
    subject = quote(_("About the picture “%(title)s”") % {"title": title}, safe="")
    body = quote(_("This is about the picture at %(address)s") % {"address": address}, safe="")
    return Letter(
        to=whom if collection.contact else _("Write to those who run this site"),
        address=to,
        href=f"mailto:{quote(to, safe='@')}?subject={subject}&body={body}%0D%0A%0D%0A",
    )


def map_alternative(layer: guarding.Layer) -> str:
    """The text alternative of a map over the picture."""
    facts = {"label": layer.label, "share": layer.words}
    return _("A map. %(label)s: %(share)s of the picture.") % facts


@dataclass(frozen=True)
class Chapter:
    """One version on the way: who made it, when, how."""

    number: int
    kind: str
    by: str
    at: datetime | None
    steps: list[telling.Step]
    words: telling.Words
    sha256: str


@dataclass(frozen=True)
class Credit:
    """Somebody to be thanked, and what for."""

    role: str
    name: str


@dataclass(frozen=True)
class Account:
    """How a picture was made, ready to be shown."""

    received_at: datetime | None
    original_sha256: str
    working_sha256: str
    chapters: list[Chapter]
    reviewed_by: str
    reviewed_at: datetime | None
    published_by: str
    published_at: datetime | None
    models: list[Mapping[str, str]]
    guard: guarding.Card
    credits: list[Credit]


def account(made: Mapping[str, Any]) -> Account:
    """The frozen account of a publication in the reader's language."""
    scan, review, publication = (made.get(name, {}) for name in ("scan", "review", "publication"))
    return Account(
        received_at=_moment(scan.get("at")),
        original_sha256=scan.get("original_sha256", ""),
        working_sha256=scan.get("working_sha256", ""),
        chapters=[_chapter(version) for version in made.get("versions", [])],
        reviewed_by=review.get("by", ""),
        reviewed_at=_moment(review.get("at")),
        published_by=publication.get("by", ""),
        published_at=_moment(publication.get("at")),
        models=list(made.get("models", [])),
        guard=guarding.told(made.get("guard", {})),
        credits=[_credit(row) for row in made.get("credits", [])],
    )


def _chapter(version: Mapping[str, Any]) -> Chapter:
    return Chapter(
        number=version["number"],
        kind=str(KINDS.get(version["kind"], version["kind"])),
        by=version["by"],
        at=_moment(version["at"]),
        steps=telling.steps(version["records"]),
        words=telling.words(version.get("prompt"), version["records"]),
        sha256=version["sha256"],
    )


def _credit(row: Mapping[str, str]) -> Credit:
    return Credit(role=str(ROLES.get(row["role"], row["role"])), name=row["name"])


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
