"""The forms of signing in and up, of a profile, and of the offices people hold."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from django import forms
from django.conf import settings
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from archive.languages import said
from archive.models import Collection
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


class SignUpForm(Bare, allauth.SignupForm):  # type: ignore[misc]
    """A name and a password are enough."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Name")
        self.fields["username"].help_text = _("Credits show it. You can choose another one later.")
        self.fields["username"].widget.attrs["autocapitalize"] = "none"
        self.fields["email"].label = _("E-mail (if you like)")
        self.fields["email"].help_text = _("Only to send you a new password when you lose yours.")
        self.fields["password1"].label = _("Password")
        self.fields["password2"].label = _("Password, once more")


class AddEmailForm(Bare, allauth.AddEmailForm):  # type: ignore[misc]
    """One more address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class ChangePasswordForm(Bare, allauth.ChangePasswordForm):  # type: ignore[misc]
    """The old password and a new one."""


class SetPasswordForm(Bare, allauth.SetPasswordForm):  # type: ignore[misc]
    """A first password."""


class ResetPasswordForm(Bare, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class ResetPasswordKeyForm(Bare, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password behind the link."""


class ReauthenticateForm(Bare, allauth.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


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

    reason = forms.CharField(label=_("Reason"), max_length=1000)


class TimeForm(forms.Form):
    """Machine time for a person."""

    resource = forms.ChoiceField(label=_("Kind of machine"), choices=Resource.choices)
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=-100_000,
        max_value=100_000,
        help_text=_("Besides the day's. What is not used stays; less than 0 takes back."),
    )
