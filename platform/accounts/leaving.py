"""Sign out everywhere else, and close one's account: what was made stays, who made it may leave."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import cast

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import letters
from accounts.actions import end_token
from accounts.crediting import hide_name, show_name
from accounts.models import User
from archive.models import Curatorship, Event
from archive.policy import Refused
from archive.stateful import IllegalMove
from archive.trust import Trust
from restoration.actions.claims import release_claim
from restoration.actions.jobs import cancel_job
from restoration.actions.reviews import release_review
from restoration.lifecycle import LIVE_JOBS, ClaimState, ReviewState
from restoration.models import Claim, Draft, Job, Review

# Of each kind, in one round of the sweep.
AT_ONCE = 100


def sign_out_elsewhere(*, person: User, password: str) -> None:
    """End every session but the one that asks, and every program's token.

    The same password hashed anew is another word to the sessions, so none need be looked for.
    """
    _check_password(person, password)
    person.set_password(password)
    person.save(update_fields=["password"])


def close_account(*, person: User, password: str, keep_name: bool, now: datetime) -> None:
    """Let its owner leave for good.

    1. Nobody signs in any more; offices, e-mail addresses, tokens and drafts go at once.
    2. Runs are cancelled, then photos and reviews in hand are given back, each by its own verb.
    3. What was made stays, with the name or without it; a letter says that it is done.

    Cut off after the first it cannot be called again, for the password is gone: the second is then
    done by the sweep (give_back_closed), and the letter is not written.
    """
    _check_password(person, password)
    with transaction.atomic():
        _check_last(person)
        # Locked: nobody is given an office while they leave.
        User.objects.select_for_update().get(pk=person.pk)
        address = person.email
        _leave_offices(person, now)
        is_named = _named(person, keep_name, now)
        EmailAddress.objects.filter(user=person).delete()
        Draft.objects.filter(volunteer=person).delete()
        end_token(person=person)
        _switch_off(person, keep_name, now)
        facts = {"person": person.pk, "name": "kept" if is_named else "hidden"}
        Event.objects.create(actor=person, verb="person.closed", at=now, facts=facts)
    _give_back(person, now)
    _write_to(address, person)


def _named(person: User, keep_name: bool, now: datetime) -> bool:
    """Whether what was published says the name from now on, which a steward may have taken out."""
    if not keep_name:
        hide_name(person=person, by=person, now=now)
        return False
    with suppress(Refused):
        show_name(person=person, by=person, now=now)
    return not User.objects.filter(pk=person.pk, name_hidden_at__isnull=False).exists()


def _check_password(person: User, password: str) -> None:
    if not person.check_password(password):
        raise Refused("wrong-password", _("This is not your password."), invalid=True)


def _check_last(person: User) -> None:
    """The site keeps a steward who can work, as when an office is taken back."""
    stewards = User.objects.select_for_update().filter(is_steward=True, is_active=True)
    working = [each.pk for each in stewards if each.trust != Trust.SUSPENDED]
    if person.is_steward and not set(working) - {person.pk}:
        words = _("The site needs a steward. Make another one before you leave.")
        raise Refused("last-steward", words, conflict=True)


def _leave_offices(person: User, now: datetime) -> None:
    for office in Curatorship.objects.filter(user=person).select_related("collection"):
        office.delete()
        _tell("curator.dismissed", person, now, collection=office.collection)
    if User.objects.filter(pk=person.pk, is_steward=True).update(is_steward=False):
        _tell("steward.unmade", person, now)


def _tell(verb: str, person: User, now: datetime, **where: object) -> None:
    facts = {"person": person.pk}
    Event.objects.create(actor=person, verb=verb, at=now, facts=facts, **where)


def _switch_off(person: User, keep_name: bool, now: datetime) -> None:
    """A password that nobody can type ends every session too."""
    person.email, person.is_active, person.is_steward, person.closed_at = "", False, False, now
    # The office was a row of its own; the name that people see goes with the wish to go unnamed.
    person.display_name = person.display_name if keep_name else ""
    person.set_unusable_password()
    fields = ["email", "is_active", "is_steward", "closed_at", "display_name", "password"]
    person.save(update_fields=fields)


def _give_back(person: User, now: datetime) -> None:
    _end(
        Job.objects.filter(requested_by=person),
        Claim.objects.filter(volunteer=person),
        Review.objects.filter(reviewer=person),
        now,
    )


def give_back_closed(*, now: datetime) -> int:
    """End what closed accounts still have in hand; called by the sweep, so many at a time.

    A closing may be cut off, and whoever was in the middle of a click on another device may have
    taken something a moment later.
    """
    return _end(
        Job.objects.filter(requested_by__closed_at__isnull=False),
        Claim.objects.filter(volunteer__closed_at__isnull=False),
        Review.objects.filter(reviewer__closed_at__isnull=False),
        now,
        most=AT_ONCE,
    )


def _end(
    jobs: QuerySet[Job],
    claims: QuerySet[Claim],
    reviews: QuerySet[Review],
    now: datetime,
    most: int | None = None,
) -> int:
    """Runs before claims: a claim is held while its run is live. What ended by itself, ended."""
    ended = 0
    live = jobs.filter(state__in=LIVE_JOBS).select_related("requested_by")
    for job in live.order_by("pk")[:most]:
        with suppress(Refused, IllegalMove):
            cancel_job(job=job, by=cast(User, job.requested_by), now=now)
            ended += 1
    held = claims.filter(state=ClaimState.OPEN).select_related("volunteer")
    for claim in held.order_by("pk")[:most]:
        with suppress(Refused, IllegalMove):
            release_claim(claim=claim, by=claim.volunteer, now=now)
            ended += 1
    begun = reviews.filter(state=ReviewState.OPEN).select_related("reviewer")
    for review in begun.order_by("pk")[:most]:
        with suppress(Refused, IllegalMove):
            release_review(review=review, by=review.reviewer, now=now)
            ended += 1
    return ended


def _write_to(address: str, person: User) -> None:
    """The last letter; that the post is away undoes nothing."""
    if not (address and letters.are_sent()):
        return
    with translation.override(letters.language_for(address, person)):
        subject = _("Your account is closed")
        words = _(
            "Your account %(name)s at %(site)s is closed, as you asked. Your e-mail address is"
            " deleted there, so this is our last letter.\n\nIf it was not you, write to"
            " %(contact)s soon.\n"
        ) % {
            "name": person.get_username(),
            "site": settings.SITE_URL,
            "contact": settings.CONTACT_MAIL,
        }
    prefix = settings.ACCOUNT_EMAIL_SUBJECT_PREFIX
    letters.send(EmailMessage(f"{prefix}{subject}", words, to=[address]), None)
