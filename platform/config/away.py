"""What is answered while the database is away or the disk full: 503 and a way on, anywhere.

Most of it shows before any view is asked: kept pages, sessions and who somebody is are rows, and
what is uploaded is written to the disk while the form is read. Django makes an answer of an error
at each middleware, so no middleware of ours could catch it; the page for what broke is asked
instead, and it sees the error. So is the page for what cannot be read: of a session that cannot be
written Django says that it was ended elsewhere, which is the browser's fault.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.defaults import bad_request, server_error
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from api import problems
from archive import outages
from archive.places import StorageAway
from archive.policy import Refused
from config import refusals, signed_out

API = "/api/"
AT_ONCE = 64 * 1024


class Outage(NamedTuple):
    """What is said of a part that is away, to whoever came to look or sent something."""

    code: str
    title: str | Promise
    sentence: str | Promise
    sent: str | Promise


OUTAGES = (
    Outage(
        outages.DATABASE,
        _("The site cannot get at its records for a moment"),
        _(
            "The site cannot get at its records now. Nothing that was saved is lost; please try"
            " again in a minute."
        ),
        _(
            "The site cannot get at its records now, so it is not certain that what you sent was"
            " kept. Go back in a minute and look, and send it again if it is not there."
        ),
    ),
    Outage(
        outages.DISK,
        _("The site has no room left"),
        _(
            "The disk of this site is full. Nothing that was saved is lost. Whoever runs the site"
            " has to make room; please try again later."
        ),
        _(
            "The disk of this site is full, so what you sent was not kept, or not all of it."
            " Nothing that was saved before is lost. Keep your files and send them again later."
        ),
    ),
)

logger = logging.getLogger(__name__)


def outage(error: BaseException | None) -> Outage | None:
    """What is away that this error came of; a storage that is away is answered where it shows."""
    if error is None or isinstance(error, StorageAway):
        return None
    name = outages.named(error)
    return next((each for each in OUTAGES if each.code == name), None)


def broken(request: HttpRequest) -> HttpResponse:
    """The page for an error that nobody answered: 503 when a part is away, else 500."""
    out = outage(sys.exc_info()[1])
    if out is None:
        return server_error(request)
    answer = away(request, out)
    _hear_out(request)
    return answer


def _hear_out(request: HttpRequest) -> None:
    """Let a browser send to its end: one that is cut off in the middle shows no answer at all."""
    with contextlib.suppress(OSError):
        for _block in iter(partial(request.read, AT_ONCE), b""):
            pass


def unread(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a request that cannot be read: 503 when the session could not be, else 400."""
    out = outage(exception)
    if out is None:
        return bad_request(request, exception)
    logger.error("%s", out.code, exc_info=exception)
    return away(request, out)


def away(request: HttpRequest, out: Outage) -> HttpResponse:
    """A page that needs no row, or a problem for programs; both say when to come again."""
    with translation.override(translation.get_language_from_request(request)):
        if request.path.startswith(API):
            told = _problem(out)
            answer: HttpResponse = JsonResponse(told.data, content_type=problems.MEDIA_TYPE)
        elif refusals.wants_json(request):
            answer = refusals.problem(out.code, str(out.sentence), refusals.AWAY)
        else:
            answer = HttpResponse(render_to_string("503.html", _words(request, out)))
    answer.status_code = refusals.AWAY
    answer["Retry-After"] = refusals.RETRY_SECONDS
    answer["Cache-Control"] = "no-store"
    return answer


def _words(request: HttpRequest, out: Outage) -> dict[str, Any]:
    """What the page says; to whoever sent a form, also what stood in it."""
    if request.method in refusals.SAFE:
        return {"title": out.title, "sentence": out.sentence}
    try:
        texts = signed_out.texts(request.POST)
    except (SuspiciousOperation, MultiPartParserError, OSError):
        texts = []  # it broke off on the way here, and was never whole
    return {"title": out.title, "sentence": out.sent, "texts": texts}


def handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The API's answer to whatever a view raised: ours while a part is away, else its own."""
    # What is refused may quote anything, also what a disk says that is full.
    out = None if isinstance(error, APIException | Refused) else outage(error)
    if out is None:
        return problems.handler(error, context)
    logger.error("%s", out.code, exc_info=error)
    return _problem(out)


def _problem(out: Outage) -> Response:
    answer = problems.problem(out.code, str(out.sentence), HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = refusals.RETRY_SECONDS
    return answer
