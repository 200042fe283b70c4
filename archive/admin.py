"""A look behind the pages, for stewards. Rows change by verbs, so most of it is only to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from archive.models import Collection, Event, FixityCheck, Original, Photo, Rendition


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shown and never changed here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Collection)
class CollectionAdmin(ReadOnly):
    list_display = ("slug", "title_en", "institution_en", "is_open")
    search_fields = ("slug", "title_en", "title_zh")


@admin.register(Photo)
class PhotoAdmin(ReadOnly):
    list_display = ("ref", "title_en", "collection", "state", "added_at")
    list_filter = ("state", "collection")
    list_select_related = ("collection",)
    search_fields = ("ref", "sha256", "filename", "identifier", "title_en", "title_zh")


@admin.register(Original)
class OriginalAdmin(ReadOnly):
    list_display = ("sha256", "media_type", "width", "height", "bits", "stored_at")
    search_fields = ("sha256",)


@admin.register(Rendition)
class RenditionAdmin(ReadOnly):
    list_display = ("sha256", "sizes", "tiles", "tiles_bytes", "made_at", "attempts", "given_up")
    list_filter = ("tiles", "given_up")
    search_fields = ("sha256",)


@admin.register(FixityCheck)
class FixityCheckAdmin(ReadOnly):
    list_display = ("at", "kind", "sha256", "outcome", "size", "seconds")
    list_filter = ("outcome", "kind")
    search_fields = ("sha256",)


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "verb", "actor", "photo", "collection")
    list_select_related = ("actor", "photo", "collection")
    search_fields = ("verb", "photo__ref")
