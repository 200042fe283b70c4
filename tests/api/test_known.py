"""What nobody reads is refused by name, in an address and in a body; a program has mistyped it."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from api import drafts
from archive.models import Photo
from restoration.models import Claim, Draft
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    box = factories.collection(slug="box")
    appoint(people.cora, box)
    return factories.photo(box, image=factories.picture(1))


def _unknown(answer: Any, *names: str) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["code"]) == (422, "unknown-field"), told
    assert [each["field"] for each in told["errors"]] == [f"/{name}" for name in names]
    assert all(name in told["facts"]["fields"] for name in names)
    return told


@pytest.mark.parametrize(
    "path",
    ["photos?identifer=7", "claims?stat=open", "jobs?foto=x", "collections?page=2", "desk?state=x",
     "me?verbose=1", "steps?step=tone", "exhibits?open=1", "schema?formt=json"],
)  # fmt: skip
def test_a_name_in_the_address_that_nobody_reads_is_refused(
    people: Cast, program: Programs, path: str
) -> None:
    name = path.partition("?")[2].partition("=")[0]
    told = _unknown(program(people.sten).get(f"{API}/{path}"), name)
    assert told["facts"]["in"] == "query"


def test_the_known_names_are_told(people: Cast, program: Programs) -> None:
    told = _unknown(program(people.vera).get(f"{API}/photos?limt=5&limit=5"), "limt")
    assert {"limit", "offset", "identifier", "sha256", "wall"} <= set(told["facts"]["known"])
    assert "identifier" in told["detail"]


def test_pictures_and_files_take_no_names_either(
    people: Cast, program: Programs, photo: Photo
) -> None:
    _unknown(program(people.vera).get(f"{API}/photos/{photo.ref}/pictures/400?width=3"), "width")


def test_what_pages_of_lists_and_the_description_send_is_known(
    people: Cast, program: Programs, photo: Photo
) -> None:
    factories.photo(photo.collection)
    client = program(people.vera)
    first = client.get(f"{API}/photos", {"limit": "1", "state": "ready"}).json()
    assert client.get(first["next"]).status_code == 200
    for asked in ("?format=json", "?format=json&lang=zh-hans", ""):
        assert APIClient().get(f"{API}/schema{asked}").status_code == 200


def test_a_field_that_nobody_reads_is_refused_and_nothing_is_done(
    people: Cast, program: Programs, photo: Photo
) -> None:
    cora, vera = program(people.cora), program(people.vera)
    url = f"{API}/photos/{photo.ref}"
    sent = {"titel_en": "A", "title_zh": "B"}
    told = _unknown(cora.patch(url, sent, format="json"), "titel_en")
    assert "title_en" in told["facts"]["known"]
    was = photo.title_zh
    photo.refresh_from_db()
    assert photo.title_zh == was
    _unknown(vera.post(f"{API}/claims", {"colection": "box"}, format="json"), "colection")
    assert not Claim.objects.exists()
    box = f"{API}/collections/{photo.collection.slug}"
    _unknown(cora.patch(box, {"slug": "other"}, format="json"), "slug")
    _unknown(vera.post(f"{url}/claim", {"slot": 2}, format="json"), "slot")


def test_a_form_of_a_page_may_prove_that_it_is_ours(
    people: Cast, program: Programs, photo: Photo
) -> None:
    factories.claim(photo, people.vera)
    url = f"{API}/photos/{photo.ref}/masks"
    sent = {"csrfmiddlewaretoken": "x" * 64, "file": ""}
    assert program(people.vera).post(url, sent).json()["code"] == "invalid"
    _unknown(program(people.vera).post(url, {"mask": "x"}), "mask")


def test_bodies_are_described_as_closed() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    shapes = schema["components"]["schemas"]
    for methods in schema["paths"].values():
        for told in methods.values():
            for media in told.get("requestBody", {}).get("content", {}).values():
                name = media["schema"]["$ref"].rsplit("/", 1)[-1]
                assert shapes[name]["additionalProperties"] is False, name


# --- drafts --------------------------------------------------------------------------------------


def _saved(program: Programs, people: Cast, photo: Photo, body: Any) -> Any:
    told = {"claim": factories.claim(photo, people.vera).pk, "rev": 0, "body": body}
    return program(people.vera).put(f"{API}/photos/{photo.ref}/draft", told, format="json")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({"sed": 1}, "unknown-field", "/body/sed"),
        ({"steps": {"sharpen": {"on": True}}}, "unknown-field", "/body/steps/sharpen"),
        ({"steps": {"tone": {"settings": {"gamma": 1}}}}, "unknown-field",
         "/body/steps/tone/settings/gamma"),
        ({"prompt": {"where": "x"}}, "unknown-field", "/body/prompt/where"),
        ({"dabs": [{"x": 0.5, "y": 0.5, "color": "#ffffff"}]}, "unknown-field",
         "/body/dabs/0/color"),
        ({"steps": [{"name": "tone"}]}, "invalid", "/body/steps"),
        ({"mask": "abc"}, "invalid", "/body/mask"),
        ({"seed": "three"}, "invalid", "/body/seed"),
    ],
)  # fmt: skip
def test_a_draft_with_what_would_be_lost_is_refused(
    people: Cast, program: Programs, photo: Photo, body: Any, code: str, place: str
) -> None:
    answer = _saved(program, people, photo, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [each["field"] for each in answer.json()["errors"]] == [place]
    assert not Draft.objects.exists()


def test_of_a_million_mistakes_twenty_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    rows = drafts._rows
    monkeypatch.setattr(drafts, "_rows", lambda error: seen.append(error) or rows(error))
    assert len(drafts.wrong({"dabs": [0] * 1_000_000})) == 20
    assert len(drafts.wrong({f"name{n}": 0 for n in range(1_000)})) == 20
    assert len(seen) == 21


def test_a_draft_that_was_saved_can_be_sent_as_it_came_back(
    people: Cast, program: Programs, photo: Photo
) -> None:
    body = {
        "steps": {"tone": {"on": True, "settings": {"strength": 0.5, "backend": "embedded"}}},
        "prompt": {"place": "Tehran"},
        "dabs": [{"x": 0.5, "y": 0.25, "colour": "#b4252c"}],
        "regions": [{"points": [[0, 0], [1, 0], [1, 1]], "word": "red"}],
        "faces": [{"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2, "kind": "keep"}],
    }
    first = _saved(program, people, photo, body).json()
    assert first["body"]["dabs"][0]["colour"] == "#b4252c"
    told = {"claim": Claim.objects.get().pk, "rev": 1, "body": first["body"]}
    again = program(people.vera).put(f"{API}/photos/{photo.ref}/draft", told, format="json")
    assert (again.status_code, again.json()["body"]) == (200, first["body"])


def test_a_number_that_no_database_keeps_stays_text(
    people: Cast, program: Programs, photo: Photo
) -> None:
    body = {"steps": {"tone": {"settings": {"strength": "inf"}}}}
    answer = _saved(program, people, photo, body)
    assert answer.json()["body"]["steps"]["tone"]["settings"]["strength"] == "inf"
