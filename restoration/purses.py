"""Machine time as rows: purses, the append-only ledger over them, workshops and their guests.

A purse is never a number somebody overwrites: what is left of it is the balance that its newest
entry carries. A trigger refuses to change an entry, another one that does not add up.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.models import ALPHABET, Collection

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Resource(models.TextChoices):
    CPU = "cpu", pgettext_lazy("machine time", "processor")
    GPU = "gpu", pgettext_lazy("machine time", "graphics card")


class EntryKind(models.TextChoices):
    ALLOWANCE = "allowance", pgettext_lazy("entry of a ledger", "the day's allowance")
    GRANT = "grant", pgettext_lazy("entry of a ledger", "given")
    RESERVE = "reserve", pgettext_lazy("entry of a ledger", "reserved")
    SETTLE = "settle", pgettext_lazy("entry of a ledger", "settled")
    REFUND = "refund", pgettext_lazy("entry of a ledger", "given back")


CLOSING = (EntryKind.SETTLE, EntryKind.REFUND)


def new_code() -> str:
    """A workshop's code: read aloud, written on a board."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


class WorkshopQuerySet(models.QuerySet["Workshop"]):
    def visible_to(self, user: User | AnonymousUser) -> WorkshopQuerySet:
        """Those of the collections in which this person decides."""
        collections = Collection.objects.curated_by(user).values("pk")
        return self.filter(collection__in=collections)


class Workshop(models.Model):
    """A code that makes its guests regular for a day and pays for their runs in one collection."""

    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="workshops")
    title = models.CharField(_("title"), max_length=120)
    code = models.CharField(_("code"), max_length=12, unique=True, default=new_code)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    # Until when the code lets people in.
    open_until = models.DateTimeField(_("open until"))
    seats = models.PositiveSmallIntegerField(_("people"), default=40)

    objects = WorkshopQuerySet.as_manager()

    class Meta:
        verbose_name = _("workshop")
        verbose_name_plural = _("workshops")
        indexes = (models.Index(fields=("collection", "made_at"), name="workshop_list"),)

    def __str__(self) -> str:
        return self.title


class Guest(models.Model):
    """That a person took part in a workshop, and until when it pays for them."""

    workshop = models.ForeignKey(Workshop, on_delete=models.PROTECT, related_name="guests")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workshops"
    )
    joined_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = (models.UniqueConstraint(fields=("workshop", "person"), name="guest_once"),)
        indexes = (models.Index(fields=("person", "until"), name="guest_now"),)

    def __str__(self) -> str:
        return f"{self.person_id} at {self.workshop_id}"


class Purse(models.Model):
    """The machine time of one kind that a person, a collection or a workshop may use."""

    resource = models.CharField(_("kind"), max_length=3, choices=Resource)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="purses"
    )
    collection = models.ForeignKey(
        Collection, on_delete=models.PROTECT, null=True, related_name="purses"
    )
    workshop = models.ForeignKey(
        Workshop, on_delete=models.PROTECT, null=True, related_name="purses"
    )
    # A collection whose limit was lifted spends freely; its ledger stays.
    is_limited = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("purse")
        verbose_name_plural = _("purses")
        constraints = (
            models.UniqueConstraint(fields=("person", "resource"), name="purse_of_a_person"),
            models.UniqueConstraint(
                fields=("collection", "resource"), name="purse_of_a_collection"
            ),
            models.UniqueConstraint(fields=("workshop", "resource"), name="purse_of_a_workshop"),
            models.CheckConstraint(
                condition=Q(person__isnull=False, collection=None, workshop=None)
                | Q(person=None, collection__isnull=False, workshop=None)
                | Q(person=None, collection=None, workshop__isnull=False),
                name="purse_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(resource__in=Resource.values), name="purse_resource_known"
            ),
        )

    def __str__(self) -> str:
        owner = self.person_id or self.collection_id or self.workshop_id
        return f"{self.resource} of {owner}"


class Entry(models.Model):
    """One line of a purse's ledger: seconds in or out, and what is left after it."""

    purse = models.ForeignKey(Purse, on_delete=models.PROTECT, related_name="entries")
    # 1, 2, 3 ...: two hands that append at once cannot both have the same number.
    number = models.PositiveIntegerField()
    kind = models.CharField(_("kind"), max_length=9, choices=EntryKind)
    seconds = models.IntegerField(_("seconds"))
    balance = models.IntegerField(pgettext_lazy("of what a purse held", "left"))
    job = models.ForeignKey(
        "restoration.Job", on_delete=models.PROTECT, null=True, related_name="entries"
    )
    closes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="closed_by"
    )
    # What the run really took; only of a settlement.
    used = models.PositiveIntegerField(null=True)
    # Which day an allowance was for.
    day = models.DateField(null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = (
            models.UniqueConstraint(fields=("purse", "number"), name="entry_number_once"),
            models.UniqueConstraint(
                fields=("purse", "day"), condition=Q(kind="allowance"), name="entry_allowance_once"
            ),
            # A job has one reservation in a purse, and a closing line names what it closes.
            models.UniqueConstraint(
                fields=("purse", "job"), condition=Q(kind="reserve"), name="entry_reserve_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="reserve")
                | Q(seconds__lt=0, balance__gte=0, job__isnull=False, closes=None),
                name="entry_reserves_what_is_there",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CLOSING, closes__isnull=False, job__isnull=False)
                | (~Q(kind__in=CLOSING) & Q(closes=None)),
                name="entry_closes_a_reservation",
            ),
            models.CheckConstraint(
                condition=Q(kind="settle", used__isnull=False) | (~Q(kind="settle") & Q(used=None)),
                name="entry_used_is_settled",
            ),
            models.CheckConstraint(
                condition=Q(kind="allowance", day__isnull=False)
                | (~Q(kind="allowance") & Q(day=None)),
                name="entry_allowance_has_a_day",
            ),
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="entry_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.seconds:+d}, {self.balance} left"
