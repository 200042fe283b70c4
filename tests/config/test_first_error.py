"""A form that was not accepted begins at its first problem, without a script too."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from restoration.forms import ReturnForm
from tests.people import cast

pytestmark = pytest.mark.django_db


def focused(page: str) -> list[str]:
    """The beginning of each element that asks for the focus."""
    return re.findall(r"<[a-z]+[^>]*\sautofocus[^>]*>", page)


def test_the_first_wrong_field_has_the_focus_and_no_other() -> None:
    people, client = cast(), Client()
    client.force_login(people.sten)
    address = reverse("archive:collection-new")
    assert focused(client.get(address).text) == []
    answer = client.post(address, {"slug": "box", "institution_en": ""})
    assert answer.status_code == 422
    (found,) = focused(answer.text)
    assert 'name="institution_en"' in found
    assert answer.text.count('aria-invalid="true"') > 1


def test_what_is_wrong_with_the_whole_form_stands_first(client: Client) -> None:
    answer = client.post(reverse("account_login"), {"login": "nobody", "password": "x"})
    (found,) = focused(answer.text)
    assert 'class="form-errors"' in found
    assert 'tabindex="-1"' in found


def test_of_a_group_of_choices_the_group_has_the_focus() -> None:
    form = ReturnForm({"advice": ""})
    assert not form.is_valid()
    field = form["reason"]
    assert (field.use_fieldset, field.takes_focus) == (True, True)  # type: ignore[attr-defined]
    assert focused(str(field)) == []
    assert [each.name for each in form if each.takes_focus] == ["reason"]  # type: ignore[attr-defined]


def test_what_is_pasted_is_not_cut_by_the_browser_but_counted_by_the_server() -> None:
    people, client = cast(), Client()
    client.force_login(people.sten)
    address = reverse("archive:collection-new")
    assert "maxlength" not in client.get(address).text
    answer = client.post(address, {"slug": "box", "title_en": "long " * 50 + "to the end"})
    assert answer.status_code == 422
    assert "at most 200 characters (it has 260)" in answer.text
    assert "long to the end" in answer.text
