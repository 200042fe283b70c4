"""A steward lets somebody in again: by letter, by hand, with a line in the log for each."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import actions, letters
from accounts.models import User
from archive.models import Event
from archive.policy import Refused
from tests.factories import NOW
from tests.people import Cast, cast

pytestmark = pytest.mark.django_db

FRESH = {"password1": "another-long-pass-phrase", "password2": "another-long-pass-phrase"}


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def steward(client: Client, people: Cast) -> Client:
    client.force_login(people.sten)
    return client


def logged() -> list[tuple[str, int | None, Any]]:
    return list(Event.objects.order_by("pk").values_list("verb", "actor", "facts"))


def link_in(text: str) -> str:
    found = re.search(r"http://localhost:8000(/account/password/reset/key/[^\s<]+)", text)
    assert found is not None
    return found[1]


def chooses(link: str) -> str:
    """Somebody opens the link and chooses a password."""
    client = Client()
    page = client.get(link, follow=True)
    if page.redirect_chain:
        client.post(page.redirect_chain[-1][0], FRESH)
    return page.text


def test_the_page_of_a_person_leads_there(steward: Client, people: Cast) -> None:
    page = steward.get(reverse("people:person", args=[people.vera.pk])).text
    assert reverse("people:way-in", args=[people.vera.pk]) in page


def test_a_link_goes_to_the_persons_own_address(steward: Client, people: Cast) -> None:
    steward.post(reverse("people:send-link", args=[people.vera.pk]))
    [letter] = mail.outbox
    assert letter.to == [people.vera.email]
    chooses(link_in(str(letter.body)))
    people.vera.refresh_from_db()
    assert people.vera.check_password(FRESH["password1"])
    assert logged() == [("person.link-sent", people.sten.pk, {"person": people.vera.pk})]


def test_a_link_is_shown_once_to_hand_over_and_works_once(steward: Client, people: Cast) -> None:
    User.objects.filter(pk=people.vera.pk).update(email="")
    answer = steward.post(reverse("people:give-link", args=[people.vera.pk]))
    assert answer["Cache-Control"] == "no-store"
    assert "for 24 hours" in answer.text
    link = link_in(answer.text)
    assert "key/" not in steward.get(reverse("people:way-in", args=[people.vera.pk])).text
    chooses(link)
    people.vera.refresh_from_db()
    assert people.vera.check_password(FRESH["password1"])
    assert "does not work any more" in chooses(link)
    assert logged() == [("person.link-given", people.sten.pk, {"person": people.vera.pk})]
    assert mail.outbox == []


def test_of_a_link_given_by_hand_the_person_is_told(steward: Client, people: Cast) -> None:
    steward.post(reverse("people:give-link", args=[people.cora.pk]))
    [letter] = mail.outbox
    assert letter.to == [people.cora.email]
    assert "gave out a link" in str(letter.body)
    assert "key/" not in str(letter.body)


def test_a_link_lasts_for_hours(steward: Client, people: Cast, settings: Any) -> None:
    link = link_in(steward.post(reverse("people:give-link", args=[people.vera.pk])).text)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "does not work any more" in chooses(link)


def test_a_corrected_address_is_the_only_one_that_resets(
    steward: Client, people: Cast, settings: Any
) -> None:
    vera = people.vera
    EmailAddress.objects.create(user=vera, email=vera.email, primary=True, verified=True)
    url = reverse("people:correct-address", args=[vera.pk])
    page = steward.post(url, {"address": " New@Example.org "}, follow=True)
    assert "Corrected." in page.text
    assert [each.to for each in mail.outbox] == [["vera@example.org"]]
    # With that address nothing can be reset any more, so no link promises it.
    assert "/account/password/reset/" not in str(mail.outbox[0].body)
    assert f"If not, write to {settings.CONTACT_MAIL} at once." in str(mail.outbox[0].body)
    vera.refresh_from_db()
    assert vera.email == "new@example.org"
    rows = EmailAddress.objects.filter(user=vera).values_list("email", "primary", "verified")
    assert list(rows) == [("new@example.org", True, False)]
    assert logged() == [("person.address-corrected", people.sten.pk, {"person": vera.pk})]
    mail.outbox.clear()
    for email in ("vera@example.org", "new@example.org"):
        Client().post(reverse("account_reset_password"), {"email": email})
    assert ["key/" in str(each.body) for each in mail.outbox] == [False, True]


def test_what_is_no_address_changes_nothing(steward: Client, people: Cast) -> None:
    url = reverse("people:correct-address", args=[people.vera.pk])
    assert steward.post(url, {"address": "vera at home"}).status_code == 422
    with pytest.raises(Refused, match="no-address"):
        actions.correct_address(person=people.vera, address="x", by=people.sten, now=NOW)
    people.vera.refresh_from_db()
    assert people.vera.email == "vera@example.org"


@pytest.mark.parametrize("said", ["victor@example.org", "Victor@Example.org"])
def test_an_address_that_somebody_else_has_confirmed_is_refused(
    steward: Client, people: Cast, said: str
) -> None:
    vera, victor = people.vera, people.victor
    row = EmailAddress.objects.create(user=victor, email=victor.email, primary=True, verified=True)
    url = reverse("people:correct-address", args=[vera.pk])
    page = steward.post(url, {"address": said}, follow=True, headers={"referer": page_of(vera)})
    assert "Another account has confirmed this address." in page.text
    vera.refresh_from_db()
    assert vera.email == "vera@example.org"
    assert mail.outbox == []
    EmailAddress.objects.filter(pk=row.pk).update(verified=False)
    actions.correct_address(person=vera, address=said, by=people.sten, now=NOW)
    vera.refresh_from_db()
    assert vera.email == victor.email


def page_of(person: User) -> str:
    return f"http://testserver{reverse('people:way-in', args=[person.pk])}"


def test_no_letter_is_promised_to_who_has_no_address(people: Cast) -> None:
    people.vera.email = ""
    with pytest.raises(Refused, match="no-letter"):
        actions.send_password_link(person=people.vera, by=people.sten, now=NOW)


def test_nor_where_none_are_sent(people: Cast, steward: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = letters.PRINTED
    with pytest.raises(Refused, match="no-letter"):
        actions.send_password_link(person=people.vera, by=people.sten, now=NOW)
    page = steward.get(reverse("people:way-in", args=[people.vera.pk])).text
    assert reverse("people:send-link", args=[people.vera.pk]) not in page


def test_a_letter_that_is_lost_leaves_no_line(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "send", lambda *_: False)
    with pytest.raises(Refused, match="letter-lost"):
        actions.send_password_link(person=people.vera, by=people.sten, now=NOW)
    assert not Event.objects.exists()


VERBS = [
    actions.send_password_link,
    actions.give_sign_in_link,
    lambda **who: actions.correct_address(address="a@example.org", **who),
]


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_is_let_into_an_account_that_is_off(people: Cast, verb: Callable[..., Any]) -> None:
    User.objects.filter(pk=people.vera.pk).update(is_active=False)
    with pytest.raises(Refused, match="is-off"):
        verb(person=people.vera, by=people.sten, now=NOW)
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", ["way-in", "send-link", "give-link", "correct-address"])
def test_only_a_steward_does(client: Client, people: Cast, name: str) -> None:
    client.force_login(people.cora)
    url = reverse(f"people:{name}", args=[people.vera.pk])
    assert client.get(url).status_code == 403
    assert client.post(url).status_code == 403
    assert mail.outbox == []
