"""Where letters go changes only with the password, and the address from before is told."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

PAGE = "/account/email/"
ADD = {"email": "thief@example.com", "action_add": ""}
FRESH = {"password1": "another-long-pass-phrase", "password2": "another-long-pass-phrase"}


@pytest.fixture
def vera() -> User:
    return person("vera")


def with_addresses(vera: User) -> None:
    """Hers, and another one that is confirmed too."""
    for email, primary in ((vera.email, True), ("v@example.org", False)):
        EmailAddress.objects.create(user=vera, email=email, primary=primary, verified=True)


def signed_in(person: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": person.username, "password": PASSWORD})
    return client


def addresses(person: User) -> dict[str, bool]:
    return dict(EmailAddress.objects.filter(user=person).values_list("email", "primary"))


def told(subject: str) -> list[str]:
    return [to for letter in mail.outbox if subject in letter.subject for to in letter.to]


@pytest.mark.parametrize(
    "sent",
    [
        ADD,
        {"email": "v@example.org", "action_primary": ""},
        {"email": "v@example.org", "action_remove": ""},
    ],
)
def test_a_stolen_session_changes_no_address(
    client: Client, vera: User, sent: dict[str, str]
) -> None:
    with_addresses(vera)
    client.force_login(vera)
    answer = client.post(PAGE, sent)
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert addresses(vera) == {vera.email: True, "v@example.org": False}
    assert mail.outbox == []


def test_what_was_typed_is_done_after_the_password(client: Client, vera: User) -> None:
    client.force_login(vera)
    ask = client.post(PAGE, ADD)["Location"]
    page = client.get(ask)
    assert "What you typed is kept" in page.text
    wrong = client.post(ask, {"password": "no", "next": PAGE})
    assert 'id="id_password_error"' in wrong.text
    client.post(ask, {"password": PASSWORD, "next": PAGE})
    assert ADD["email"] in addresses(vera)


def test_the_password_is_asked_for_once_in_a_while(client: Client, vera: User) -> None:
    client.force_login(vera)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(PAGE, ADD)
    client.post(PAGE, ADD | {"email": "third@example.com"})
    assert len(addresses(vera)) == 3


def test_who_just_signed_in_is_not_asked_again(vera: User, settings: Any) -> None:
    client = signed_in(vera)
    client.post(PAGE, ADD)
    assert ADD["email"] in addresses(vera)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    later = client.post(PAGE, ADD | {"email": "third@example.com"})
    assert later["Location"].startswith(reverse("account_reauthenticate"))


def test_of_a_new_address_the_one_from_before_is_told_and_stays_the_one(vera: User) -> None:
    signed_in(vera).post(PAGE, ADD)
    assert told("was added") == [vera.email]
    assert addresses(vera) == {vera.email: True, ADD["email"]: False}


def test_who_has_no_address_yet_is_told_nowhere() -> None:
    vera = person("vera")
    User.objects.update(email="")
    signed_in(vera).post(PAGE, ADD)
    assert told("was added") == []
    assert told("Confirm") == [ADD["email"]]


def test_of_another_address_to_write_to_the_one_from_before_is_told(vera: User) -> None:
    with_addresses(vera)
    signed_in(vera).post(PAGE, {"email": "v@example.org", "action_primary": ""})
    assert told("another address") == [vera.email]
    assert "v@example.org" in str(mail.outbox[0].body)
    # It is still an address of hers, so the link in it works.
    assert "/account/password/reset/" in str(mail.outbox[0].body)


def test_of_one_that_was_removed_both_are_told(vera: User) -> None:
    with_addresses(vera)
    signed_in(vera).post(PAGE, {"email": "v@example.org", "action_remove": ""})
    assert told("was removed") == [vera.email, "v@example.org"]
    still, gone = (str(letter.body) for letter in mail.outbox)
    assert "/account/password/reset/" in still
    assert "/account/password/reset/" not in gone
    assert "If not, write to" in gone


def test_of_a_changed_password_the_owner_is_told_and_what_to_do(vera: User, settings: Any) -> None:
    settings.SITE_URL, settings.CONTACT_MAIL = "https://photos.example.org", "help@example.org"
    signed_in(vera).post(reverse("account_change_password"), FRESH | {"oldpassword": PASSWORD})
    [letter] = mail.outbox
    assert (letter.to, "password was changed" in letter.subject) == ([vera.email], True)
    body = str(letter.body)
    assert "https://photos.example.org/account/password/reset/" in body
    assert "help@example.org" in body
    assert "signs in as vera" in body
