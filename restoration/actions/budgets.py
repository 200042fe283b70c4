"""Give machine time: to a collection, to a person, to a workshop; and join a workshop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from archive.models import Collection, Event
from archive.policy import Refused, check_curate, check_steward
from restoration import ledger, policy
from restoration.purses import Guest, Purse, Resource, Workshop

if TYPE_CHECKING:
    from accounts.models import User

A_DAY = timedelta(days=1)
MOST_DAYS_OPEN = 14
MOST_SEATS = 200
# What a curator may give a workshop without asking anybody; a steward's collection budget is above.
MOST_MINUTES = {Resource.CPU: 600, Resource.GPU: 240}
OPEN_AT_ONCE = 3
# What one slip of a steward's finger may give or take: two days and nights of a machine.
MOST_GIVEN = 2_880


def grant_collection(
    *, collection: Collection, resource: str, minutes: int, by: User, now: datetime
) -> None:
    """Give a collection machine time; from the first time on it cannot use more than it was given.

    A negative number takes some back, but never more than is left.
    """
    check_steward(by)
    with transaction.atomic():
        purse, _new = Purse.objects.get_or_create(collection=collection, resource=resource)
        _give(purse, minutes, by, now)
        Purse.objects.filter(pk=purse.pk).update(is_limited=True)
        facts = {"minutes": minutes, "resource": str(resource)}
        _record("budget.granted", by, now, facts, collection=collection)


def lift_budget(*, collection: Collection, resource: str, by: User, now: datetime) -> None:
    """Let a collection use as much as it likes; what it was given is kept for another time."""
    check_steward(by)
    with transaction.atomic():
        rows = Purse.objects.filter(collection=collection, resource=resource, is_limited=True)
        if rows.update(is_limited=False):
            facts = {"resource": str(resource)}
            _record("budget.lifted", by, now, facts, collection=collection)


def grant_person(
    *, person: User, resource: str, minutes: int, by: User, now: datetime, reason: str = ""
) -> None:
    """Give somebody machine time besides the day's; what is not used stays for the next days.

    A negative number takes some back, but never more than is left.
    """
    check_steward(by)
    if not 0 < abs(minutes) <= MOST_GIVEN:
        words = _("Give or take back between 1 and %(most)s minutes at a time.")
        raise Refused("too-many-minutes", words % {"most": MOST_GIVEN}, invalid=True)
    with transaction.atomic():
        purse, _new = Purse.objects.get_or_create(person=person, resource=resource)
        _give(purse, minutes, by, now, person)
        facts = {"person": person.pk, "minutes": minutes, "resource": str(resource)}
        _record("budget.granted", by, now, facts | ({"reason": reason} if reason else {}))


def _give(purse: Purse, minutes: int, by: User, now: datetime, person: User | None = None) -> None:
    entry = ledger.give(purse=purse, seconds=60 * minutes, by=by, now=now, person=person)
    if minutes < 0 and entry.balance < 0:
        raise Refused(
            "nothing-left", _("That is more than is left; nothing was changed."), invalid=True
        )


def _record(
    verb: str,
    by: User,
    now: datetime,
    facts: dict[str, Any],
    collection: Collection | None = None,
) -> None:
    Event.objects.create(actor=by, verb=verb, at=now, facts=facts, collection=collection)


# --- workshops -----------------------------------------------------------------------------------
def open_workshop(
    *,
    collection: Collection,
    title: str,
    seats: int,
    days: int,
    cpu_minutes: int,
    gpu_minutes: int,
    by: User,
    now: datetime,
) -> Workshop:
    """Make a code that lets `seats` people in for `days` days and shares machine time with them."""
    check_curate(by, collection)
    minutes = {Resource.CPU: cpu_minutes, Resource.GPU: gpu_minutes}
    _check_size(seats, days, minutes)
    with transaction.atomic():
        # Locked, so that two curators at once do not open a fourth one.
        Collection.objects.select_for_update().get(pk=collection.pk)
        if collection.workshops.filter(open_until__gt=now).count() >= OPEN_AT_ONCE:
            raise Refused(
                "too-many-workshops",
                _("Three workshops of this collection are open. Close one first."),
                conflict=True,
            )
        workshop = Workshop.objects.create(
            collection=collection,
            title=title,
            seats=seats,
            made_by=by,
            made_at=now,
            open_until=now + timedelta(days=days),
        )
        for resource, given in minutes.items():
            purse = Purse.objects.create(workshop=workshop, resource=resource)
            ledger.give(purse=purse, seconds=60 * given, by=by, now=now)
        facts = {"workshop": workshop.pk, "seats": seats, "cpu": cpu_minutes, "gpu": gpu_minutes}
        _record("workshop.opened", by, now, facts, collection=collection)
    return workshop


def _check_size(seats: int, days: int, minutes: dict[Resource, int]) -> None:
    fits = 1 <= seats <= MOST_SEATS and 1 <= days <= MOST_DAYS_OPEN
    if not fits or any(not 0 <= given <= MOST_MINUTES[each] for each, given in minutes.items()):
        raise Refused(
            "workshop-too-large",
            _("A workshop takes up to 200 people, 14 days, 600 minutes, 240 on graphics cards."),
            invalid=True,
        )


def close_workshop(*, workshop: Workshop, by: User, now: datetime) -> None:
    """Let nobody in any more; who is in keeps the day and what is left."""
    check_curate(by, workshop.collection)
    with transaction.atomic():
        rows = Workshop.objects.filter(pk=workshop.pk, open_until__gt=now)
        if not rows.update(open_until=now):
            raise Refused("workshop-over", _("This workshop is closed already."), conflict=True)
        facts = {"workshop": workshop.pk}
        _record("workshop.closed", by, now, facts, collection=workshop.collection)


def join_workshop(*, code: str, by: User, now: datetime) -> Guest:
    """Take a seat: regular for a day, and runs in its collection are paid by the workshop."""
    policy.check_active(by)
    asked = "".join(code.lower().split()).replace("-", "")
    try:
        with transaction.atomic():
            return _seated(asked, by, now)
    except IntegrityError:
        return Guest.objects.get(workshop__code=asked, person=by)  # two clicks, one seat


def _seated(code: str, by: User, now: datetime) -> Guest:
    # Locked, so that forty people at once get the seats that are there.
    workshop = Workshop.objects.select_for_update().filter(code=code).first()
    if workshop is None or workshop.open_until <= now:
        raise Refused(
            "no-such-workshop",
            _("No open workshop has this code. Look at it once more, or ask who gave it to you."),
            invalid=True,
        )
    mine = Guest.objects.filter(workshop=workshop, person=by).first()
    if mine is not None:
        return mine
    if workshop.guests.count() >= workshop.seats:
        raise Refused("workshop-full", _("All seats of this workshop are taken."), conflict=True)
    guest = Guest.objects.create(workshop=workshop, person=by, joined_at=now, until=now + A_DAY)
    get_user_model().objects.filter(pk=by.pk).update(regular_until=guest.until)
    by.regular_until = guest.until
    facts = {"workshop": workshop.pk, "person": by.pk}
    _record("workshop.joined", by, now, facts, collection=workshop.collection)
    return guest
