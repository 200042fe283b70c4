"""How far an account is trusted, and what that allows: one table, asked at the verbs. Pure.

An address says nothing about who asks: a classroom shares one. So every limit is the account's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

from archive.lifecycle import Moves

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Trust(TextChoices):
    NEW = "new", pgettext_lazy("trust in an account", "new")
    REGULAR = "regular", pgettext_lazy("trust in an account", "regular")
    TRUSTED = "trusted", pgettext_lazy("trust in an account", "trusted")
    LIMITED = "limited", pgettext_lazy("trust in an account", "limited")
    SUSPENDED = "suspended", pgettext_lazy("trust in an account", "suspended")


# Upward by work and time, one level at a time; down and back by a steward.
TRUST_MOVES: Moves = {
    Trust.NEW: frozenset({Trust.REGULAR, Trust.LIMITED, Trust.SUSPENDED}),
    Trust.REGULAR: frozenset({Trust.TRUSTED, Trust.LIMITED, Trust.SUSPENDED}),
    Trust.TRUSTED: frozenset({Trust.LIMITED, Trust.SUSPENDED}),
    Trust.LIMITED: frozenset({Trust.NEW, Trust.REGULAR, Trust.TRUSTED, Trust.SUSPENDED}),
    Trust.SUSPENDED: frozenset({Trust.NEW, Trust.REGULAR, Trust.TRUSTED, Trust.LIMITED}),
}


@dataclass(frozen=True)
class Limits:
    """What an account of one level may do."""

    claims: int  # photos held at once
    live_jobs: int  # runs waiting or running at once
    jobs: int  # runs asked for in an hour
    uploads: int  # hand retouches sent in an hour
    masks: int  # painted masks kept in an hour
    cpu_seconds: int  # of processors, a day
    gpu_seconds: int  # of graphics cards, a day


LIMITS: dict[str, Limits] = {
    Trust.NEW: Limits(2, 2, 30, 10, 300, 1_800, 600),
    Trust.REGULAR: Limits(3, 3, 60, 30, 600, 7_200, 2_400),
    Trust.TRUSTED: Limits(8, 6, 240, 120, 2_400, 28_800, 9_600),
    Trust.LIMITED: Limits(1, 1, 6, 2, 60, 600, 120),
    Trust.SUSPENDED: Limits(0, 0, 0, 0, 0, 0, 0),
}
WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Threshold:
    """What makes the next level: so many accepted versions, so old, and not too many declined."""

    to: str
    accepted: int
    days: int
    share: float  # of the decisions on one's versions that were "accepted"


PROMOTIONS: dict[str, Threshold] = {
    Trust.NEW: Threshold(Trust.REGULAR, accepted=3, days=3, share=0.0),
    Trust.REGULAR: Threshold(Trust.TRUSTED, accepted=20, days=14, share=0.9),
}


def level(user: User, *, now: datetime) -> str:
    """The trust that counts now: a guest of a workshop is regular, who runs the site is trusted."""
    if user.trust == Trust.NEW and user.regular_until is not None and user.regular_until > now:
        return Trust.REGULAR
    if user.is_steward and user.trust != Trust.SUSPENDED:
        return Trust.TRUSTED
    return user.trust


def limits(user: User, *, now: datetime) -> Limits:
    """What this account may do now."""
    return LIMITS[level(user, now=now)]


def is_suspended(user: User | AnonymousUser) -> bool:
    """Whether this account may only look."""
    return getattr(user, "trust", "") == Trust.SUSPENDED
