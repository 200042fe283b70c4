"""What those who look after a photo get of it: the file as it came, and why it rests."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from archive import storage
from archive.actions import hold_photo, withdraw_photo
from archive.lifecycle import PhotoState
from archive.models import Event, Photo
from archive.pairing import decide_pair
from archive.twins import Pair
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
    box = factories.collection()
    appoint(people.cora, box)
    return factories.photo(box, filename="Box 7, no. 3.tif")


def _kept(photo: Photo) -> bytes:
    content = b"the very bytes that came"
    storage.put_bytes(storage.original_key(photo.sha256), content)
    return content


def test_the_original_comes_as_it_is_and_under_its_name(
    people: Cast, program: Programs, photo: Photo
) -> None:
    content, url = _kept(photo), f"{API}/photos/{photo.ref}/original"
    for person in (people.cora, people.sten):
        answer = program(person).get(url)
        assert (answer.status_code, answer.getvalue()) == (200, content)
        assert answer["Content-Type"] == "application/octet-stream"
        assert 'filename="Box 7, no. 3.tif"' in answer["Content-Disposition"]
        assert answer["Cache-Control"].startswith("private")


def test_a_download_of_an_original_goes_on_and_is_not_sent_twice(
    people: Cast, program: Programs, photo: Photo
) -> None:
    content, url = _kept(photo), f"{API}/photos/{photo.ref}/original"
    cora = program(people.cora)
    part = cora.get(url, headers={"Range": "bytes=4-"})
    assert (part.status_code, part.getvalue()) == (206, content[4:])
    again = cora.get(url, headers={"If-None-Match": part["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_original_is_not_there_for_those_who_only_work_on_the_photo(
    people: Cast, program: Programs, photo: Photo
) -> None:
    _kept(photo)
    factories.claim(photo, people.vera)
    for person in (people.vera, people.clive):
        answer = program(person).get(f"{API}/photos/{photo.ref}/original")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_of_a_file_that_is_still_read_there_is_no_original(
    people: Cast, program: Programs, photo: Photo
) -> None:
    Photo.objects.filter(pk=photo.pk).update(state=PhotoState.READING, original=None)
    assert program(people.cora).get(f"{API}/photos/{photo.ref}/original").status_code == 404


@pytest.mark.parametrize(("verb", "state"), [("hold", "on_hold"), ("withdraw", "withdrawn")])
def test_who_looks_after_a_photo_reads_why_it_rests(
    people: Cast, program: Programs, photo: Photo, verb: str, state: str
) -> None:
    cora, url = program(people.cora), f"{API}/photos/{photo.ref}"
    assert cora.get(url).json()["rests"] is None
    reason = {"reason": "The family asks."}
    told = cora.post(f"{url}/{verb}", reason, format="json").json()
    at = told["rests"].pop("at")
    assert (told["state"], told["rests"]) == (
        state,
        {"by": "Cora", "reason": "The family asks.", "instead": ""},
    )
    assert at.endswith("Z")
    assert cora.get(url).json()["rests"]["at"] == at
    [row] = cora.get(f"{API}/photos").json()["results"]
    assert row["rests"]["reason"] == "The family asks."


def test_back_on_the_wall_it_rests_no_more_and_the_last_reason_counts(
    people: Cast, program: Programs, photo: Photo
) -> None:
    cora, url = program(people.cora), f"{API}/photos/{photo.ref}"
    for words in ("First.", "Second."):
        told = cora.post(f"{url}/hold", {"reason": words}, format="json").json()
        assert told["rests"]["reason"] == words
        assert cora.post(f"{url}/unhold").json()["rests"] is None


def test_a_poorer_scan_names_the_photo_that_is_worked_on(
    people: Cast, program: Programs, photo: Photo
) -> None:
    other, now = factories.photo(photo.collection), timezone.now()
    pair = Pair.objects.create(collection=photo.collection, first=photo, second=other, found_at=now)
    decide_pair(pair=pair, to="same", by=people.cora, now=now, stays=other)
    rows = program(people.cora).get(f"{API}/photos", {"state": "on_hold"}).json()["results"]
    assert [row["ref"] for row in rows] == [photo.ref]
    assert (rows[0]["rests"]["reason"], rows[0]["rests"]["instead"]) == ("", other.ref)


def test_a_suspended_curator_sees_that_it_rests_and_not_why(
    people: Cast, program: Programs, photo: Photo
) -> None:
    hold_photo(photo=photo, by=people.cora, reason="A widow asked.", now=timezone.now())
    User.objects.filter(pk=people.cora.pk).update(trust="suspended")
    told = program(people.cora).get(f"{API}/photos/{photo.ref}").json()
    assert (told["state"], told["rests"]) == ("on_hold", None)


def test_the_reasons_cost_a_list_no_more_for_many(
    people: Cast, program: Programs, photo: Photo
) -> None:
    for number in range(6):
        kept = factories.photo(photo.collection)
        verb = hold_photo if number % 2 else withdraw_photo
        verb(photo=kept, by=people.cora, reason=f"Reason {number}", now=timezone.now())
    cora = program(people.cora)
    with CaptureQueriesContext(connection) as few:
        cora.get(f"{API}/photos", {"limit": "2"})
    with CaptureQueriesContext(connection) as many:
        rows = cora.get(f"{API}/photos").json()["results"]
    assert len(many) == len(few)
    told = {row["rests"]["reason"] for row in rows if row["rests"]}
    assert told == {f"Reason {number}" for number in range(6)}
    assert Event.objects.filter(facts__has_key="reason").count() == 6
