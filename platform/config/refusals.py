"""What a verb's "no" looks like over HTTP: a sentence and a way on, or a problem for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from archive import wording
from archive.places import StorageAway
from archive.policy import Refused

CONFLICT, INVALID, FORBIDDEN, TOO_MANY, AWAY = 409, 422, 403, 429, 503
SAFE = ("GET", "HEAD")
HOME = "/"
RETRY_SECONDS = "60"

logger = logging.getLogger(__name__)


class RefusalMiddleware:
    """Answers archive.policy.Refused and a storage that is away, so that no view has to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, StorageAway):
            logger.error("the storage is away", exc_info=error)
            return storage_away(request)
        return refuse(request, error) if isinstance(error, Refused) else None


def storage_away(request: HttpRequest) -> HttpResponse:
    """The answer while bytes can neither be had nor kept: nothing is half done, try again."""
    said = str(wording.STORAGE_AWAY)
    if wants_json(request):
        answer: HttpResponse = problem("storage-away", said, AWAY)
    elif request.method in SAFE and is_part(request):
        answer = in_place(request, "partials/_refused.html", {"said": said}, AWAY)
    elif request.method in SAFE:
        answer = render(request, "503.html", {"sentence": said}, status=AWAY)
    else:
        messages.error(request, said)
        answer = _onward(request)
    answer["Retry-After"] = RETRY_SECONDS
    answer["Cache-Control"] = "no-store"
    return answer


def refuse(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The answer to a refused request, as the asker can read it."""
    if refused.wait:
        return _later(request, refused)
    state = CONFLICT if refused.conflict else INVALID if refused.invalid else FORBIDDEN
    if wants_json(request):
        return problem(refused.code, str(refused.message), state)
    if request.method in SAFE and is_part(request):
        words = {"said": str(refused.message)}
        return in_place(request, "partials/_refused.html", words, state)
    messages.warning(request, str(refused.message))
    if request.method in SAFE:
        return render(request, "403.html", status=state)
    return _onward(request)


def _onward(request: HttpRequest) -> HttpResponse:
    """Back to the page a form came from, where the message is shown."""
    if is_part(request):
        # htmx follows this header whatever the state of the answer is.
        return HttpResponse(status=204, headers={"HX-Redirect": way_back(request)})
    return HttpResponseRedirect(way_back(request))


def _later(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The account's limit is reached: when to come back, and the way to what was left open."""
    if wants_json(request):
        answer: HttpResponse = problem(refused.code, str(refused.message), TOO_MANY)
    elif is_part(request):
        words = {"said": str(refused.message)}
        answer = in_place(request, "partials/_refused.html", words, TOO_MANY)
    else:
        words = {"said": str(refused.message), "back": way_back(request)}
        answer = render(request, "429.html", words, status=TOO_MANY)
    answer["Retry-After"] = str(refused.wait)
    answer["Cache-Control"] = "no-store"
    return answer


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks, for a part of a page that is there already."""
    return bool(request.headers.get("HX-Request"))


def in_place(
    request: HttpRequest, template: str, words: dict[str, Any], state: int
) -> HttpResponse:
    """A sentence for htmx where the answer would have stood: never a page inside a page.

    Only what was sent takes the focus to it. A part that polls for itself is replaced, and with it
    what made it ask; what polls into another place goes with the content of that place.
    """
    is_sent = request.method not in SAFE
    place = "" if is_sent else _own_place(request)
    answer = render(request, template, words | {"is_sent": is_sent, "place": place}, status=state)
    answer["Cache-Control"] = "no-store"
    # Whatever the page wanted of its answer: this one is whole.
    answer["HX-Reswap"], answer["HX-Reselect"] = "outerHTML" if place else "innerHTML", "unset"
    return answer


def _own_place(request: HttpRequest) -> str:
    """The id of a part that asked for itself, or nothing."""
    place = request.headers.get("HX-Target", "")
    return place if place == request.headers.get("HX-Trigger") else ""


def problem(code: str, message: str, state: int, **facts: object) -> JsonResponse:
    """A refusal for a program: a stable code and a sentence."""
    answer = JsonResponse({"code": code, "message": message, **facts}, status=state)
    answer["Cache-Control"] = "no-store"
    return answer


def wants_json(request: HttpRequest) -> bool:
    """Whether the asker is a script that reads JSON."""
    accept = request.headers.get("Accept", "")
    sent_json = request.content_type == "application/json"
    return ("application/json" in accept and "text/html" not in accept) or sent_json


def way_back(request: HttpRequest) -> str:
    """The page the request came from, when it is one of ours."""
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return came_from if ours and came_from else HOME
