"""What scripts and viewers on other sites may read (CORS): what is public, as a stranger gets it.

The one place that says so. An answer to somebody who is signed in stays theirs, unless it is the
same for everybody, which is what a cache on the way may keep.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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


class ReadableElsewhere:
    """Lets other sites read the public answers; refusals too, so that a viewer can tell why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_readable(request) and (_asks_as_a_stranger(request) or _is_for_all(response)):
            response["Access-Control-Allow-Origin"] = "*"
        return response


def _is_readable(request: HttpRequest) -> bool:
    found = request.resolver_match
    return request.method in SAFE and found is not None and found.view_name in READABLE


def _asks_as_a_stranger(request: HttpRequest) -> bool:
    """Nothing came along by which the site could tell people apart."""
    signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
    return not signed_in and "HTTP_AUTHORIZATION" not in request.META


def _is_for_all(response: HttpResponse) -> bool:
    """A cache on the way may give it to anybody, whoever asked."""
    return "public" in response.get("Cache-Control", "")
