"""Letters come in the language of who reads them; a stranger's is that of the page."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as configured
from django.core import mail
from django.test import Client

from tests.people import PASSWORD, cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_chinese")]

ENGLISH = re.compile(r"\b[A-Za-z]+ [a-z]{2,}\b")


@pytest.mark.parametrize("address", ["vera@example.org", "nobody@example.org"])
def test_a_reset_is_written_in_chinese(address: str) -> None:
    cast()
    client = Client()
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = "zh-hans"
    client.post("/account/password/reset/", {"email": address})
    (letter,) = mail.outbox
    assert re.search("[\u4e00-\u9fff]", str(letter.subject))
    assert not ENGLISH.search(f"{letter.subject}\n{letter.body}")


def test_a_confirmation_is_written_in_chinese() -> None:
    cast()
    client = Client()
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = "zh-hans"
    client.post("/account/login/", {"login": "vera", "password": PASSWORD})
    client.post("/account/email/", {"email": "v@example.org", "action_add": ""})
    (letter,) = [each for each in mail.outbox if each.to == ["v@example.org"]]
    assert "http" in letter.body
    assert not ENGLISH.search(f"{letter.subject}\n{letter.body}")


@pytest.mark.parametrize(("reads", "asked_in"), [("zh-hans", "en"), ("en", "zh-hans")])
def test_a_letter_is_written_in_what_its_reader_chose(reads: str, asked_in: str) -> None:
    person("rita", language=reads)
    client = Client()
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = asked_in
    client.post("/account/password/reset/", {"email": "rita@example.org"})
    told = {"username": "nina", "email": "rita@example.org"}
    words = {"password1": PASSWORD, "password2": PASSWORD}
    client.post("/account/signup/", told | words)  # the letter says that there is an account
    assert len(mail.outbox) == 2
    for letter in mail.outbox:
        assert bool(re.search("[\u4e00-\u9fff]", str(letter.subject))) == (reads == "zh-hans")
