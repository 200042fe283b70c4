"""What curators type: a collection, a description, a reason. Saving is the verbs' business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive import edtf, wording
from archive.actions import COLLECTION
from archive.languages import TAGS
from archive.models import DESCRIPTION, Collection, Photo
from archive.saying import WordsMoved, revision


def _mark_languages(form: forms.BaseForm) -> None:
    """Tell the browser and the screen reader in which language each field is written."""
    for name, field in form.fields.items():
        tag = TAGS.get(name.rpartition("_")[2])
        if tag:
            field.widget.attrs["lang"] = tag
        if isinstance(field.widget, forms.Textarea):
            field.widget.attrs["rows"] = 4


class SaidForm(forms.ModelForm[Any]):
    """What is said of a row that others may change meanwhile.

    seen: the revision that whoever types has before them. names: what of the row is said; where a
    name is no field of the form, the form shows it under another one.
    """

    names: tuple[str, ...]
    overtaken = _(
        "Other words than you saw stand here by now. What you typed is still here, and under it"
        " what it says now: change what you like and save again."
    )

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = revision(self.instance, self.names)
        _mark_languages(self)

    def told(self) -> dict[str, Any]:
        """What was typed, for the verb."""
        return {name: self.cleaned_data[name] for name in self.names if name in self.cleaned_data}

    def only_of(self) -> set[str] | None:
        """For the verb; None of a page that did not tell it."""
        seen = self.cleaned_data.get("seen")
        return {seen} if seen else None

    def written(self, write: Callable[..., object]) -> bool:
        """Whether the verb wrote what was typed; else the form shows, beside it, where somebody
        else wrote in between. Sent once more, it is meant for what is said now."""
        try:
            write(only_of=self.only_of())
        except WordsMoved as moved:
            self.show(moved)
            return False
        return True

    def show(self, moved: WordsMoved) -> None:
        """What was typed, and beneath it what is said now."""
        typed, key = self.cleaned_data.copy(), self.add_prefix("seen")
        self.data = dict(self.data.items()) | {key: revision(moved.row, self.names)}
        self.add_error(None, self.overtaken)
        for name, now in moved.now().items():
            field = field_of(name)
            if field in self.fields and _value(typed[field]) != now:
                self.add_error(field, _says_now(self.fields[field], now))


def field_of(name: str) -> str:
    """The field of a form that shows what a column keeps."""
    return name.removesuffix("_id")


def _value(typed: Any) -> Any:
    """As a column keeps it."""
    return typed.pk if isinstance(typed, Model) else typed


def _says_now(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return gettext("It is ticked now.") if value else gettext("It is not ticked now.")
    if isinstance(field, forms.ChoiceField):
        value = next(
            (label for key, label in cast(Any, field).choices if str(key) == str(value)), value
        )
    if not value:
        return gettext("It is empty now.")
    return gettext("It says now: {text}").format(text=value)


class CollectionForm(SaidForm):
    """Everything of a collection; its address only while it is new."""

    names = COLLECTION

    class Meta:
        model = Collection
        fields = COLLECTION
        help_texts = {
            "slug": _("Part of its web address; it cannot be changed later."),
            "rights_uri": _("It is shown with every picture and must be true for all of them."),
            "notice_en": _("For example: Courtesy of the Museum of the Games."),
        }
        error_messages = {
            "slug": {"invalid": wording.ADDRESS},
            "contact": {
                "invalid": _("This is no e-mail address. Write one such as photos@museum.example.")
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["slug"]


class DescriptionForm(SaidForm):
    """What is said about a photo, in both languages."""

    names = DESCRIPTION
    overtaken = _(
        "Somebody else has changed the description in between. What you typed is still here, "
        "and under it what it says now: change what you like and save again."
    )

    class Meta:
        model = Photo
        fields = DESCRIPTION
        help_texts = {
            "date_edtf": _(
                "As it is written on the print, for example 1974, about 1890, 1890s, May 1904."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        date = self.fields["date_edtf"]
        date.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        if self.instance.date_edtf:
            # What is kept is for programs; whoever wrote it wants to see that it was understood.
            read = gettext("Visitors read: {date}.")
            read = read.format(date=edtf.wording(self.instance.date_edtf))
            date.help_text = format_html("{} {}", date.help_text, read)

    def clean_date_edtf(self) -> str:
        text = edtf.from_words(self.cleaned_data["date_edtf"].strip())
        if text and not edtf.is_edtf(text):
            raise forms.ValidationError(wording.date_sentence(text), code="date-not-edtf")
        return text


DATE = forms.DateInput(attrs={"type": "date"})


WHY = {"hold": _("Why it should wait"), "withdraw": _("Why it is withdrawn")}


class ReasonForm(forms.Form):
    """Why a photo is held or withdrawn; kept in its history."""

    reason = forms.CharField(
        max_length=500,
        error_messages={
            "required": _("Say why, in a few words: it is kept in the photo's history.")
        },
    )

    @classmethod
    def of(cls, deed: str, sent: Any = None) -> ReasonForm:
        """The form of a hold or of a withdrawal: both stand on one page."""
        form = cls(sent, auto_id=f"{deed}-%s")
        form.fields["reason"].label = WHY[deed]
        return form


class AuditForm(forms.Form):
    """What a steward looks for in the log; each wish may be left out."""

    person = forms.CharField(label=_("Person, as they sign in"), max_length=150, required=False)
    photo = forms.CharField(label=_("Photo (reference)"), max_length=10, required=False)
    collection = forms.CharField(label=_("Collection (address)"), max_length=80, required=False)
    verb = forms.CharField(
        label=_("What"), max_length=40, required=False, help_text=_("job.failed, say")
    )
    since = forms.DateField(label=_("From"), required=False, widget=DATE)
    until = forms.DateField(label=_("To"), required=False, widget=DATE)
    words = forms.CharField(
        label=_("Words in the facts"),
        max_length=100,
        required=False,
        help_text=_("Looked for in thirty days, unless you say from when."),
    )

    def clean_person(self) -> Any:
        return self._row(get_user_model(), "person", "username", _("Nobody signs in so."))

    def clean_photo(self) -> Any:
        return self._row(Photo, "photo", "ref", _("No photo has this reference."))

    def clean_collection(self) -> Any:
        return self._row(Collection, "collection", "slug", _("No collection has this address."))

    def clean_since(self) -> datetime | None:
        return _begins(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        """The end of that day."""
        day = self.cleaned_data["until"]
        return _begins(day + timedelta(days=1)) if day and day < date.max else None

    def _row(self, model: Any, name: str, column: str, problem: Any) -> Any:
        text = self.cleaned_data[name].strip()
        if not text:
            return None
        found = model._default_manager.filter(**{column: text}).first()
        if found is None:
            raise forms.ValidationError(problem)
        return found


def _begins(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
