"""Log lines as JSON, each with the id of its request or of its job and attempt.

Nothing personal gets in, by form and not by care: of a library's line only the pattern is kept, not
what was filled in (an address with its query, a person's name, a row's values), and when it came
already filled in only its place in the code; of an error its class and its places, not its message.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from gunicorn.glogging import Logger

from archive import logbook, tracing

OURS = {"config", "api", "accounts", "exhibit", "restoration", "archive"}
HEADER = "X-Request-ID"
SENT = "HTTP_X_REQUEST_ID"  # reading all headers for one would be most of what a kept page costs
GIVEN = re.compile(r"[0-9A-Za-z-]{8,64}")
MOST_PLACES = 30
# What the broker's library calls a queue that belongs to one worker, asked for by another.
LOCKED = "ResourceLocked"
ONE_NAME = (
    "Another worker with this name is here already, so this one ends. Give each worker of a"
    " machine its own: --hostname cpu-1@%h, --hostname cpu-2@%h."
)
NO_VIEW = "none"  # static files, and addresses that lead nowhere
# Set in the environment of a request that the site makes of itself, which is nobody's visit. No
# header of a visitor can be called so.
AHEAD = "rekindle.ahead"

requests = logging.getLogger("config.requests")


class JsonLines(logging.Formatter):
    """One record, one line, one object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write what is safe of the record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **logbook.ids_now(),
            **tracing.ids_now(),
            **getattr(record, "facts", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": " from ".join(_classes(error)), "at": _places(error)}
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    """All of it when it is ours; else its pattern, or its place where it has none."""
    if record.name.partition(".")[0] in OURS:
        return record.getMessage()
    return str(record.msg) if record.args else f"{record.filename}:{record.lineno}"


def _classes(error: BaseException | None) -> Iterator[str]:
    """The class of an error and of those it came from."""
    while error is not None:
        yield f"{type(error).__module__}.{type(error).__qualname__}"
        error = error.__cause__ or error.__context__


def _places(error: BaseException) -> list[str]:
    """Where it came through, the last place last."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_PLACES:]
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]


def view_name(request: HttpRequest) -> str:
    """The name of the view that answered: never the address, which may say whose page it is."""
    match = request.resolver_match
    return (match.view_name if match else "") or NO_VIEW


class RequestIds:
    """Gives each request an id, or keeps the one a proxy gave; one line tells how it went."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if AHEAD in request.META:
            return self.get_response(request)
        name = request_id(request.META)
        started = time.perf_counter()
        with logbook.about(request=name):
            response = self.get_response(request)
            told = str(request.method), view_name(request), response.status_code
            answered(*told, seconds=time.perf_counter() - started)
        response[HEADER] = name
        return response


def request_id(environ: Mapping[str, Any]) -> str:
    """The id that a proxy gave this request, or a new one."""
    given = environ.get(SENT, "")
    return given if GIVEN.fullmatch(given) else secrets.token_hex(16)


def answered(method: str, view: str, status: int, *, seconds: float) -> None:
    """One line tells how a request went."""
    facts = {"method": method, "view": view, "status": status, "seconds": round(seconds, 3)}
    requests.info("answered", extra={"facts": facts})


class OneName(logging.Filter):
    """Says in a sentence why RabbitMQ turns a worker away whose name another one has."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, this one in other words."""
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ == LOCKED:
            record.name, record.msg, record.args = "config.worker", ONE_NAME, ()
            record.exc_info = record.exc_text = None
        return True


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's own lines in the same form; named on its command line."""

    def setup(self, cfg: Any) -> None:
        """Let gunicorn set up its handlers, then give them our form when the settings want it."""
        super().setup(cfg)
        if settings.LOG_FORMAT == "json":
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonLines())
