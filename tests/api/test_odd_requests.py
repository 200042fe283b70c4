"""What programs send by mistake, or to see what happens: each is told what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from archive.models import Photo
from restoration.actions.claims import claim_photo
from restoration.models import Claim, Draft
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

API = "/api/v1"


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    box = factories.collection(slug="box")
    appoint(people.cora, box)
    return factories.photo(box, image=factories.picture(1))


def _told(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("path", ["photos/a%0Ab", "no/such%0Aplace", "photos/%00", "claims/1%0A"])
def test_an_address_that_is_none_is_not_found_as_a_problem_detail(
    people: Cast, program: Programs, path: str
) -> None:
    assert _told(program(people.vera).get(f"{API}/{path}")) == (404, "not-found")


@pytest.mark.parametrize(
    "asked",
    ["limit=0", "limit=201", "limit=1.5", "limit=", "limit=²", "offset=-1", f"offset={10**30}"],
)
def test_a_page_that_cannot_be_is_refused_and_not_guessed(
    people: Cast, program: Programs, asked: str
) -> None:
    answer = program(people.vera).get(f"{API}/photos?{asked}")
    assert _told(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == f"/{asked.split('=')[0]}"


@pytest.mark.parametrize("asked", ["state=", "faces=", "faces=2", "damage=huge", "words=%00"])
def test_a_wish_that_is_none_is_refused(people: Cast, program: Programs, asked: str) -> None:
    assert _told(program(people.vera).get(f"{API}/photos?{asked}")) == (422, "invalid")


@pytest.mark.parametrize("faces", ["true", "false"])
def test_photos_are_filtered_by_faces(people: Cast, program: Programs, faces: str) -> None:
    assert program(people.vera).get(f"{API}/photos?faces={faces}").status_code == 200


@pytest.mark.parametrize("number", ["0", str(2**63), str(10**40)])
@pytest.mark.parametrize("kind", ["claims", "jobs", "versions", "reviews", "publications"])
def test_a_number_that_no_row_can_have_is_not_found(
    people: Cast, program: Programs, kind: str, number: str
) -> None:
    assert _told(program(people.sten).get(f"{API}/{kind}/{number}")) == (404, "not-found")


@pytest.mark.parametrize(
    ("field", "value"),
    [("title_en", 0), ("two_person", "yes"), ("is_open", 1), ("title_en", "a\0b")],
)
def test_what_is_merely_like_the_right_thing_is_refused(
    people: Cast, program: Programs, photo: Photo, field: str, value: object
) -> None:
    url = f"{API}/collections/{photo.collection.slug}"
    answer = program(people.cora).patch(url, {field: value}, format="json")
    assert _told(answer) == (422, "invalid")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "{", '{"a": NaN}'])
def test_a_body_that_is_no_json_or_has_no_end_is_malformed(
    people: Cast, program: Programs, body: str
) -> None:
    answer = program(people.vera).post(f"{API}/claims", data=body, content_type="application/json")
    assert _told(answer) == (400, "malformed")


def test_a_form_is_not_json(people: Cast, program: Programs) -> None:
    answer = program(people.vera).post(f"{API}/claims", {"words": "flag"}, format="multipart")
    assert _told(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize("value", ["a\\u0000b", "\\ud800"])
@pytest.mark.parametrize("name", ["draft", "jobs"])
def test_text_that_no_database_keeps_is_refused(
    people: Cast, program: Programs, photo: Photo, name: str, value: str
) -> None:
    claim = claim_photo(photo=photo, by=people.vera, now=timezone.now())
    inner = f'{{"prompt": {{"place": "{value}"}}, "steps": [{{"name": "tone"}}]}}'
    more = {"draft": f'"rev": 0, "body": {inner}', "jobs": f'"plan": {inner}'}[name]
    body = f'{{"claim": {claim.pk}, {more}}}'
    ask = getattr(program(people.vera), "put" if name == "draft" else "post")
    url = f"{API}/photos/{photo.ref}/{name}"
    assert _told(ask(url, data=body, content_type="application/json")) == (422, "invalid")


def test_a_number_beyond_all_numbers_is_refused(
    people: Cast, program: Programs, photo: Photo
) -> None:
    claim = claim_photo(photo=photo, by=people.vera, now=timezone.now())
    body = f'{{"claim": {claim.pk}, "rev": 0, "body": {{"seed": 1e999}}}}'
    url = f"{API}/photos/{photo.ref}/draft"
    answer = program(people.vera).put(url, data=body, content_type="application/json")
    assert _told(answer) == (422, "invalid")
    assert not Draft.objects.exists()


def test_a_picture_comes_to_a_program_that_accepts_only_pictures(
    people: Cast, program: Programs, photo: Photo
) -> None:
    vera = program(people.vera)
    url = f"{API}/photos/{photo.ref}/pictures"
    picture = vera.get(f"{url}/400.jpg", headers={"accept": "image/jpeg"})
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert _told(vera.get(f"{url}/401.jpg", headers={"accept": "image/jpeg"}))[0] == 404


@pytest.mark.parametrize("asked", ["format=xml", "format=", "lang=tlh", "lang="])
@pytest.mark.django_db
def test_the_description_has_two_formats_and_languages_and_says_so_in_json(asked: str) -> None:
    answer = APIClient().get(f"{API}/schema?{asked}")
    assert _told(answer) == (404, "not-found")
    assert json.loads(answer.content)["status"] == 404


@pytest.mark.parametrize("method", ["get", "put", "patch"])
@pytest.mark.django_db
def test_where_one_signs_in_nothing_else_is_allowed(method: str) -> None:
    assert _told(getattr(APIClient(), method)(f"{API}/token")) == (405, "method-not-allowed")


def test_nothing_was_taken_by_a_refused_request(people: Cast, program: Programs) -> None:
    program(people.vera).post(f"{API}/claims", {"damage": 3}, format="json")
    assert not Claim.objects.exists()
