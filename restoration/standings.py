"""Rows that follow from others: where each photo stands, whose turn it is, and the sums.

The database keeps them (restoration.reactions); nothing here decides anything. What decides a race
is still the constraint on claims.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from archive.models import Collection, Photo

WAITS = Q(ready=True, in_review__lte=0, accepted__lte=0, held__lt=F("slots"))


class Standing(models.Model):
    """How many hands are on a photo and how many of its versions stand where.

    Plain integers without a bound: a count that went astray must not keep anybody from work.
    """

    photo = models.OneToOneField(
        Photo, on_delete=models.CASCADE, primary_key=True, related_name="standing"
    )
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="standings", db_index=False
    )
    added_at = models.DateTimeField()
    ready = models.BooleanField(default=False)
    slots = models.IntegerField(default=1)
    held = models.IntegerField(default=0)
    in_review = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    waits = models.GeneratedField(
        expression=Case(When(WAITS, then=Value(True)), default=Value(False)),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("standing of a photo")
        verbose_name_plural = _("standings of photos")
        indexes = (
            # The wall: what waits, the oldest first; in one collection, and the refill of turns.
            models.Index(fields=("added_at", "photo"), condition=Q(waits=True), name="stand_waits"),
            models.Index(
                fields=("collection", "added_at", "photo"),
                condition=Q(waits=True),
                name="stand_waits_in",
            ),
            # The wall by state: each index holds only the photos that stand there.
            models.Index(fields=("added_at", "photo"), condition=Q(held__gt=0), name="stand_held"),
            models.Index(
                fields=("added_at", "photo"), condition=Q(in_review__gt=0), name="stand_review"
            ),
            models.Index(
                fields=("added_at", "photo"), condition=Q(returned__gt=0), name="stand_returned"
            ),
            models.Index(
                fields=("added_at", "photo"), condition=Q(accepted__gt=0), name="stand_done"
            ),
            models.Index(fields=("added_at", "photo"), condition=Q(ready=True), name="stand_any"),
            # One collection in any state; the sums of the recount.
            models.Index(fields=("collection", "added_at", "photo"), name="stand_in"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id}: {self.held} of {self.slots}"


class Turn(models.Model):
    """A photo whose turn it is to be given to whoever asks for one.

    A few dozen for each collection, so that picking costs the same however many photos there are;
    `place` is drawn, so that people who ask together get different ones.
    """

    photo = models.OneToOneField(
        Photo, on_delete=models.CASCADE, primary_key=True, related_name="turn"
    )
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="turns", db_index=False
    )
    place = models.IntegerField()

    class Meta:
        verbose_name = _("turn of a photo")
        verbose_name_plural = _("turns of photos")
        indexes = (
            # The refill counts by collection; the pick goes by place.
            models.Index(fields=("collection", "place"), name="turn_in"),
            models.Index(fields=("place",), name="turn_place"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} at {self.place}"


class Sum(models.Model):
    """How many of a collection's photos, or of a person's versions, stand in a measure."""

    about = models.CharField(max_length=10)
    subject = models.BigIntegerField()
    measure = models.CharField(max_length=12)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("sum")
        verbose_name_plural = _("sums")
        constraints = (
            models.UniqueConstraint(fields=("about", "subject", "measure"), name="sum_once"),
        )

    def __str__(self) -> str:
        return f"{self.about} {self.subject} {self.measure}: {self.value}"


class Change(models.Model):
    """What a transaction added to a sum or took from it, until the sweep has added it up.

    Only ever inserted, so that a thousand volunteers do not wait for one row of their collection.
    """

    about = models.CharField(max_length=10)
    subject = models.BigIntegerField()
    measure = models.CharField(max_length=12)
    change = models.BigIntegerField()

    class Meta:
        verbose_name = _("change of a sum")
        verbose_name_plural = _("changes of sums")
        indexes = (
            # A sum is read together with what is not in it yet.
            models.Index(fields=("about", "subject"), name="change_of"),
        )

    def __str__(self) -> str:
        return f"{self.about} {self.subject} {self.measure} {self.change:+}"
