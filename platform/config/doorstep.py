"""Hands a stranger a kept page at the server's door, before Django makes a request of the asking.

Beside gunicorn's own work most of what a repeat cost was Django's way from the door to
config.kept_pages and back. So what went out there is remembered as it went out, with all headers,
and given again for as long as that middleware would not ask anybody either: BELIEVED seconds, in
the same edition, to an asking that is the same in everything that the page varies by. Whatever else
is asked goes the whole way. It is logged and timed like any other request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archive import logbook
from config import kept_pages, logs, metrics, telemetry

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Key = tuple[str, ...]

# With one of these the answer may be another, or is nobody's visit.
OWN_WORDS = (
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "HTTP_IF_NONE_MATCH",
    "QUERY_STRING",
    logs.AHEAD,
)
# What a kept page varies by, and by what the site knows that a visitor came by https.
VARY = (
    "PATH_INFO",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCEPT_ENCODING",
    "wsgi.url_scheme",
    "HTTP_X_FORWARDED_PROTO",
)
# Sheets: of a page come as many as browsers say what they read in different words.
MOST = 512


@dataclass(frozen=True)
class Sheet:
    """An answer as it went out."""

    headers: Headers
    body: bytes
    shown: kept_pages.Shown

    def is_good(self) -> bool:
        """Whether the middleware would send it too, and without asking."""
        fresh = kept_pages.belief.is_fresh(self.shown.edition)
        return fresh and time.time() < self.shown.good_until


class Doorstep:
    """The site's WSGI application, with the last kept pages at its door."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner
        self.sheets: dict[Key, Sheet] = {}

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        started = time.perf_counter()
        key = _key(environ)
        if key is None:
            return self.inner(environ, start_response)
        sheet = self.sheets.get(key)
        if sheet is not None and sheet.is_good():
            return _given(sheet, environ, start_response, started)
        return self._noted(key, environ, start_response)

    def _noted(self, key: Key, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Let the site answer, and remember it when it was a kept page."""
        told: list[Any] = []

        def noting(status: str, headers: Headers, *more: Any) -> Any:
            told[:] = [status, headers]
            return start_response(status, headers, *more)

        answer = self.inner(environ, noting)
        shown = environ.get(kept_pages.SHOWN)
        if shown is not None and told and told[0].startswith("200"):
            headers = [each for each in told[1] if each[0] != logs.HEADER]
            if len(self.sheets) >= MOST:
                self.sheets.clear()
            self.sheets[key] = Sheet(headers, b"".join(answer), shown)
        return answer


def _key(environ: Mapping[str, Any]) -> Key | None:
    """All that a kept page varies by; None where it is not certain that one would be sent."""
    if environ["REQUEST_METHOD"] != "GET" or any(environ.get(name) for name in OWN_WORDS):
        return None
    return tuple(environ.get(name, "") for name in VARY)


def _given(
    sheet: Sheet, environ: Environ, start_response: Start, started: float
) -> Iterable[bytes]:
    name = logs.request_id(environ)
    start_response("200 OK", [*sheet.headers, (logs.HEADER, name)])
    seconds = time.perf_counter() - started
    metrics.timed(sheet.shown.view, 200, seconds)
    with logbook.about(request=name):
        logs.answered("GET", sheet.shown.view, 200, seconds=seconds)
    return [sheet.body]


def before(inner: Application) -> Application:
    """Put it before the site, unless each request is to leave a trace of its way."""
    return inner if telemetry.is_wanted() else Doorstep(inner)
