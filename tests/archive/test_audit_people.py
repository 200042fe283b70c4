"""The log names people by what they sign in with, which nobody else can have."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.models import Event
from tests.people import Cast, cast, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def sten(people: Cast) -> Client:
    return signed_in(people.sten)


def about(people: Cast, number: int) -> None:
    facts = {"person": number, "from": "new"}
    Event.objects.create(verb="trust.limited", at=timezone.now(), actor=people.sten, facts=facts)


def test_who_and_whom_are_user_names_with_links(people: Cast, sten: Client) -> None:
    about(people, people.vera.pk)
    page = sten.get(reverse("archive:audit")).text
    assert '<a href="?person=sten">sten</a>' in page
    url = reverse("people:person", args=[people.vera.pk])
    assert f'<a href="{url}">vera</a>' in page


def test_a_number_of_nobody_stays_a_number(people: Cast, sten: Client) -> None:
    about(people, 999_999)
    Event.objects.create(verb="odd", at=timezone.now(), facts={"person": "somebody"})
    page = sten.get(reverse("archive:audit")).text
    assert "999999" in page
    assert "somebody" in page


def test_names_cost_one_query_for_all_lines(people: Cast, sten: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            sten.get(reverse("archive:audit"))
        return len(queries)

    about(people, people.vera.pk)
    before = asked()
    for each in (people.victor, people.cora, people.clive):
        about(people, each.pk)
    assert asked() == before
