"""Finding one's way: photos by what is known of them, the root of a tree, pictures by size."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from restoration.actions.reviews import open_review, return_version
from restoration.queries import wall
from tests import factories
from tests.api.conftest import Programs
from tests.factories import NOW
from tests.people import appoint, cast, person

pytestmark = pytest.mark.django_db

API = "/api/v1"


def test_photos_are_found_by_identifier_and_by_file_to_the_letter(program: Programs) -> None:
    box = factories.collection()
    one, other = factories.photo(box, identifier="A-7"), factories.photo(box, identifier="A-77")
    client = program(person("vera"))

    def found(**asked: str) -> list[str]:
        return [row["ref"] for row in client.get(f"{API}/photos", asked).json()["results"]]

    assert found(identifier="A-7") == [one.ref]
    assert found(identifier="a-7") == []
    assert found(sha256=other.sha256) == [other.ref]
    assert found(sha256=other.sha256.upper()) == [other.ref]
    assert found(sha256="0" * 64) == []


def test_runs_are_found_by_photo(program: Programs) -> None:
    vera, box = person("vera"), factories.collection()
    client, runs = program(vera), {}
    for number in range(2):
        photo = factories.photo(box)
        told = {
            "claim": factories.claim(photo, vera).pk,
            "plan": {"steps": [{"name": "tone"}], "seed": number},
        }
        answer = client.post(f"{API}/photos/{photo.ref}/jobs", told, format="json")
        runs[photo.ref] = answer.json()["id"]
    for ref, run in runs.items():
        rows = client.get(f"{API}/jobs", {"photo": ref}).json()["results"]
        assert [row["id"] for row in rows] == [run]
    assert client.get(f"{API}/jobs", {"photo": "zzz"}).json()["count"] == 0


def test_a_photo_says_what_the_wall_would_find_it_by(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    waits, held, sent = (factories.photo(box) for _ in range(3))
    factories.claim(held, people.victor)
    factories.submitted(sent, people.vera)
    done = factories.accepted(factories.photo(box), people.vera, people.cora)[0].photo
    back, twice, mended = (factories.photo(box) for _ in range(3))
    for photo in (back, twice, mended):
        review = open_review(
            version=factories.submitted(photo, people.vera), by=people.cora, now=NOW
        )
        return_version(review=review, by=people.cora, reason="colour", advice="Less.", now=NOW)
    factories.submitted(twice, people.vera)
    factories.accepted(mended, people.vera, people.cora)
    client = program(people.cora)
    rows = client.get(f"{API}/photos").json()["results"]
    told = {row["ref"]: row["wall"] for row in rows}
    assert told[waits.ref] == ["waiting"]
    for state in (wall.WAITING, wall.CLAIMED, wall.IN_REVIEW, wall.RETURNED, wall.DONE):
        found = client.get(f"{API}/photos", {"wall": state}).json()["results"]
        assert found
        assert {row["ref"] for row in found} == {ref for ref in told if state in told[ref]}, state
    assert {held.ref, sent.ref, done.ref} <= {ref for ref, words in told.items() if words}
    hold = client.post(f"{API}/photos/{waits.ref}/hold", {"reason": "A doubt."}, format="json")
    assert hold.json()["wall"] == []
    assert client.post(f"{API}/photos/{waits.ref}/unhold").json()["wall"] == ["waiting"]


def test_who_just_took_a_photo_finds_the_version_to_start_from(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    client = program(vera)
    claim = client.post(f"{API}/photos/{photo.ref}/claim").json()
    [scan] = client.get(f"{API}/photos/{photo.ref}/versions").json()["results"]
    assert (scan["kind"], scan["number"], scan["sha256"]) == ("scan", 0, photo.working_sha256)
    told = {"claim": claim["id"], "source": scan["id"], "plan": {"steps": [{"name": "tone"}]}}
    assert client.post(f"{API}/photos/{photo.ref}/jobs", told, format="json").status_code == 201
    assert client.post(f"{API}/photos/{photo.ref}/claim").status_code == 200


@pytest.mark.parametrize("name", ["400", "400.jpg", "full", "full.jpg"])
def test_a_picture_is_asked_for_by_its_size_or_by_its_file(program: Programs, name: str) -> None:
    vera = person("vera")
    photo = factories.photo(factories.collection(), bytes_too=True)
    made = factories.version(photo, vera, image=factories.picture(7))
    client = program(vera)
    for url in (f"photos/{photo.ref}", f"versions/{made.pk}"):
        answer = client.get(f"{API}/{url}/pictures/{name}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert client.get(f"{API}/{url}/pictures/401").status_code == 404


def test_the_sizes_of_pictures_and_the_way_to_a_bucket_are_described() -> None:
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)
    told = schema["paths"]["/api/v1/versions/{id}/pictures/{name}"]["get"]
    [size] = [each for each in told["parameters"] if each["name"] == "name"]
    assert {"400", "800.jpg", "full"} <= set(size["schema"]["enum"])
    assert "Location" in told["responses"]["302"]["headers"]


def test_times_are_in_utc_whatever_the_house_keeps(program: Programs, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    version = factories.submitted(factories.photo(box), people.vera)
    cora = program(people.cora)
    assert cora.get(f"{API}/versions/{version.pk}").json()["made_at"].endswith("Z")
    [row] = cora.get(f"{API}/desk").json()["results"]
    assert row["version"]["submitted_at"].endswith("Z")
    assert row["waited"].startswith("P")
    assert "." not in row["waited"]


@pytest.mark.parametrize("name", ["identifier", "sha256"])
def test_an_empty_cell_is_no_name_of_every_photo(program: Programs, name: str) -> None:
    factories.photo(factories.collection())
    answer = program(person("vera")).get(f"{API}/photos", {name: ""})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{name}")


def test_a_head_is_asked_as_a_get_is(program: Programs) -> None:
    assert program(person("vera")).head(f"{API}/photos?limit=1&state=ready").status_code == 200
