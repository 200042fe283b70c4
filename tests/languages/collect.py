"""The strings of the source, collected as `make messages` does it, and the catalogue they need."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
FOLDERS = ("platform", "restoration", "archive", "templates")
KEYWORDS = DEFAULT_KEYWORDS | {
    f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext")
}
NAMED = re.compile(r"%\((\w+)\)[sd]")
TAGS = re.compile(r"</?\w+>")

# A context (or none) and an English string: what a catalogue is looked up by.
Key = tuple[str | None, str]


@cache
def catalogue() -> Catalog:
    """The Chinese catalogue as it is in the tree; to be read only."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def key(message: Message) -> Key:
    """What a message is looked up by."""
    return message.context, english(message)


def english(message: Message) -> str:
    """The English of a message: its singular where it has two forms."""
    return forms(message)[0]


def forms(message: Message) -> list[str]:
    """The English of a message, in both forms where it has two."""
    return [message.id] if isinstance(message.id, str) else list(message.id or ())


def chinese(message: Message) -> str:
    """The Chinese of a message: it has one form."""
    told = message.string
    return told if isinstance(told, str) else (list(told or ()) or [""])[0]


@cache
def strings() -> dict[Key, str]:
    """Every string that templates and Python mark for translation, with a file it is in."""
    found: dict[Key, str] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".html", ".txt", ".py"}:
                place = str(path.relative_to(ROOT))
                found |= dict.fromkeys(_marked(path), place)
    return found


def _marked(path: Path) -> Iterator[Key]:
    text = path.read_text()
    if path.suffix != ".py":
        # What Django makes of a template reads like Python but for its indentation.
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    source = io.BytesIO(text.encode())
    for _line, msgid, _comments, context in extract("python", source, keywords=KEYWORDS):
        yield context, msgid if isinstance(msgid, str) else msgid[0]


def placeholders(text: str) -> set[str]:
    """What is filled in: `%(name)s`, `{name}` and the tags that a text carries."""
    # A brace that is no placeholder is a text that is never formatted.
    try:
        braces = {f"{{{name}}}" for _text, name, _spec, _how in Formatter().parse(text) if name}
    except ValueError:
        braces = set()
    return {f"%({name})" for name in NAMED.findall(text)} | braces | set(TAGS.findall(text))
