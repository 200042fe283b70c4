"""What curators type: a collection, a description, a reason. Saving is the verbs' business."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from archive import edtf, wording
from archive.actions import COLLECTION, DESCRIPTION
from archive.languages import TAGS
from archive.models import Collection, Photo


def _mark_languages(form: forms.BaseForm) -> None:
    """Tell the browser and the screen reader in which language each field is written."""
    for name, field in form.fields.items():
        tag = TAGS.get(name.rpartition("_")[2])
        if tag:
            field.widget.attrs["lang"] = tag
        if isinstance(field.widget, forms.Textarea):
            field.widget.attrs["rows"] = 4


class CollectionForm(forms.ModelForm[Collection]):
    """Everything of a collection; its address only while it is new."""

    class Meta:
        model = Collection
        fields = COLLECTION
        help_texts = {
            "slug": _("Part of its web address; it cannot be changed later."),
            "rights_uri": _("It is shown with every picture and must be true for all of them."),
            "notice_en": _("For example: Courtesy of the Museum of the Games."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["slug"]
        _mark_languages(self)


class DescriptionForm(forms.ModelForm[Photo]):
    """What is said about a photo, in both languages."""

    class Meta:
        model = Photo
        fields = DESCRIPTION

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["date_edtf"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        _mark_languages(self)

    def clean_date_edtf(self) -> str:
        text: str = self.cleaned_data["date_edtf"].strip()
        if text and not edtf.is_edtf(text):
            raise forms.ValidationError(wording.date_sentence(text), code="date-not-edtf")
        return text


class ReasonForm(forms.Form):
    """Why a photo is held or withdrawn; kept in its history."""

    reason = forms.CharField(label=_("Reason"), max_length=500)
