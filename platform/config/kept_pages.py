"""Pages that are the same for every stranger are made once for each edition, and then shown again.

Kept in the memory of each process: no other server is asked for them. Whether they still hold is
asked of the database at most once a second, so a picture that is taken down is gone from every
process a second later, and from the one that took it down at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language_from_request

from config.logs import view_name
from exhibit.queries import edition

LOOK_AGAIN = 1.0  # seconds
SAFE = ("GET", "HEAD", "OPTIONS")
# Counts on it are of the moment, so it is not kept for as long as the others.
OF_THE_MOMENT = {"exhibit:home": 60}


@dataclass(frozen=True)
class Page:
    """A kept answer: what is sent, what it is called, and the name of the view that made it."""

    body: bytes
    headers: dict[str, str]
    etag: str
    view: str


class KeptPages:
    """Answers strangers from what is kept; keeps what a view says is the same for all of them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.number, self.looked_at = 0, 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "GET" or not settings.PAGES_KEPT_SECONDS or not _stranger(request):
            response = self.get_response(request)
            if request.method not in SAFE:
                self.looked_at = 0.0  # it may have changed a page
            return response
        key = self._key(request)
        page: Page | None = caches["pages"].get(key)
        if page is None:
            response = self.get_response(request)
            page = _page(request, response)
            if page is None:
                return response
            seconds = min(settings.PAGES_KEPT_SECONDS, OF_THE_MOMENT.get(page.view, 10**9))
            caches["pages"].set(key, page, seconds)
        return _answer(request, page)

    def _key(self, request: HttpRequest) -> str:
        """The edition is read before the page is made: one that turns meanwhile makes it anew."""
        now = time.monotonic()
        if now - self.looked_at > LOOK_AGAIN:
            self.number, self.looked_at = edition(), now
        language = get_language_from_request(request)
        where = f"{request.scheme}://{request.get_host()}{request.get_full_path()}"
        told = f"{self.number} {language} {where}"
        return hashlib.sha256(told.encode()).hexdigest()


def _stranger(request: HttpRequest) -> bool:
    """Nobody is signed in, and nothing was said to this visitor that a page has to tell."""
    if request.path.startswith(settings.STATIC_URL) or "Authorization" in request.headers:
        return False
    return not {settings.SESSION_COOKIE_NAME, "messages"} & request.COOKIES.keys()


def _page(request: HttpRequest, response: HttpResponse) -> Page | None:
    """What to keep of an answer; nothing where it is not the same for every stranger."""
    if not getattr(response, "same_for_strangers", False) or response.cookies:
        return None
    body = response.content
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(body, dict(response.items()) | {"ETag": etag}, etag, view_name(request))


def _answer(request: HttpRequest, page: Page) -> HttpResponse:
    # What counts requests wants to know whose page it was; no view was asked.
    request.resolver_match = SimpleNamespace(view_name=page.view)  # type: ignore[assignment]
    seen = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in seen or page.etag in {each.removeprefix("W/") for each in seen}:
        told = ("ETag", "Cache-Control", "Vary")
        headers = {name: page.headers[name] for name in told if name in page.headers}
        answer: HttpResponse = HttpResponseNotModified(headers=headers)
    else:
        answer = HttpResponse(page.body, headers=page.headers)
    patch_vary_headers(answer, ("Cookie", "Accept-Language"))
    return answer
