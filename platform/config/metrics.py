"""Figures for Prometheus at /metrics: what the rows say, and how long this site's requests took.

Closed by default: without a token in the settings there is no such page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector

from config.logs import AHEAD, view_name
from restoration.queries.figures import Figures, HistogramFigures, figures
from restoration.tallies import STEP, WAIT, Measure

# Where the library lets several processes of one site add up; set by whoever starts them. It maps
# its files into memory, so on a full disk the kernel would kill (SIGBUS) whoever counts anything.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
# On Linux a folder that is no disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - what is put there has a name that nobody guesses
DAY = 24 * 3600

REQUESTS = Histogram(
    "rekindle_request_seconds",
    "Time from a request's arrival to the start of its answer.",
    ("view", "status"),
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=None,
)


def memory() -> Path | None:
    """A folder in memory that takes files; None where there is none."""
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK) else None


class RequestTimes:
    """Times every request by the name of its view and the class of its answer; by nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        if AHEAD not in request.META:
            seconds = time.perf_counter() - started
            timed(view_name(request), response.status_code, seconds)
        return response


def timed(view: str, status: int, seconds: float) -> None:
    """Add one answered request."""
    REQUESTS.labels(view, f"{status // 100}xx").observe(seconds)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every figure as text, for whoever bears the token."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Rows())
    if SHARED in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REQUESTS)
    return registry


class _Rows:
    """What the database says at this moment, the same at whichever process it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Read once, then tell."""
        queues = [queue.name for queue in settings.CELERY_TASK_QUEUES]
        found = figures(queues=queues, now=timezone.now())
        yield from _of_queues(found)
        yield _attempts(found)
        yield _histogram("rekindle_job_wait", "From asked to first started.", WAIT, found.waits)
        yield _histogram("rekindle_step", "One step of a finished run.", STEP, found.steps)
        yield CounterMetricFamily(
            "rekindle_ingested_bytes", "Bytes of all originals.", found.original_bytes
        )
        yield CounterMetricFamily(
            "rekindle_ingested_originals", "Originals taken in.", found.originals
        )
        yield from _of_kept_bytes(found)


OF_QUEUES = {
    "rekindle_jobs_waiting": ("Jobs that wait.", "waiting"),
    "rekindle_jobs_running": ("Jobs that a worker holds.", "running"),
    "rekindle_jobs_overdue": ("Held jobs whose lease ran out and nobody swept.", "overdue"),
    "rekindle_workers": ("Workers heard of in the last minute.", "workers"),
    "rekindle_oldest_waiting_job_seconds": ("Age of the job that waits longest.", "oldest_seconds"),
}


def _of_queues(found: Figures) -> Iterator[Metric]:
    for name, (words, field) in OF_QUEUES.items():
        family = GaugeMetricFamily(name, words, labels=["queue"])
        for queue in found.queues:
            family.add_metric([queue.queue], getattr(queue, field))
        yield family


def _of_kept_bytes(found: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "rekindle_bad_files", "Files that are missing or altered.", found.bad_files
    )
    words = "Since the file was read again that was not read for longest, as of the last hour."
    unread = GaugeMetricFamily("rekindle_fixity_age_seconds", words)
    if found.unread_seconds is not None:
        unread.add_metric([], found.unread_seconds)
    yield unread
    yield GaugeMetricFamily(
        "rekindle_fixity_age_wanted_seconds",
        "How old that may become by the settings; 0: nothing is read by itself.",
        DAY * settings.FIXITY_DAYS,
    )


def _attempts(found: Figures) -> Metric:
    family = CounterMetricFamily(
        "rekindle_job_attempts",
        "Ended tries at a job; lost: the lease ran out.",
        labels=["outcome"],
    )
    for outcome, count in found.attempts.items():
        family.add_metric([outcome], count)
    return family


def _histogram(name: str, words: str, measure: Measure, found: list[HistogramFigures]) -> Metric:
    family = HistogramMetricFamily(f"{name}_seconds", words, labels=measure.labels)
    for each in found:
        family.add_metric(each.labels, buckets=each.buckets, sum_value=each.seconds)
    return family
