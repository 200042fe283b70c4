"""What collections and workshops have left, each list in a fixed number of queries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Prefetch, QuerySet

from archive.models import Collection
from restoration import ledger
from restoration.models import Workshop
from restoration.purses import Purse

if TYPE_CHECKING:
    from accounts.models import User


def collections(*, now: datetime) -> QuerySet[Collection]:
    """Every collection with its purses, and what is left in each."""
    purses = ledger.balances(Purse.objects.filter(is_limited=True), now=now)
    return Collection.objects.order_by("title_en").prefetch_related(Prefetch("purses", purses))


def workshops(user: User, *, now: datetime) -> QuerySet[Any]:
    """The workshops in which this person decides, newest first, with guests and what is left."""
    purses = ledger.balances(Purse.objects.all(), now=now)
    found = Workshop.objects.visible_to(user).select_related("collection", "made_by")
    counted = found.annotate(taken=Count("guests"))
    return counted.prefetch_related(Prefetch("purses", purses)).order_by("-made_at", "-pk")
