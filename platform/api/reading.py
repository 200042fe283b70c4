"""The OpenAPI document as a person reads it: groups of operations with their fields. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

JSON, HEADER = "application/json", "header"
DEPTH = 3  # parts of parts of parts; deeper than that nobody reads a table


@dataclass(frozen=True)
class Field:
    """One thing that goes in or comes out."""

    name: str
    kind: str
    words: str
    required: bool


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    key: str
    method: str
    path: str
    summary: str
    words: str
    is_open: bool
    parameters: list[Field]
    headers: list[Field]
    takes: list[Field]
    media: str
    gives: list[Field]
    state: str
    many: bool


@dataclass(frozen=True)
class Group:
    """The operations of one kind of thing."""

    name: str
    operations: list[Operation]


def groups(schema: Mapping[str, Any]) -> list[Group]:
    """Everything the document describes, by tag, in the document's order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            row = _operation(schema, path, method, told)
            found.setdefault((told.get("tags") or ["api"])[0], []).append(row)
    return [Group(name, rows) for name, rows in found.items()]


def _operation(
    schema: Mapping[str, Any], path: str, method: str, told: Mapping[str, Any]
) -> Operation:
    media, sent = _first(told.get("requestBody", {}).get("content", {}))
    state, answer = next(iter(told["responses"].items()))
    _type, given = _first(answer.get("content", {}))
    inner, said = _inner(schema, given), told.get("parameters", [])
    return Operation(
        key=told["operationId"],
        method=method.upper(),
        path=path,
        summary=str(told.get("summary", "")),
        words=str(told.get("description", "")),
        is_open={} in told.get("security", [{}]),
        parameters=[_parameter(schema, each) for each in said if each["in"] != HEADER],
        headers=[_parameter(schema, each) for each in said if each["in"] == HEADER],
        takes=list(_fields(schema, sent)),
        media=media,
        gives=[replace(each, required=False) for each in _fields(schema, inner)],
        state=state,
        many=inner is not given,
    )


def _first(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The media type to show: JSON where there is a choice."""
    media = JSON if JSON in content else next(iter(content), "")
    return media, content.get(media, {}).get("schema", {})


def _inner(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a list is a list of."""
    shape = _resolved(schema, given)
    if shape.get("type") == "array":
        return dict(shape["items"])
    results = shape.get("properties", {}).get("results")
    return dict(results["items"]) if results else given


def _resolved(schema: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shape a reference points to."""
    while "$ref" in shape or "allOf" in shape:
        if "allOf" in shape:
            shape = shape["allOf"][0]
        else:
            name = shape["$ref"].rsplit("/", 1)[-1]
            shape = schema["components"]["schemas"][name]
    return shape


def _fields(
    schema: Mapping[str, Any], shape: Mapping[str, Any], above: str = ""
) -> Iterator[Field]:
    """What an object has, and what its parts have, each by the way there."""
    shape = _resolved(schema, shape)
    needed = shape.get("required", [])
    for name, told in shape.get("properties", {}).items():
        way = f"{above}{name}"
        yield Field(way, _kind(schema, told), _words(schema, told), name in needed)
        if above.count(".") < DEPTH:
            part, many = _part(schema, told)
            yield from _fields(schema, part, f"{way}[]." if many else f"{way}.")


def _part(schema: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """What is inside of a field, and whether there are many of it."""
    shape = _resolved(schema, told)
    is_list = shape.get("type") == "array"
    return (shape.get("items", {}), True) if is_list else (shape, False)


def _words(schema: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The description, else the title; of a shape that is described elsewhere, that one's."""
    said = told.get("description") or told.get("title")
    return str(said or (_resolved(schema, told).get("description", "") if _points(told) else ""))


def _points(told: Mapping[str, Any]) -> bool:
    return "$ref" in told or "allOf" in told


def _parameter(schema: Mapping[str, Any], told: Mapping[str, Any]) -> Field:
    kind = _kind(schema, told.get("schema", {}))
    required = bool(told.get("required"))
    return Field(told["name"], kind, _words(schema, told), required)


def _kind(schema: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """A type in a word or two; choices are listed."""
    options = told.get("oneOf") or told.get("anyOf")
    if options:
        kinds = [_kind(schema, option) for option in options]
        return " | ".join(kind for kind in kinds if kind)
    shape = _resolved(schema, told)
    if "enum" in shape:
        return " | ".join("null" if each is None else str(each) or '""' for each in shape["enum"])
    if shape.get("type") == "array":
        return f"[{_kind(schema, shape.get('items', {}))}]"
    name = str(shape.get("format") or shape.get("type") or "")
    return f"{name} | null" if shape.get("nullable") or told.get("nullable") else name
