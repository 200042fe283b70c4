"""How far a batch has come, how fast it goes and how long it will take."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from archive.intake import Batch
from archive.lifecycle import AT_WORK, BatchState, FileStep

# The rate is that of the last minutes: what went quickly an hour ago says nothing about now.
WINDOW = timedelta(minutes=2)


@dataclass(frozen=True)
class Progress:
    """`rate` is in files a second, None before there is one; `left` in seconds, None when unknown.

    A list of lists grows while it is opened, so `total` is what is known of up to now.
    """

    done: int
    total: int
    rate: float | None
    left: float | None

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def of(batch: Batch, now: datetime) -> Progress:
    """Counted from the rows, in two queries."""
    steps = dict(batch.files.values_list("step").annotate(Count("pk")))
    total = sum(steps.values())
    done = total - steps.get(FileStep.LISTED, 0)
    if batch.state not in AT_WORK:
        return Progress(done, total, None, None)
    if batch.state == BatchState.LOOKING:
        return Progress(done, total, None, None)
    rate = _rate(batch, now)
    return Progress(done, total, rate, (total - done) / rate if rate else None)


def _rate(batch: Batch, now: datetime) -> float | None:
    began = batch.taking_since or now
    since = max(began, now - WINDOW)
    seconds = (now - since).total_seconds()
    settled = batch.files.filter(settled_at__gt=since, settled_at__lte=now).count()
    return settled / seconds if settled and seconds > 0 else None


def is_silent(batch: Batch, now: datetime) -> bool:
    """Whether nobody has been at work on it for a while, though somebody should."""
    last = max(filter(None, (batch.beat_at, batch.rung_at, batch.taking_since, batch.begun_at)))
    return batch.state in AT_WORK and now - last > WINDOW


def span(seconds: float) -> str:
    """A time that is left, in words, as roughly as it is known."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return gettext("less than a minute")
    if minutes < 90:
        return ngettext("about %(n)d minute", "about %(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(n)d hour", "about %(n)d hours", hours) % {"n": hours}


def sentence(progress: Progress) -> str:
    """Done of total, rate and time left, in one line."""
    told = [gettext("{done} of {total}").format(done=progress.done, total=progress.total)]
    if progress.rate:
        told.append(gettext("{rate} a second").format(rate=f"{progress.rate:.1f}"))
    if progress.left is not None:
        told.append(gettext("{time} left").format(time=span(progress.left)))
    return ", ".join(told)


class Shown:
    """Progress on a terminal: one line that is written over, or a line now and then in a log."""

    def __init__(self, batch: Batch, stream: Any, every: float) -> None:
        self.batch, self.stream, self.every = batch, stream, every
        self.lock, self.last, self.counted = threading.Lock(), time.monotonic(), 0

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.counted and self.stream.isatty():
            self.stream.write("\r\x1b[K", ending="")

    def count(self) -> None:
        """One more file is done."""
        with self.lock:
            self.counted += 1
            if time.monotonic() - self.last < self.every:
                return
            self.last = time.monotonic()
            line = sentence(of(self.batch, timezone.now()))
            if self.stream.isatty():
                self.stream.write(f"\r{line}\x1b[K", ending="")
            else:
                self.stream.write(line)
