"""What a name and a password must be, said in every language of the site."""

from __future__ import annotations

import unicodedata

from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Besides letters, their marks and digits of any script: Maria Huber, O'Brien, 阿凡提·买买提.
SIGNS = frozenset(" .-_'’·@+")


class LongEnough(MinimumLengthValidator):
    """Django's own rule; its sentence of refusal is missing in Django's Chinese catalogue."""

    def get_error_message(self) -> str:
        """Why it was refused."""
        return ngettext(
            "This password is too short; %(n)s character is the least.",
            "This password is too short; %(n)s characters are the least.",
            self.min_length,
        ) % {"n": self.min_length}


class UnlikeTheName(UserAttributeSimilarityValidator):
    """Django's own rule, whose sentence calls the name otherwise than the form does."""

    def get_error_message(self) -> str:
        """Why it was refused."""
        return _("This password is too much like your name or your address. Choose another one.")


def tidy(name: str) -> str:
    """A name as it is kept and asked for: one space between words, one form of every letter."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def check_name(name: str) -> None:
    """People write their names with spaces, which Django refuses."""
    kinds = [unicodedata.category(sign)[0] for sign in name]
    spelt = all(kind in "LMN" or sign in SIGNS for sign, kind in zip(name, kinds, strict=True))
    if not (spelt and {"L", "N"} & set(kinds)):
        raise ValidationError(
            _(
                "Write your name in letters, digits and spaces. "
                "What credits show can be anything; you choose it later under My account."
            ),
            code="invalid",
        )


NAMES = [check_name]
