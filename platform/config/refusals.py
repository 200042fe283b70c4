"""What a verb's "no" looks like over HTTP: a sentence and a way on, or a problem for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable

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
    messages.warning(request, str(refused.message))
    if request.method in SAFE:
        return render(request, "403.html", status=state)
    return _onward(request)


def _onward(request: HttpRequest) -> HttpResponse:
    """Back to the page a form came from, where the message is shown."""
    if request.headers.get("HX-Request"):
        # htmx follows this header whatever the state of the answer is.
        return HttpResponse(status=204, headers={"HX-Redirect": way_back(request)})
    return HttpResponseRedirect(way_back(request))


def _later(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The account's limit is reached: when to come back, and the way to what was left open."""
    if wants_json(request):
        answer: HttpResponse = problem(refused.code, str(refused.message), TOO_MANY)
    else:
        words = {"said": str(refused.message), "back": way_back(request)}
        answer = render(request, "429.html", words, status=TOO_MANY)
    answer["Retry-After"] = str(refused.wait)
    answer["Cache-Control"] = "no-store"
    return answer


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
