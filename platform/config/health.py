"""Two addresses for those who watch the site: does it answer, and can it serve."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from celery import current_app
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive import storage
from restoration import presence

logger = logging.getLogger(__name__)

OK = "ok"
# Longer than a healthy answer takes, shorter than what a watcher waits for ours.
PATIENCE = 4
# Without these no page is whole. All site processes share the others too, and without those the
# pages still serve: jobs wait in their rows, so nobody gains when the whole site leaves rotation.
NEEDED = ("database", "storage")

# Few threads, so that a part that hangs holds these and no more; the next asker is told in time.
_askers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")


def submit(ask: Callable[[], object]) -> Future[object]:
    """Ask a part beside the caller, who waits no longer than PATIENCE."""
    return _askers.submit(ask)


class Missing(Exception):  # noqa: N818 - says what is so
    """A part answered, and what it said is that something is not there; fit to be shown."""


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
    """Say of each part "ok" or what is wrong; 503 when one is missing that pages cannot be without.

    1. The broker and the storage are asked beside us and may take PATIENCE.
    2. The database is asked on this request's own connection, the workers through it.
    """
    asked = {name: submit(ask) for name, ask in ELSEWHERE.items()}
    said = {name: _said(name, ask) for name, ask in HERE.items()}
    wait(asked.values(), timeout=PATIENCE)
    said |= {name: _said(name, partial(answer.result, 0)) for name, answer in asked.items()}
    can_serve = all(said[name] == OK for name in NEEDED)
    return JsonResponse(said, status=200 if can_serve else 503)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _worker() -> None:
    if not presence.alive(now=timezone.now()):
        raise Missing("no worker has been heard of for a minute; jobs wait")


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=PATIENCE) as link:
        link.ensure_connection(max_retries=1, timeout=PATIENCE)


def _storage() -> None:
    # A name that is not there: the answer does not matter, that there is one does.
    storage.exists("health")


HERE: dict[str, Callable[[], object]] = {"database": _database, "worker": _worker}
ELSEWHERE: dict[str, Callable[[], object]] = {"broker": _broker, "storage": _storage}


def _said(name: str, ask: Callable[[], object]) -> str:
    """A part's answer in words; what an error says itself goes to our log, never on the page."""
    try:
        ask()
    except Missing as why:
        return str(why)
    except TimeoutError:
        logger.warning("not ready: %s", name, exc_info=True)
        return "did not answer in time"
    except Exception:
        logger.warning("not ready: %s", name, exc_info=True)
        return "does not answer"
    return OK
