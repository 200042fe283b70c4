"""Photos that look alike: the fingerprint of each, and the pairs a person decides about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PAIR_MOVES, Moves, PairState, PhotoState
from archive.stateful import Stateful

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

BANDS, BAND_BITS = 4, 16
BAND_MASK = (1 << BAND_BITS) - 1


def bands_of(fingerprint: int) -> list[int]:
    """The fingerprint in four pieces of 16 bits, the highest first."""
    return [fingerprint >> BAND_BITS * at & BAND_MASK for at in reversed(range(BANDS))]


def joined(a: int, b: int, c: int, d: int) -> int:
    """The fingerprint whose four pieces these are."""
    return a << 48 | b << 32 | c << 16 | d


class Fingerprint(models.Model):
    """How a photo looks, in 64 bits, cut into four bands.

    Of two fingerprints that differ in at most eleven bits, one band differs in at most two: so a
    few hundred look-ups in an index find them, however many photos there are.
    """

    photo = models.OneToOneField(
        "archive.Photo", on_delete=models.CASCADE, primary_key=True, related_name="fingerprint"
    )
    # As the photo's, which never changes: the search stays within one collection. No index
    # begins with it: while a box is taken in, statistics are old, and PostgreSQL would then read
    # the whole collection by that one instead of a band.
    collection = models.ForeignKey(
        "archive.Collection", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    a = models.IntegerField()
    b = models.IntegerField()
    c = models.IntegerField()
    d = models.IntegerField()

    class Meta:
        verbose_name = _("fingerprint")
        verbose_name_plural = _("fingerprints")
        indexes = (
            # The search looks in each band by itself.
            models.Index(fields=("a", "collection"), name="fingerprint_a"),
            models.Index(fields=("b", "collection"), name="fingerprint_b"),
            models.Index(fields=("c", "collection"), name="fingerprint_c"),
            models.Index(fields=("d", "collection"), name="fingerprint_d"),
        )

    def __str__(self) -> str:
        return f"{self.a:04x}{self.b:04x}{self.c:04x}{self.d:04x}"


class PairQuerySet(models.QuerySet["Pair"]):
    def visible_to(self, user: User | AnonymousUser) -> PairQuerySet:
        """The pairs of the collections in which this person decides."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_steward else self.filter(collection__curatorships__user=user)


class Pair(Stateful):
    """Two photos of a collection that look alike, and what a curator says they are."""

    moves: ClassVar[Moves] = PAIR_MOVES

    collection = models.ForeignKey(
        "archive.Collection", on_delete=models.PROTECT, related_name="pairs"
    )
    first = models.ForeignKey("archive.Photo", on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey("archive.Photo", on_delete=models.PROTECT, related_name="+")
    # In how many of the 64 bits they differ; none when a person or a file says they belong.
    distance = models.PositiveSmallIntegerField(null=True)
    state = models.CharField(
        _("state"), max_length=12, choices=PairState, default=PairState.WAITING
    )
    found_at = models.DateTimeField(_("found"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # The one of the two that is worked on; the other is a second copy, a back, a poorer scan.
    stays = models.ForeignKey(
        "archive.Photo", on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Whether this decision took the other one off the wall, so that taking it back returns it.
    put_aside = models.BooleanField(default=False)

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name = _("pair of photos")
        verbose_name_plural = _("pairs of photos")
        constraints = (
            models.UniqueConstraint(fields=("first", "second"), name="pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="pair_in_order"),
            models.CheckConstraint(
                condition=Q(state__in=PairState.values), name="pair_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "different"), stays__isnull=True)
                | (Q(stays=F("first")) | Q(stays=F("second"))),
                name="pair_decided_says_which_stays",
            ),
        )
        indexes = (
            # The queue of a collection.
            models.Index(fields=("collection", "state", "found_at"), name="pair_queue"),
            models.Index(fields=("second", "state"), name="pair_of_second"),
        )

    def __str__(self) -> str:
        return f"{self.first_id} / {self.second_id}"

    def other_of(self, photo_id: int) -> int:
        """The key of the one beside it."""
        return self.second_id if photo_id == self.first_id else self.first_id

    @property
    def likely_stays(self) -> int:
        """The key of the one to choose beforehand: the older, unless only the newer is ready."""
        only_newer = self.second.state == PhotoState.READY != self.first.state
        return self.second_id if only_newer else self.first_id

    def record(
        self, verb: str, *, by: User | None, at: datetime, facts: Mapping[str, Any] | None = None
    ) -> None:
        """A line in the history of both photos."""
        from archive.models import Event  # it stands on this module

        Event.objects.bulk_create(
            Event(
                photo_id=photo,
                actor_id=by.pk if by else None,
                verb=f"pair.{verb}",
                at=at,
                facts={"id": self.pk, "other": self.other_of(photo), **(facts or {})},
            )
            for photo in (self.first_id, self.second_id)
        )
