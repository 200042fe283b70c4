"""A look behind the exhibits, for stewards; what is shown changes on the curators' pages."""

from __future__ import annotations

from django.contrib import admin

from archive.admin import ReadOnly
from exhibit.models import Exhibit, Placement, Publication, Room


@admin.register(Exhibit)
class ExhibitAdmin(ReadOnly):
    list_display = ("slug", "title_en", "collection", "is_open")
    list_select_related = ("collection",)
    search_fields = ("slug", "title_en", "title_zh")


@admin.register(Room)
class RoomAdmin(ReadOnly):
    list_display = ("title_en", "exhibit", "position")
    list_select_related = ("exhibit",)


@admin.register(Publication)
class PublicationAdmin(ReadOnly):
    list_display = ("photo", "state", "published_at", "published_by", "version_sha256")
    list_filter = ("state",)
    list_select_related = ("photo", "published_by")
    search_fields = ("photo__ref", "version_sha256", "original_sha256")


@admin.register(Placement)
class PlacementAdmin(ReadOnly):
    list_display = ("photo", "room", "position")
    list_select_related = ("photo", "room")
