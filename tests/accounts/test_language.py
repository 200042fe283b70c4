"""The language of a page stays the one it is read in, until somebody chooses another."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.actions import choose_language
from accounts.models import User
from tests.people import person

pytestmark = pytest.mark.django_db


def test_whoever_saves_a_name_keeps_the_language_they_read_in(client: Client) -> None:
    vera = person("vera")
    client.force_login(vera)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    form = client.get(reverse("people:profile")).context["form"]
    assert form["language"].value() == "zh-hans"
    User.objects.filter(pk=vera.pk).update(language="en")
    form = client.get(reverse("people:profile")).context["form"]
    assert form["language"].value() == "zh-hans"


def test_the_switch_in_the_header_is_remembered_for_the_next_device(client: Client) -> None:
    vera = person("vera", language="en")
    client.force_login(vera)
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/people/me/"})
    vera.refresh_from_db()
    assert vera.language == "zh-hans"
    client.post(reverse("set_language"), {"language": "xx"})
    vera.refresh_from_db()
    assert vera.language == "zh-hans"


def test_a_language_that_the_site_does_not_speak_is_not_kept() -> None:
    vera = person("vera", language="en")
    for said, kept in (("xx", "en"), ("zh-hans", "zh-hans")):
        choose_language(person=vera, language=said)
        vera.refresh_from_db()
        assert vera.language == kept


def test_a_stranger_switches_this_device_and_nothing_else(client: Client) -> None:
    vera = person("vera", language="en")
    answer = client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"
    vera.refresh_from_db()
    assert vera.language == "en"
