"""Trust in an account: upward by accepted work and time, down and back by a steward."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import sources
from archive.models import Event
from archive.policy import Refused, check_steward
from archive.trust import PROMOTIONS, TRUST_MOVES, Threshold, Trust
from restoration.lifecycle import ReviewReason, ReviewState
from restoration.models import Review

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 200


def limit_person(*, person: User, by: User, reason: str, now: datetime) -> None:
    """Slow an account down."""
    _set_down(person, Trust.LIMITED, by, reason, now)


def suspend_person(*, person: User, by: User, reason: str, now: datetime) -> None:
    """Let an account only look at its own work."""
    _set_down(person, Trust.SUSPENDED, by, reason, now)


def restore_person(*, person: User, by: User, now: datetime, to: str = "", shown: str = "") -> None:
    """Back to the trust from before it was limited or suspended, or to another level.

    Not from another level than was `shown` to who asks, where that is said.
    """
    check_steward(by)
    to = to or person.trust_before or Trust.NEW
    if person.trust not in (Trust.LIMITED, Trust.SUSPENDED) or shown not in ("", person.trust):
        raise _moved_on()
    # Who is only slowed down again has still to find the way up.
    kept = person.trust_before if to == Trust.LIMITED else ""
    if not _move(person, to, by, now, {}, set_={"trust_before": kept}):
        raise _moved_on()


def _set_down(person: User, to: str, by: User, reason: str, now: datetime) -> None:
    check_steward(by)
    if person.is_steward:
        raise Refused("is-steward", _("Take the office of steward back first."), conflict=True)
    # Slowed down would be more than suspended allows: the way up is restore_person's alone.
    if (person.trust, to) == (Trust.SUSPENDED, Trust.LIMITED):
        raise _moved_on()
    kept = person.trust_before or person.trust
    told, set_ = {"reason": reason.strip()}, {"trust_before": kept}
    # Who became a steward meanwhile stays one who can work.
    if not _move(person, to, by, now, told, set_=set_, where={"is_steward": False}):
        raise _moved_on()


def _moved_on() -> Refused:
    return Refused(
        "trust-moved-on", _("This account is at another level by now. Look again."), conflict=True
    )


def _move(
    person: User,
    to: str,
    by: User | None,
    now: datetime,
    facts: dict[str, Any],
    *,
    set_: dict[str, str],
    where: dict[str, Any] | None = None,
) -> bool:
    """Compare-and-set, with its event; False when another hand was quicker."""
    was = person.trust
    if was not in sources(TRUST_MOVES, to):
        return False
    people = get_user_model().objects.filter(pk=person.pk, trust=was, **(where or {}))
    with transaction.atomic():
        if not people.update(trust=to, **set_):
            return False
        told = {"person": person.pk, "from": was, "to": str(to), **facts}
        Event.objects.create(actor=by, verb=f"trust.{to}", at=now, facts=told)
    person.trust = to
    person.trust_before = set_.get("trust_before", person.trust_before)
    return True


# --- upward --------------------------------------------------------------------------------------
def promote_due(*, now: datetime) -> int:
    """One level up for everybody whose accepted work and days here ask for it."""
    return sum(_promote(level, wanted, now) for level, wanted in PROMOTIONS.items())


def _promote(level: str, wanted: Threshold, now: datetime) -> int:
    """One query for the candidates, whatever their number, and a compare-and-set for each."""
    since = now - timedelta(days=wanted.days)
    counts = (
        Review.objects.filter(
            state__in=(ReviewState.ACCEPTED, ReviewState.DECLINED),
            version__made_by__trust=level,
            version__made_by__date_joined__lte=since,
        )
        # That another version was chosen is no fault of this one's maker.
        .exclude(state=ReviewState.DECLINED, reason=ReviewReason.NOT_CHOSEN)
        .values("version__made_by")
        .annotate(decided=Count("pk"), accepted=Count("pk", filter=Q(state=ReviewState.ACCEPTED)))
        .filter(accepted__gte=wanted.accepted)
        .order_by("version__made_by")[:AT_ONCE]
    )
    due = {
        row["version__made_by"]: row["accepted"]
        for row in counts
        if row["accepted"] >= wanted.share * row["decided"]
    }
    people = get_user_model().objects.in_bulk(list(due))
    facts = {pk: {"accepted": accepted} for pk, accepted in due.items()}
    return sum(
        _move(person, wanted.to, None, now, facts[pk], set_={}) for pk, person in people.items()
    )
