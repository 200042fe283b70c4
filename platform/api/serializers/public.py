"""Exhibits, what hangs in them, and publications."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.serializers.strict import LARGEST_KEY, Flag, Text, Whole, changed_at
from exhibit import iiif, showing
from exhibit.forms import LONGEST_REASON
from exhibit.models import Exhibit, Placement, Publication, Room


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    """That one accepted version is a photo's public face, pinned by its bytes."""

    photo = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    published_by = serializers.StringRelatedField[Any]()
    made = serializers.DictField(read_only=True)
    changed_at = changed_at()

    class Meta:
        model = Publication
        fields = (
            "id", "photo", "version", "version_sha256", "original_sha256", "state",
            "published_by", "published_at", "ended_at", "reason", "made", "changed_at",
        )  # fmt: skip
        read_only_fields = fields


class PlacementSerializer(serializers.ModelSerializer[Placement]):
    """One picture on the wall of a room, the words beside it, and where all of it is found."""

    publication = serializers.IntegerField(
        source="publication_id", read_only=True, help_text=_("The number in its addresses.")
    )
    photo = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    title_en = serializers.CharField(source="photo.title_en", read_only=True)
    title_zh = serializers.CharField(source="photo.title_zh", read_only=True)
    date_edtf = serializers.CharField(
        source="photo.date_edtf", read_only=True, help_text=_("When it was taken, in EDTF.")
    )
    rights = serializers.URLField(
        source="photo.collection.rights_uri",
        read_only=True,
        help_text=_("The rights statement, by its address."),
    )
    credit_en = serializers.CharField(
        source="photo.collection.institution_en",
        read_only=True,
        help_text=_("Whose picture it is; name them beside it."),
    )
    credit_zh = serializers.CharField(source="photo.collection.institution_zh", read_only=True)
    published_at = serializers.DateTimeField(source="publication.published_at", read_only=True)
    original_sha256 = serializers.CharField(
        source="publication.original_sha256",
        read_only=True,
        help_text=_("Of the scan as it came, not of a JPEG of it."),
    )
    version_sha256 = serializers.CharField(
        source="publication.version_sha256",
        read_only=True,
        help_text=_("Of the restored working file, not of a JPEG of it."),
    )
    page = serializers.SerializerMethodField(help_text=_("Its page in this exhibit."))
    permalink = serializers.SerializerMethodField(help_text=_("The address that stays."))
    manifest = serializers.SerializerMethodField(help_text=_("Its IIIF manifest."))
    made_url = serializers.SerializerMethodField(
        help_text=_("The account of how it was made, at an address of its own.")
    )
    download = serializers.SerializerMethodField(
        help_text=_("The restored picture in full, as a JPEG that says what it is.")
    )
    original = serializers.SerializerMethodField(
        help_text=_("A JPEG of the scan, at most 1600 pixels long.")
    )
    restored = serializers.SerializerMethodField(
        help_text=_("A JPEG of the published version, at most 1600 pixels long.")
    )
    made = serializers.SerializerMethodField(
        help_text=_("How it was made: steps, models, people, dates, hashes.")
    )

    class Meta:
        model = Placement
        fields = (
            "id", "publication", "photo", "position", "title_en", "title_zh", "date_edtf",
            "caption_en", "caption_zh", "story_en", "story_zh", "rights", "credit_en", "credit_zh",
            "published_at", "original_sha256", "version_sha256",
            "page", "permalink", "manifest", "made_url", "download", "original", "restored", "made",
        )  # fmt: skip
        read_only_fields = fields

    def get_page(self, placement: Placement) -> str:
        return settings.SITE_URL + showing.page_url(placement)

    def get_permalink(self, placement: Placement) -> str:
        return showing.permalink(placement.publication)

    def get_manifest(self, placement: Placement) -> str:
        return iiif.manifest_url(placement.publication)

    def get_made_url(self, placement: Placement) -> str:
        return settings.SITE_URL + showing.made_url(placement)

    def get_download(self, placement: Placement) -> str:
        return showing.download_url(placement.publication)

    def get_original(self, placement: Placement) -> str:
        return _picture(placement, showing.ORIGINAL)

    def get_restored(self, placement: Placement) -> str:
        return _picture(placement, showing.RESTORED)

    def get_made(self, placement: Placement) -> dict[str, Any]:
        return showing.account(placement.publication)


def _picture(placement: Placement, side: str) -> str:
    return settings.SITE_URL + showing.address(placement.publication, side, showing.STAGE)


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
    caption_en = Text(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text=_(
            "Words that are left out stay as they hang in that room; empty ones are taken away."
        ),
    )
    caption_zh = Text(max_length=300, required=False, allow_blank=True)
    story_en = Text(max_length=20000, required=False, allow_blank=True)
    story_zh = Text(max_length=20000, required=False, allow_blank=True)
    although_retracted = Flag(
        required=False,
        help_text=_(
            "True to publish a photo again whose picture was taken down; without it that is"
            " refused with the reason (was-retracted)."
        ),
    )


class RetractSerializer(serializers.Serializer[Any]):
    """Why; the public page shows it."""

    reason = Text(max_length=2000)


class SuspendSerializer(serializers.Serializer[Any]):
    """Why, for those who look into it."""

    reason = Text(
        max_length=LONGEST_REASON,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("What is looked into; the public does not read it."),
    )
