"""Two addresses for those who watch the site: does it answer, and can it work."""

import logging
from collections.abc import Callable

from celery import current_app
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

BROKER_TIMEOUT = 3


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; touch nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Say of each part the site stands on whether it answers; 503 when one does not."""
    parts = {name: _answers(ask) for name, ask in PARTS.items()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as link:
        link.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)


def _storage() -> None:
    # A name that is not there: the answer does not matter, that there is one does.
    default_storage.exists("health")


PARTS: dict[str, Callable[[], None]] = {
    "database": _database,
    "broker": _broker,
    "storage": _storage,
}


def _answers(ask: Callable[[], None]) -> bool:
    """Tell whether `ask` comes back; the reason why not goes to our log, not on the page."""
    try:
        ask()
    except Exception:
        logger.warning("not ready: %s", ask.__name__.strip("_"), exc_info=True)
        return False
    return True
