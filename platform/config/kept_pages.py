"""Pages that are the same for every stranger are made once for each edition, and then shown again.

They are kept in the database (exhibit.keeping): a process that never made a page shows it as the
others do, and the sweeper makes them ahead of the visitors (config.pages_ahead). What a process has
shown it remembers, and asks at most every BELIEVED seconds whether the edition is still the same.
So a picture that is taken down is gone from all of them BELIEVED seconds later, and the request
that took it down is answered only then.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlencode

import django
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, QueryDict
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language_from_request

from config.logs import AHEAD, OURS, view_name
from exhibit import keeping
from exhibit.keeping import Page
from exhibit.queries import edition
from restoration.guarding import LAYERS

logger = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
BELIEVED = 0.2
# Counts on it are of the moment, so it is not kept for as long as the others.
OF_THE_MOMENT = {"exhibit:home": 60}
VARY = ("Cookie", "Accept-Language", "Accept-Encoding")
# The settings that stand in a public page, or decide about what does.
MADE_WITH = ("SITE_URL", "CONTACT_MAIL", "TIME_ZONE", "LANGUAGE_CODE", "CONTENT_SECURITY_POLICY")
# Headers that are of one answer and not of the page, and those that also go with "not modified".
OF_AN_ANSWER = {"content-length", "etag"}
OF_BOTH = ("Cache-Control", "Vary")
PACKED = re.compile(r"\bgzip\b")  # as Django's own middleware reads Accept-Encoding
# Whoever comes while another makes the page waits for it so long, then makes it too.
PATIENCE = 5.0
DESKS = 64
# Where the server's door (config.doorstep) finds of which edition a kept page is that was sent.
SHOWN = "rekindle.shown"


@dataclass
class Desk:
    """Where one thread makes a page while the others wait; and how many were made here."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: int = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For as long as PATIENCE lasts."""
        held = self.lock.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if held:
                self.lock.release()


@dataclass
class Belief:
    """The edition that this process believes in, and when it last asked."""

    number: int = 0
    looked_at: float = 0.0

    def is_fresh(self, number: int) -> bool:
        """Whether pages of that edition may be shown without asking."""
        return number == self.number and time.monotonic() - self.looked_at <= BELIEVED


class KeptPages:
    """Answers strangers from what is kept; keeps what a view says is the same for all of them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.desks = [Desk() for _each in range(DESKS)]
        if settings.PAGES_KEPT_SECONDS:
            _software()  # now, and not while the first visitor waits

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.PAGES_KEPT_SECONDS:
            return self.get_response(request)
        if request.method not in SAFE:
            return self._after_others_know(self.get_response(request))
        if not _for_a_stranger(request):
            return self.get_response(request)
        # What anybody may hang on an address ("?utm_source=…") is not asked, nor shown to others.
        request.META["QUERY_STRING"] = query = _query(request)
        name = name_of(request.path, query, get_language_from_request(request))
        number = belief.number
        page = None if AHEAD in request.META else self._remembered(name)
        return _answer(request, page, number) if page else self._looked_up(request, name)

    def _after_others_know(self, response: HttpResponse) -> HttpResponse:
        """Who changed a public page is answered when no process believes the former edition."""
        number = edition()
        if number != belief.number:
            belief.number = number
            time.sleep(BELIEVED)
        return response

    def _remembered(self, name: str) -> Page | None:
        """The page as this process had it, when the edition that it believes in is still that."""
        number, now = belief.number, time.monotonic()
        page: Page | None = caches["pages"].get(f"{number}-{name}")
        if page is not None and now - belief.looked_at > BELIEVED:
            belief.number, belief.looked_at = edition(), now
        return page if number == belief.number else None

    def _looked_up(self, request: HttpRequest, name: str) -> HttpResponse:
        """The page as some process kept it; if none did, it is made here."""
        desk = self.desks[int(name, 16) % DESKS]
        made = desk.made
        number, page = self._look(request, name)
        if page is not None:
            return _answer(request, page, number)
        with desk.alone():
            # Read before the page is made: an edition that turns meanwhile has it made anew.
            number, page = self._look(request, name) if desk.made != made else (number, None)
            if page is None:
                response = self.get_response(request)
                page = _kept(request, response, name, number)
                desk.made += 1
        return response if page is None else _answer(request, page, number)

    def _look(self, request: HttpRequest, name: str) -> tuple[int, Page | None]:
        now, began = time.time(), time.monotonic()
        number, page = keeping.look(name, now=now)
        belief.number, belief.looked_at = number, began
        if page is None or AHEAD in request.META:
            return number, None
        caches["pages"].set(f"{number}-{name}", page, page.good_until - now)
        return number, page


# One for the process: its threads, and the door before them.
belief = Belief()


class Shown(NamedTuple):
    """What the server's door must know of a page that was sent."""

    edition: int
    good_until: int
    view: str


