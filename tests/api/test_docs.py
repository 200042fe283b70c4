"""The description of the API: true, without warnings, and readable."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from api.reading import groups


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


@pytest.mark.django_db
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
