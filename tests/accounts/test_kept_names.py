"""Whose name is shown after the account is closed, and who may still change that."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import crediting, leaving
from accounts.models import User
from archive.models import Event
from archive.policy import Refused
from tests.factories import NOW
from tests.people import PASSWORD, Cast, signed_in

pytestmark = pytest.mark.django_db


def post(client: Client, name: str, who: User) -> Any:
    return client.post(reverse(f"people:{name}", args=[who.pk]), follow=True)


def closed(who: User, **said: str) -> User:
    answer = signed_in(who).post(reverse("people:close"), {"password": PASSWORD, **said})
    assert answer.status_code == 302
    return User.objects.get(pk=who.pk)


def test_who_hid_the_name_and_leaves_with_it_is_named_again(people: Cast) -> None:
    crediting.hide_name(person=people.vera, by=people.vera, now=NOW)
    vera = closed(people.vera, credit="keep")
    assert vera.name_hidden_at is None
    assert vera.display_name == "Vera"
    told = Event.objects.order_by("pk").values_list("verb", "actor")
    assert ("person.name-shown", vera.pk) in list(told)
    assert Event.objects.get(verb="person.closed").facts["name"] == "kept"


def test_what_a_steward_took_out_stays_out_and_the_page_says_so(people: Cast) -> None:
    crediting.hide_name(person=people.vera, by=people.sten, now=NOW)
    page = signed_in(people.vera).get(reverse("people:close")).text
    assert "A steward took your name out" in page
    assert 'name="credit"' not in page
    assert "You choose below whether it says your name" not in page
    vera = closed(people.vera)
    assert vera.name_hidden_at is not None
    assert Event.objects.get(verb="person.closed").facts["name"] == "hidden"


def test_the_verb_keeps_it_out_whatever_was_wished(people: Cast) -> None:
    crediting.hide_name(person=people.vera, by=people.sten, now=NOW)
    leaving.close_account(person=people.vera, password=PASSWORD, keep_name=True, now=NOW)
    assert User.objects.get(pk=people.vera.pk).name_hidden_at is not None
    assert Event.objects.get(verb="person.closed").facts["name"] == "hidden"


def test_a_steward_takes_back_what_a_steward_took_out(people: Cast, sten: Client) -> None:
    vera = closed(people.vera, credit="keep")
    page = post(sten, "hide-name", vera).text
    assert reverse("people:show-name", args=[vera.pk]) in page
    page = post(sten, "show-name", vera).text
    assert "says their name again" in page
    assert User.objects.get(pk=vera.pk).name_hidden_at is None


def test_the_wish_of_who_has_left_is_ended_by_nobody(people: Cast, sten: Client) -> None:
    vera = closed(people.vera, credit="hide")
    page = post(sten, "show-name", vera).text
    assert "took their name out themselves" in page
    assert "says their name again" not in page
    with pytest.raises(Refused, match="owner-hid-it"):
        crediting.show_name(person=vera, by=people.sten, now=NOW)
    page = sten.get(reverse("people:person", args=[vera.pk])).text
    assert "This person took the name out" in page
    assert reverse("people:show-name", args=[vera.pk]) not in page
    assert User.objects.get(pk=vera.pk).name_hidden_at is not None


def test_who_hid_it_without_leaving_by_it_still_chooses(people: Cast) -> None:
    crediting.hide_name(person=people.vera, by=people.vera, now=NOW)
    page = signed_in(people.vera).get(reverse("people:close")).text
    assert 'name="credit"' in page
    vera = closed(people.vera, credit="hide")
    assert (vera.name_hidden_at is not None, vera.display_name) == (True, "")