def name_of(path: str, query: str, language: str) -> str:
    """What a page is called where it is kept; another software makes other pages."""
    told = f"{_software()} {language} {path}?{query}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@cache
def _software() -> str:
    """A digest of all that a page is made with: our code, templates, words, and what we are told.

    Of the contents, not of the times, so that all machines with the same release share their pages.
    """
    told = hashlib.sha256(django.__version__.encode())
    for name in MADE_WITH:
        told.update(repr(getattr(settings, name)).encode())
    for file in _sources():
        told.update(file.name.encode() + file.read_bytes())
    return told.hexdigest()


def _sources() -> Iterator[Path]:
    ours = {Path(apps.get_app_config(name).path) for name in OURS}
    for folder in sorted(ours, key=lambda each: each.name):
        yield from sorted(folder.rglob("*.py"))
    told: list[Path] = [*settings.TEMPLATES[0]["DIRS"], *settings.LOCALE_PATHS]  # type: ignore[misc]
    for folder in told:
        yield from sorted(each for each in folder.rglob("*") if each.is_file())
    yield from sorted(Path(settings.STATIC_ROOT).glob("staticfiles.json"))


def _for_a_stranger(request: HttpRequest) -> bool:
    """A public page for whom nobody is signed in and nothing was said that a page has to tell."""
    if request.method != "GET" or "HTTP_AUTHORIZATION" in request.META:
        return False
    home, exhibits = _places()
    if request.path != home and not request.path.startswith(exhibits):
        return False
    return not {settings.SESSION_COOKIE_NAME, "messages"} & request.COOKIES.keys()


@cache
def _places() -> tuple[str, str]:
    return reverse("exhibit:home"), reverse("exhibit:list")


def _query(request: HttpRequest) -> str:
    """The part of the query that a public page heeds: a layer that there is."""
    told = request.META.get("QUERY_STRING", "")
    if not told:
        return ""
    layer = QueryDict(told).get("layer", "")
    return urlencode({"layer": layer}) if layer in LAYERS else ""


def _kept(request: HttpRequest, response: HttpResponse, name: str, number: int) -> Page | None:
    """The answer as it was kept; nothing where it is not the same for every stranger."""
    if not getattr(response, "same_for_strangers", False) or response.cookies:
        return None
    patch_vary_headers(response, VARY)
    headers = {key: value for key, value in response.items() if key.lower() not in OF_AN_ANSWER}
    if "'nonce-" in headers.get("Content-Security-Policy", ""):
        return None  # good for one answer alone
    view = view_name(request)
    seconds = min(settings.PAGES_KEPT_SECONDS, OF_THE_MOMENT.get(view, 10**9))
    page = keeping.page(response.content, headers, view, until=time.time() + seconds)
    try:
        keeping.keep(name, page, made_in=number)
    except DatabaseError:
        logger.warning("a page could not be kept; it is shown all the same", exc_info=True)
    return page


def _answer(request: HttpRequest, page: Page, number: int) -> HttpResponse:
    # What counts requests wants to know whose page it was; no view was asked.
    request.resolver_match = SimpleNamespace(view_name=page.view)  # type: ignore[assignment]
    has = request.META.get("HTTP_IF_NONE_MATCH", "")
    if has and _is_among(page.etag, parse_etags(has)):
        told = {name: page.headers[name] for name in OF_BOTH if name in page.headers}
        return HttpResponseNotModified(headers=told | {"ETag": page.etag})
    request.META[SHOWN] = Shown(number, page.good_until, page.view)
    packed = PACKED.search(request.META.get("HTTP_ACCEPT_ENCODING", "")) is not None
    body = page.packed if packed else page.body
    told = {**page.headers, "ETag": page.etag, "Content-Length": str(len(body))}
    return HttpResponse(body, headers=told | {"Content-Encoding": "gzip"} if packed else told)


def _is_among(etag: str, seen: Iterable[str]) -> bool:
    """By the weak comparison, as RFC 9110 wants it for If-None-Match."""
    return bool({"*", etag.removeprefix("W/")} & {each.removeprefix("W/") for each in seen})
