"""Collections and photos."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.strict import StrictModelSerializer, Text
from archive import wording
from archive.lifecycle import PagesAre
from archive.models import Collection, Photo
from restoration.models import Assessment


class CollectionSerializer(StrictModelSerializer):
    """The photos of one institution under one rights statement and one set of rules."""

    class Meta:
        model = Collection
        exclude = ("id",)
        read_only_fields = ("created_at",)


class CollectionChangeSerializer(StrictModelSerializer):
    """What can be changed of a collection; its address never changes."""

    class Meta:
        model = Collection
        exclude = ("id", "slug", "created_at")


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """What the engine saw on the scan."""

    suggestions = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Assessment
        fields = ("damage", "faces", "is_grey", "suggestions", "mask_sha256", "made_at")
        read_only_fields = fields


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    """One photographic object; `in_quarantine_because` is a sentence when it could not be read."""

    collection = serializers.SlugRelatedField[Collection](slug_field="slug", read_only=True)
    assessment = serializers.SerializerMethodField()
    in_quarantine_because = serializers.SerializerMethodField()

    class Meta:
        model = Photo
        fields = (
            "ref", "collection", "state", "filename", "sha256", "page", "width", "height", "slots",
            "title_en", "title_zh", "date_edtf", "place_en", "place_zh", "people_en", "people_zh",
            "description_en", "description_zh", "identifier", "added_at", "assessment",
            "quarantine_code", "in_quarantine_because",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(AssessmentSerializer(allow_null=True))
    def get_assessment(self, photo: Photo) -> Any:
        seen = getattr(photo, "assessment", None)
        return AssessmentSerializer(seen).data if seen else None

    def get_in_quarantine_because(self, photo: Photo) -> str:
        code = photo.quarantine_code
        return wording.sentence(code, photo.quarantine_facts) if code else ""


class ScanSerializer(serializers.Serializer[Any]):
    """One scan to keep; a worker reads it, so the photo that comes back is still being read."""

    file = serializers.FileField(max_length=255)
    pages = serializers.ChoiceField(
        choices=PagesAre.choices,
        required=False,
        help_text=_("What several pages of it are; when left out it waits for an answer."),
    )


class PagesSerializer(serializers.Serializer[Any]):
    """What the pages of one file are."""

    pages = serializers.ChoiceField(choices=PagesAre.choices)


class DescriptionSerializer(serializers.Serializer[Any]):
    """What is said about a photo; what is left out stays."""

    title_en = Text(required=False, allow_blank=True)
    title_zh = Text(required=False, allow_blank=True)
    date_edtf = Text(required=False, allow_blank=True)
    place_en = Text(required=False, allow_blank=True)
    place_zh = Text(required=False, allow_blank=True)
    people_en = Text(required=False, allow_blank=True)
    people_zh = Text(required=False, allow_blank=True)
    description_en = Text(required=False, allow_blank=True)
    description_zh = Text(required=False, allow_blank=True)
    identifier = Text(required=False, allow_blank=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; kept in the photo's history."""

    reason = Text(max_length=2000)
