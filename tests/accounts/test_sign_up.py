"""Signing up, in and out, and a new password, through the pages."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

NEW = {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}


def test_a_name_and_a_password_are_enough(client: Client) -> None:
    answer = client.post(reverse("account_signup"), NEW)
    assert answer.status_code == 302
    nina = User.objects.get(username="nina")
    assert client.session["_auth_user_id"] == str(nina.pk)
    assert (nina.is_steward, nina.is_staff, nina.is_superuser) == (False, False, False)
    assert not nina.curatorships.exists()


def test_who_did_not_ask_is_signed_in_until_the_browser_is_closed(client: Client) -> None:
    """In a workshop the next one sits down at the same desk."""
    answer = client.post(reverse("account_signup"), NEW)
    assert client.session.get_expire_at_browser_close()
    assert not answer.cookies["sessionid"]["max-age"]
    client = Client()
    signed = {"login": "nina", "password": PASSWORD}
    client.post(reverse("account_login"), signed | {"remember": "on"})
    assert not client.session.get_expire_at_browser_close()


def test_the_language_follows_to_the_next_device(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"
    client.post(reverse("account_signup"), NEW)
    assert User.objects.get(username="nina").language == "zh-hans"

    other = Client()
    answer = other.post(reverse("account_login"), {"login": "nina", "password": PASSWORD})
    assert answer.cookies["django_language"].value == "zh-hans"


def test_what_was_chosen_on_this_device_wins(client: Client) -> None:
    person("vera", language="zh-hans")
    client.cookies["django_language"] = "en"
    answer = client.post(reverse("account_login"), {"login": "vera", "password": PASSWORD})
    assert answer.status_code == 302
    assert "django_language" not in answer.cookies


@pytest.mark.parametrize("name", ["vera", "vera@example.org"])
def test_one_signs_in_by_name_or_by_mail(client: Client, name: str) -> None:
    vera = person("vera")
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(vera.pk)


def test_a_wrong_password_is_told_beside_the_form(client: Client) -> None:
    person("vera")
    answer = client.post(reverse("account_login"), {"login": "vera", "password": "no"})
    assert 'role="alert"' in answer.text
    assert "_auth_user_id" not in client.session


def test_signing_out_wants_a_button(client: Client) -> None:
    client.force_login(person("vera"))
    assert client.get(reverse("account_logout")).status_code == 200
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session


def test_a_lost_password_is_replaced_by_a_link_in_a_mail(client: Client) -> None:
    vera = person("vera")
    client.post(reverse("account_reset_password"), {"email": vera.email})
    link = re.search(r"http://[^/]+(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    page = client.get(link[1], follow=True)
    action = page.redirect_chain[-1][0]
    fresh = "another-long-pass-phrase"
    answer = client.post(action, {"password1": fresh, "password2": fresh}, follow=True)
    assert "Your new password is kept" in answer.text
    vera.refresh_from_db()
    assert vera.check_password(fresh)


def test_an_unknown_address_is_answered_like_a_known_one(client: Client) -> None:
    person("vera")
    known = client.post(reverse("account_reset_password"), {"email": "vera@example.org"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


@pytest.mark.parametrize("verified", [True, False])
def test_signing_up_does_not_tell_whether_an_address_has_an_account(verified: bool) -> None:
    vera = person("vera")
    EmailAddress.objects.create(user=vera, email=vera.email, verified=verified, primary=True)

    def told(name: str, email: str) -> list[str]:
        client = Client()
        answer = client.post(reverse("account_signup"), NEW | {"username": name, "email": email})
        pages = [client.get(reverse(each)).text for each in ("people:profile", "account_email")]
        said = [answer["Location"], *pages]
        return [
            re.sub(r' (value|data-person)="[^"]*"', "", each)
            .replace(email, "MAIL")
            .replace(name, "NAME")
            for each in said
        ]

    taken = told("nina", vera.email)
    assert taken == told("nino", "free@example.org")
    assert "MAIL" in taken[1]
    assert len(mail.outbox) == 2


def test_whoever_has_the_address_is_told_by_letter(client: Client) -> None:
    vera = person("vera")
    client.post(reverse("account_signup"), NEW | {"email": "Vera@Example.org"})
    [letter] = mail.outbox
    assert letter.to == [vera.email]
    assert "there is one already" in str(letter.body)
    assert reverse("account_reset_password") in str(letter.body)
    assert "confirm-email" not in str(letter.body)


def test_a_password_is_asked_for_by_who_confirmed_the_address_alone(client: Client) -> None:
    vera = person("vera")
    EmailAddress.objects.create(user=vera, email=vera.email, verified=True, primary=True)
    client.post(reverse("account_signup"), NEW | {"email": vera.email})
    mail.outbox.clear()
    Client().post(reverse("account_reset_password"), {"email": vera.email})
    assert ["sign in as vera" in str(letter.body) for letter in mail.outbox] == [True]


def test_a_used_link_says_so(client: Client) -> None:
    answer = client.get(reverse("account_reset_password_from_key", args=["1", "x-y"]))
    assert "does not work any more" in answer.text


def test_a_person_changes_the_password(client: Client) -> None:
    vera = person("vera")
    client.force_login(vera)
    fresh = "another-long-pass-phrase"
    words = {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}
    client.post(reverse("account_change_password"), words)
    vera.refresh_from_db()
    assert vera.check_password(fresh)


PAGES = ["account_login", "account_signup", "account_reset_password", "account_inactive"]


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_strangers_wear_our_frame(client: Client, name: str) -> None:
    page = client.get(reverse(name)).text
    assert 'class="site-header"' in page
    assert "placeholder=" not in page
    assert "style=" not in page


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "account_logout"])
def test_the_pages_of_people_wear_our_frame(client: Client, name: str) -> None:
    client.force_login(person("vera"))
    page = client.get(reverse(name)).text
    assert 'class="site-header"' in page


def test_passwords_tell_the_browser_what_they_are(client: Client) -> None:
    sign_in, sign_up = (client.get(reverse(f"account_{n}")).text for n in ("login", "signup"))
    assert 'autocomplete="username"' in sign_in
    assert 'autocomplete="current-password"' in sign_in
    assert sign_up.count('autocomplete="new-password"') == 2
