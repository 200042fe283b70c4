"""Signing in for programs."""

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

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


def test_giving_it_up_ends_it(program: Programs) -> None:
    client = program(person("vera"))
    assert client.delete(URL).status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_session_opens_the_same_doors() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(person("vera"))
    assert client.get("/api/v1/me").status_code == 200
    refused = client.delete(URL)
    assert refused.status_code == 403  # a form of another site could have sent it
