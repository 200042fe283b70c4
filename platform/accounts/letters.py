"""The letters of the site: whether any are sent, where their links lead, and whether one was lost.

A link is written from the site's own address, never from what a request says of where it came.
"""

from __future__ import annotations

import logging

from allauth.account.internal.userkit import filter_users_by_email
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.models import User

# Where this is the backend, letters are printed into the log and nobody gets one.
PRINTED = "django.core.mail.backends.console.EmailBackend"
LOST = "a_letter_was_lost"

logger = logging.getLogger(__name__)


def are_sent() -> bool:
    """Whether this site has a mail server."""
    return bool(settings.EMAIL_BACKEND != PRINTED)


def address(path: str) -> str:
    """The address of a page, as it stands in a letter."""
    return f"{settings.SITE_URL}{path}"


def language_for(email: str, person: User | None) -> str:
    """What the reader reads: the account's choice; of a stranger only this page's is known."""
    readers = [person] if person else filter_users_by_email(email, prefer_verified=True)
    chosen = next((each.language for each in readers if each.language), "")
    return chosen or get_language() or settings.LANGUAGE_CODE


def send(letter: EmailMessage, request: HttpRequest | None) -> bool:
    """Hand it to the mail server; False when it does not take it, which breaks no page."""
    try:
        letter.send()
    except OSError as error:  # also every error of smtplib
        # Without its text: a server's answer has the address in it.
        logger.warning("A letter could not be sent: %s", type(error).__name__)
        if request is not None:
            setattr(request, LOST, True)
        return False
    return True


def was_lost(request: HttpRequest) -> bool:
    """Whether a letter that this request wanted could not be sent."""
    return bool(getattr(request, LOST, False))
