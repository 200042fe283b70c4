"""The list of files that are missing or altered, and who sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.lifecycle import Kept, Outcome
from archive.models import Alarm, FixityCheck, Photo
from tests import factories
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    collection = factories.collection()
    appoint(people.cora, collection)
    appoint(people.clive, factories.collection())
    return alarmed(factories.photo(collection))


def alarmed(photo: Photo) -> Photo:
    found = {"kind": Kept.ORIGINAL, "sha256": photo.sha256}
    check = FixityCheck.objects.create(**found, at=factories.NOW, outcome=Outcome.MISSING)
    Alarm.objects.create(photo=photo, raised_by=check, **found)
    return photo


def test_the_curator_and_the_steward_are_told_at_the_desk_and_find_the_file(
    client: Client, people: Cast, photo: Photo
) -> None:
    for person in (people.cora, people.sten):
        client.force_login(person)
        desk = client.get(reverse("restoration:desk")).text
        assert "1 file is missing or altered" in desk
        assert reverse("archive:alarms") in desk
        page = client.get(reverse("archive:alarms")).text
        assert photo.title_en in page
        assert "missing" in page


def test_the_curator_of_another_collection_sees_none_of_it(
    client: Client, people: Cast, photo: Photo
) -> None:
    client.force_login(people.clive)
    assert "missing or altered" not in client.get(reverse("restoration:desk")).text
    assert photo.title_en not in client.get(reverse("archive:alarms")).text


def test_the_page_is_closed_to_volunteers_and_strangers(
    client: Client, people: Cast, photo: Photo
) -> None:
    assert client.get(reverse("archive:alarms")).status_code == 302
    client.force_login(people.vera)
    assert client.get(reverse("archive:alarms")).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_alarms(
    client: Client, people: Cast, photo: Photo, django_assert_num_queries: Any
) -> None:
    client.force_login(people.cora)
    client.get(reverse("archive:alarms"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("archive:alarms"))
    for _ in range(3):
        alarmed(factories.photo(photo.collection))
    with django_assert_num_queries(len(one)):
        client.get(reverse("archive:alarms"))
