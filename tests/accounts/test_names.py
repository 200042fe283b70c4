"""The name with which one signs up and in, as people write it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db


def sign_up(name: str) -> str:
    told = {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    return Client().post(reverse("account_signup"), told).text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Maria Huber", "Maria Huber"),
        ("  Maria   Huber ", "Maria Huber"),
        ("Jürgen O'Brien-Müller", "Jürgen O'Brien-Müller"),
        ("Ju\u0308rgen", "Jürgen"),
        ("王小明", "王小明"),
        ("王\u3000小明", "王 小明"),
        ("阿凡提·买买提", "阿凡提·买买提"),
        ("हिन्दी", "हिन्दी"),
        ("vera_2", "vera_2"),
    ],
)
def test_a_name_is_taken_as_people_write_it_and_signs_in_so(typed: str, kept: str) -> None:
    sign_up(typed)
    assert User.objects.get().username == kept
    client = Client()
    client.post(reverse("account_login"), {"login": typed.lower(), "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


@pytest.mark.parametrize("name", ["<b>", "Maria\u200bHuber", "Maria; Huber", "- -", "☺"])
def test_a_name_of_other_signs_is_refused_with_what_to_do(name: str) -> None:
    page = sign_up(name)
    assert "Write your name in letters, digits and spaces." in page
    assert "What credits show can be anything" in page
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "mark",
    ["\U000e0100", "\U000e01ef", "\u180b", "\u180c", "\u180d", "\u180f", "\u17b4", "\u17b5"],
)
def test_a_name_with_a_mark_that_looks_like_nothing_is_refused(mark: str) -> None:
    person("vera")
    assert "a character that nobody can see" in sign_up(f"ve{mark}ra")
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["vera", "Vera", " VERA "])
def test_a_name_that_somebody_has_is_refused_with_what_to_do(name: str) -> None:
    person("vera")
    assert "Add a word or a number to yours." in sign_up(name)
    assert User.objects.count() == 1


def test_a_password_like_the_name_is_refused_in_the_words_of_the_form() -> None:
    word = "maria huber 1"
    told = {"username": "Maria Huber", "password1": word, "password2": word}
    page = Client().post(reverse("account_signup"), told).text
    assert "This password is too much like your name or your address." in page
    assert "username" not in page.split("id_password1_error")[-1].split("</div>")[0]
