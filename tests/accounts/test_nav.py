"""The header's links by role, for at most one query."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.nav import nav
from tests.factories import collection
from tests.people import appoint, cast

pytestmark = pytest.mark.django_db


def _seen(rf: RequestFactory, user: User | AnonymousUser, path: str = "/") -> tuple[list[str], int]:
    request = rf.get(path)
    request.user = user
    context = nav(request)
    with CaptureQueriesContext(connection) as queries:
        labels = [str(link.label) for link in context["nav"]]
    return labels, len(queries)


def test_it_costs_nothing_until_it_is_drawn(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = cast().vera
    with CaptureQueriesContext(connection) as queries:
        nav(request)
    assert len(queries) == 0


def test_each_role_sees_its_own(rf: RequestFactory) -> None:
    people = cast()
    appoint(people.cora, collection())
    stan, _none = _seen(rf, AnonymousUser())
    vera, one = _seen(rf, people.vera)
    cora, also_one = _seen(rf, people.cora)
    sten, none = _seen(rf, people.sten)
    assert (one, also_one, none) == (1, 1, 0)
    assert "My work" not in stan
    assert "My work" in vera
    assert "People" not in cora
    assert "People" in sten
    assert set(stan) <= set(vera) <= set(cora) <= set(sten)


def test_the_page_one_is_on_is_marked(rf: RequestFactory) -> None:
    request = rf.get("/people/me/")
    request.user = cast().sten
    assert [str(link.label) for link in nav(request)["nav"] if link.current] == ["My work"]


def test_a_page_of_the_footer_is_none_of_the_menu(rf: RequestFactory) -> None:
    request = rf.get(reverse("people:privacy"))
    request.user = cast().sten
    assert not any(link.current for link in nav(request)["nav"])
