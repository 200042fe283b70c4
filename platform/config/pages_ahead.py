"""The sweeper asks for public pages before a visitor does, so that nobody waits for one to be made.

It asks the site itself, as a stranger in each language: what it gets is what a visitor would get.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.utils import translation

from config.kept_pages import name_of
from config.logs import AHEAD
from exhibit import keeping

# Of each round: the sweeper waits for the next one that much less, so that nothing waits for this.
SECONDS = 4.0
# What is good for less is made anew before a visitor finds it out.
MARGIN = timedelta(seconds=20)
MOST = 4000  # the pictures at the end of a larger exhibit are made when somebody asks for them


def make(*, now: datetime) -> int:
    """Make what is lacking, the first pages of the museum first, for as long as SECONDS."""
    if not settings.PAGES_KEPT_SECONDS:
        return 0
    keeping.forget(now=now)
    wanted = {name_of(path, "", language): (path, language) for path, language in _wanted()}
    lacking = keeping.lacking(wanted, until=now + MARGIN)
    until, made = time.monotonic() + SECONDS, 0
    for name, (path, language) in wanted.items():
        if name in lacking and time.monotonic() < until:
            made += _ask(path, language)
    return made


def _wanted() -> Iterator[tuple[str, str]]:
    for path in keeping.public_paths(most=MOST):
        for language, _label in settings.LANGUAGES:
            yield path, language


def _ask(path: str, language: str) -> bool:
    """Whether the site answered with a page."""
    with translation.override(language):  # which the site sets, and the sweeper would keep
        response = _site().get_response(WSGIRequest(_stranger(path, language)))
    response.close()
    return response.status_code == 200


@cache
def _site() -> BaseHandler:
    site = BaseHandler()
    site.load_middleware()
    return site


def _stranger(path: str, language: str) -> dict[str, object]:
    at = urlsplit(settings.SITE_URL)
    return {
        AHEAD: True,
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": settings.SITE_HOST,
        "SERVER_PORT": str(at.port or (443 if settings.HTTPS else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_ACCEPT_LANGUAGE": language,
        "wsgi.url_scheme": at.scheme,
        "wsgi.input": io.BytesIO(),
    }
