"""How signing up and in differs from the library's way.

The language comes along, letters in the reader's; an address that another account has is told to
whoever reads its mail, not to whoever writes it into a form; a mail server that does not answer
keeps nobody out; and guesses are counted by the name and by the account.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email, user_pk_to_url_str
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from accounts import guesses, letters
from accounts.models import User
from accounts.passwords import tidy

PROMISED = "account/messages/email_confirmation_sent.txt"
# What whoever reads the mail of an address is told of its account.
UNKNOWN, OFF = "account/email/unknown_account", "account/email/account_off"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """A new person is a volunteer, and reads on in the language they signed up in."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_taken": gettext_lazy(
            "Somebody here has this name. Add a word or a number to yours."
        ),
        "username_password_mismatch": gettext_lazy(
            "This name and password do not belong together."
        ),
        "email_password_mismatch": gettext_lazy("This name and password do not belong together."),
    }

    # --- signing up and in -----------------------------------------------------------------------
    def clean_username(self, username: str, shallow: bool = False) -> str:
        cleaned: str = super().clean_username(tidy(username), shallow)
        return cleaned

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        user.language = get_language() or settings.LANGUAGE_CODE
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **facts)
        if facts.get("signup"):
            # Nobody was asked, and in a workshop the next one sits down at the same desk.
            request.session.set_expiry(0)
        # What was chosen on this device wins; a new device gets what the person chose last.
        if user.language and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            remember_language(response, user.language)
        return response

    def is_reauthentication_required(self, *, app: str = "") -> bool:
        """Whoever just signed in with the password has said it; the library would ask again."""
        records = get_authentication_records(self.request, self.request.user)
        said = [each["at"] for each in records if each["method"] == "password"]
        fresh = time.time() - max(said, default=0) < app_settings.REAUTHENTICATION_TIMEOUT
        return not fresh and bool(super().is_reauthentication_required(app=app))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Whom the password lets in; an account that was tried too often answers like a wrong one.

        The password is looked at all the same, or a quick answer would tell of it.
        """
        tries = guesses.count(request, credentials)
        found = super().authenticate(request, **credentials)
        return tries.let_in(found, str(credentials.get("password") or ""))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """The library counts by the name alone; `authenticate` has counted."""

    def set_password(self, user: User, password: str) -> None:
        """A new password begins anew: who guessed the old one keeps nobody out."""
        user.set_password(password)
        # Nothing else: the account may have been suspended or closed while the password was hashed.
        user.save(update_fields=["password"])
        if self.request is not None:
            guesses.forget(self.request, user)

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **names: Any) -> None:
        """The library forgets by address; `set_password` has forgotten by account."""

    # --- letters ---------------------------------------------------------------------------------
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> bool:
        """In the reader's language; False when the mail server does not take it."""
        if template_prefix == UNKNOWN and _is_off(email):
            template_prefix = OFF
        words = {"email": email, "site_url": settings.SITE_URL, "contact": settings.CONTACT_MAIL}
        with override(letters.language_for(email, context.get("user"))):
            letter = self.render_mail(template_prefix, email, words | context)
        return letters.send(letter, self.request)

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: Any, signup: bool
    ) -> None:
        """To who signed up; where the address has an account already, the letter says that."""
        address = emailconfirmation.email_address
        others = [each for each in filter_users_by_email(address.email) if each != address.user]
        if signup and others and _is_off(address.email, but=address.user):
            self.send_mail(OFF, address.email, {})
        elif signup and others:
            self.send_account_already_exists_mail(address.email)
        else:
            super().send_confirmation_mail(request, emailconfirmation, signup)
        if letters.was_lost(request):
            # What never left may be asked for again at once.
            key = address.email.lower()
            ratelimit.clear(request, app=guesses.APP, action="confirm_email", key=key)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> int:
        """What was changed, to the address from before; without the library's talk of browsers.

        Gives how many letters left.
        """
        words: dict[str, Any] = {"user": user, "at": timezone.now()} | (context or {})
        known = email or EmailAddress.objects.get_primary_email(user)
        left = 0
        for each in dict.fromkeys([known, words.get("deleted_email")]):
            if each:
                resets = user in filter_users_by_email(each, is_active=True, prefer_verified=True)
                left += self.send_mail(template_prefix, each, words | {"resets": resets})
        return left

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *others: Any,
        message: str | None = None,
        **more: Any,
    ) -> None:
        """Promise no letter that is not on its way."""
        if message_template == PROMISED and letters.was_lost(request):
            level = messages.WARNING
            message = _("We could not send the letter; ask for it again under E-mail addresses.")
        elif message_template == PROMISED and not letters.are_sent():
            message = _(
                "This site sends no letters yet. If you lose your password, ask %(contact)s."
            ) % {"contact": settings.CONTACT_MAIL}
        super().add_message(request, level, message_template, *others, message=message, **more)

    # --- links -----------------------------------------------------------------------------------
    def get_reset_password_from_key_url(self, key: str) -> str:
        whose, _dash, word = key.partition("-")
        args = {"uidb36": whose, "key": quote(word)}
        return letters.address(reverse("account_reset_password_from_key", kwargs=args))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return letters.address(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def password_link(self, user: User) -> str:
        """By which one chooses a new password, once, in the next hours."""
        word = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
        return self.get_reset_password_from_key_url(f"{user_pk_to_url_str(user)}-{word}")


def _is_off(email: str, but: User | None = None) -> bool:
    """Whether nobody signs in by this address because every account that has it is switched off;
    asked of those before when one more is being made."""
    people = [each for each in filter_users_by_email(email, prefer_verified=True) if each != but]
    return bool(people) and not any(each.is_active for each in people)


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the language on this device, as the switch in the header does."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
