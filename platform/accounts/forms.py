"""The forms of signing in and up, of a profile, and of the offices people hold."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.templatekit import get_entrance_context_data
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME as NEXT
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from accounts import letters, names
from accounts.models import User
from accounts.passwords import tidy
from accounts.queries import STATES
from archive.languages import said
from archive.models import Collection
from restoration.actions.budgets import MOST_GIVEN
from restoration.purses import Resource


class Bare:
    """Without placeholders: the label above says it, and stays when one types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in getattr(self, "fields", {}).values():
            field.widget.attrs.pop("placeholder", None)


class SignInForm(Bare, allauth.LoginForm):  # type: ignore[misc]
    """One field takes the name or the e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Name or e-mail")
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autocapitalize": "none"}
        self.fields["remember"].label = _("Keep me signed in on this device")

    def clean_login(self) -> str:
        return tidy(self.cleaned_data["login"])


class SignUpForm(Bare, allauth.SignupForm):  # type: ignore[misc]
    """A name and a password are enough."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Name")
        self.fields["username"].help_text = _(
            "For example Maria Huber. You sign in with it, and credits show it; "
            "you can choose another one for new credits later."
        )
        self.fields["username"].widget.attrs["autocapitalize"] = "words"
        self.fields["email"].label = _("E-mail (if you like)")
        self.fields["email"].help_text = _why_an_address()
        self.fields["password1"].label = _("Password")
        self.fields["password2"].label = _("Password, once more")

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Whoever was a moment too late, or clicked twice, reads it beside the field."""
        try:
            user, answer = super().try_save(request)
        except IntegrityError:
            # Looked at before, too; the database had the last word (models.User.save).
            self.add_error("username", get_adapter().error_messages["username_taken"])
            words = get_entrance_context_data(request) | {"form": self}
            words |= {"redirect_field_name": NEXT, "redirect_field_value": request.POST.get(NEXT)}
            return None, render(request, "account/signup.html", words)
        return user, answer

    def clean_username(self) -> str:
        """Nor a name that somebody is known by in public."""
        name: str = super().clean_username()
        names.check(name, but=User())
        return name


def _why_an_address() -> Promise:
    if letters.are_sent():
        return _("Only to send you a new password when you lose yours.")
    return _("Not needed: this site sends no letters yet.")


class AddEmailForm(Bare, allauth.AddEmailForm):  # type: ignore[misc]
    """One more address; the one from before is told, and stays the one until another is chosen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")

    def save(self, request: HttpRequest) -> EmailAddress:
        before = EmailAddress.objects.get_primary_email(self.user)
        known = EmailAddress.objects.filter(user=self.user, email=before)
        # Or the new one would take its place as soon as it is confirmed, and nobody be told.
        if before and not EmailAddress.objects.get_primary(self.user) and known.exists():
            known.get().set_as_primary()
        added = super().save(request)
        if before:
            words = {"added_email": added.email}
            get_adapter().send_notification_mail(
                "account/email/email_added", self.user, words, before
            )
        return added


class ChangePasswordForm(Bare, allauth.ChangePasswordForm):  # type: ignore[misc]
    """The old password and a new one."""


class SetPasswordForm(Bare, allauth.SetPasswordForm):  # type: ignore[misc]
    """A first password."""


class ResetPasswordForm(Bare, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Of a letter that was lost the page says the same, whether an account has the address."""
        email: str = super().save(request, **kwargs)
        if letters.was_lost(request):
            said = _("We could not send the letter. Please try again in some minutes.")
            messages.error(request, said)
            raise ImmediateHttpResponse(redirect("account_reset_password"))
        return email


class ResetPasswordKeyForm(Bare, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password behind the link."""


class ReauthenticateForm(Bare, allauth.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


class CorrectAddressForm(forms.Form):
    """The address of somebody who cannot change it themselves."""

    address = forms.EmailField(label=_("E-mail"), max_length=254)


def _languages() -> list[tuple[str, str]]:
    """Each language under its own name."""
    return [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]


class ProfileForm(forms.ModelForm[User]):
    """What a person says about themselves."""

    language = forms.ChoiceField(label=_("Language"), choices=_languages)

    class Meta:
        model = User
        fields = ("display_name", "language")
        widgets = {"display_name": forms.TextInput(attrs={"autocomplete": "nickname"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # What the page is read in: whoever saves a name does not choose another language by it.
        kwargs["initial"] = {"language": get_language()} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["display_name"].help_text = _(
            "New credits use this name; what is published keeps the one it had. Leave it empty to"
            " be credited by your user name."
        )

    def clean_display_name(self) -> str:
        """Only a new name is looked at: an old one keeps nobody from changing the language."""
        name = str(self.cleaned_data["display_name"])
        if name and "display_name" in self.changed_data:
            names.check(name, but=self.instance)
        return name


class PasswordForm(forms.Form):
    """The password once more, before something that a stranger at an open page must not do."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CloseForm(PasswordForm):
    """How somebody who leaves is credited."""

    KEEP, HIDE = "keep", "hide"

    credit = forms.ChoiceField(
        label=_("What you published"),
        choices=((KEEP, _("Keep my name in the credits")), (HIDE, _("Credit me as “a volunteer”"))),
        widget=forms.RadioSelect,
        initial=KEEP,
    )
    field_order = ("credit", "password")


class CollectionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Collections by their title in the reader's language."""

    def label_from_instance(self, obj: Collection) -> str:
        return said(obj, "title").text


class CollectionForm(forms.Form):
    """Which collection an office is about."""

    collection = CollectionField(
        label=_("Collection"),
        queryset=Collection.objects.order_by("title_en"),
        empty_label=_("Choose one"),
    )


class ReasonForm(forms.Form):
    """Why an account is slowed down or suspended."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        error_messages={"required": _("Say why; the next steward will read it.")},
    )


class TimeForm(forms.Form):
    """Machine time for a person."""

    resource = forms.ChoiceField(label=_("Kind of machine"), choices=Resource.choices)
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=-MOST_GIVEN,
        max_value=MOST_GIVEN,
        help_text=_("Besides the day's. What is not used stays; less than 0 takes back."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Stewards read it on this page.")
    )

    def clean_minutes(self) -> int:
        """Nothing is no gift."""
        minutes = int(self.cleaned_data["minutes"])
        if minutes == 0:
            raise forms.ValidationError(_("Write how many minutes."), code="nothing")
        return minutes


class PeopleForm(forms.Form):
    """Whom the stewards' list shows."""

    q = forms.CharField(label=_("Name or e-mail"), max_length=80, required=False)
    state = forms.ChoiceField(
        label=_("Which"), choices=[("", _("Everybody")), *STATES.items()], required=False
    )
