"""A worker that was asked to leave: it finishes what it works on, or hands it back in time.

The time is in memory that a pool's children share, because only their parent hears the signal.
"""

from __future__ import annotations

import multiprocessing
import time

from django.conf import settings

# Seconds of time.monotonic(), which all processes of a machine share; 0: nobody asked.
_asked_at = multiprocessing.Value("d", 0.0, lock=False)


def ask() -> None:
    """Ask this worker, children and all, to leave. Fit for a signal handler."""
    _asked_at.value = _asked_at.value or time.monotonic()


def forget() -> None:
    """Nobody asks any more."""
    _asked_at.value = 0.0


def is_asked() -> bool:
    """Whether the worker was asked to leave, so that it begins nothing new."""
    return bool(_asked_at.value)


def is_over() -> bool:
    """Whether what is not finished has to be handed back now."""
    return is_asked() and time.monotonic() - _asked_at.value >= settings.DRAIN_SECONDS
