"""Exhibits, what hangs in them, and publications."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from api.serializers.strict import LARGEST_KEY, Text, Whole
from exhibit import showing
from exhibit.models import Exhibit, Placement, Publication, Room


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    """That one accepted version is a photo's public face, pinned by its bytes."""

    photo = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    published_by = serializers.StringRelatedField[Any]()
    made = serializers.DictField(read_only=True)

    class Meta:
        model = Publication
        fields = (
            "id", "photo", "version", "version_sha256", "original_sha256", "state",
            "published_by", "published_at", "ended_at", "reason", "made",
        )  # fmt: skip
        read_only_fields = fields


class PlacementSerializer(serializers.ModelSerializer[Placement]):
    """One picture on the wall of a room, and the words beside it."""

    photo = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    made = serializers.SerializerMethodField()
    published_at = serializers.DateTimeField(source="publication.published_at", read_only=True)
    version_sha256 = serializers.CharField(source="publication.version_sha256", read_only=True)
    original = serializers.SerializerMethodField()
    restored = serializers.SerializerMethodField()

    class Meta:
        model = Placement
        fields = (
            "photo", "position", "caption_en", "caption_zh", "story_en", "story_zh",
            "published_at", "version_sha256", "original", "restored", "made",
        )  # fmt: skip
        read_only_fields = fields

    def get_made(self, placement: Placement) -> dict[str, Any]:
        """How it was made: steps, models, people, dates, hashes."""
        return showing.account(placement.publication)

    def get_original(self, placement: Placement) -> str:
        """Where a JPEG of the scan is, 1600 pixels long."""
        return _picture(placement, showing.ORIGINAL)

    def get_restored(self, placement: Placement) -> str:
        """The same of the published version."""
        return _picture(placement, showing.RESTORED)


def _picture(placement: Placement, side: str) -> str:
    return reverse("exhibit:picture", args=[placement.publication_id, side, "1600"])


class RoomSerializer(serializers.ModelSerializer[Room]):
    """A part of an exhibit, with what hangs there."""

    placements = PlacementSerializer(many=True, read_only=True)

    class Meta:
        model = Room
        fields = (
            "id", "position", "title_en", "title_zh", "intro_en", "intro_zh", "placements",
        )  # fmt: skip
        read_only_fields = fields


class ExhibitSerializer(serializers.ModelSerializer[Exhibit]):
    """A curated, ordered page."""

    collection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Exhibit
        fields = (
            "slug", "collection", "title_en", "title_zh", "intro_en", "intro_zh", "is_open",
        )  # fmt: skip
        read_only_fields = fields


class ExhibitDetailSerializer(ExhibitSerializer):
    """An exhibit with its rooms."""

    rooms = RoomSerializer(many=True, read_only=True)

    class Meta(ExhibitSerializer.Meta):
        fields = (*ExhibitSerializer.Meta.fields, "rooms")  # type: ignore[assignment]


class PublishSerializer(serializers.Serializer[Any]):
    """Which accepted version hangs in which room, and what is written beside it."""

    version = Whole(min_value=1, max_value=LARGEST_KEY)
    room = Whole(min_value=1, max_value=LARGEST_KEY)
    caption_en = Text(max_length=300, required=False, allow_blank=True)
    caption_zh = Text(max_length=300, required=False, allow_blank=True)
    story_en = Text(max_length=20000, required=False, allow_blank=True)
    story_zh = Text(max_length=20000, required=False, allow_blank=True)


class RetractSerializer(serializers.Serializer[Any]):
    """Why; the public page shows it."""

    reason = Text(max_length=2000)
