"""A colour said in a word, in either language, is shown before it is used."""

import pytest
from django.test import Client
from django.urls import reverse

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
