"""Letters come in the language of whoever asked for them."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as configured
from django.core import mail
from django.test import Client

from tests.people import cast

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
    vera, client = cast().vera, Client()
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = "zh-hans"
    client.force_login(vera)
    client.post("/account/email/", {"email": "v@example.org", "action_add": ""})
    (letter,) = mail.outbox
    assert "http" in letter.body
    assert not ENGLISH.search(f"{letter.subject}\n{letter.body}")
