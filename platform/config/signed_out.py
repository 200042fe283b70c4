"""What somebody gets who is not, or no longer, signed in: nothing that was typed is lost by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from config.refusals import HOME, SAFE, in_place, is_part, problem, wants_json, way_back

# What is never shown again, wherever it stands in the name of a field.
SECRET = ("password", "token", "secret", "code")
# Ticks, the numbers of rows and sliders, checksums: a page wrote them, nobody typed them.
BY_THE_PAGE = re.compile(r"\s*|on|-?\d{0,3}(\.\d+)?|[0-9a-f]{64}")


class SignInMiddleware(LoginRequiredMiddleware):
    """Closed by default. A page to look at leads to signing in; what was sent is answered."""

    def handle_no_permission(  # type: ignore[override]  # Django's own only ever leads away
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        """A script gets no page, which it would take for its answer; a form gets its words back."""
        door = self.get_login_url(view_func)
        if is_part(request):
            words = {"said": _sentence(request), "sign_in_url": _sign_in(request, door)}
            return in_place(request, "partials/_signed_out.html", words, HTTPStatus.UNAUTHORIZED)
        if wants_json(request):
            return problem("not-signed-in", _sentence(request), HTTPStatus.UNAUTHORIZED)
        if request.method in SAFE:
            return super().handle_no_permission(request, view_func)
        return _not_sent(request, door)


def _not_sent(request: HttpRequest, door: str) -> HttpResponse:
    """The page for a form: it was not sent, and here is what was in it."""
    words = {"texts": texts(request.POST), "sign_in_url": _sign_in(request, door)}
    answer = render(request, "401.html", words, status=HTTPStatus.UNAUTHORIZED)
    answer["Cache-Control"] = "no-store"
    return answer


def _sentence(request: HttpRequest) -> str:
    if request.method in SAFE:
        return _("You are signed out.")
    return _("You are signed out, so nothing was sent.")


def _sign_in(request: HttpRequest, door: str) -> str:
    """Where to sign in, and then back to the page that asked."""
    return redirect_to_login(_page(request), door).url


def _page(request: HttpRequest) -> str:
    """The path of that page; an address elsewhere, or made to look like one, is none."""
    parts = urlsplit(way_back(request))
    path = urlunsplit(("", "", parts.path, parts.query, ""))
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else HOME


def texts(sent: QueryDict) -> list[str]:
    """What a person may have typed, in the form's order."""
    names = [name for name in sent if not any(word in name.lower() for word in SECRET)]
    return [text for name in names for text in sent.getlist(name) if _is_text(text)]


def _is_text(value: str) -> bool:
    return not BY_THE_PAGE.fullmatch(value) and not _is_drawn(value)


def _is_drawn(value: str) -> bool:
    """What was drawn travels as lists; brackets alone are also somebody's "[unclear]"."""
    try:
        return isinstance(json.loads(value), list | dict)
    except ValueError:
        return False
