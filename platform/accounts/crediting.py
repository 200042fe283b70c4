"""Take one's name out of what is published, and put it back; what was frozen stays as it is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from archive.models import Event
from archive.policy import check_steward


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
    rows = User.objects.filter(pk=person.pk, closed_at=None, name_hidden_at__isnull=False)
    with transaction.atomic():
        if rows.update(name_hidden_at=None):
            _tell("person.name-shown", person, by, now)
            person.name_hidden_at = None


def _check(person: User, by: User) -> None:
    """Everybody for themselves, also who is suspended; a steward for anybody."""
    if person.pk != by.pk:
        check_steward(by)


def _tell(verb: str, person: User, by: User, now: datetime) -> None:
    Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})
