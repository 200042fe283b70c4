"""What a password must be, said in every language of the site."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LongEnough(MinimumLengthValidator):
    """Django's own rule; its sentence of refusal is missing in Django's Chinese catalogue."""

    def get_error_message(self) -> str:
        """Why it was refused."""
        return ngettext(
            "This password is too short; %(n)s character is the least.",
            "This password is too short; %(n)s characters are the least.",
            self.min_length,
        ) % {"n": self.min_length}
