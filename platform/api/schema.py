"""How a view says what it takes and gives, and what the schema says of problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from django.utils.functional import Promise
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema

View = TypeVar("View", bound=Callable[..., Any])

PROBLEM = {
    "type": "object",
    "description": "A problem detail (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": {}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}


def tells(
    summary: str | Promise,
    *,
    takes: Any = None,
    gives: Any = None,
    state: int = 200,
    also: int | None = None,
    **more: Any,
) -> Callable[[View], View]:
    """Describe one method of a view: what it is for, takes and gives, `also` with another state."""
    if gives is None:
        state, gives = 204, OpenApiResponse(description="Done; nothing to say.")
    answers = {state: gives} | ({also: gives} if also else {})
    described: Callable[[View], View] = extend_schema(
        summary=summary,
        request=takes,
        responses=answers,
        **more,
    )
    return described


# What a program must find in the answer to know how to go on.
HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", {"type": "string"}),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", {"type": "integer", "minimum": 1}),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", {"type": "integer", "minimum": 1}),
}
WITH_A_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
# What is there no more for who had it in hand, because its photo went on hold, says so.
IN_HAND = ("/api/v1/photos/{ref}", "/api/v1/versions/{id}")
OF_A_VERB = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def tell_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Name every refusal that an operation may answer with, each a problem detail."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    told = components.setdefault("responses", {})
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            for state in sorted(set(_refusals(path, method, operation))):
                told.setdefault(_name(state), _refusal(state))
                reference = {"$ref": f"#/components/responses/{_name(state)}"}
                operation["responses"].setdefault(str(int(state)), reference)
    return result


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[HTTPStatus]:
    """What may go wrong follows from what an operation takes and does."""
    yield HTTPStatus.UNAUTHORIZED
    if {} not in operation.get("security", [{}]):
        yield HTTPStatus.FORBIDDEN
    if "{" in path or "requestBody" in operation:  # a body names rows too
        yield HTTPStatus.NOT_FOUND
    if "requestBody" in operation:
        yield from WITH_A_BODY
    if any(each["in"] == "query" for each in operation.get("parameters", [])):
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "format" in {each["name"] for each in operation.get("parameters", [])}:
        yield from (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
    if path.startswith(IN_HAND):
        yield HTTPStatus.CONFLICT
    if method != "get":
        yield from OF_A_VERB
    elif not any("json" in media for media in operation["responses"]["200"]["content"]):
        yield HTTPStatus.SERVICE_UNAVAILABLE  # bytes lie in a storage, and that may be away


def _name(state: HTTPStatus) -> str:
    return state.phrase.title().replace(" ", "").replace("-", "")


def _refusal(state: HTTPStatus) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    answer: dict[str, Any] = {
        "description": f"{state.phrase}: a problem detail.",
        "content": {"application/problem+json": {"schema": reference}},
    }
    if state in HEADERS:
        name, schema = HEADERS[state]
        answer["headers"] = {name: {"required": True, "schema": schema}}
    return answer


class TextOfAShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """What a field for words refuses beyond its length: zero bytes, and nothing but spaces."""

    target_class = "api.serializers.strict.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        told: dict[str, Any] = auto_schema._map_serializer_field(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        blank = self.target.allow_blank  # a text that may be blank is described as either
        return told | {"pattern": r"^[^\x00]+$" if blank else r"^[^\x00]*\S[^\x00]*$"}
