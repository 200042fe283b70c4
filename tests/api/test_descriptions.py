"""Two who describe one photo do not overwrite each other; a scan comes with its description."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from archive import storage
from archive.models import DESCRIPTION, Collection, Event, Photo
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"
SCAN = b"II*\0 a scan with a description"


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def box(people: Cast) -> Collection:
    made = factories.collection()
    appoint(people.cora, made)
    return made


@pytest.fixture
def url(box: Collection) -> str:
    return f"{API}/photos/{factories.photo(box).ref}"


def change(client: APIClient, url: str, tag: str | None = None, **said: str) -> Any:
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(url, said, format="json", headers=headers)


def test_who_changes_what_they_have_seen_is_let(people: Cast, program: Programs, url: str) -> None:
    cora = program(people.cora)
    tag = cora.get(url)["ETag"]
    answer = change(cora, url, tag, place_en="Tehran")
    assert (answer.status_code, answer.json()["place_en"]) == (200, "Tehran")
    assert answer["ETag"] == cora.get(url)["ETag"] != tag
    assert change(cora, url, answer["ETag"], place_zh="德黑兰").status_code == 200


def test_who_was_overtaken_is_told_how_it_is_described_now(
    people: Cast, program: Programs, url: str
) -> None:
    cora, sten = program(people.cora), program(people.sten)
    tag = cora.get(url)["ETag"]
    change(sten, url, place_en="Tehran")
    late = change(cora, url, tag, place_en="Isfahan", people_en="Su Zhibo")
    told = late.json()
    assert (late.status_code, told["status"], told["code"]) == (412, 412, "description-moved")
    assert late["Content-Type"] == "application/problem+json"
    assert set(told["facts"]) == set(DESCRIPTION)
    assert (told["facts"]["place_en"], told["facts"]["people_en"]) == ("Tehran", "")
    assert cora.get(url).json()["people_en"] == ""
    assert change(cora, url, late["ETag"], people_en="Su Zhibo").status_code == 200


def test_the_same_change_again_is_no_other_hands(people: Cast, program: Programs, url: str) -> None:
    """An answer that was lost is asked for again, with the tag that was known then."""
    cora = program(people.cora)
    tag = cora.get(url)["ETag"]
    first, again = (change(cora, url, tag, place_en="Tehran") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again["ETag"] == first["ETag"]
    assert change(cora, url, tag, place_en="Isfahan").status_code == 412
    assert Event.objects.filter(verb="photo.described").count() == 1


def test_without_a_condition_the_last_one_counts_as_ever(
    people: Cast, program: Programs, url: str
) -> None:
    cora, sten = program(people.cora), program(people.sten)
    cora.get(url)
    change(sten, url, place_en="Tehran")
    for tag in (None, "*"):
        assert change(cora, url, tag, place_en="Isfahan").json()["place_en"] == "Isfahan"


@pytest.mark.parametrize("tag", ['"0"', "", "nonsense", '"a", "b"'])
def test_another_tag_is_that_of_no_description(
    people: Cast, program: Programs, url: str, tag: str
) -> None:
    assert change(program(people.cora), url, tag, place_en="Tehran").status_code == 412


def test_a_tag_that_was_packed_on_its_way_or_stands_among_others_is_known(
    people: Cast, program: Programs, url: str
) -> None:
    cora = program(people.cora)
    for written in ("W/{}", '"0", {}'):
        tag = written.format(cora.get(url)["ETag"])
        assert change(cora, url, tag, place_en=written).status_code == 200


def test_only_the_description_counts(people: Cast, program: Programs, url: str) -> None:
    cora = program(people.cora)
    tag = cora.get(url)["ETag"]
    cora.post(f"{url}/hold", {"reason": "A doubt."}, format="json")
    assert cora.get(url)["ETag"] == tag
    assert change(cora, url, tag, place_en="Tehran").status_code == 200


def test_who_may_not_describe_learns_nothing_by_a_condition(
    people: Cast, program: Programs, url: str
) -> None:
    answer = change(program(people.vera), url, '"0"', place_en="Tehran")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-curator")


# --- a scan with its description ------------------------------------------------------------------


def send(client: APIClient, box: Collection, **said: Any) -> Any:
    scan = SimpleUploadedFile("scan.tif", SCAN, content_type="image/tiff")
    return client.post(f"{API}/collections/{box.slug}/scans", {"file": scan, **said})


def test_a_scan_and_what_is_known_of_it_come_in_one_call(
    people: Cast, program: Programs, box: Collection
) -> None:
    said = {"title_en": "The medal", "title_zh": "金牌", "identifier": "A-7"}
    answer = send(program(people.cora), box, date_edtf="before 1900", pages="first", **said)
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert {name: told[name] for name in said} == said
    assert (told["date_edtf"], told["state"]) == ("../1899", "reading")
    assert Photo.objects.get().pages_are == "first"


@pytest.mark.parametrize(
    ("said", "code"),
    [({"date_edtf": "last summer"}, "date-not-edtf"), ({"title_en": "x" * 201}, "invalid"),
     ({"titel_en": "The medal"}, "unknown-field")],
)  # fmt: skip
def test_what_cannot_be_said_of_it_keeps_the_scan_out_too(
    people: Cast, program: Programs, box: Collection, said: dict[str, str], code: str
) -> None:
    answer = send(program(people.cora), box, title_zh="金牌", **said)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Photo.objects.exists()
    assert not storage.exists(storage.incoming_key(hashlib.sha256(SCAN).hexdigest()))


def test_a_photo_that_is_here_keeps_what_is_said_of_it(
    people: Cast, program: Programs, box: Collection
) -> None:
    cora = program(people.cora)
    send(cora, box, title_en="The medal")
    again = send(cora, box, title_en="Another", place_en="Tehran")
    assert (again.status_code, again.json()["title_en"]) == (200, "The medal")
    assert again.json()["place_en"] == ""


def test_the_description_of_the_api_tells_of_both() -> None:
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)
    scan = schema["components"]["schemas"]["ScanRequest"]
    assert scan["required"] == ["file"]
    assert {"file", "pages", *DESCRIPTION} == set(scan["properties"])
    patch = schema["paths"]["/api/v1/photos/{ref}"]["patch"]
    assert "If-Match" in {each["name"] for each in patch["parameters"]}
    assert "ETag" in patch["responses"]["200"]["headers"]
    assert "412" in patch["responses"]
    assert "412" not in schema["paths"]["/api/v1/photos/{ref}/hold"]["post"]["responses"]
