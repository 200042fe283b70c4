"""Addresses that take a form alone: whoever comes back to one is led to its page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import letters
from accounts.models import User
from tests.people import Cast

pytestmark = pytest.mark.django_db
ON_THE_WAY_IN = ("send-link", "give-link", "correct-address")
ON_THE_PERSON = ("limit", "suspend", "grant")


def at(name: str, who: User) -> str:
    return reverse(f"people:{name}", args=[who.pk])


def language_leads_to(page: str) -> str:
    [found] = re.findall(r'name="next" value="([^"]*)"', page)
    return str(found)


@pytest.mark.parametrize("name", ON_THE_WAY_IN + ON_THE_PERSON)
def test_whoever_comes_back_to_it_is_led_to_its_page(people: Cast, sten: Client, name: str) -> None:
    answer = sten.get(at(name, people.vera), follow=True)
    page = "way-in" if name in ON_THE_WAY_IN else "person"
    assert answer.redirect_chain == [(at(page, people.vera), 302)]
    assert answer.status_code == 200
    assert sten.put(at(name, people.vera)).status_code == 405


@pytest.mark.parametrize(
    ("name", "sent", "page"),
    [
        ("give-link", {}, "way-in"),
        ("correct-address", {"address": "no address"}, "way-in"),
        ("grant", {"resource": "cpu", "minutes": "0", "reason": "x"}, "person"),
        ("limit", {"reason": ""}, "person"),
        ("suspend", {"reason": ""}, "person"),
    ],
)
def test_another_language_of_its_answer_is_the_page(
    people: Cast, sten: Client, name: str, sent: dict[str, str], page: str
) -> None:
    answer = sten.post(at(name, people.vera), sent)
    onward = language_leads_to(answer.text)
    assert onward == at(page, people.vera)
    chosen = {"language": "zh-hans", "next": onward}
    assert sten.post(reverse("set_language"), chosen, follow=True).status_code == 200


def test_before_a_link_is_shown_the_page_says_what_loses_it(people: Cast, sten: Client) -> None:
    page = sten.get(at("way-in", people.vera)).text
    assert "Choose the language before" in page
    shown = sten.post(at("give-link", people.vera)).text
    assert "reset/key/" in shown
    assert "reset/key/" not in language_leads_to(shown)


def test_a_refused_address_stays_in_the_form_with_the_sentence(people: Cast, sten: Client) -> None:
    victor = people.victor
    EmailAddress.objects.create(user=victor, email=victor.email, primary=True, verified=True)
    # The page it was sent from may itself have been an answer.
    referer = {"referer": f"http://testserver{at('give-link', people.vera)}"}
    sent = {"address": victor.email}
    answer = sten.post(at("correct-address", people.vera), sent, headers=referer)
    assert answer.status_code == 422
    assert "Another account has confirmed this address." in answer.text
    assert f'value="{victor.email}"' in answer.text


@pytest.mark.parametrize("name", ["send-link", "give-link"])
def test_of_an_account_that_is_off_the_sentence_is_seen(
    people: Cast, sten: Client, name: str
) -> None:
    User.objects.filter(pk=people.vera.pk).update(is_active=False)
    answer = sten.post(at(name, people.vera), follow=True)
    assert answer.redirect_chain == [(at("way-in", people.vera), 302)]
    assert "This account is switched off." in answer.text


# --- what is said of letters ---------------------------------------------------------------------
def corrected(sten: Client, who: User) -> Any:
    return sten.post(at("correct-address", who), {"address": "new@example.org"}, follow=True).text


def test_who_had_no_address_before_was_not_told(people: Cast, sten: Client) -> None:
    User.objects.filter(pk=people.vera.pk).update(email="")
    page = corrected(sten, people.vera)
    assert mail.outbox == []
    assert "Corrected. Nobody was told" in page
    assert "were told." not in page
    assert "was told." not in page


def test_nor_where_no_letter_leaves(people: Cast, sten: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = letters.PRINTED
    assert "Corrected. Nobody was told" in corrected(sten, people.vera)


def test_nor_where_the_mail_server_is_away(
    people: Cast, sten: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "send", lambda *_: False)
    assert "Corrected. Nobody was told" in corrected(sten, people.vera)


def test_so_many_are_said_to_be_told_as_letters_left(people: Cast, sten: Client) -> None:
    assert "Corrected. The address from before was told." in corrected(sten, people.vera)
    for kind in ("work", "home"):
        address = f"{kind}@example.org"
        EmailAddress.objects.create(user=people.victor, email=address, verified=True)
    mail.outbox.clear()
    assert "Corrected. 3 addresses from before were told." in corrected(sten, people.victor)
    assert len(mail.outbox) == 3
