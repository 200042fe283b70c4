"""The description of the API: true, without warnings, and readable."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from api.reading import groups
from tests.people import person

# Parts of a description, in two languages.
PLAIN = {
    f"{name}_{language}"
    for name in ("title", "place", "people", "description", "caption", "story")
    for language in ("en", "zh")
} | {"identifier"}


def test_the_schema_is_valid_and_generated_without_a_warning() -> None:
    out, err = StringIO(), StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out, stderr=err)
    assert err.getvalue() == ""


def test_every_operation_says_how_it_may_be_refused() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    for answer in schema["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]
    for methods in schema["paths"].values():
        for operation in methods.values():
            refusals = {each: told for each, told in operation["responses"].items() if each > "399"}
            assert "401" in refusals
            assert all("$ref" in told for told in refusals.values())
            assert operation["summary"]
            assert operation["description"]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_names_every_operation_without_a_script_of_its_own(
    client: Client, language: str
) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    page = client.get("/api/v1/docs", headers={"accept-language": language})
    assert page.status_code == 200
    for group in groups(schema):
        for operation in group.operations:
            assert f"{operation.method} {operation.path}" in page.text
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_what_goes_into_a_header_is_not_said_to_stand_in_the_address() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    operations = [each for group in groups(schema) for each in group.operations]
    described = [each for each in operations if each.headers]
    assert {(each.method, each.path) for each in described} == {
        ("PATCH", "/api/v1/collections/{slug}"),
        ("PATCH", "/api/v1/exhibits/{slug}"),
        ("PATCH", "/api/v1/photos/{ref}"),
        ("PATCH", "/api/v1/placements/{id}"),
        ("PATCH", "/api/v1/rooms/{id}"),
    }
    for each in described:
        assert [header.name for header in each.headers] == ["If-Match"]
        assert "If-Match" not in {parameter.name for parameter in each.parameters}


@pytest.mark.django_db
def test_the_schema_is_generated_once_for_each_language_and_is_the_same_for_everybody(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [f"/api/v1/schema?format=json&lang={lang}" for lang in ("en", "zh-hans")]
    first = [client.get(each).json() for each in asked]
    assert first[0]["paths"] != first[1]["paths"]
    whole = SchemaGenerator().get_schema(request=None, public=True)
    assert first[0] == json.loads(json.dumps(whole, default=str))

    def generated(*_said: object, **_told: object) -> None:
        raise AssertionError("generated again")

    monkeypatch.setattr(SchemaGenerator, "get_schema", generated)
    client.force_login(person("sten", is_steward=True))
    assert [client.get(each).json() for each in asked] == first


def test_the_schema_is_open_and_the_rest_is_not(client: Client) -> None:
    assert client.get("/api/v1/schema?format=json").json()["info"]["title"] == "Rekindle"
    schema = client.get("/api/v1/schema?format=json").json()
    open_ones = [
        path
        for path, methods in schema["paths"].items()
        for operation in methods.values()
        if {} in operation.get("security", [{}])
    ]
    assert sorted(open_ones) == [
        "/api/v1/exhibits",
        "/api/v1/exhibits/{slug}",
        "/api/v1/schema",
        "/api/v1/token",
    ]


def _texts(shape: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a part of the document."""
    parts = shape.values() if isinstance(shape, dict) else shape if isinstance(shape, list) else ()
    if isinstance(shape, dict) and shape.get("type") == "string":
        yield shape
    for part in parts:
        yield from _texts(part)


def test_every_default_fits_its_own_pattern_and_a_blank_text_is_one_choice() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    texts = list(_texts(schema["components"]))
    assert texts
    for told in texts:
        if "default" in told and "pattern" in told:
            assert re.search(told["pattern"], told["default"]), told
    advice = schema["components"]["schemas"]["AcceptRequest"]["properties"]["advice"]
    assert (advice["type"], advice["default"]) == ("string", "")
    assert "oneOf" not in advice


def test_a_session_is_told_what_it_needs_beside_its_cookie() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert "X-CSRFToken" in schema["components"]["securitySchemes"]["cookieAuth"]["description"]


def test_what_is_sent_says_what_it_means_and_what_comes_back_is_never_needed() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    operations = [each for group in groups(schema) for each in group.operations]
    asked = {f"{each.method} {each.path}": each for each in operations}
    run = {each.name: each for each in asked["POST /api/v1/photos/{ref}/jobs"].takes}
    assert run["claim"].required
    assert run["claim"].words
    assert run["plan.steps[].settings"].words
    assert not any(field.required for each in operations for field in each.gives)
    sent = [field for each in operations for field in each.takes if "." not in field.name]
    silent = {field.name for field in sent if not field.words}
    # Names that say it themselves.
    assert silent <= {"damage", "password", "pages", "reason", "version", "room", *PLAIN}


@pytest.mark.django_db
def test_the_page_shows_the_whole_way_in_a_shell(client: Client) -> None:
    page = client.get("/api/v1/docs").text
    for step in ("/token", "/claims", "/jobs", "/pictures/full", "/submit", "five wrong passwords"):
        assert step in page
    assert "Ten tries" not in page
