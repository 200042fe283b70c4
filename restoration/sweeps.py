"""The clock is a visitor: what it does when it comes by, every few seconds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.core.cache import cache

from archive.actions import sweep_readings
from archive.batches import sweep_batches
from archive.pairing import sweep_sides
from archive.renditions import note_found, sweep_renditions
from archive.uploading import sweep_uploads
from restoration import counting
from restoration.actions.claims import end_withdrawn, expire_due
from restoration.actions.giving import refill_turns
from restoration.actions.jobs import cancel_withdrawn, look_at_new_photos, sweep_jobs
from restoration.actions.reviews import lapse_due
from restoration.actions.standing import promote_due
from restoration.holdings import unrendered
from restoration.tasks import ring_for_fixity

logger = logging.getLogger(__name__)

PROMOTE_EVERY = 3600  # seconds


def promote_hourly(*, now: datetime) -> int:
    """Trust grows over days; looking for it every few seconds would be in vain."""
    return promote_due(now=now) if cache.add("promoted", now.isoformat(), PROMOTE_EVERY) else 0


STRAYS_EVERY, STRAYS_AT_ONCE = 3600, 20_000  # seconds, files


def find_strays(*, now: datetime) -> int:
    """Note working files that have no rendition: from before there were any, or from a backup."""
    if not cache.add("strays-sought", now.isoformat(), STRAYS_EVERY):
        return 0
    return note_found(unrendered(most=STRAYS_AT_ONCE))


Rounds = Mapping[str, Callable[..., int]]
ROUNDS: Rounds = {
    "readings": sweep_readings,
    "sides": sweep_sides,
    "batches": sweep_batches,
    "uploads": sweep_uploads,
    "jobs": sweep_jobs,
    "new photos": look_at_new_photos,
    "claims": expire_due,
    "runs of withdrawn photos": cancel_withdrawn,
    "claims on withdrawn photos": end_withdrawn,
    "turns": refill_turns,
    "changes of sums": counting.add_up,
    "counts that differed": counting.recount_nightly,
    "reviews": lapse_due,
    "trust": promote_hourly,
    "checks of files": ring_for_fixity,
    "files without tiles": find_strays,
    "tiles": sweep_renditions,
}


def sweep(*, now: datetime, besides: Rounds = MappingProxyType({})) -> dict[str, int]:
    """One round of each; one that fails is logged and does not keep the others from theirs.

    `besides` are rounds of the parts above this one.
    """
    done: dict[str, int] = {}
    for name, work in {**ROUNDS, **besides}.items():
        try:
            done[name] = work(now=now)
        except Exception:
            logger.exception("the sweep of %s failed", name)
    return done
