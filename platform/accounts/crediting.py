"""Take one's name out of what is published, and put it back; what was frozen stays as it is.

Whoever took it out puts it back: its owner, or the stewards.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.queries import hid_own_name
from archive.models import Event
from archive.policy import Refused, check_steward
from archive.trust import is_suspended


def hide_name(*, person: User, by: User, now: datetime) -> None:
    """What this person made, reviewed or published says "a volunteer" from now on."""
    _check(person, by)
    with transaction.atomic():
        if User.objects.filter(pk=person.pk, name_hidden_at=None).update(name_hidden_at=now):
            _tell("person.name-hidden", person, by, now)
            person.name_hidden_at = now


def show_name(*, person: User, by: User, now: datetime) -> None:
    """The name that was frozen with each picture is shown again."""
    _check(person, by)
    rows = User.objects.filter(pk=person.pk, name_hidden_at__isnull=False)
    with transaction.atomic():
        # Locked: who hid it is asked of the hiding that ends here.
        if rows.select_for_update().first() is None:
            return
        _check_side(person, by)
        if rows.update(name_hidden_at=None):
            _tell("person.name-shown", person, by, now)
            person.name_hidden_at = None


def _check(person: User, by: User) -> None:
    """Everybody for themselves, also who is suspended; a steward for anybody."""
    if person.pk != by.pk:
        check_steward(by)


def may_show(person: User, asks: User) -> bool:
    """Whether somebody may put a hidden name back: after their own wish, or as a steward."""
    if hid_own_name(person):
        return person.pk == asks.pk
    return asks.is_steward and not is_suspended(asks)


def _check_side(person: User, by: User) -> None:
    if may_show(person, by):
        return
    if person.pk == by.pk:
        words = _("A steward took your name out. Only a steward can put it back.")
        raise Refused("steward-hid-it", words, conflict=True)
    words = _("This person took their name out themselves. Only they can put it back.")
    raise Refused("owner-hid-it", words, conflict=True)


def _tell(verb: str, person: User, by: User, now: datetime) -> None:
    Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})
