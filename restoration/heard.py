"""What a job's row hears of its work: progress, a half-finished picture, that its worker lives.

On the same way the work hears that it was cancelled, took too long, or belongs to another by now.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from numpy.typing import NDArray

from archive import clock, derivatives, tracing
from restoration import drain, leases
from restoration.engine.errors import Cancelled, StepFailed
from restoration.engine.step import LOADING
from restoration.models import MOST_PREVIEW_BYTES, Job

logger = logging.getLogger(__name__)

REPORT_EVERY = 1.0
PREVIEW_SIDE = 512


class Leaving(Exception):  # noqa: N818 - says what happens
    """This worker was asked to leave and its time is over: the job goes to another."""


class Reporter:
    """Writes progress to the row at most once a second, and learns there that the job was taken.

    The newest half-finished picture goes along; those that came in between are forgotten. A step's
    first is told at once, so that also a short one shows something.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.step, self.last = job, "", 0.0
        self.preview: NDArray[np.uint8] | None = None
        self.shown = ""  # the last step of which a picture was told
        self.heard, self.is_loading = time.monotonic(), False
        self.spent = {True: 0.0, False: 0.0}  # seconds, by whether a model was read
        self.lost = threading.Event()

    def __call__(self, step: str, fraction: float, preview: NDArray[Any] | None = None) -> None:
        if self.lost.is_set():
            raise Cancelled("cancelled")
        if drain.is_over():
            raise Leaving
        self._count(step)
        self.preview = self.preview if preview is None else preview
        is_first = preview is not None and step != self.shown
        if step != self.step:
            tracing.note("step", step=step)
        is_early = step == self.step and time.monotonic() - self.last < REPORT_EVERY
        if is_early and not is_first:
            return
        self.step, self.last = step, time.monotonic()
        self.shown = self.shown if preview is None else step
        share = min(max(fraction, 0.0), 1.0)
        shown, self.preview = glimpse(self.preview), None
        self._beat(glimpse=shown, step=step, progress=share)

    def _count(self, step: str) -> None:
        """Work and loading may each take the limit: a large model is not the picture's doing."""
        now = time.monotonic()
        self.spent[self.is_loading] += now - self.heard
        self.heard, self.is_loading = now, step == LOADING
        if max(self.spent.values()) > settings.JOB_LIMIT_SECONDS:
            minutes = round(settings.JOB_LIMIT_SECONDS / 60, 1)
            raise StepFailed("took-too-long", {"minutes": minutes, "step": step})

    def _beat(self, **changes: Any) -> None:
        """A database that is away for a moment does not stop the work; the lease decides."""
        try:
            leases.beat(job=self.job, now=clock.now(), **changes)
        except (OperationalError, InterfaceError):
            connection.close()  # a broken link would never mend by itself
            logger.warning("a beat for job %s did not reach the row", self.job.pk)

    def beat(self, stop: threading.Event, every: float) -> None:
        """Renew the lease while a long step says nothing."""
        while not stop.wait(every):
            try:
                self._beat()
            except leases.LeaseLost:
                self.lost.set()
                break
        connection.close()


def glimpse(preview: NDArray[np.uint8] | None) -> leases.Glimpse | None:
    """A half-finished picture, uint8 HxWx3, as small as its row takes; None when there is none."""
    if preview is None:
        return None
    return leases.Glimpse(*derivatives.glimpse(preview, side=PREVIEW_SIDE, most=MOST_PREVIEW_BYTES))


@contextmanager
def beating(job: Job) -> Iterator[Reporter]:
    report, stop = Reporter(job), threading.Event()
    every = leases.lease().total_seconds() / 6
    # Its lines are about this job too.
    here = contextvars.copy_context()
    heart = threading.Thread(target=here.run, args=(report.beat, stop, every), daemon=True)
    heart.start()
    try:
        yield report
    finally:
        stop.set()
        heart.join(timeout=10)
    if report.lost.is_set():
        raise leases.LeaseLost
