"""Which working files want tiles or newer sizes, and the calling of workers for them.

1. Whoever keeps a working file notes it in the same transaction, and a worker is called at once.
2. The sweep calls again, for few at a time: what nobody can look at closely yet comes first, then,
   at a bounded rate, what an older pipeline made, which is shown until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import F, Q, QuerySet

from archive import clock, tasks
from archive.models import Rendition
from archive.sizes import PIPELINE

LEASE = timedelta(minutes=15)
ATTEMPTS = 3
# How long a bell may go unheard, and how many may be out at once: people's jobs wait beside them.
UNHEARD = timedelta(minutes=3)
AT_ONCE = 4
HOUR = 3600


def note(sha256: str, *, now: datetime, hurry: bool = False) -> None:
    """A working file was kept with its sizes: its tiles are to be made. Known ones stay as is.

    A worker is called at once unless enough are called already, as when a whole box of scans comes
    in; with `hurry` also then.
    """
    fresh = Rendition(sha256=sha256, sizes=PIPELINE)
    Rendition.objects.bulk_create([fresh], ignore_conflicts=True)
    if not hurry and _out(now) >= AT_ONCE:
        return
    unmade = Rendition.objects.filter(sha256=sha256, tiles=0, taken_at=None)
    quiet = Q() if hurry else Q(rung_at=None)
    if unmade.filter(quiet).update(rung_at=now):
        tasks.ring_for_rendition(sha256=sha256)


def note_found(found: Iterable[str]) -> int:
    """Files from before there were such rows: their sizes are of the first pipeline."""
    rows = [Rendition(sha256=sha256, sizes=1) for sha256 in found]
    Rendition.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def waiting() -> QuerySet[Rendition]:
    """What some worker should make and this pipeline has not given up."""
    old = Q(tiles__lt=PIPELINE) | Q(sizes__lt=PIPELINE)
    return Rendition.objects.filter(old).exclude(given_up=PIPELINE)


def sweep_renditions(*, now: datetime) -> int:
    """Call for what waits, so few at once that nobody's job stands behind it for long."""
    _let_go(now)
    out = _out(now)
    free = waiting().exclude(_called(now)).filter(taken_at=None)
    new = free.filter(tiles=0).order_by(F("rung_at").asc(nulls_first=True), "pk")
    found = [each.pk for each in new[: max(0, AT_ONCE - out)]]
    if not found and out < AT_ONCE and _may_remake(now):
        found = [each.pk for each in free.filter(tiles__gt=0).order_by("rung_at", "pk")[:1]]
    for sha256 in found:
        Rendition.objects.filter(pk=sha256).update(rung_at=now)
        tasks.ring_for_rendition(sha256=sha256)
    return len(found)


def _out(now: datetime) -> int:
    """For how many a worker is called or at work."""
    return waiting().filter(Q(taken_at__isnull=False) | _called(now)).count()


def _called(now: datetime) -> Q:
    return Q(rung_at__gte=now - UNHEARD, rung_at__lte=now + clock.AHEAD)


def _may_remake(now: datetime) -> bool:
    """One now and then: so many an hour as the operator allows."""
    pause = max(1, HOUR // settings.REMAKES_PER_HOUR)
    return bool(cache.add("rendition-remade", now.isoformat(), pause))


def _let_go(now: datetime) -> None:
    """A lease whose worker went silent ends; after too many of them this pipeline gives up."""
    gone = Rendition.objects.filter(Q(taken_at__lt=now - LEASE) | Q(taken_at__gt=now + clock.AHEAD))
    gone.filter(attempts__gte=ATTEMPTS).update(taken_at=None, attempts=0, given_up=PIPELINE)
    gone.update(taken_at=None, rung_at=None)


# --- for the worker ------------------------------------------------------------------------------
def take(*, sha256: str, now: datetime) -> Rendition | None:
    """Start the lease by compare-and-set; None when there is nothing to do or another is at it."""
    free = waiting().filter(Q(taken_at=None) | Q(taken_at__lt=now - LEASE), pk=sha256)
    if not free.update(taken_at=now, attempts=F("attempts") + 1):
        return None
    return Rendition.objects.filter(pk=sha256, taken_at=now).first()


def made(*, rendition: Rendition, tiles_bytes: int, now: datetime) -> bool:
    """It is of this pipeline now; False when another worker holds it meanwhile."""
    held = Rendition.objects.filter(pk=rendition.pk, taken_at=rendition.taken_at)
    done = {"sizes": PIPELINE, "tiles": PIPELINE, "tiles_bytes": tiles_bytes, "made_at": now}
    return bool(held.update(**done, taken_at=None, attempts=0, given_up=0))


def put_off(*, rendition: Rendition, now: datetime) -> None:
    """Leave it for the sweep without counting the try: a part of the site was away."""
    held = Rendition.objects.filter(pk=rendition.pk, taken_at=rendition.taken_at)
    held.update(taken_at=None, rung_at=now, attempts=F("attempts") - 1)


def failed(*, rendition: Rendition) -> None:
    """Leave it for the sweep, or give up until there is another pipeline."""
    held = Rendition.objects.filter(pk=rendition.pk, taken_at=rendition.taken_at)
    last = rendition.attempts >= ATTEMPTS
    ended = {"attempts": 0, "given_up": PIPELINE} if last else {}
    held.update(taken_at=None, **ended)


# --- for pages -----------------------------------------------------------------------------------
def tiled(found: Iterable[str]) -> dict[str, int]:
    """Which of these working files have tiles, and of which pipeline."""
    rows = Rendition.objects.filter(pk__in=set(found), tiles__gt=0)
    return dict(rows.values_list("pk", "tiles"))


def lost(sha256: str, pipeline: int) -> None:
    """The archive that a row tells of is not there: it is to be made again."""
    Rendition.objects.filter(pk=sha256, tiles=pipeline).update(tiles=0, rung_at=None)
