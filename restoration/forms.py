"""What people send: wishes at the wall, a retouched file, a note to the reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from archive.languages import said
from archive.models import Collection
from restoration.lifecycle import ReviewReason
from restoration.purses import Resource
from restoration.queries import wall

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_NOTE = 2000
MOST_MINUTES = 1_000_000


class WallForm(forms.Form):
    """Wishes at the wall; each of them may be left out, and a broken one is one left out."""

    words = forms.CharField(label=_("Words"), max_length=100, required=False)
    collection = forms.ChoiceField(label=_("Collection"), required=False)
    state = forms.ChoiceField(label=_("State"), choices=wall.STATES, required=False)
    damage = forms.ChoiceField(
        label=_("Damage"), choices=[("", _("any")), *wall.DAMAGE], required=False
    )
    faces = forms.BooleanField(label=_("With faces"), required=False)
    colour = forms.BooleanField(label=_("Colour wanted"), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.collections = {
            each.slug: each for each in Collection.objects.visible_to(user).order_by("slug")
        }
        labels = [(slug, said(each, "title").text) for slug, each in self.collections.items()]
        self.fields["collection"].choices = [("", _("all")), *labels]  # type: ignore[attr-defined]

    def clean_collection(self) -> int | None:
        """The collection's key: the names were read already, they are not asked for again."""
        chosen = self.collections.get(self.cleaned_data["collection"])
        return chosen.pk if chosen else None

    def wishes(self) -> dict[str, Any]:
        """What is wished for and makes sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class RetouchForm(forms.Form):
    """A file that was worked on elsewhere."""

    file = forms.FileField(
        label=_("Your retouched file"),
        error_messages={
            "required": _("Choose the file that you worked on. Nothing was sent."),
            "empty": _("That file is empty. Nothing was taken in."),
        },
    )
    note = forms.CharField(label=_("What you did"), max_length=500, required=False)


class SubmitForm(forms.Form):
    """A last word to the reviewer."""

    note = forms.CharField(
        label=_("A note to the reviewer"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea,
    )


class AdviceForm(forms.Form):
    """A word to the maker of an accepted version."""

    advice = forms.CharField(
        label=_("A word to its maker"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReturnForm(forms.Form):
    """Why a version comes back, and what would make it accepted."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[each for each in ReviewReason.choices if each[0] != ReviewReason.NOT_CHOSEN],
        widget=forms.RadioSelect,
    )
    advice = forms.CharField(
        label=_("What would make it accepted"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Where to look, which step, how much of it. Its maker starts from here."),
    )


class DeclineForm(forms.Form):
    """Why a version will not be used."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=ReviewReason.choices, widget=forms.RadioSelect
    )
    advice = forms.CharField(
        label=_("A word to its maker"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CollectionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Collections by their title in the reader's language."""

    def label_from_instance(self, obj: Collection) -> str:
        return said(obj, "title").text


class GrantForm(forms.Form):
    """Machine time for a collection."""

    collection = CollectionField(
        label=_("Collection"),
        queryset=Collection.objects.order_by("title_en"),
        empty_label=_("Choose one"),
    )
    resource = forms.ChoiceField(label=_("Kind of machine"), choices=Resource.choices)
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=-MOST_MINUTES,
        max_value=MOST_MINUTES,
        help_text=_(
            "From the first minutes on the collection cannot use more. Less than 0 takes back."
        ),
    )


class WorkshopForm(forms.Form):
    """A workshop: where, for how many, how long, and what it may use."""

    title = forms.CharField(label=_("Title"), max_length=120)
    collection = CollectionField(
        label=_("Collection"),
        queryset=Collection.objects.none(),
        empty_label=_("Choose one"),
        help_text=_("The workshop pays for runs on photos of this collection."),
    )
    seats = forms.IntegerField(label=_("How many people"), min_value=1, max_value=200, initial=40)
    days = forms.IntegerField(
        label=_("Days the code lets people in"), min_value=1, max_value=14, initial=1
    )
    cpu_minutes = forms.IntegerField(
        label=_("Minutes of machine time, shared"), min_value=0, max_value=600, initial=120
    )
    gpu_minutes = forms.IntegerField(
        label=_("Minutes on graphics cards, shared"), min_value=0, max_value=240, initial=0
    )

    def __init__(self, *args: Any, collections: QuerySet[Collection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["collection"].queryset = collections  # type: ignore[attr-defined]


class JoinForm(forms.Form):
    """The one field of a guest."""

    code = forms.CharField(
        label=_("Workshop code"),
        max_length=20,
        help_text=_("Eight letters and digits, from whoever leads the workshop."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
