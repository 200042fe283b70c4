"""Text kept in two languages: the reader's when there is one, else the other with its tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.translation import get_language, gettext_lazy, ngettext_lazy, pgettext

# Suffix of the field -> BCP 47 tag for `lang` attributes, XMP and JSON-LD.
TAGS = {"en": "en", "zh": "zh-Hans"}
# Sentences of Django itself whose translation is a programmer's. Named here, they are found for our
# own catalogue, which is asked before Django's.
SAID_BY_DJANGO = (
    gettext_lazy(
        "Please enter a correct %(username)s and password. Note that both fields may be"
        " case-sensitive."
    ),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
)


class Said(NamedTuple):
    """A text and the tag of its language; the tag is empty when it is the reader's own."""

    text: str
    lang: str


def reading() -> str:
    """The suffix of the language the page is being written in."""
    return "zh" if (get_language() or "en").lower().startswith("zh") else "en"


def said(thing: Any, name: str) -> Said:
    """Field `name` of a row or mapping (`name_en`, `name_zh`) for the reader of this page."""
    first = reading()
    for suffix in (first, *(each for each in TAGS if each != first)):
        text = _value(thing, f"{name}_{suffix}")
        if text:
            return Said(text, "" if suffix == first else TAGS[suffix])
    return Said("", "")


def both(thing: Any, name: str) -> dict[str, str]:
    """Every language in which the field is filled, by tag."""
    found = {tag: _value(thing, f"{name}_{suffix}") for suffix, tag in TAGS.items()}
    return {tag: text for tag, text in found.items() if text}


def _value(thing: Any, field: str) -> str:
    value = thing.get(field) if isinstance(thing, Mapping) else getattr(thing, field, "")
    return str(value or "").strip()


def listed(words: Iterable[object]) -> str:
    """Several things in one line, with what the reader's language puts between them."""
    return pgettext("between two things of a list", ", ").join(str(word) for word in words)


def headed(head: object, words: object) -> str:
    """A thing and what is said of it."""
    between = pgettext("between a thing and what is said of it", ": ")
    return f"{head}{between}{words}"
