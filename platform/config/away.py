"""What is answered while the database is away: 503 and a way on, wherever in a request it shows.

Most of it shows before any view is asked: kept pages, sessions and who somebody is are rows. Django
makes an answer of an error at each middleware, so no middleware of ours could catch it; the page
for what broke is asked instead, and it sees the error.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error
from rest_framework.response import Response

from api import problems
from archive import outages
from config import refusals, signed_out

API = "/api/"
CODE = outages.DATABASE
TITLE = _("The site cannot get at its records for a moment")
SENTENCE = _(
    "The site cannot get at its records now. Nothing that was saved is lost; please try again in a"
    " minute."
)
SENT = _(
    "The site cannot get at its records now, so it is not certain that what you sent was kept."
    " Go back in a minute and look, and send it again if it is not there."
)

logger = logging.getLogger(__name__)


def is_away(error: BaseException | None) -> bool:
    """Whether this error came of a database that does not answer."""
    return error is not None and outages.named(error) == outages.DATABASE


def broken(request: HttpRequest) -> HttpResponse:
    """The page for an error that nobody answered: 503 when the database is away, else 500."""
    return database_away(request) if is_away(sys.exc_info()[1]) else server_error(request)


def database_away(request: HttpRequest) -> HttpResponse:
    """A page that needs no row, or a problem for programs; both say when to come again."""
    with translation.override(translation.get_language_from_request(request)):
        if request.path.startswith(API):
            told = _problem()
            answer: HttpResponse = JsonResponse(told.data, content_type=problems.MEDIA_TYPE)
        elif refusals.wants_json(request):
            answer = refusals.problem(CODE, str(SENTENCE), refusals.AWAY)
        else:
            answer = HttpResponse(render_to_string("503.html", _words(request)))
    answer.status_code = refusals.AWAY
    answer["Retry-After"] = refusals.RETRY_SECONDS
    answer["Cache-Control"] = "no-store"
    return answer


def _words(request: HttpRequest) -> dict[str, Any]:
    """What the page says; to whoever sent a form, also what stood in it."""
    if request.method in refusals.SAFE:
        return {"title": TITLE, "sentence": SENTENCE}
    try:
        texts = signed_out.texts(request.POST)
    except (SuspiciousOperation, MultiPartParserError, OSError):
        texts = []  # it broke off on the way here, and was never whole
    return {"title": TITLE, "sentence": SENT, "texts": texts}


def handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The API's answer to whatever a view raised: ours while the database is away, else its own."""
    if not is_away(error):
        return problems.handler(error, context)
    logger.error("the database is away", exc_info=error)
    return _problem()


def _problem() -> Response:
    answer = problems.problem(CODE, str(SENTENCE), HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = refusals.RETRY_SECONDS
    return answer
