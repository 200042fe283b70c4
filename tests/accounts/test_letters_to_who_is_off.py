"""Whoever reads the mail of an account that is switched off is told that, by whatever door."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import actions
from accounts.models import User
from tests.factories import NOW
from tests.people import PASSWORD, Cast, cast, person

pytestmark = pytest.mark.django_db
NEW = {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}
MAIL = "vera@example.org"


@pytest.fixture
def people() -> Cast:
    """Vera is off."""
    made = cast()
    actions.switch_off(person=made.vera, by=made.sten, now=NOW)
    return made


def asks_for_a_password() -> Any:
    return Client().post(reverse("account_reset_password"), {"email": MAIL})


def signs_up() -> Any:
    return Client().post(reverse("account_signup"), NEW | {"email": MAIL})


@pytest.mark.parametrize("door", [asks_for_a_password, signs_up])
@pytest.mark.parametrize("verified", [None, False, True])
def test_the_letter_says_so_and_whom_to_write_to(
    people: Cast, settings: Any, door: Any, verified: bool | None
) -> None:
    if verified is not None:
        EmailAddress.objects.create(user=people.vera, email=MAIL, verified=verified)
    settings.CONTACT_MAIL = "help@museum.example"
    door()
    [letter] = mail.outbox
    assert letter.to == [MAIL]
    assert letter.subject == "[Rekindle] This account is switched off"
    assert "is switched off" in str(letter.body)
    assert "A steward of the site can switch it on again. Your work is kept." in str(letter.body)
    assert "help@museum.example" in str(letter.body)
    assert "/account/" not in str(letter.body)


def test_it_is_in_the_language_of_its_reader(people: Cast) -> None:
    User.objects.filter(pk=people.vera.pk).update(language="zh-hans")
    asks_for_a_password()
    assert "This account is switched off" not in mail.outbox[0].subject


def test_the_page_says_to_nobody_whose_address_it_is(people: Cast) -> None:
    known = asks_for_a_password()
    nobody = Client().post(reverse("account_reset_password"), {"email": "no@example.org"})
    assert (known.status_code, known["Location"]) == (nobody.status_code, nobody["Location"])
    assert "No account has this address" in mail.outbox[-1].subject


def test_who_has_another_account_at_the_address_gets_the_link(people: Cast) -> None:
    User.objects.filter(pk=people.victor.pk).update(email=MAIL)
    asks_for_a_password()
    assert ["key/" in str(each.body) for each in mail.outbox] == [True]
    signs_up()
    assert "You have an account already" in mail.outbox[-1].subject


def test_who_only_wrote_the_address_down_is_not_meant_where_it_is_confirmed(people: Cast) -> None:
    """The one who confirmed it is on; that another who claims it is off is nobody's business."""
    ada = person("ada")
    EmailAddress.objects.create(user=ada, email=MAIL, verified=True)
    asks_for_a_password()
    assert ["key/" in str(each.body) for each in mail.outbox] == [True]
