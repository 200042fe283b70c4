"""Signing in for programs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.actions import give_token
from accounts.models import User
from tests.api.conftest import Programs
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

URL = "/api/v1/token"
MINE = {"name": "vera", "password": PASSWORD}


@pytest.mark.parametrize("name", ["vera", "vera@example.org"])
def test_a_name_or_a_mail_and_a_password_give_a_token(name: str) -> None:
    vera = person("vera")
    answer = APIClient().post(URL, MINE | {"name": name}, format="json")
    assert answer.status_code == 200
    assert answer.json() == {"token": Token.objects.get(user=vera).key}


def test_the_token_opens_the_door() -> None:
    person("vera")
    client = APIClient()
    token = client.post(URL, MINE, format="json").json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/me").json()["username"] == "vera"


def test_a_wrong_password_is_a_problem_detail() -> None:
    person("vera")
    answer = APIClient().post(URL, MINE | {"password": "no"}, format="json")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "wrong-credentials"


def test_an_account_that_is_off_gets_none() -> None:
    person("vera", is_active=False)
    assert APIClient().post(URL, MINE, format="json").json()["code"] == "wrong-credentials"


def test_a_token_of_an_account_that_was_switched_off_is_dead(program: Programs) -> None:
    vera = person("vera")
    client = program(vera)
    vera.is_active = False
    vera.save()
    assert client.get("/api/v1/me").status_code == 401


def test_guessing_is_slowed_down() -> None:
    person("vera")
    client = APIClient()
    answers = [client.post(URL, MINE | {"password": str(n)}, format="json") for n in range(12)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "too-many-requests"
    right = client.post(URL, MINE, format="json")
    assert right.status_code == 429


def test_after_five_wrong_passwords_the_wait_is_told() -> None:
    person("vera")
    client = APIClient()
    wrong = [client.post(URL, MINE | {"password": str(n)}, format="json") for n in range(6)]
    assert [each.status_code for each in wrong] == [401] * 5 + [429]
    assert 240 < int(wrong[-1]["Retry-After"]) <= 301
    assert "Try again in 5 minutes" in wrong[-1].json()["detail"]


def test_who_asks_often_from_elsewhere_keeps_nobody_out() -> None:
    person("vera")
    for _ in range(12):
        APIClient(REMOTE_ADDR="203.0.113.9").post(URL, MINE, format="json")
    assert APIClient(REMOTE_ADDR="198.51.100.7").post(URL, MINE, format="json").status_code == 200


def test_giving_it_up_ends_it(program: Programs) -> None:
    client = program(person("vera"))
    assert client.delete(URL).status_code == 204
    assert client.get("/api/v1/me").status_code == 401


FRESH = {"password1": "another-long-pass-phrase", "password2": "another-long-pass-phrase"}


def by_its_owner(vera: User) -> None:
    client = Client()
    client.force_login(vera)
    client.post(reverse("account_change_password"), FRESH | {"oldpassword": PASSWORD})


def by_a_link_in_a_mail(vera: User) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": vera.email})
    link = re.search(r"/account/password/reset/key/\S+", str(mail.outbox[-1].body))
    assert link is not None
    client.post(client.get(link[0], follow=True).redirect_chain[-1][0], FRESH)


def by_a_steward(vera: User) -> None:
    client = Client()
    client.force_login(person("sten", is_steward=True))
    page = client.post(reverse("people:give-link", args=[vera.pk])).text
    link = re.search(r"/account/password/reset/key/[^<]+", page)
    assert link is not None
    client.post(client.get(link[0], follow=True).redirect_chain[-1][0], FRESH)


@pytest.mark.parametrize("change", [by_its_owner, by_a_link_in_a_mail, by_a_steward])
def test_a_new_password_ends_the_token(program: Programs, change: Callable[[User], None]) -> None:
    vera = person("vera")
    client = program(vera)
    change(vera)
    vera.refresh_from_db()
    assert vera.check_password(FRESH["password1"])
    assert client.get("/api/v1/me").status_code == 401


def test_a_password_that_was_changed_while_it_was_checked_gives_no_token() -> None:
    vera = person("vera")
    checked = User.objects.get(pk=vera.pk)
    by_its_owner(vera)
    assert give_token(person=checked) is None
    assert not Token.objects.exists()


def test_hashing_the_same_password_anew_does_not_end_it(program: Programs, settings: Any) -> None:
    vera = person("vera")
    client, old = program(vera), vera.password
    better = "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"
    settings.PASSWORD_HASHERS = [better, *settings.PASSWORD_HASHERS]
    Client().post(reverse("account_login"), {"login": "vera", "password": PASSWORD})
    vera.refresh_from_db()
    assert vera.password != old
    assert client.get("/api/v1/me").status_code == 200


def test_the_account_says_since_when_there_is_a_token_and_ends_it(
    client: Client, program: Programs
) -> None:
    vera = person("vera")
    client.force_login(vera)
    profile = reverse("people:profile")
    assert "with a token" not in client.get(profile).text
    holder = program(vera)
    other = program(person("victor"))
    assert date_format(Token.objects.get(user=vera).created) in client.get(profile).text
    assert client.get(reverse("people:end-token")).status_code == 405
    answer = client.post(reverse("people:end-token"), follow=True)
    assert "Programs have to sign in anew" in answer.text
    assert "with a token" not in answer.text
    assert holder.get("/api/v1/me").status_code == 401
    assert other.get("/api/v1/me").status_code == 200


def test_a_session_opens_the_same_doors() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(person("vera"))
    assert client.get("/api/v1/me").status_code == 200
    refused = client.delete(URL)
    assert refused.status_code == 403  # a form of another site could have sent it
