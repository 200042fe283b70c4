"""Every "no" as a problem detail (RFC 9457): a stable code for programs, words for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from api.conditions import tag
from api.drafts import Misshapen
from api.known import UnknownNames, pointer
from api.plans import Misplaced
from archive import wording as archived
from archive.places import StorageAway
from archive.policy import Refused
from archive.saying import WordsMoved
from restoration import failures, wording
from restoration.actions.drafts import DraftMoved
from restoration.engine.errors import BadInput

logger = logging.getLogger("django.request")

MEGABYTE = 1024**2
WHOLE_BODY = api_settings.NON_FIELD_ERRORS_KEY
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
MEDIA_TYPE = "application/problem+json"
CODES: dict[type[Exception], str] = {
    exceptions.AuthenticationFailed: "wrong-credentials",
    exceptions.NotAuthenticated: "not-signed-in",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
}


def problem(code: str, detail: str, state: int, **facts: Any) -> Response:
    """A problem detail; `facts` are further members of it."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(state).phrase,
        "status": state,
        "code": code,
        "detail": detail,
    }
    headers = {"Cache-Control": "no-store"}
    return Response(body | facts, status=state, content_type=MEDIA_TYPE, headers=headers)


def _state(refused: Refused) -> HTTPStatus:
    """Not so fast, not now, not like this, or not you."""
    if refused.wait:
        return HTTPStatus.TOO_MANY_REQUESTS
    if refused.conflict:
        return HTTPStatus.CONFLICT
    return UNPROCESSABLE if refused.invalid else HTTPStatus.FORBIDDEN


def handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever a view of the API raised."""
    answer = _by_a_rule(error) or _by_its_shape(error) or _by_the_framework(error)
    if answer is not None:
        return answer
    logger.error("the API failed and it is our fault", exc_info=error)
    return problem("our-fault", str(failures.OUR_FAULT), HTTPStatus.INTERNAL_SERVER_ERROR)


def _by_a_rule(error: Exception) -> Response | None:
    """What a verb or the engine refuses, or what is away that it needs."""
    match error:
        case DraftMoved():
            facts = {"rev": error.draft.rev, "body": error.draft.body}
            return problem(error.code, str(error.message), HTTPStatus.CONFLICT, **facts)
        case WordsMoved():
            return _said_meanwhile(error)
        case Refused():
            return _no(error)
        case StorageAway():
            logger.error("the storage is away", exc_info=error)
            return _storage_away()
        case BadInput():
            return _bad(error)
    return None


def _by_its_shape(error: Exception) -> Response | None:
    """What was sent cannot be read, or not be taken."""
    match error:
        case UnknownNames():
            return _unknown(error)
        case Misshapen():
            said = _("Some of what was sent cannot be taken.")
            return problem(error.code, said, UNPROCESSABLE, errors=error.errors)
        case exceptions.ValidationError():
            said = _("Some of what was sent cannot be taken.")
            told = _flat(error.get_full_details())
            return problem("invalid", said, UNPROCESSABLE, errors=told)
        case RequestDataTooBig():
            most = {"most": settings.MAX_UPLOAD_BYTES // MEGABYTE}
            said = wording.problem("file-too-large", most)
            return problem("file-too-large", said, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        case exceptions.ParseError():
            said, why = _("What was sent could not be read."), {"reason": str(error.detail)}
            return problem("malformed", said, error.status_code, facts=why)
    return None


def _by_the_framework(error: Exception) -> Response | None:
    """What there is not, or not for whoever asks."""
    match error:
        case Http404():
            return _refused_by_the_framework(exceptions.NotFound())
        case PermissionDenied():
            return _refused_by_the_framework(exceptions.PermissionDenied())
        case exceptions.APIException():
            return _refused_by_the_framework(error)
    return None


def _said_meanwhile(error: WordsMoved) -> Response:
    """Asked with a condition, which does not hold any more; it may be asked with the new one."""
    now = {name.removesuffix("_id"): value for name, value in error.now().items()}
    answer = problem(error.code, str(error.message), HTTPStatus.PRECONDITION_FAILED, facts=now)
    answer["ETag"] = tag(error.row, error.names)
    return answer


def _storage_away() -> Response:
    said = str(archived.STORAGE_AWAY)
    answer = problem("storage-away", said, HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = "60"
    return answer


def _no(refused: Refused) -> Response:
    said = str(refused.message)
    answer = problem(refused.code, said, _state(refused), **_told(refused, said))
    if refused.wait:
        answer["Retry-After"] = str(refused.wait)
    return answer


def _told(refused: Refused, said: str) -> dict[str, Any]:
    """The facts of a refusal, and where the field is that they name."""
    if not refused.facts:
        return {}
    told: dict[str, Any] = {"facts": {name: _plain(fact) for name, fact in refused.facts.items()}}
    field = refused.facts.get("field")
    if field:
        told["errors"] = [{"field": f"/{field}", "code": refused.code, "detail": said}]
    return told


def _plain(fact: Any) -> Any:
    """What JSON can say of a fact; words are in the reader's language."""
    return fact if isinstance(fact, bool | int | float | list | dict | None) else str(fact)


def _bad(error: BadInput) -> Response:
    """What the engine refuses; of a plan it is told where."""
    said = wording.problem(error.code, error.facts)
    told: dict[str, Any] = {"facts": error.facts}
    if isinstance(error, Misplaced):
        told["errors"] = [{"field": error.place, "code": error.code, "detail": said}]
    return problem(error.code, said, UNPROCESSABLE, **told)


def _unknown(error: UnknownNames) -> Response:
    """Names that nobody reads, with a pointer to each, as of one in a body."""
    errors = [
        {"field": pointer(name), "code": error.code, "detail": error.told(name)}
        for name in error.names
    ]
    said = errors[0]["detail"]
    return problem(error.code, said, UNPROCESSABLE, facts=error.facts, errors=errors)


def _refused_by_the_framework(error: exceptions.APIException) -> Response:
    codes = [code for kind, code in CODES.items() if isinstance(error, kind)]
    answer = problem(codes[0] if codes else "failed", str(error.detail), error.status_code)
    if getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    wait = getattr(error, "wait", None)
    if wait:
        answer["Retry-After"] = str(int(wait) + 1)
    return answer


def _flat(details: Any, path: str = "") -> list[dict[str, str]]:
    """What is wrong with each field, as one list with a path to it."""
    if isinstance(details, list):
        parts = [_flat(part, path) if "message" in part else _flat(part, f"{path}/{at}")
                 for at, part in enumerate(details)]  # fmt: skip
        return [row for part in parts for row in part]
    if "message" in details and not isinstance(details["message"], dict | list):
        return [{"field": path, "code": str(details["code"]), "detail": str(details["message"])}]
    return [row for name, part in details.items() for row in _flat(part, _under(path, name))]


def _under(path: str, name: object) -> str:
    """What is wrong with the whole of a body has no name in it."""
    return path if name == WHOLE_BODY else f"{path}/{name}"
