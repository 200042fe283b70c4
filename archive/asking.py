"""What the pages of batches start from: who asks, and the row they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from archive.intake import Batch
from archive.models import Collection, Pair

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User

    class Asked(HttpRequest):
        """A request of somebody signed in: the site is closed to others by its middleware."""

        user: User
        htmx: HtmxDetails
else:
    Asked = HttpRequest


def collection_of(request: Asked, slug: str) -> Collection:
    """The collection, when this person decides in it."""
    return get_object_or_404(Collection.objects.curated_by(request.user), slug=slug)


def pair_of(request: Asked, slug: str, pk: int) -> Pair:
    """The pair, when this person decides in its collection."""
    found = Pair.objects.visible_to(request.user).select_related("collection")
    return get_object_or_404(found, pk=pk, collection__slug=slug)


def batch_of(request: Asked, slug: str, pk: int) -> Batch:
    """The batch, when this person decides in its collection."""
    found = Batch.objects.visible_to(request.user).select_related("collection", "begun_by")
    return get_object_or_404(found, pk=pk, collection__slug=slug)
