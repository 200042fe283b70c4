"""Who pays for a run: reserve before it, settle or give back after it, and what is left.

Every append takes the purse's row first, and a run's purses always in the same order, before any
other row of that transaction but the person's own: so two hands never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import trust
from archive.policy import Refused
from restoration.lifecycle import LIVE_JOBS
from restoration.purses import Entry, EntryKind, Guest, Purse, Resource

if TYPE_CHECKING:
    from accounts.models import User
    from restoration.models import Job

NO_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Held:
    """Purses that are locked for a run, and what will be taken from each of them."""

    purses: tuple[Purse, ...]
    seconds: int


@dataclass(frozen=True)
class Left:
    """Seconds that a person may still use on a photo today; None: as much as they like."""

    resource: str
    own: int | None
    workshop: int | None
    collection: int | None

    @property
    def most(self) -> int | None:
        """The longest run that would be let in; None: any."""
        payer = None if self.own is None else max(self.own, self.workshop or 0)
        given = [each for each in (payer, self.collection) if each is not None]
        return max(0, min(given)) if given else None


def allowance(user: User, resource: str, *, now: datetime) -> int | None:
    """Seconds a day of a person's own; None where the operator counts nobody's time."""
    if not settings.ALLOWANCE_PERCENT:
        return None
    found = trust.limits(user, now=now)
    seconds = found.gpu_seconds if resource == Resource.GPU else found.cpu_seconds
    return seconds * settings.ALLOWANCE_PERCENT // 100


def _here(now: datetime) -> datetime:
    """By the clock of the house, whatever zone an answer is written in."""
    return timezone.localtime(now, timezone.get_default_timezone())


def midnight(now: datetime) -> datetime:
    """When a day's allowance comes again."""
    tomorrow = _here(now) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


# --- before a run --------------------------------------------------------------------------------
def hold(*, user: User, collection_id: int, resource: str, seconds: int, now: datetime) -> Held:
    """Lock the purses that will pay, or Refused. Call it first in the transaction of the request.

    A workshop pays before the person does; the collection, where it has a budget, besides.
    """
    locked = _locked(_purses(user, collection_id, resource, now=now))
    own = next((each for each in locked if each.person_id), None)
    if own is not None:
        top_up(purse=own, user=user, now=now)
    left = {each.pk: balance(each) for each in locked}
    shared = [each for each in locked if each.collection_id]
    for purse in shared:
        if left[purse.pk] < seconds:
            raise _collection_spent()
    payers = [*(each for each in locked if each.workshop_id), *([own] if own else [])]
    payer = next((each for each in payers if left[each.pk] >= seconds), None)
    if payer is None and own is not None:
        raise _spent(user, own, seconds, left[own.pk], now)
    return Held((*([payer] if payer else []), *shared), seconds)


def _purses(user: User, collection_id: int, resource: str, *, now: datetime) -> QuerySet[Purse]:
    counted = allowance(user, resource, now=now) is not None
    if counted:
        Purse.objects.get_or_create(person=user, resource=resource)
    return _paying(user, collection_id, now=now).filter(resource=resource)


def _paying(user: User, collection_id: int | None, *, now: datetime) -> QuerySet[Purse]:
    """Every purse that could pay for a run of this person on a photo of the collection."""
    owned = Q(pk__in=[])
    if collection_id is not None:  # a NULL would match the purses of everybody else
        joined = Guest.objects.filter(
            person=user, until__gt=now, workshop__collection=collection_id
        )
        owned |= Q(workshop__in=joined.values("workshop"))
        owned |= Q(collection=collection_id, is_limited=True)
    if settings.ALLOWANCE_PERCENT:
        owned |= Q(person=user)
    return Purse.objects.filter(owned)


def _locked(purses: QuerySet[Purse]) -> list[Purse]:
    return list(purses.select_for_update(of=("self",)).order_by("pk"))


