"""What arranges an exhibit: its headlines, its rooms, and what hangs in them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.serializers.strict import LARGEST_KEY, Flag, Slug, Text, Whole
from exhibit.models import Placement, Room

LONGEST_INTRO = 20_000


def _intro() -> Text:
    words = _("What visitors read before the pictures.")
    return Text(max_length=LONGEST_INTRO, required=False, allow_blank=True, help_text=words)


class HeadlineSerializer(serializers.Serializer[Any]):
    """What is written over an exhibit or a room; of a change, what is left out stays."""

    title_en = Text(max_length=200)
    title_zh = Text(max_length=200, required=False, allow_blank=True)
    intro_en = _intro()
    intro_zh = _intro()


class NewExhibitSerializer(HeadlineSerializer):
    """An exhibit to make: whose pictures it shows, and its address for good."""

    collection = Text(help_text=_("A collection's address."))
    slug = Slug(
        max_length=80,
        help_text=_("The last part of its address; it cannot be changed later."),
    )


class BareRoomSerializer(serializers.ModelSerializer[Room]):
    """A room without what hangs there."""

    exhibit = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Room
        fields = ("id", "exhibit", "position", "title_en", "title_zh", "intro_en", "intro_zh")
        read_only_fields = fields


class MoveSerializer(serializers.Serializer[Any]):
    """Which way."""

    up = Flag(help_text=_("True: towards the beginning of the walk."))


class OrderSerializer(serializers.Serializer[Any]):
    """In which order the pictures of a room hang."""

    order = serializers.ListField(
        child=Whole(min_value=1, max_value=LARGEST_KEY),
        max_length=10_000,
        help_text=_("The ids of all its placements, from the first to the last."),
    )


class HungSerializer(serializers.ModelSerializer[Placement]):
    """One picture that hangs, also where the public does not see it, and the words beside it."""

    photo = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    state = serializers.CharField(
        source="publication.state",
        read_only=True,
        help_text=_("The state of its publication; the public sees what is `live`."),
    )

    class Meta:
        model = Placement
        fields = (
            "id", "room", "position", "photo", "publication", "state",
            "caption_en", "caption_zh", "story_en", "story_zh",
        )  # fmt: skip
        read_only_fields = fields


class WordsSerializer(serializers.Serializer[Any]):
    """Where a picture hangs and what is written beside it; what is left out stays."""

    room = Whole(
        min_value=1, max_value=LARGEST_KEY, required=False, help_text=_("In the same exhibit.")
    )
    caption_en = Text(max_length=300, required=False, allow_blank=True)
    caption_zh = Text(max_length=300, required=False, allow_blank=True)
    story_en = Text(max_length=20000, required=False, allow_blank=True)
    story_zh = Text(max_length=20000, required=False, allow_blank=True)
