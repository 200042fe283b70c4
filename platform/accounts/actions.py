"""Give and take the offices of steward and curator."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from archive.models import Collection, Curatorship, Event
from archive.policy import Refused, check_steward


def make_steward(*, person: User, by: User, now: datetime) -> None:
    """Let somebody run the site."""
    check_steward(by)
    _mark(person, by, now, is_steward=True)


def install_steward(*, person: User, now: datetime) -> None:
    """Let somebody run the site because whoever runs its machine says so; for the console alone."""
    _mark(person, None, now, is_steward=True)


def unmake_steward(*, person: User, by: User, now: datetime) -> None:
    """Take the office back; the last steward keeps it, or nobody could give it again."""
    check_steward(by)
    with transaction.atomic():
        # Locked where the database can: two stewards may unmake each other at once.
        stewards = User.objects.select_for_update().filter(is_steward=True, is_active=True)
        if not [each for each in stewards if each.pk != person.pk]:
            raise Refused(
                "last-steward",
                _("The site needs a steward. Make another one first."),
                conflict=True,
            )
        _mark(person, by, now, is_steward=False)


def _mark(person: User, by: User | None, now: datetime, *, is_steward: bool) -> None:
    with transaction.atomic():
        changed = User.objects.filter(pk=person.pk, is_steward=not is_steward)
        if changed.update(is_steward=is_steward):
            verb = "steward.made" if is_steward else "steward.unmade"
            Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})
    person.is_steward = is_steward


def appoint_curator(*, person: User, collection: Collection, by: User, now: datetime) -> None:
    """Let somebody decide for a collection."""
    check_steward(by)
    with transaction.atomic():
        _row, created = Curatorship.objects.get_or_create(user=person, collection=collection)
        if created:
            _record("curator.appointed", person, collection, by, now)


def dismiss_curator(*, person: User, collection: Collection, by: User, now: datetime) -> None:
    """Take a collection back from somebody; what they decided stays."""
    check_steward(by)
    with transaction.atomic():
        gone, _rows = Curatorship.objects.filter(user=person, collection=collection).delete()
        if gone:
            _record("curator.dismissed", person, collection, by, now)


def _record(verb: str, person: User, collection: Collection, by: User, now: datetime) -> None:
    facts = {"person": person.pk}
    Event.objects.create(collection=collection, actor=by, verb=verb, at=now, facts=facts)