def _spent(user: User, own: Purse, seconds: int, left: int, now: datetime) -> Refused:
    kept = reserved_in(own)
    facts = {"needs": minutes(seconds), "left": minutes(left), "kept": minutes(kept)}
    if seconds > (allowance(user, own.resource, now=now) or 0):
        return Refused(
            "run-too-large",
            _(
                "This run may take up to %(needs)s of machine time, more than you get in a day."
                " Leave a step out, or ask a curator for a workshop code. Your draft is kept."
            )
            % facts,
            conflict=True,
        )
    if seconds <= left + kept:  # at midnight too: what is reserved then is not given once more
        words = _(
            "This run may take up to %(needs)s of machine time. You have %(left)s left today, and"
            " %(kept)s are reserved for runs of yours that wait or work; what they do not use comes"
            " back when they end. Your draft is kept. Wait for one, or cancel one."
        )
    else:
        words = _(
            "This run may take up to %(needs)s of machine time, and you have %(left)s left today."
            " Your draft is kept. Try fewer steps, or come back after midnight, when your time is"
            " full again."
        )
    wait = int((midnight(now) - now).total_seconds()) + 1
    return Refused("budget-spent", words % facts, wait=wait)


def _collection_spent() -> Refused:
    return Refused(
        "collection-budget-spent",
        _(
            "The machine time of this collection is used up. Your draft is kept; its curators can"
            " ask the stewards for more."
        ),
        conflict=True,
    )


def reserve(*, held: Held, job: Job, now: datetime) -> None:
    """Take the bound of a run out of the purses that were locked for it."""
    for purse in held.purses:
        _append(purse, EntryKind.RESERVE, -held.seconds, now, job_id=job.pk, by=job.requested_by)


# --- after it ------------------------------------------------------------------------------------
def close(*, job: Job, used: float | None, now: datetime) -> None:
    """Close what was reserved for a job that ends: pay `used` seconds, or give all back (None).

    Called by Job.move before the state changes: a trigger refuses to end a job otherwise.
    """
    reserved = Entry.objects.filter(job=job, kind=EntryKind.RESERVE, closed_by=None)
    purses = _locked(Purse.objects.filter(pk__in=list(reserved.values_list("purse", flat=True))))
    for purse in purses:
        opened = reserved.filter(purse=purse).first()
        if opened is not None:  # else another hand ended the job while we waited
            _close(purse, opened, used, now)


