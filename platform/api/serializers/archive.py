"""Collections and photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.strict import StrictModelSerializer, Text, changed_at
from archive import wording
from archive.lifecycle import PagesAre
from archive.models import Collection, Photo
from restoration.models import Assessment, Standing
from restoration.queries import wall


class CollectionSerializer(StrictModelSerializer):
    """The photos of one institution under one rights statement and one set of rules."""

    changed_at = changed_at()

    class Meta:
        model = Collection
        exclude = ("id",)
        read_only_fields = ("created_at",)


class CollectionChangeSerializer(StrictModelSerializer):
    """What can be changed of a collection; its address never changes."""

    class Meta:
        model = Collection
        exclude = ("id", "slug", "created_at")


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Suggestion"}})
class Suggestions(serializers.ListField):
    """Steps that may help."""


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """What the engine saw on the scan."""

    suggestions = Suggestions(read_only=True)

    class Meta:
        model = Assessment
        fields = ("damage", "faces", "is_grey", "suggestions", "mask_sha256", "made_at")
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "faces": {"help_text": _("How many were found.")},
            "is_grey": {"help_text": _("Whether it is black and white.")},
            "mask_sha256": {"help_text": _("The damage that was found; a plan may name it.")},
        }


class RestSerializer(serializers.Serializer[Any]):
    """Who put a photo on hold or withdrew it, when, and why."""

    by = serializers.CharField(source="actor", allow_null=True)
    at = serializers.DateTimeField()
    reason = serializers.CharField(
        source="facts.reason", default="", help_text=_("Empty where none was given.")
    )
    instead = serializers.CharField(
        source="facts.stays",
        default="",
        help_text=_("The reference of the other photo of the two, where that one is worked on."),
    )


# What goes on around a photo, by the values of the filter `wall`; a test compares the two.
GOING_ON: dict[str, Callable[[Standing], bool]] = {
    wall.WAITING: lambda stands: bool(stands.waits),
    wall.CLAIMED: lambda stands: stands.held > 0,
    wall.IN_REVIEW: lambda stands: stands.in_review > 0,
    wall.RETURNED: lambda stands: stands.returned > 0 >= max(stands.in_review, stands.accepted),
    wall.DONE: lambda stands: stands.accepted > 0,
}


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    """One photographic object; `in_quarantine_because` is a sentence when it could not be read."""

    collection = serializers.SlugRelatedField[Collection](slug_field="slug", read_only=True)
    assessment = serializers.SerializerMethodField()
    in_quarantine_because = serializers.SerializerMethodField(
        help_text=_("A sentence, where it could not be read; else empty.")
    )
    rests = serializers.SerializerMethodField()
    changed_at = changed_at()
    wall = serializers.SerializerMethodField(
        help_text=_(
            "What goes on around a ready photo: the values of the filter `wall` that find it."
        )
    )

    class Meta:
        model = Photo
        fields = (
            "ref", "collection", "state", "filename", "sha256", "page", "width", "height", "slots",
            "title_en", "title_zh", "date_edtf", "place_en", "place_zh", "people_en", "people_zh",
            "description_en", "description_zh", "identifier", "added_at", "wall",
            "assessment", "quarantine_code", "in_quarantine_because", "rests", "changed_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "ref": {"help_text": _("What its addresses call it.")},
            "sha256": {"help_text": _("Of the file as it came in.")},
            "slots": {"help_text": _("How many people may work on it at once.")},
        }

    @extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(GOING_ON)}})
    def get_wall(self, photo: Photo) -> list[str]:
        stands = getattr(photo, "standing", None)
        if stands is None or not stands.ready:
            return []
        return [word for word, holds in GOING_ON.items() if holds(stands)]

    @extend_schema_field(
        AssessmentSerializer(
            allow_null=True,
            help_text=_("What the machine saw on the scan; null until it has looked."),
        )
    )
    def get_assessment(self, photo: Photo) -> Any:
        seen = getattr(photo, "assessment", None)
        return AssessmentSerializer(seen).data if seen else None

    @extend_schema_field(
        RestSerializer(
            allow_null=True,
            help_text=_("Why it is on hold or withdrawn, for those who look after it; else null."),
        )
    )
    def get_rests(self, photo: Photo) -> Any:
        events = getattr(photo, "rests", [])
        return RestSerializer(events[0]).data if events else None

    def get_in_quarantine_because(self, photo: Photo) -> str:
        code = photo.quarantine_code
        return wording.sentence(code, photo.quarantine_facts) if code else ""


class PagesSerializer(serializers.Serializer[Any]):
    """What the pages of one file are."""

    pages = serializers.ChoiceField(choices=PagesAre.choices)


def _said(name: str) -> Text:
    """A field of a description, no longer than what is kept of it."""
    column = Photo._meta.get_field(name)
    words = getattr(column, "help_text", "")
    return Text(
        required=False,
        allow_blank=True,
        max_length=getattr(column, "max_length", None),
        help_text=words or None,
    )


class DescriptionSerializer(serializers.Serializer[Any]):
    """What is said about a photo; what is left out stays."""

    title_en = _said("title_en")
    title_zh = _said("title_zh")
    date_edtf = _said("date_edtf")
    place_en = _said("place_en")
    place_zh = _said("place_zh")
    people_en = _said("people_en")
    people_zh = _said("people_zh")
    description_en = _said("description_en")
    description_zh = _said("description_zh")
    identifier = _said("identifier")


class ScanSerializer(DescriptionSerializer):
    """One scan to keep, and what is known of it already; a worker reads it, so the photo that comes
    back is still being read."""

    file = serializers.FileField(max_length=255, help_text=_("The scan as it is."))
    pages = serializers.ChoiceField(
        choices=PagesAre.choices,
        required=False,
        help_text=_("What several pages of it are; when left out it waits for an answer."),
    )


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; kept in the photo's history."""

    reason = Text(max_length=2000, help_text=_("Why, in a sentence."))
