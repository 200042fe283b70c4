"""What scripts and viewers on other sites may read (CORS): what is public, as a stranger gets it.

The one place that says so. An answer to somebody who is signed in stays theirs, unless it is the
same for everybody, which is what a cache on the way may keep.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

# By the names of their addresses; a page for people is not among them.
READABLE = frozenset(
    {
        "api:exhibits",
        "api:exhibit",
        "api:schema",
        "exhibit:collection",
        "exhibit:made",
        "exhibit:manifest",
        "exhibit:service",
        "exhibit:info",
        "exhibit:tile",
        "exhibit:picture",
        "exhibit:changed",
        "exhibit:download",
    }
)
SAFE = ("GET", "HEAD")
# What a script may send along: what it has already, and which part it wants. Never who asks.
ASKED_WITH = "Accept-Language, If-Modified-Since, If-None-Match, If-Range, Range"
# What it needs of an answer to ask so the next time.
TOLD_WITH = "Accept-Ranges, Content-Range, ETag, Retry-After"
A_DAY = 24 * 60 * 60


class ReadableElsewhere:
    """Lets other sites read the public answers; refusals too, so that a viewer can tell why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _asks_whether_it_may(request):
            return _it_may()
        response = self.get_response(request)
        if _is_readable(request) and (_asks_as_a_stranger(request) or _is_for_all(response)):
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = TOLD_WITH
        return response


def _asks_whether_it_may(request: HttpRequest) -> bool:
    """A browser does so before a script sends more than the least along (a preflight)."""
    if request.method != "OPTIONS" or "Origin" not in request.headers:
        return False
    if request.headers.get("Access-Control-Request-Method") not in SAFE:
        return False
    try:
        return _is_among(resolve(request.path_info))
    except Resolver404:
        return False


def _it_may() -> HttpResponse:
    """The same for everybody: nobody is asked for here, and nobody signs in from elsewhere."""
    told = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": ", ".join(SAFE),
        "Access-Control-Allow-Headers": ASKED_WITH,
        "Access-Control-Max-Age": str(A_DAY),
        "Cache-Control": f"public, max-age={A_DAY}",
        "Vary": "Origin, Access-Control-Request-Method",
    }
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=told)


def _is_readable(request: HttpRequest) -> bool:
    found = request.resolver_match
    return request.method in SAFE and found is not None and _is_among(found)


def _is_among(found: ResolverMatch) -> bool:
    return found.view_name in READABLE


def _asks_as_a_stranger(request: HttpRequest) -> bool:
    """Nothing came along by which the site could tell people apart."""
    signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
    return not signed_in and "HTTP_AUTHORIZATION" not in request.META


def _is_for_all(response: HttpResponse) -> bool:
    """A cache on the way may give it to anybody, whoever asked."""
    return "public" in response.get("Cache-Control", "")
