"""Collections and scans by programs."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.models import Collection, Event, Photo
from archive.rights import RIGHTS
from tests import factories
from tests.api.conftest import Programs
from tests.people import appoint, cast, person

pytestmark = pytest.mark.django_db

URL = "/api/v1/collections"
FIELDS = {
    "slug": "tehran",
    "institution_en": "Museum",
    "title_en": "Tehran 1974",
    "rights_uri": RIGHTS[7][0],
}


def test_a_steward_opens_a_collection(program: Programs) -> None:
    people = cast()
    answer = program(people.sten).post(URL, FIELDS, format="json")
    assert answer.status_code == 201, answer.json()
    assert Collection.objects.get().slug == "tehran"
    assert Event.objects.get().verb == "collection.created"


@pytest.mark.parametrize("who", ["vera", "cora"])
def test_others_do_not(program: Programs, who: str) -> None:
    people = cast()
    appoint(people.cora, factories.collection())
    answer = program(getattr(people, who)).post(URL, FIELDS, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-steward")


def test_an_address_is_taken_once(program: Programs) -> None:
    client = program(person("sten", is_steward=True))
    client.post(URL, FIELDS, format="json")
    again = client.post(URL, FIELDS, format="json")
    assert again.status_code in (409, 422)
    assert Collection.objects.count() == 1


def test_a_curator_changes_a_rule_and_the_address_stays(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    client = program(people.cora)
    answer = client.patch(f"{URL}/{box.slug}", {"do_not_colourise": True}, format="json")
    assert answer.status_code == 200
    assert answer.json()["slug"] == box.slug
    moved = client.patch(f"{URL}/{box.slug}", {"slug": "elsewhere"}, format="json")
    assert (moved.status_code, moved.json()["code"]) == (422, "unknown-field")
    box.refresh_from_db()
    assert box.do_not_colourise


def test_closed_collections_are_seen_by_those_who_curate_them(program: Programs) -> None:
    people = cast()
    opened, closed = factories.collection(), factories.collection(is_open=False)
    appoint(people.cora, closed)

    def seen(client: Any) -> set[str]:
        return {row["slug"] for row in client.get(URL).json()["results"]}

    assert seen(program(people.vera)) == {opened.slug}
    assert seen(program(people.cora)) == {opened.slug, closed.slug}
    assert program(people.vera).get(f"{URL}/{closed.slug}").status_code == 404


def _scan(name: str = "scan.tif") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"II*\0 a scan", content_type="image/tiff")


def test_a_curator_adds_a_scan_and_the_same_file_again_is_one_photo(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    client = program(people.cora)
    first = client.post(f"{URL}/{box.slug}/scans", {"file": _scan()})
    assert first.status_code == 201, first.json()
    assert first.json()["state"] == "reading"
    again = client.post(f"{URL}/{box.slug}/scans", {"file": _scan("other-name.tif")})
    assert (again.status_code, again.json()["ref"]) == (200, first.json()["ref"])
    assert Photo.objects.count() == 1


@pytest.mark.parametrize("who", ["vera", "clive"])
def test_nobody_else_adds_scans(program: Programs, who: str) -> None:
    people, box = cast(), factories.collection()
    appoint(people.clive, factories.collection())
    client = program(getattr(people, who))
    answer = client.post(f"{URL}/{box.slug}/scans", {"file": _scan()})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-curator")
    assert not Photo.objects.exists()


def test_a_scan_without_a_file_is_refused(program: Programs) -> None:
    people, box = cast(), factories.collection()
    answer = program(people.sten).post(f"{URL}/{box.slug}/scans", {})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_photos_are_found_by_wishes_for_a_flat_price(program: Programs) -> None:
    people, box = cast(), factories.collection()
    other = factories.collection()
    for _ in range(12):
        factories.photo(box)
    there = factories.photo(other, place_en="Harbour")
    held = factories.photo(other)
    factories.claim(held, people.victor)
    client = program(people.vera)

    def found(**wishes: str) -> list[str]:
        return [row["ref"] for row in client.get("/api/v1/photos", wishes).json()["results"]]

    assert len(found()) == 14
    assert found(words="harbour") == [there.ref]
    assert found(wall="claimed") == [held.ref]
    assert set(found(collection=other.slug)) == {there.ref, held.ref}
    assert len(found(limit="5")) == 5
    assert client.get("/api/v1/photos", {"state": "nonsense"}).status_code == 422

    with CaptureQueriesContext(connection) as few:
        found(limit="2")
    with CaptureQueriesContext(connection) as many:
        found(limit="14")
    assert len(few) == len(many) <= 5


def test_a_curator_describes_holds_and_withdraws_a_photo(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    photo = factories.photo(box)
    client, url = program(people.cora), f"/api/v1/photos/{photo.ref}"
    told = client.patch(url, {"place_en": "Tehran"}, format="json")
    assert told.json()["place_en"] == "Tehran"
    told = client.patch(url, {"date_edtf": "before 1900"}, format="json")
    assert told.json()["date_edtf"] == "../1899"
    wrong = client.patch(url, {"date_edtf": "last summer"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "date-not-edtf")
    reason = {"reason": "The family asks."}
    assert client.post(f"{url}/hold", reason, format="json").json()["state"] == "on_hold"
    assert client.post(f"{url}/unhold").json()["state"] == "ready"
    assert client.post(f"{url}/withdraw", reason, format="json").json()["state"] == "withdrawn"
    late = client.post(f"{url}/hold", reason, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "photo-moved-on")


@pytest.mark.parametrize("verb", ["hold", "unhold", "withdraw"])
def test_a_volunteer_does_not(program: Programs, verb: str) -> None:
    photo = factories.photo(factories.collection())
    client = program(person("vera"))
    told = {} if verb == "unhold" else {"reason": "I want it."}
    answer = client.post(f"/api/v1/photos/{photo.ref}/{verb}", told, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-curator")
