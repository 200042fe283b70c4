"""How a view says what it takes and gives, and what the schema says of problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.utils.functional import Promise
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
    summary: str | Promise, *, takes: Any = None, gives: Any = None, state: int = 200, **more: Any
) -> Callable[[View], View]:
    """Describe one method of a view: what it is for, takes and gives."""
    if gives is None:
        state, gives = 204, OpenApiResponse(description="Done; nothing to say.")
    answers = {state: gives}
    described: Callable[[View], View] = extend_schema(
        summary=summary,
        request=takes,
        responses=answers,
        **more,
    )
    return described


def tell_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Every operation may answer with a problem detail."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    reference = {"$ref": "#/components/schemas/Problem"}
    answer = {
        "description": "A problem detail.",
        "content": {"application/problem+json": {"schema": reference}},
    }
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            if isinstance(operation, Mapping) and "responses" in operation:
                operation["responses"]["default"] = answer
    return result