def _close(purse: Purse, opened: Entry, used: float | None, now: datetime) -> None:
    about: dict[str, Any] = {"job_id": opened.job_id, "closes": opened}
    if used is None:
        _append(purse, EntryKind.REFUND, -opened.seconds, now, **about)
    else:
        spent = max(1, -int(-used // 1))
        _append(purse, EntryKind.SETTLE, -opened.seconds - spent, now, used=spent, **about)


# --- the purse -----------------------------------------------------------------------------------
def give(
    *, purse: Purse, seconds: int, by: User | None, now: datetime, person: User | None = None
) -> Entry:
    """Put seconds into a purse, or take them out again. Call it in a transaction.

    A person's purse gets the day's allowance first, so that what is given comes on top of it.
    """
    (locked,) = _locked(Purse.objects.filter(pk=purse.pk))
    if person is not None:
        top_up(purse=locked, user=person, now=now)
    return _append(locked, EntryKind.GRANT, seconds, now, by=by)


def balance(purse: Purse) -> int:
    """What is left: the newest entry says it, however many there are."""
    newest = Entry.objects.filter(purse=purse).order_by("-number")
    return newest.values_list("balance", flat=True).first() or 0


def reserved_in(purse: Purse) -> int:
    """What runs that wait or work have taken out of a person's purse until they end."""
    found = _open_reservations(purse.pk, purse.person_id)
    return -(found.aggregate(seconds=Sum("seconds"))["seconds"] or 0)


def _open_reservations(purse: Any, person: Any) -> QuerySet[Entry]:
    """Found by the person's live runs, which are few, and not by all that were ever reserved."""
    live = Q(job__requested_by=person, job__state__in=LIVE_JOBS)
    return Entry.objects.filter(live, purse=purse, kind=EntryKind.RESERVE, closed_by=None)


def _append(purse: Purse, kind: EntryKind, seconds: int, now: datetime, **facts: Any) -> Entry:
    last = Entry.objects.filter(purse=purse).order_by("-number").first()
    number, before = (last.number, last.balance) if last else (0, 0)
    return Entry.objects.create(
        purse=purse,
        number=number + 1,
        kind=kind,
        seconds=seconds,
        balance=before + seconds,
        at=now,
        **facts,
    )


def top_up(*, purse: Purse, user: User, now: datetime) -> None:
    """Once a day, fill a person's locked purse to the allowance; what was given besides stays.

    What is reserved over midnight counts as there: it comes back, or the new day pays for the run.
    """
    today = _here(now).date()
    if Entry.objects.filter(purse=purse, kind=EntryKind.ALLOWANCE, day=today).exists():
        return
    full = allowance(user, purse.resource, now=now) or 0
    missing = max(0, full - balance(purse) - reserved_in(purse))
    _append(purse, EntryKind.ALLOWANCE, missing, now, day=today)


# --- what is left --------------------------------------------------------------------------------
def left(user: User, collection_id: int | None, *, now: datetime) -> list[Left]:
    """What this person may still use today, of each kind; one query, whatever was done before."""
    kept = _open_reservations(OuterRef("pk"), OuterRef("person")).order_by().values("purse")
    rows = _with_balance(_paying(user, collection_id, now=now), now).annotate(
        reserved=-Coalesce(Subquery(kept.values(total=Sum("seconds"))), Value(0))
    )
    purses = list(rows)
    return [_left(user, resource, purses, now) for resource in Resource.values]


def _with_balance(purses: QuerySet[Purse], now: datetime) -> QuerySet[Any]:
    entries = Entry.objects.filter(purse=OuterRef("pk"))
    newest = entries.order_by("-number").values("balance")[:1]
    today = entries.filter(kind=EntryKind.ALLOWANCE, day=_here(now).date())
    return purses.annotate(
        balance=Coalesce(Subquery(newest), Value(0), output_field=IntegerField()),
        is_topped_up=Exists(today),
    )


def _left(user: User, resource: str, purses: Iterable[Any], now: datetime) -> Left:
    mine = [each for each in purses if each.resource == resource]
    shared = [each.balance for each in mine if each.collection_id]
    guest = [each.balance for each in mine if each.workshop_id]
    return Left(
        resource,
        own=_own(user, resource, mine, now),
        workshop=max(guest) if guest else None,
        collection=min(shared) if shared else None,
    )


def _own(user: User, resource: str, purses: Sequence[Any], now: datetime) -> int | None:
    full = allowance(user, resource, now=now)
    if full is None:
        return None
    own = next((each for each in purses if each.person_id), None)
    if own is None:
        return full
    missing = 0 if own.is_topped_up else max(0, full - own.balance - own.reserved)
    return int(own.balance + missing)


def balances(purses: QuerySet[Purse], *, now: datetime) -> QuerySet[Any]:
    """Purses with their `balance`, for lists."""
    return _with_balance(purses, now).order_by(F("resource").asc(), "pk")


def used_by(job: Job) -> int | None:
    """Seconds that were charged for a run; None when it cost nothing."""
    closed = Entry.objects.filter(job=job, kind=EntryKind.SETTLE).order_by("pk")
    return closed.values_list("used", flat=True).first()


def minutes(seconds: int) -> str:
    """Machine time as people say it: "40 s", "12 min", "3 h 20 min"."""
    seconds = max(0, seconds)
    if seconds < 120:
        return str(_("%(n)s s") % {"n": seconds})
    if seconds < 2 * 3600:
        return str(_("%(n)s min") % {"n": seconds // 60})
    if not seconds % 3600 // 60:
        return str(_("%(n)s h") % {"n": seconds // 3600})
    return str(_("%(h)s h %(m)s min") % {"h": seconds // 3600, "m": seconds % 3600 // 60})
