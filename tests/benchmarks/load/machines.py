"""Machines for a thousand volunteers: they take each run in its turn, and make no pixels.

By the platform's own verbs, from the book of workers to the finished version; the seconds are
waited and not worked, because the two cores are wanted for the site.
"""

from __future__ import annotations

import random
import secrets
import signal
import sys
import time
from datetime import datetime, timedelta

import django

django.setup()

from archive import clock  # noqa: E402
from restoration import dispatch, leases, presence  # noqa: E402
from restoration.lifecycle import VersionKind  # noqa: E402
from restoration.models import Job  # noqa: E402

NAME, SLOTS = "cpu@machines", 120
SECONDS = (6.0, 14.0)
DICE = random.Random(5)


def main() -> None:
    """Until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_told: sys.exit(0))
    at_work: list[tuple[datetime, Job]] = []
    announced = 0.0
    while True:
        if time.monotonic() - announced > 10:
            announced = time.monotonic()
            presence.announce(
                name=NAME, queues=["cpu"], offers=[], models=[], slots=SLOTS, now=clock.now()
            )
        at_work = _end(at_work)
        at_work += _begin(SLOTS - len(at_work))
        time.sleep(0.25)


def _end(at_work: list[tuple[datetime, Job]]) -> list[tuple[datetime, Job]]:
    now = clock.now()
    for until, job in at_work:
        if until <= now:
            made = leases.NewVersion(
                kind=VersionKind.MACHINE,
                sha256=secrets.token_hex(32),
                width=4800,
                height=3600,
                frame=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            )
            leases.finish(job=job, made=made, now=now)
    return [(until, job) for until, job in at_work if until > now]


def _begin(free: int) -> list[tuple[datetime, Job]]:
    """As many as there is room for, a few at a time: others want the database too."""
    begun: list[tuple[datetime, Job]] = []
    seat, now = dispatch.seat(NAME), clock.now()
    while seat is not None and len(begun) < min(free, 10):
        taken = dispatch.take(seat, now=now)
        if taken is None:
            break
        begun.append((now + timedelta(seconds=DICE.uniform(*SECONDS)), taken.job))
    return begun


if __name__ == "__main__":
    main()
