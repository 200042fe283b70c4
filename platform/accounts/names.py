"""Which public names may be taken: none that hides a character, none that somebody else goes by."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from accounts.models import User

# Controls, formats, surrogates, private and unknown ones, breaks of lines and paragraphs.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that look like nothing: fillers, a joiner, vowels of Khmer that nobody writes,
# selectors of variants.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800") | {
    chr(number)
    for selectors in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
    for number in selectors
}
# They join or part letters, and some scripts cannot write every name without them.
JOINERS = frozenset("\u200c\u200d")
SCRIPTS = (
    "ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "KHMER", "MALAYALAM",
    "MONGOLIAN", "MYANMAR", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU", "TIBETAN",
)  # fmt: skip


def key(name: str) -> str:
    """What is the same of two names that a reader would take for one another."""
    seen = "".join(each for each in name if not _is_unseen(each))
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def check(name: str, *, but: User) -> None:
    """ValidationError when `but`, whose name it would be, cannot have it."""
    if _hides(name):
        raise ValidationError(
            _("This name has a character that nobody can see. Write it without."), code="unseen"
        )
    if _taken(key(name), but):
        raise ValidationError(
            _("Somebody else here goes by this name. Choose another one."), code="taken"
        )


def _hides(name: str) -> bool:
    """Whether there is something unseen in it, other than a joiner after a letter that needs it."""
    around = pairwise(f" {name}")
    return any(
        _is_unseen(each) and not (each in JOINERS and _joins(before)) for before, each in around
    )


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in UNSEEN or character in BLANK


def _joins(character: str) -> bool:
    return unicodedata.name(character, "").startswith(SCRIPTS)


def _taken(wanted: str, but: User) -> bool:
    """Read through, because no database folds names as we do, and names are changed seldom."""
    others = get_user_model().objects.exclude(pk=but.pk).values_list("username", "display_name")
    return any(wanted == key(name) for row in others.iterator() for name in row if name)
