"""What a verb's "no" looks like over HTTP: a sentence and a way on, or a problem for programs."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from archive.policy import Refused

CONFLICT, INVALID, FORBIDDEN = 409, 422, 403
HOME = "/"


class RefusalMiddleware:
    """Answers archive.policy.Refused, so that no view has to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refuse(request, error) if isinstance(error, Refused) else None


def refuse(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The answer to a refused request, as the asker can read it."""
    state = CONFLICT if refused.conflict else INVALID if refused.invalid else FORBIDDEN
    if wants_json(request):
        return problem(refused.code, str(refused.message), state)
    messages.warning(request, str(refused.message))
    if request.method in ("GET", "HEAD"):
        return render(request, "403.html", status=state)
    if request.headers.get("HX-Request"):
        # htmx follows this header whatever the state of the answer is.
        return HttpResponse(status=204, headers={"HX-Redirect": _way_back(request)})
    return HttpResponseRedirect(_way_back(request))


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


def _way_back(request: HttpRequest) -> str:
    """The page the request came from, when it is one of ours."""
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return came_from if ours and came_from else HOME
