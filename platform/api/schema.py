"""How a view says what it takes and gives, and what the schema says of problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from api import drafts, known, plans
from archive.sizes import FULL, NAMES, SIDES

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
    parameters: tuple[OpenApiParameter, ...] = (),
    **more: Any,
) -> Callable[[View], View]:
    """Describe one method of a view: what it is for, takes and gives, `also` with another state.

    What is described is kept: names in the address, or a body, of which nothing is said here are
    refused, and every time in the answer is in UTC.
    """
    if gives is None:
        state, gives = 204, OpenApiResponse(description="Done; nothing to say.")
    answers = gives if isinstance(gives, dict) else {state: gives} | ({also: gives} if also else {})
    named = [each.name for each in parameters if each.location == OpenApiParameter.QUERY]

    def describe(method: View) -> View:
        @wraps(method)
        def as_described(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
            known.check_query(view, request, named)
            if takes is None and request.method not in known.SAFE:
                known.check_no_body(request)
            with timezone.override(UTC):
                return method(view, request, *args, **kwargs)

        described = extend_schema(
            summary=summary, request=takes, responses=answers, parameters=list(parameters), **more
        )
        return cast(View, described(as_described))

    return describe


def bytes_of(media_type: str) -> dict[Any, OpenApiResponse]:
    """The answers of an address that gives a file: itself, or where the storage has it."""
    there = OpenApiResponse(description="The file is at the address in `Location`, for a while.")
    return {(200, media_type): OpenApiResponse(OpenApiTypes.BINARY), 302: there}


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
    """Name every refusal that an operation may answer with, each a problem detail; and say what no
    serializer can: plans, drafts, that bodies are closed, where files lie, how a session asks."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Plan": plans.shape(), "DraftBody": drafts.shape()}
    schemas["Suggestion"] = plans.suggestion()
    _say_of_sessions(components)
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            schema["properties"][name] = _in_one(field)
    told = components.setdefault("responses", {})
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            _close(schemas, operation)
            if "302" in operation["responses"]:
                operation["responses"]["302"]["headers"] = {"Location": LOCATION}
            for state in sorted(set(_refusals(path, method, operation))):
                told.setdefault(_name(state), _refusal(state))
                reference = {"$ref": f"#/components/responses/{_name(state)}"}
                operation["responses"].setdefault(str(int(state)), reference)
    return result


ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    required=True,
    description=gettext_lazy("Which words these are; for `If-Match`."),
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description=gettext_lazy(
        "The `ETag` of what is changed. When something else is said there by now it is refused"
        " (412), and the refusal tells what; without it the last one counts."
    ),
)
MAYBE_BLANK = r"^[^\x00]*$"
SIZE = OpenApiParameter("name", str, OpenApiParameter.PATH, enum=[*map(str, SIDES), FULL, *NAMES])
LOCATION = {"required": True, "schema": {"type": "string", "format": "uri"}}


def _in_one(field: dict[str, Any]) -> dict[str, Any]:
    """A text that may be blank has one pattern: the framework makes two choices of it, and leaves
    in the first an empty default that does not fit it."""
    inner: dict[str, Any] = (field.get("oneOf") or [{}])[0]
    if inner.get("pattern") != MAYBE_BLANK:
        return field
    return {name: told for name, told in field.items() if name != "oneOf"} | inner


def _say_of_sessions(components: dict[str, Any]) -> None:
    schemes = components.get("securitySchemes", {})
    if "cookieAuth" in schemes:
        schemes["cookieAuth"]["description"] = _(
            "The session of a signed-in browser. Whatever is not a GET also needs the header"
            " X-CSRFToken, with the value of the cookie csrftoken. Programs use a token and need"
            " neither."
        )


def _close(schemas: dict[str, Any], operation: Mapping[str, Any]) -> None:
    """A body with a name that is not described is refused, and so is a file of no bytes."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        if name not in schemas:
            continue
        schemas[name]["additionalProperties"] = False
        for field in schemas[name].get("properties", {}).values():
            if field.get("format") == "binary":
                field["minLength"] = 1


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[HTTPStatus]:
    """What may go wrong follows from what an operation takes and does."""
    yield HTTPStatus.UNAUTHORIZED
    yield HTTPStatus.UNPROCESSABLE_ENTITY  # a name that nobody knows, in the address or a body
    if {} not in operation.get("security", [{}]):
        yield HTTPStatus.FORBIDDEN
    if "{" in path or "requestBody" in operation:  # a body names rows too
        yield HTTPStatus.NOT_FOUND
    if "requestBody" in operation:
        yield from WITH_A_BODY
    if "format" in {each["name"] for each in operation.get("parameters", [])}:
        yield from (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
    if "If-Match" in {each["name"] for each in operation.get("parameters", [])}:
        yield HTTPStatus.PRECONDITION_FAILED
    if path.startswith(IN_HAND):
        yield HTTPStatus.CONFLICT
    if method != "get":
        yield HTTPStatus.BAD_REQUEST  # a body is looked at also where none is wanted
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
        blank = self.target.allow_blank
        return told | {"pattern": MAYBE_BLANK if blank else r"^[^\x00]*\S[^\x00]*$"}


class DescribedShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A free form whose inside is described in one place for the whole document."""

    target_class = "api.serializers.strict.FreeForm"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        name = getattr(self.target, "described_as", "")
        return {"$ref": f"#/components/schemas/{name}"} if name else {"type": "object"}
