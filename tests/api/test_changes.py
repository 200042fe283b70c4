"""A harvester asks only for what changed, in the order of change, and follows `next` to its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from archive.actions import change_collection, describe_photo, hold_photo
from archive.models import Collection, Photo
from exhibit.actions import publish_version, resume_publication, suspend_publication
from exhibit.arranging import Words
from exhibit.models import Publication
from restoration.actions.versions import submit_version, withdraw_version
from restoration.models import Assessment
from tests import factories
from tests.api.conftest import Programs
from tests.factories import NOW
from tests.people import Cast, appoint, cast
from tests.services.need import ROOT

pytestmark = pytest.mark.django_db

API = "/api/v1"
LATER = NOW + timedelta(days=1)
LATEST = NOW + timedelta(days=2)
LISTS = ("photos", "versions", "publications", "collections")
CALLED = {"photos": "ref", "collections": "slug"}


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    box = factories.collection()
    appoint(people.cora, box)
    return factories.photo(box)


def rows(client: APIClient, path: str, **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"{API}/{path}", asked)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def since(client: APIClient, path: str, then: datetime) -> list[Any]:
    """What those that changed are called, in the order of the answer."""
    found = rows(client, path, changed_after=then.isoformat())
    return [row[CALLED.get(path, "id")] for row in found]


def elsewhere(people: Cast) -> Publication:
    """One more row in each of the lists."""
    box = factories.collection()
    version, _review = factories.accepted(factories.photo(box), people.vera, people.sten)
    return publish_version(
        version=version, room=factories.room(box), words=Words("A"), by=people.sten, now=NOW
    )


def test_photos_come_in_the_order_in_which_they_changed(
    people: Cast, program: Programs, photo: Photo
) -> None:
    first, second, third = (
        photo,
        factories.photo(photo.collection),
        factories.photo(photo.collection),
    )
    describe_photo(photo=second, by=people.cora, fields={"place_en": "Tehran"}, now=LATEST)
    hold_photo(photo=first, by=people.cora, reason="A doubt", now=LATER)
    cora = program(people.cora)
    assert since(cora, "photos", NOW) == [third.ref, first.ref, second.ref]
    assert since(cora, "photos", LATER) == [first.ref, second.ref]
    assert since(cora, "photos", LATEST + timedelta(seconds=1)) == []
    told = rows(cora, "photos", changed_after=LATER.isoformat())
    assert [row["changed_at"] for row in told] == ["2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"]
    one = cora.get(f"{API}/photos/{first.ref}").json()
    assert one["changed_at"] == told[0]["changed_at"]


def followed(client: APIClient, path: str, **asked: str) -> Iterator[list[Any]]:
    """The pages of a list as `next` leads through them, by what their rows are called."""
    url: str | None = f"{API}/{path}?{urlencode(asked)}"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.json()
        told = answer.json()
        assert told["previous"] is None
        url = told["next"]
        yield [row[CALLED.get(path, "id")] for row in told["results"]]


@pytest.mark.parametrize("path", LISTS)
def test_who_follows_next_meets_each_row_once_also_where_many_changed_in_one_moment(
    people: Cast, program: Programs, photo: Photo, path: str
) -> None:
    for _ in range(6):
        elsewhere(people)
    sten, then = program(people.sten), NOW - timedelta(days=1)
    Collection.objects.update(created_at=NOW)
    every = since(sten, path, then)
    pages = list(followed(sten, path, changed_after=then.isoformat(), limit="3"))
    assert len(every) >= 6
    assert [row for page in pages for row in page] == every
    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)


def test_what_changes_while_one_reads_pulls_no_other_row_over_the_edge(
    people: Cast, program: Programs, photo: Photo
) -> None:
    every = [photo, *(factories.photo(photo.collection) for _ in range(5))]
    asked = {"changed_after": NOW.isoformat(), "limit": "3"}
    pages = followed(program(people.cora), "photos", **asked)
    seen = next(pages)
    describe_photo(photo=every[0], by=people.cora, fields={"place_en": "Tehran"}, now=LATER)
    seen += [ref for page in pages for ref in page]
    assert seen == [*(each.ref for each in every), every[0].ref]


def test_a_row_that_does_not_fit_the_other_wishes_any_more_is_still_gone_on_from(
    people: Cast, program: Programs, photo: Photo
) -> None:
    every = [photo, *(factories.photo(photo.collection) for _ in range(3))]
    asked = {"changed_after": NOW.isoformat(), "limit": "2", "state": "ready"}
    pages = followed(program(people.cora), "photos", **asked)
    assert next(pages) == [every[0].ref, every[1].ref]
    hold_photo(photo=every[1], by=people.cora, reason="A doubt", now=LATER)
    assert list(pages) == [[every[2].ref, every[3].ref]]


@pytest.mark.parametrize("path", LISTS)
def test_to_go_on_takes_a_time_and_a_row_that_there_is(
    people: Cast, program: Programs, photo: Photo, path: str
) -> None:
    sten, then = program(people.sten), {"changed_after": NOW.isoformat()}
    there = since(sten, path, NOW - timedelta(days=1)) or [1]
    for asked, code, field in (
        ({"after": str(there[0])}, "no-time", "/after"),
        (then | {"after": "999999"}, "unknown-row", "/after"),
        (then | {"after": ""}, "invalid", "/after"),
        (then | {"offset": "3"}, "no-offset", "/offset"),
    ):
        answer = sten.get(f"{API}/{path}", asked)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_a_row_out_of_reach_is_as_unknown_as_one_that_never_was(
    people: Cast, program: Programs, photo: Photo
) -> None:
    Collection.objects.filter(pk=photo.collection_id).update(is_open=False)
    then = {"changed_after": NOW.isoformat()}
    for path, called in (("photos", photo.ref), ("collections", photo.collection.slug)):
        answer = program(people.vera).get(f"{API}/{path}", then | {"after": called})
        assert answer.json()["code"] == "unknown-row"
        assert (
            program(people.cora).get(f"{API}/{path}", then | {"after": called}).status_code == 200
        )


def test_what_is_written_late_is_found_by_who_begins_some_minutes_earlier(
    people: Cast, program: Programs, photo: Photo
) -> None:
    cora, quick, slow = program(people.cora), photo, factories.photo(photo.collection)
    describe_photo(photo=quick, by=people.cora, fields={"place_en": "Tehran"}, now=LATEST)
    [told] = rows(cora, "photos", changed_after=LATER.isoformat())
    late = LATEST - timedelta(minutes=1)  # it began before, and ends now
    describe_photo(photo=slow, by=people.cora, fields={"place_en": "Tehran"}, now=late)
    greatest = datetime.fromisoformat(told["changed_at"])
    assert slow.ref not in since(cora, "photos", greatest)
    assert since(cora, "photos", greatest - timedelta(minutes=5)) == [slow.ref, quick.ref]


def test_what_came_into_reach_is_found_by_a_full_list_only(
    people: Cast, program: Programs, photo: Photo
) -> None:
    Collection.objects.filter(pk=photo.collection_id).update(is_open=False)
    vera, box = program(people.vera), Collection.objects.get(pk=photo.collection_id)
    assert rows(vera, "photos") == []
    change_collection(collection=box, by=people.cora, fields={"is_open": True}, now=LATER)
    assert since(vera, "photos", LATER) == []
    assert [row["ref"] for row in rows(vera, "photos")] == [photo.ref]


@pytest.mark.parametrize("path", LISTS)
def test_what_a_list_of_changes_promises_is_described(path: str) -> None:
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)
    told = schema["paths"][f"{API}/{path}"]["get"]["parameters"]
    words = {each["name"]: str(each.get("description", "")) for each in told}
    for said in ("Follow `next`", "some minutes before", "no harm", "full list only"):
        assert said in words["changed_after"]
    assert "unknown-row" in words["after"]
    page = " ".join((ROOT / "docs" / "access.md").read_text(encoding="utf-8").split())
    assert "follow `next` to its end, and begin the next harvest some minutes before" in page


def test_a_photo_changes_when_the_machine_looked_and_not_when_somebody_works_on_it(
    people: Cast, program: Programs, photo: Photo
) -> None:
    vera = program(people.vera)
    vera.post(f"{API}/photos/{photo.ref}/claim")
    assert since(vera, "photos", LATER) == []
    Assessment.objects.create(photo=photo, made_at=LATEST)
    assert since(vera, "photos", LATER) == [photo.ref]


def test_what_changed_is_told_together_with_other_wishes(
    people: Cast, program: Programs, photo: Photo
) -> None:
    other = factories.photo(photo.collection)
    for number, each in enumerate((photo, other)):
        fields = {"title_en": "Harbour" if number else "Medal"}
        describe_photo(photo=each, by=people.cora, fields=fields, now=LATER)
    asked = {"changed_after": LATER.isoformat(), "words": "harbour"}
    found = rows(program(people.vera), "photos", **asked)
    assert [row["ref"] for row in found] == [other.ref]


def test_versions_change_with_every_move_of_their_own(
    people: Cast, program: Programs, photo: Photo
) -> None:
    vera = program(people.vera)
    still, sent, back = (factories.version(photo, people.vera) for _ in range(3))
    for each, at in ((sent, LATEST), (back, LATER)):
        submit_version(version=each, by=people.vera, note="", now=at)
    assert since(vera, "versions", LATER) == [back.pk, sent.pk]
    withdraw_version(version=back, by=people.vera, now=LATEST + timedelta(hours=1))
    assert since(vera, "versions", LATER) == [sent.pk, back.pk]
    assert still.pk in since(vera, "versions", NOW)
    answer = vera.get(f"{API}/versions/{back.pk}").json()
    assert (answer["state"], answer["changed_at"]) == ("withdrawn", "2026-11-22T13:00:00Z")


def test_a_decision_is_a_change_of_the_version(
    people: Cast, program: Programs, photo: Photo
) -> None:
    made, review = factories.accepted(photo, people.vera, people.cora)
    told = program(people.vera).get(f"{API}/versions/{made.pk}").json()
    assert datetime.fromisoformat(told["changed_at"]) == review.decided_at


def test_publications_change_when_they_are_hidden_and_when_they_are_shown(
    people: Cast, program: Programs, photo: Photo
) -> None:
    cora, room = program(people.cora), factories.room(photo.collection)

    def publish() -> Any:
        version, _review = factories.accepted(photo, people.vera, people.sten)
        return publish_version(
            version=version, room=room, words=Words("A"), by=people.cora, now=NOW
        )

    old, new = publish(), publish()
    assert set(since(cora, "publications", NOW)) == {old.pk, new.pk}
    suspend_publication(publication=new, by=people.cora, reason="", now=LATER)
    assert since(cora, "publications", LATER) == [new.pk]
    resume_publication(publication=new, by=people.cora, now=LATEST)
    assert since(cora, "publications", LATEST) == [new.pk]
    told = cora.get(f"{API}/publications/{new.pk}").json()
    assert (told["state"], told["changed_at"]) == ("live", "2026-11-22T12:00:00Z")


def test_collections_change_with_their_words(people: Cast, program: Programs, photo: Photo) -> None:
    fields, ahead = {"title_en": "Box 7"}, timezone.now() + timedelta(days=1)
    factories.collection()
    change_collection(collection=photo.collection, by=people.cora, fields=fields, now=ahead)
    assert since(program(people.cora), "collections", ahead) == [photo.collection.slug]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "said",
    ["", "yesterday", "2026-11-20", "2026-11-20T12:00:00", "2026-13-20T12:00:00Z",
     "2026-11-20T12:00:00 08:00", "20261120T120000Z", "２026-11-20T12:00:00Z"],
)  # fmt: skip
def test_a_time_without_its_zone_is_refused_and_not_guessed_at(
    people: Cast, program: Programs, path: str, said: str
) -> None:
    answer = program(people.sten).get(f"{API}/{path}", {"changed_after": said})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == "/changed_after"


@pytest.mark.parametrize(
    ("said", "is_before"),
    [("2026-11-20t12:00:00z", True), ("2026-11-20 12:00:00.123456789Z", False),
     ("2026-11-20T20:00:00+08:00", True), ("2026-11-20T20:00:01+08:00", False),
     ("2016-12-31T23:59:60Z", True), ("0001-01-01T00:00:00+14:00", True),
     ("9999-12-31T23:59:59-12:00", False)],
)  # fmt: skip
def test_every_time_of_rfc_3339_is_understood(
    people: Cast, program: Programs, photo: Photo, said: str, is_before: bool
) -> None:
    assert photo.added_at == NOW
    assert bool(rows(program(people.sten), "photos", changed_after=said)) is is_before


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_changes_has_a_flat_price(
    people: Cast, program: Programs, photo: Photo, path: str
) -> None:
    for _ in range(4):
        elsewhere(people)
    sten, then = program(people.sten), (NOW - timedelta(days=1)).isoformat()
    first = str(since(sten, path, NOW - timedelta(days=1))[0])
    with CaptureQueriesContext(connection) as few:
        assert len(rows(sten, path, changed_after=then, limit="1")) == 1
    with CaptureQueriesContext(connection) as many:
        assert len(rows(sten, path, changed_after=then)) >= 4
    with CaptureQueriesContext(connection) as further:
        assert len(rows(sten, path, changed_after=then, after=first)) >= 3
    assert len(many) == len(few) <= 8
    assert len(further) == len(many) + 1
