"""Give and take offices, switch accounts off and on, give and end the tokens of programs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import Token

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


# --- accounts ------------------------------------------------------------------------------------
def switch_off(*, person: User, by: User, now: datetime) -> None:
    """Let nobody sign in with an account; what was made with it stays. A steward's stays on."""
    check_steward(by)
    with transaction.atomic():
        rows = User.objects.filter(pk=person.pk)
        if rows.filter(is_active=True, is_steward=False).update(is_active=False):
            _tell("person.switched-off", person, by, now)
        elif rows.filter(is_steward=True).exists():
            raise Refused("is-steward", _("Take the office of steward back first."), conflict=True)


def switch_on(*, person: User, by: User, now: datetime) -> None:
    """Let the person sign in again."""
    check_steward(by)
    with transaction.atomic():
        if User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            _tell("person.switched-on", person, by, now)


def _tell(verb: str, person: User, by: User, now: datetime) -> None:
    Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})


def give_token(*, person: User) -> str | None:
    """What programs sign in with, the same until it ends; None when the password is a new one.

    `person` is as read when the password was checked.
    """
    with transaction.atomic():
        # Locked until the token is there: a password that changes after this ends it.
        rows = User.objects.select_for_update().filter(pk=person.pk, password=person.password)
        if rows.first() is None:
            return None
        token, _new = Token.objects.get_or_create(user=person)
    return str(token.key)


def end_token(*, person: User) -> None:
    """Sign out every program that signs in as this person; the next one gets another token."""
    Token.objects.filter(user=person).delete()
