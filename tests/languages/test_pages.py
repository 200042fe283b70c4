"""Everybody walks through the whole site in Chinese and reads no English that is not data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db import models
from django.test import Client
from django.utils import timezone

from tests.access.addresses import OURS, Address, addresses
from tests.access.examples import examples
from tests.access.world import World, build
from tests.languages.collect import catalogue, chinese, english
from tests.languages.read import said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_chinese")]

# Two words of English side by side are a sentence of ours; one alone may be a name or a format.
ENGLISH = re.compile(r"\b[A-Za-z][a-z']+ [a-z]{2,}\b")
PLACES = re.compile(r"%\(|\{")


@pytest.fixture
def world() -> World:
    """A museum with something in every state."""
    return build()


def _client(user: Any = None) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = "zh-hans"
    if user:
        client.force_login(user)
    return client


def _pages(client: Client, world: World) -> Iterator[tuple[str, str]]:
    """Every page that is let through to, and every page that says no."""
    for address in addresses():
        if _is_read(address):
            for _word, values in examples(address, world):
                path = address.path(values)
                answer = client.get(path)
                if answer.headers.get("Content-Type", "").startswith("text/html"):
                    yield path, answer.content.decode()


def _is_read(address: Address) -> bool:
    ours = address.view.__module__.split(".")[0] in OURS or address.name.startswith("account_")
    return (ours or address.name == "api:docs") and address.name != "account_logout"


def _data() -> set[str]:
    """All words that are rows and not the site's own: titles, notes, names."""
    found: set[str] = set()
    for model in apps.get_models():
        fields = [
            each.attname
            for each in model._meta.fields
            if isinstance(each, models.CharField | models.TextField | models.JSONField)
        ]
        for row in model._base_manager.values_list(*fields or ["pk"]):
            for value in row:
                found |= set(_words(value))
    return found


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _words(inner)


def _ours_in_english() -> set[str]:
    """What the site says in English and says otherwise in Chinese, where nothing is filled in."""
    return {
        english(each)
        for each in catalogue()
        if each.id and chinese(each) != english(each) and not PLACES.search(english(each))
    }


def _left(pages: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Pieces of English, each with a page it stands on."""
    data, ours, left = _data(), _ours_in_english(), {}
    sentences = sorted((each for each in data if " " in each), key=len, reverse=True)
    for path, html in pages:
        for piece in said(html):
            if piece in data or piece in left or (not ENGLISH.search(piece) and piece not in ours):
                continue
            rest = piece
            for sentence in sentences:
                rest = rest.replace(sentence, "")
            if piece in ours or ENGLISH.search(rest):
                left[piece] = path
    return left


@pytest.mark.parametrize(
    "readers",
    [
        pytest.param(("", "vera"), id="crowd"),
        pytest.param(("cora", "sten"), id="staff", marks=pytest.mark.slow),
    ],
)
def test_no_english_is_left(readers: tuple[str, ...], world: World) -> None:
    clients = [_client(getattr(world.people, who) if who else None) for who in readers]
    assert _left(chain.from_iterable(_pages(each, world) for each in clients)) == {}


def test_forms_refuse_in_chinese(world: World) -> None:
    stan, cora = _client(), _client(world.people.cora)
    asked = [
        (stan, "/account/signup/", {"username": "vera", "password1": "1", "password2": "2"}),
        (stan, "/account/signup/", {}),
        (stan, "/account/login/", {"login": "vera", "password": "no"}),
        (stan, "/account/password/reset/", {"email": "nobody"}),
        (cora, "/account/password/change/", {"oldpassword": "no", "password1": "1"}),
        (cora, "/account/email/", {"email": "nobody", "action_add": ""}),
        (cora, "/collections/open/edit", {}),
        (cora, "/curate/exhibits/new/", {}),
    ]
    answers = ((path, client.post(path, form).content.decode()) for client, path, form in asked)
    assert _left(answers) == {}


def test_the_api_refuses_in_chinese(world: World) -> None:
    ref = world.photos["held by the volunteer"].ref
    for client, path in (
        (_client(), "/api/v1/claims"),
        (_client(world.people.vera), "/api/v1/nothing"),
        (_client(world.people.vera), "/api/v1/desk"),
        (_client(world.people.victor), f"/api/v1/photos/{ref}/claim"),
    ):
        answer = client.post(path, {}, content_type="application/json")
        told = answer.json()
        assert answer.status_code >= 400
        assert re.search("[\u4e00-\u9fff]", told["detail"]), told


def test_dates_are_written_the_chinese_way(world: World) -> None:
    page = _client().get(f"/published/{world.publications['live'].pk}/", follow=True)
    now = timezone.localtime()
    assert f"{now.year} 年 {now.month} 月 {now.day} 日" in page.content.decode()


def test_a_page_says_which_language_it_is_in() -> None:
    assert '<html lang="zh-Hans"' in _client().get("/").content.decode()


def test_a_word_of_english_would_be_noticed() -> None:
    page = '<html lang="zh-Hans"><h1>Sign in</h1><p lang="en">A story</p><img alt="A dog runs">'
    assert _left(iter([("/", page)])) == {"Sign in": "/", "A dog runs": "/"}
