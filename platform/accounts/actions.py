"""Give and take offices, switch accounts off and on, let somebody in again who lost the password,
give and end the tokens of programs."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import Token

from accounts import letters
from accounts.models import User
from archive.models import Collection, Curatorship, Event
from archive.policy import Refused, check_steward
from archive.trust import Trust


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
        stewards = _able().select_for_update().filter(is_steward=True)
        if not [each for each in stewards if each.pk != person.pk]:
            raise Refused(
                "last-steward",
                _("The site needs a steward. Make another one first."),
                conflict=True,
            )
        _mark(person, by, now, is_steward=False)


def _able() -> QuerySet[User]:
    """Whoever can do something here: a suspended account only looks, one that is off not even."""
    return User.objects.filter(is_active=True).exclude(trust=Trust.SUSPENDED)


def _mark(person: User, by: User | None, now: datetime, *, is_steward: bool) -> None:
    # Asked of the row as it is now: it may have been suspended since it was read.
    if is_steward and not _able().filter(pk=person.pk).exists():
        raise _cannot_work()
    with transaction.atomic():
        rows = _able() if is_steward else User.objects.all()
        changed = rows.filter(pk=person.pk, is_steward=not is_steward)
        if changed.update(is_steward=is_steward):
            verb = "steward.made" if is_steward else "steward.unmade"
            Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})
    person.is_steward = is_steward


def _cannot_work() -> Refused:
    return Refused(
        "cannot-work",
        _("This account is suspended or switched off. Bring it back first."),
        conflict=True,
    )


def appoint_curator(*, person: User, collection: Collection, by: User, now: datetime) -> None:
    """Let somebody decide for a collection who can work; who has left gets no office."""
    check_steward(by)
    with transaction.atomic():
        # Locked: nobody closes or suspends the account between the question and the row.
        if _able().select_for_update().filter(pk=person.pk).first() is None:
            raise _cannot_work()
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
    """Let the person sign in again; not where they closed their account themselves."""
    check_steward(by)
    with transaction.atomic():
        rows = User.objects.filter(pk=person.pk, is_active=False)
        if rows.filter(closed_at=None).update(is_active=True):
            _tell("person.switched-on", person, by, now)
        elif rows.exists():
            raise Refused("closed", _("Its owner closed this account for good."), conflict=True)


def _tell(verb: str, person: User, by: User, now: datetime) -> None:
    Event.objects.create(actor=by, verb=verb, at=now, facts={"person": person.pk})


def choose_language(*, person: User, language: str) -> None:
    """What the next device speaks to somebody; one that the site does not speak changes nothing."""
    if language in dict(settings.LANGUAGES):
        User.objects.filter(pk=person.pk).update(language=language)
        person.language = language


# --- a new password ------------------------------------------------------------------------------
def send_password_link(*, person: User, by: User, now: datetime) -> None:
    """Send somebody, to their own address, the link to a new password."""
    check_steward(by)
    _check_on(person)
    address = EmailAddress.objects.get_primary_email(person)
    if not (address and letters.are_sent()):
        raise Refused(
            "no-letter",
            _("No letter can reach this person. Give them a link yourself."),
            conflict=True,
        )
    # In no transaction: the mail server takes its time, and everybody's writing would wait for it.
    words = {"user": person, "link": get_adapter().password_link(person)}
    if not get_adapter().send_mail("account/email/link_sent", address, words):
        raise Refused(
            "letter-lost",
            _("We could not send the letter. Please try again in some minutes."),
            conflict=True,
        )
    _tell("person.link-sent", person, by, now)


def give_sign_in_link(*, person: User, by: User, now: datetime) -> str:
    """The link to a new password, to hand over in person; whoever has an address is told of it."""
    check_steward(by)
    _check_on(person)
    link: str = get_adapter().password_link(person)
    _tell("person.link-given", person, by, now)
    get_adapter().send_notification_mail("account/email/link_given", person)
    return link


def correct_address(*, person: User, address: str, by: User, now: datetime) -> int:
    """Put another address in place of all that the person had; only this one resets now. Gives how
    many of those before were told of it by a letter."""
    check_steward(by)
    _check_on(person)
    new = _address(address)
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=person.pk)
        _check_free(new, row)
        rows = EmailAddress.objects.filter(user=row)
        before = {row.email, *rows.values_list("email", flat=True)} - {"", new}
        rows.delete()
        EmailAddress.objects.create(user=row, email=new, primary=True, verified=False)
        row.email = person.email = new
        row.save(update_fields=["email"])
        _tell("person.address-corrected", person, by, now)
    return sum(_told_of(new, old, row) for old in sorted(before))


def _told_of(new: str, old: str, person: User) -> int:
    words = {"from_email": old, "to_email": new}
    left: int = get_adapter().send_notification_mail(
        "account/email/email_changed", person, words, old
    )
    return left if letters.are_sent() else 0


def _check_on(person: User) -> None:
    if not User.objects.filter(pk=person.pk, is_active=True).exists():
        raise Refused("is-off", _("This account is switched off."), conflict=True)


def _check_free(address: str, person: User) -> None:
    """Where somebody else reads letters, this person would never get one."""
    others = EmailAddress.objects.filter(email__iexact=address, verified=True).exclude(user=person)
    if others.exists():
        words = _("Another account has confirmed this address. Nothing was changed.")
        raise Refused("address-taken", words, conflict=True)


def _address(said: str) -> str:
    try:
        validate_email(said.strip())
    except ValidationError:
        raise Refused(
            "no-address", _("This is not an e-mail address. Nothing was changed."), invalid=True
        ) from None
    return said.strip().lower()


# --- programs ------------------------------------------------------------------------------------
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
