"""Whether traces are kept, and their start: only where the operator says to whom they go.

Without an address nothing of OpenTelemetry is imported, and nothing is ever sent.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec

from django.conf import settings

logger = logging.getLogger(__name__)

# One of each package that the extra `otel` brings, by the name it is imported by.
WANTED = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.django",
    "opentelemetry.instrumentation.celery",
    "opentelemetry.instrumentation.psycopg2",
)


def is_wanted() -> bool:
    """Whether the settings name somebody who takes traces."""
    return bool(settings.OTEL_ENDPOINT) and not settings.OTEL_SDK_DISABLED


def lacking() -> list[str]:
    """What is not installed of what traces need."""
    return [name for name in WANTED if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a package that it is in
        return False


def start() -> None:
    """Begin to keep traces in this process, if they are wanted and can be kept."""
    if not is_wanted():
        return
    if lacking():
        # The check W006 says what to do; a site is worth more than its traces.
        logger.warning("no traces are kept: %s not installed", ", ".join(lacking()))
        return
    # The one late import: it keeps OpenTelemetry out of every process that does not trace.
    from config import traces

    traces.begin()
