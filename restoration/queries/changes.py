"""When rows last changed, as the log tells it: `changed_at`, for programs that ask what is new.

Nothing keeps such a time in the rows themselves, where a hand could forget to write it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Greatest

from archive.models import Collection, Event, Photo
from restoration.models import Assessment, Version


def photos(rows: QuerySet[Photo]) -> QuerySet[Any]:
    """By what was said of the photo or done with it, or seen on it; not by who works on it."""
    told = Coalesce(_last(_own(), photo=OuterRef("pk")), "added_at")
    return rows.annotate(changed_at=Greatest(told, Coalesce("assessment__made_at", "added_at")))


def photos_since(rows: QuerySet[Any], then: datetime) -> QuerySet[Any]:
    """Those that changed then or later: found by the index of the log, not photo by photo."""
    told = _own().filter(at__gte=then).values("photo")
    seen = Assessment.objects.filter(made_at__gte=then).values("photo")
    added = Photo.objects.filter(added_at__gte=then).values("pk")
    return rows.filter(pk__in=told.union(seen, added))


def _own() -> QuerySet[Event]:
    return Event.objects.filter(verb__startswith="photo.")


def collections(rows: QuerySet[Collection]) -> QuerySet[Any]:
    """By its words and rules; not by what is in it."""
    own = Event.objects.filter(verb__startswith="collection.")
    last = _last(own, collection=OuterRef("pk"))
    return rows.annotate(changed_at=Coalesce(last, "created_at"))


def collections_since(rows: QuerySet[Any], then: datetime) -> QuerySet[Any]:
    """Those that changed then or later."""
    return rows.filter(changed_at__gte=then)


def versions(rows: QuerySet[Version]) -> QuerySet[Any]:
    """By its moves, a decision among them."""
    return of_a_photo(rows, "made_at")


def versions_since(rows: QuerySet[Any], then: datetime) -> QuerySet[Any]:
    """Those that changed then or later."""
    return of_a_photo_since(rows, then, "made_at")


def of_a_photo(rows: QuerySet[Any], first: str) -> QuerySet[Any]:
    """By the moves of the row, in the history of its photo; else by the time it was made."""
    # As text, for it may be anything: a cast of another row's would end the question.
    numbered = Event.objects.alias(row=KeyTextTransform("id", "facts"))
    own = numbered.filter(verb__startswith=f"{rows.model._meta.model_name}.")
    key = Cast(OuterRef("pk"), CharField())
    last = _last(own, photo=OuterRef("photo"), row=key)
    found: QuerySet[Any] = rows.annotate(changed_at=Coalesce(last, first))
    return found


def of_a_photo_since(rows: QuerySet[Any], then: datetime, first: str) -> QuerySet[Any]:
    """Those that changed then or later, looked for only among the photos of which something of the
    kind is told since."""
    told = Event.objects.filter(verb__startswith=f"{rows.model._meta.model_name}.", at__gte=then)
    made: QuerySet[Any] = rows.model._default_manager.filter(**{f"{first}__gte": then})
    photos = told.values("photo").union(made.values("photo"))
    return rows.filter(photo__in=photos, changed_at__gte=then)


def _last(events: QuerySet[Event], **of: Any) -> Subquery:
    return Subquery(events.filter(**of).order_by("-at").values("at")[:1])
