"""What an account may do and what is left of its machine time, in words for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from archive import trust
from archive.trust import Limits, Trust
from restoration import ledger, policy
from restoration.ledger import Left, minutes
from restoration.purses import Resource

if TYPE_CHECKING:
    from accounts.models import User

LEVELS: dict[str, str | Promise] = {
    Trust.NEW: gettext_lazy("Your account is new. You can do everything; a little at a time."),
    Trust.REGULAR: gettext_lazy("Curators have accepted your work, so you can take on more."),
    Trust.TRUSTED: gettext_lazy("You have done a lot of good work here, so limits hardly matter."),
    Trust.LIMITED: gettext_lazy(
        "A steward has slowed your account down for a while. You can go on, in small steps."
    ),
    Trust.SUSPENDED: gettext_lazy(
        "Your account is suspended. You can look at what you made and download it, and nothing of"
        " it is deleted."
    ),
}
GUEST = gettext_lazy("You came with a workshop code, so today you can take on more.")


class Row(NamedTuple):
    """One thing an account may do, and how much of it."""

    label: str
    most: str


def sentence(user: User, *, now: datetime) -> str:
    """What somebody's level means to them."""
    found = trust.level(user, now=now)
    is_guest = user.trust == Trust.NEW and found == Trust.REGULAR
    return str(GUEST if is_guest else LEVELS[found])


def rows(found: Limits) -> list[Row]:
    """The limits of one level, for the person and for stewards alike."""
    counted = [
        Row(_("Photos held at once"), str(found.claims)),
        Row(_("Runs waiting or at work at once"), str(found.live_jobs)),
        Row(_("Runs asked for in an hour"), str(found.jobs)),
        Row(_("Hand retouches sent in an hour"), str(found.uploads)),
        Row(_("Painted masks kept in an hour"), str(found.masks)),
    ]
    share = settings.ALLOWANCE_PERCENT
    if not share:
        return counted
    return [
        *counted,
        Row(_("Machine time in a day"), minutes(found.cpu_seconds * share // 100)),
        Row(_("On graphics cards in a day, besides"), minutes(found.gpu_seconds * share // 100)),
    ]


def table() -> dict[str, Any]:
    """Every level with its limits: the `names` of the levels, and a line for each limit."""
    columns = [rows(found) for found in trust.LIMITS.values()]
    names = [str(Trust(name).label) for name in trust.LIMITS]
    lines = [(line[0].label, [each.most for each in line]) for line in zip(*columns, strict=True)]
    return {"names": names, "lines": lines}


def next_level(user: User, *, accepted: int) -> str:
    """What would make the next level, or nothing where there is none."""
    wanted = trust.PROMOTIONS.get(user.trust)
    if wanted is None:
        return ""
    words = ngettext(
        "Your account becomes “%(level)s” for good with %(n)s accepted version and %(days)s days"
        " here; you have %(accepted)s.",
        "Your account becomes “%(level)s” for good with %(n)s accepted versions and %(days)s days"
        " here; you have %(accepted)s.",
        wanted.accepted,
    )
    facts = {"level": Trust(wanted.to).label, "n": wanted.accepted, "days": wanted.days}
    return words % (facts | {"accepted": accepted})


@dataclass(frozen=True)
class Day:
    """Seconds of one kind of machine: what an account gets in a day, and has left of it now; None
    where the operator counts nobody's time."""

    resource: str
    a_day: int | None
    left: int | None


def today(user: User, *, now: datetime) -> list[Day]:
    """The day of machine time as numbers, a workshop's and a collection's aside; in one query."""
    found = ledger.left(user, None, now=now)
    return [
        Day(each.resource, ledger.allowance(user, each.resource, now=now), each.own)
        for each in found
    ]


@dataclass(frozen=True)
class Hands:
    """How many photos an account holds, and how many it may."""

    held: int
    most: int

    @property
    def left(self) -> int:
        """A lower level may allow less than is held already."""
        return max(0, self.most - self.held)


def hands(user: User, *, now: datetime) -> Hands:
    """The photos in hand, counted as when another one is claimed."""
    return Hands(policy.held_by(user).count(), trust.limits(user, now=now).claims)


def left_now(user: User, collection_id: int | None, *, now: datetime, gpu: bool) -> list[str]:
    """What is left today, on a photo of this collection; in one query."""
    found = ledger.left(user, collection_id, now=now)
    return list(left(found, gpu=gpu))


def left(found: Iterable[Left], *, gpu: bool) -> Iterable[str]:
    """Sentences about what is left; of graphics cards only where there are some."""
    for each in found:
        is_card = each.resource == Resource.GPU
        if is_card and not gpu:
            continue
        if each.own is not None:
            words = _("On graphics cards: %(time)s.") if is_card else _("Left today: %(time)s.")
            yield words % {"time": minutes(each.own)}
        if each.workshop:
            yield _("Your workshop pays first: %(time)s left.") % {"time": minutes(each.workshop)}
        if each.collection is not None:
            yield _("This collection has %(time)s left.") % {"time": minutes(each.collection)}


def paid(used: int | None) -> str:
    """What a finished run took."""
    return "" if used is None else _("It took %(time)s of machine time.") % {"time": minutes(used)}
