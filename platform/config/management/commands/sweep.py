"""`manage.py sweep`: one round of the clock's work, or a round every few seconds."""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from accounts.leaving import give_back_closed
from archive import clock
from config import halves, pages_ahead
from restoration.sweeps import sweep

ALIVE = "sweeper-alive"
# The rounds of the parts above the restoration.
BESIDES = {
    "public pages": pages_ahead.make,
    "what closed accounts held": give_back_closed,
    "halves of uploads": halves.clear_hourly,
}

logger = logging.getLogger(__name__)


def _round() -> dict[str, int]:
    """What was done, by name; a database that is away for a moment does not end the sweeper."""
    try:
        done = sweep(now=clock.now(), besides=BESIDES)
        return {name: count for name, count in done.items() if count}
    except DatabaseError:
        logger.warning("the database is away; sweeping again later", exc_info=True)
        return {}


class Command(BaseCommand):
    help = "Expire claims and reviews, give lost jobs to the next worker, look at new photos."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=0, help="seconds between rounds")

    def handle(self, *args: Any, **options: Any) -> None:
        every, stop = options["every"], threading.Event()
        if every:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            close_old_connections()
            began = time.monotonic()
            done = _round()
            (settings.VAR_DIR / ALIVE).touch()  # for whoever watches this process
            if done:
                logger.info("swept %s", ", ".join(f"{what}: {n}" for what, n in done.items()))
            if not every or stop.wait(max(0.0, every - (time.monotonic() - began))):
                break
