"""What is said about a published picture: the notice on it, its text alternative, its account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from archive.languages import headed, said
from archive.models import Collection, Photo
from restoration import guarding, telling
from restoration.lifecycle import VersionKind

Sentence = str | Promise

# All other steps are called cleaning: fading, dust, scratches and noise go, the picture stays.
NO_CLEANING = ("colourise", "upscale", "retouch", *telling.UNTOLD)
# By what the machine did: (it cleaned, coloured, enlarged).
BY_MACHINE: dict[tuple[bool, bool, bool], Sentence] = {
    (True, False, False): gettext_lazy("Cleaned by machine"),
    (False, True, False): gettext_lazy("Coloured by machine"),
    (False, False, True): gettext_lazy("Enlarged by machine"),
    (True, True, False): gettext_lazy("Cleaned and coloured by machine"),
    (True, False, True): gettext_lazy("Cleaned and enlarged by machine"),
    (False, True, True): gettext_lazy("Coloured and enlarged by machine"),
    (True, True, True): gettext_lazy("Cleaned, coloured and enlarged by machine"),
}
# Where a generative model drew in the picture: (it was coloured, enlarged).
BY_MODEL: dict[tuple[bool, bool], Sentence] = {
    (False, False): gettext_lazy("AI-restored"),
    (True, False): gettext_lazy("AI-restored and coloured"),
    (False, True): gettext_lazy("AI-restored and enlarged"),
    (True, True): gettext_lazy("AI-restored, coloured and enlarged"),
}
COLOURED_BY_MODEL = gettext_lazy("AI-coloured")
# Where the machine had its colours from, when not from itself alone; by whether all are placed.
FROM_WHERE: dict[bool, Sentence] = {
    True: pgettext_lazy("end of a notice", "from colours a person placed"),
    False: pgettext_lazy("end of a notice", "partly from colours a person placed"),
}
# By: (nothing else was done, the hand brought the colour).
BY_HAND: dict[tuple[bool, bool], Sentence] = {
    (True, False): gettext_lazy("Retouched by hand"),
    (True, True): gettext_lazy("Retouched and coloured by hand"),
    (False, False): pgettext_lazy("end of a notice", "retouched by hand"),
    (False, True): pgettext_lazy("end of a notice", "coloured by hand"),
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
A_CURATOR = gettext_lazy("a curator")
KINDS = {str(kind.value): kind.label for kind in VersionKind}


def untitled(photo: Photo) -> str:
    """What the public calls a photo that has no title."""
    return photo.identifier or photo.ref


def deeds(made: Mapping[str, Any]) -> list[str]:
    """What was done, as the records of every version on the way tell it.

    The account's own list names kinds of work alone ("machine" is one of them, whatever it did);
    it counts where no record says more.
    """
    versions = made.get("versions", [])
    done = _steps(record for each in versions for record in each.get("records", []))
    if any(each.get("kind") == VersionKind.RETOUCH for each in versions):
        done.append("hand")
    return done or list(made.get("deeds", []))


def _steps(records: Iterable[Mapping[str, Any]]) -> list[str]:
    told = list(records)
    colours = [each for each in told if each.get("step") == "colourise"]
    drawn = [each for each in told if each.get("backend") == "generative" or each.get("model")]
    done = {
        "cleaned": any(each.get("step") not in NO_CLEANING for each in told if each not in drawn),
        "enlarged": any(each.get("step") == "upscale" for each in told),
        "generative": any(each not in colours for each in drawn),
        "colour": bool(colours),
        "generative-colour": any(each in drawn for each in colours),
        "placed": any(each.get("dabs") or each.get("regions") for each in colours),
        "guessed": any((each.get("settings") or {}).get("guess") for each in colours),
        "hand-colour": any(each.get("coloured") for each in told),
    }
    return [deed for deed, was_done in done.items() if was_done]


def notice(deeds: Sequence[str]) -> str:
    """The sentence on the picture: what was done to it, in the fewest true words."""
    told = [*_by_machine(deeds), *_from_where(deeds)]
    told += _by_hand(deeds, is_alone=not told)
    told = told or [BY_MACHINE[True, False, False]]
    return pgettext("between two parts of a notice", ", ").join(str(each) for each in told)


def _by_machine(deeds: Sequence[str]) -> list[Sentence]:
    is_cleaned = "cleaned" in deeds or "machine" in deeds
    is_coloured, is_enlarged = "colour" in deeds, "enlarged" in deeds
    if "generative" in deeds:
        return [BY_MODEL[is_coloured, is_enlarged]]
    by_model = "generative-colour" in deeds
    did = BY_MACHINE.get((is_cleaned, is_coloured and not by_model, is_enlarged))
    told = (did, COLOURED_BY_MODEL if by_model else None)
    return [each for each in told if each is not None]


def _from_where(deeds: Sequence[str]) -> list[Sentence]:
    """Whose the colours are, as far as a person placed any; else they are all guessed."""
    is_guessed = "guessed" in deeds or "generative-colour" in deeds
    return [FROM_WHERE[not is_guessed]] if "placed" in deeds else []


def _by_hand(deeds: Sequence[str], *, is_alone: bool) -> list[Sentence]:
    is_colour = "hand-colour" in deeds and "colour" not in deeds
    return [BY_HAND[is_alone, is_colour]] if is_colour or "hand" in deeds else []


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
    return headed(notice(deeds), title)


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
    text, lang = said(collection, "institution")
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
