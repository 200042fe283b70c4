"""A colour said in a word, in either language, is shown before it is used."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from restoration.engine import colours
from tests.people import Cast


@pytest.mark.parametrize(
    ("word", "colour"), [("red", "#c41e26"), ("土黄", "#b88c46"), ("#8A2F1B", "#8a2f1b")]
)
def test_a_word_names_a_colour(client: Client, people: Cast, word: str, colour: str) -> None:
    client.force_login(people.vera)
    answer = client.get(reverse("restoration:colour"), {"word": word})
    assert answer.json() == {"colour": colour}


def test_a_word_that_names_none_gets_words_that_are_near(client: Client, people: Cast) -> None:
    client.force_login(people.vera)
    answer = client.get(reverse("restoration:colour"), {"word": "gren"})
    assert answer.status_code == 422
    assert "Did you mean green" in answer.json()["message"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("word", ["butternut homespun", "butternut"])
def test_words_that_are_like_none_or_one_get_two_that_are_known(
    client: Client, people: Cast, word: str, language: str
) -> None:
    client.force_login(people.vera)
    client.cookies["django_language"] = language
    answer = client.get(reverse("restoration:colour"), {"word": word})
    said, *known = re.findall(r"“(.+?)”", answer.json()["message"])
    assert (said, len(known)) == (word, 2)
    assert all(colours.parse(word) for word in known)
