"""What curators write: headlines, captions, and the reasons for taking a picture down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive.forms import SaidForm
from archive.languages import headed, said
from archive.models import Collection, Photo
from archive.wording import ADDRESS
from exhibit.arranging import (
    HEADLINE,
    PLACE,
    RESERVED,
    TAKEN_BY_THE_SITE,
    WORDS,
    Headline,
    Words,
)
from exhibit.models import Exhibit, Placement, Room
from exhibit.wording import untitled

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

LONGEST_REASON = 1000
LONGEST_TITLE = Photo._meta.get_field("title_en").max_length


class CollectionField(forms.ModelChoiceField[Collection]):
    """A collection by its title in the reader's language."""

    def label_from_instance(self, obj: Collection) -> str:
        return said(obj, "title").text or obj.slug


class RoomField(forms.ModelChoiceField[Room]):
    """A room with the exhibit it belongs to, in the reader's language."""

    def label_from_instance(self, obj: Room) -> str:
        return headed(said(obj.exhibit, "title").text, said(obj, "title").text)


class HeadlineForm(SaidForm):
    """Title and introduction of an exhibit."""

    names = HEADLINE

    class Meta:
        model = Exhibit
        fields = HEADLINE

    def headline(self) -> Headline:
        """What was written."""
        return Headline(**{name: self.cleaned_data[name] for name in vars(Headline())})


class ExhibitForm(HeadlineForm):
    """A new exhibit: also whose pictures it shows, and its address for good."""

    collection = CollectionField(queryset=Collection.objects.none(), label=_("Collection"))

    class Meta:
        model = Exhibit
        fields = ("collection", "slug", *HEADLINE)
        help_texts = {"slug": _("The last part of its address; it cannot be changed later.")}
        error_messages = {"slug": {"invalid": ADDRESS}}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Collection.objects.curated_by(user).order_by("slug")
        self.fields["collection"].queryset = mine  # type: ignore[attr-defined]
        # Most curators have one collection; they should not have to choose it.
        self.initial.setdefault("collection", mine.first())

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug in RESERVED:
            raise ValidationError(TAKEN_BY_THE_SITE)
        return slug


class RoomForm(HeadlineForm):
    """Title and introduction of a room."""

    class Meta:
        model = Room
        fields = HEADLINE


class WordsForm(SaidForm):
    """Where a picture hangs, and what is written beside it."""

    names: tuple[str, ...] = PLACE

    room = RoomField(queryset=Room.objects.none(), label=_("Room"), empty_label=_("Choose a room"))

    class Meta:
        model = Placement
        fields = ("room", *WORDS)

    def __init__(self, *args: Any, rooms: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].queryset = rooms  # type: ignore[attr-defined]

    def words(self) -> Words:
        """What was written."""
        return Words(**{name: self.cleaned_data[name] for name in vars(Words())})


class PublishForm(WordsForm):
    """The same for what becomes public; a photo without a title is asked for one."""

    # It may hang elsewhere from now on: that is what the form is for.
    names = WORDS

    title_en = forms.CharField(
        label=_("Title of the photo (English)"), max_length=LONGEST_TITLE, required=False
    )
    title_zh = forms.CharField(
        label=_("Title of the photo (Chinese)"), max_length=LONGEST_TITLE, required=False
    )

    although_retracted = forms.BooleanField(
        label=_("I know that it was taken down, and publish it again"),
        error_messages={"required": _("Tick this if it is to be public again.")},
    )

    def __init__(self, *args: Any, photo: Photo, was_retracted: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].widget.choices = self._rooms_of(photo)
        if not was_retracted:
            del self.fields["although_retracted"]
        if photo.title_en or photo.title_zh:
            del self.fields["title_en"], self.fields["title_zh"]
            return
        called = gettext("It has no title yet; without one, visitors read “%(code)s”.")
        self.fields["title_en"].help_text = called % {"code": untitled(photo)}
        self.order_fields(["title_en", "title_zh"])

    def _rooms_of(self, photo: Photo) -> list[Any]:
        """The rooms of the photo's own collection, then the others by who would show it there."""
        field = cast(RoomField, self.fields["room"])
        own: list[Any] = [("", field.empty_label)]
        others: dict[str, list[Any]] = {}
        for room in cast("QuerySet[Room]", field.queryset):
            home = room.exhibit.collection
            rows = own
            if home.pk != photo.collection_id:
                rows = others.setdefault(said(home, "institution").text, [])
            rows.append((room.pk, field.label_from_instance(room)))
        return [*own, *sorted(others.items())]

    def titles(self) -> dict[str, str]:
        """What the photo is to be called, where it had no title."""
        asked = {name: self.cleaned_data.get(name, "") for name in ("title_en", "title_zh")}
        return {name: text for name, text in asked.items() if text}


class ReasonForm(forms.Form):
    """Why a picture is hidden or taken down."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Visitors who follow an old link will read it."),
    )

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"]).strip()
        if not reason:
            raise ValidationError(_("Say why; the page will show it."))
        return reason


class HideForm(ReasonForm):
    """Why everything by an account is hidden."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Other stewards will read it; the public does not."),
    )
