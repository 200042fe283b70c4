"""Wrong passwords: few from one source, many from all together, whatever the host is called."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

FRESH = {"password1": "another-long-pass-phrase", "password2": "another-long-pass-phrase"}
REFUSED = "Too many wrong passwords. Try again in 5 minutes"


@pytest.fixture
def vera() -> User:
    return person("vera")


def says(login: str = "vera", word: str = "no", source: str = "10.0.0.1", **more: str) -> str:
    """What the page of signing in answers."""
    told = {"login": login, "password": word}
    client = Client(REMOTE_ADDR=source)
    return client.post(reverse("account_login"), told, **more).text


def lets_in(source: str, word: str = PASSWORD) -> bool:
    client = Client(REMOTE_ADDR=source)
    client.post(reverse("account_login"), {"login": "vera", "password": word})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("login", ["vera", "VERA", "vera@example.org", "nobody"])
def test_five_from_one_source_are_enough_and_the_page_says_for_how_long(
    vera: User, login: str
) -> None:
    for _ in range(5):
        assert REFUSED not in says(login)
    assert REFUSED in says(login)
    assert "ask for a new password" in says(login)


def test_another_host_begins_no_other_count(vera: User, settings: Any) -> None:
    for port in range(5):
        says(HTTP_HOST=f"localhost:{port + 1}")
    assert REFUSED in says(HTTP_HOST="localhost:99")


def test_a_name_and_an_address_are_one_person(vera: User) -> None:
    EmailAddress.objects.create(user=vera, email="v@example.org", verified=True)
    for login in ("vera", "vera@example.org", "v@example.org", "Vera", " vera "):
        says(login)
    assert REFUSED in says("vera")


def test_more_accounts_with_the_same_address_give_no_more_guesses(vera: User) -> None:
    for number in range(5):
        says("vera@example.org")
        User.objects.create(username=f"p{number}", email=vera.email)
    assert REFUSED in says("vera@example.org")


def test_who_guesses_keeps_nobody_out_elsewhere(vera: User) -> None:
    for _ in range(6):
        says(source="10.0.0.66")
    assert not lets_in("10.0.0.66")
    assert lets_in("10.0.0.1")


def test_thirty_from_everywhere_are_enough(vera: User) -> None:
    for number in range(30):
        says(source=f"10.0.1.{number}")
    assert REFUSED in says(source="10.0.2.1")
    assert not lets_in("10.0.2.2")


def test_forty_people_in_a_classroom_do_not_count_together() -> None:
    for number in range(40):
        person(f"p{number}")
        assert REFUSED not in says(f"p{number}")


def test_who_knows_the_password_is_not_counted(vera: User) -> None:
    assert [lets_in("10.0.0.1") for _ in range(35)] == [True] * 35


def test_a_new_password_lets_its_owner_in_at_once(vera: User) -> None:
    for number in range(31):
        says(source=f"10.0.1.{number % 7}")
    assert not lets_in("10.0.1.1")
    client = Client(REMOTE_ADDR="10.0.1.1")
    client.post(reverse("account_reset_password"), {"email": vera.email})
    path = "/account/" + str(mail.outbox[0].body).split("/account/")[1].split()[0]
    client.post(client.get(path, follow=True).redirect_chain[-1][0], FRESH)
    assert lets_in("10.0.1.1", FRESH["password1"])
    assert [each.subject for each in mail.outbox[1:]] == ["[Rekindle] Your password was changed"]


def test_a_proxy_of_ours_is_believed_and_no_other(vera: User, settings: Any) -> None:
    for number in range(5):
        says(HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
    assert REFUSED in says(HTTP_X_FORWARDED_FOR="1.2.3.99")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert REFUSED not in says(HTTP_X_FORWARDED_FOR="1.2.3.4")


def test_the_password_once_more_is_counted_too(vera: User) -> None:
    client = Client()
    client.force_login(vera)
    answers = [
        client.post(reverse("account_reauthenticate"), {"password": "no"}).text for _ in range(6)
    ]
    assert REFUSED in answers[5]
