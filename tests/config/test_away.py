"""What people and programs get while the database is away or the disk full: never 500."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.people import person

pytestmark = pytest.mark.django_db

SENTENCE = "The site cannot get at its records now."
OURS = "Something broke on our side"


@contextlib.contextmanager
def failing(error: Exception) -> Iterator[None]:
    """Every statement fails, as it does on a link whose server went away."""

    def fails(*_: object) -> None:
        raise error

    with connection.execute_wrapper(fails):
        yield


@pytest.fixture
def vera() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("vera"))
    return client


def is_away(answer: HttpResponse) -> bool:
    told = answer["Retry-After"], answer["Cache-Control"]
    return (answer.status_code, *told) == (503, "60", "no-store")


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_somebody_signed_in_is_told_to_try_again(vera: Client, kind: type[Exception]) -> None:
    with failing(kind("server closed the connection")):
        answer = vera.get(reverse("restoration:wall"))
    assert is_away(answer)
    assert SENTENCE in answer.content.decode()


def test_a_stranger_is_told_so_where_pages_are_kept_in_rows(settings: Any) -> None:
    settings.PAGES_KEPT_SECONDS = 60
    client = Client(raise_request_exception=False, headers={"accept-language": "zh-hans"})
    with failing(OperationalError()):
        answer = client.get("/")
    assert is_away(answer)
    assert 'lang="zh-Hans"' in answer.content.decode()


def test_a_form_that_was_sent_is_shown_again_and_secrets_are_not(vera: Client) -> None:
    form = {"title": "Mill at Oostzaan", "password": "hush-hush-hush"}
    with failing(OperationalError()):
        answer = vera.post(reverse("restoration:wall"), form)
    assert is_away(answer)
    assert "Mill at Oostzaan" in answer.content.decode()
    assert "hush" not in answer.content.decode()


def test_a_script_gets_it_as_json(vera: Client) -> None:
    with failing(OperationalError()):
        answer = vera.get(reverse("restoration:wall"), headers={"accept": "application/json"})
    assert is_away(answer)
    assert answer.json()["code"] == "database-away"


def test_a_program_gets_a_problem_that_says_when_to_come_again() -> None:
    token = Token.objects.create(user=person("vera"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    with failing(OperationalError()):
        answer = client.get("/api/v1/me")
    assert is_away(answer)
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["code"]) == (503, "database-away")


def test_a_program_gets_a_problem_too_when_it_shows_before_the_api_is_asked(settings: Any) -> None:
    settings.PAGES_KEPT_SECONDS = 60  # after what may have changed a page its edition is looked up
    client = APIClient(raise_request_exception=False)
    with failing(OperationalError()):
        answer = client.post("/api/v1/no-such-thing")
    assert is_away(answer)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "database-away"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file that is uploaded finds room beside the database."""

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", fails)


def send_scan(**headers: str) -> HttpResponse:
    """As a browser does it, whose token is looked for in what it sends."""
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.force_login(person("vera"))
    client.cookies["csrftoken"] = "a" * 32
    scan = SimpleUploadedFile("mill.tif", b"II*\0" * 2**20)  # too large for the memory
    sent = {"title": "Mill", "file": scan}
    return client.post(reverse("restoration:wall"), sent, headers=headers)


@pytest.mark.usefixtures("full_disk")
def test_an_upload_onto_a_full_disk_is_told_that_nothing_was_lost() -> None:
    answer = send_scan()
    assert is_away(answer)
    assert "The disk of this site is full, so what you sent was not kept" in answer.content.decode()
    # A browser that is cut off while it sends shows no answer at all.
    assert answer.wsgi_request.read(1) == b""  # type: ignore[attr-defined]


@pytest.mark.usefixtures("full_disk")
def test_a_script_is_told_so_too() -> None:
    answer = send_scan(accept="application/json")
    assert is_away(answer)
    assert answer.json()["code"] == "disk-full"


def test_a_program_is_told_that_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rest_framework.views.APIView.initial", fails)
    answer = APIClient().get("/api/v1/me")
    assert is_away(answer)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "disk-full"


def test_a_session_that_a_full_disk_does_not_take_is_not_the_browsers_fault() -> None:
    def full(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('UPDATE "django_session"'):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)

    client = Client(raise_request_exception=False)
    client.session.save()
    form = {"username": "nina", "password1": "hush-hush-hush", "password2": "hush-hush-hush"}
    with connection.execute_wrapper(full):
        answer = client.post(reverse("account_signup"), form)
    assert is_away(answer)
    assert SENTENCE[:-1] in answer.content.decode()


def test_what_cannot_be_read_is_still_the_browsers_fault(vera: Client) -> None:
    answer = vera.get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400


def test_a_fault_of_ours_is_still_one(vera: Client) -> None:
    with failing(ProgrammingError()):
        answer = vera.get(reverse("restoration:wall"))
    assert answer.status_code == 500
    assert OURS in answer.content.decode()
