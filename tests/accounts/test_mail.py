"""Letters: whence their links, in whose language, and what is said when none goes out."""

import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.test import Client
from django.urls import reverse

from accounts import letters
from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

NEW = {"username": "nina", "email": "nina@example.com", "password1": PASSWORD}
NEW |= {"password2": PASSWORD}
LOST = "We could not send the letter"


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> int:
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", refuse)


@pytest.fixture
def printed(settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.CONTACT_MAIL = letters.PRINTED, "help@museum.example"


@pytest.fixture
def elsewhere(settings: Any) -> dict[str, str]:
    settings.SITE_URL = "https://photos.example.org"
    return {"HTTP_HOST": "localhost:6666"}


def test_links_are_written_from_the_sites_own_address(elsewhere: dict[str, str]) -> None:
    vera = person("vera")
    client = Client()
    for email in (vera.email, "nobody@example.org"):
        client.post(reverse("account_reset_password"), {"email": email}, **elsewhere)
    client.post(reverse("account_signup"), NEW, **elsewhere)
    Client().post(
        reverse("account_signup"), NEW | {"username": "no", "email": vera.email}, **elsewhere
    )
    assert len(mail.outbox) == 4
    for letter in mail.outbox:
        assert "https://photos.example.org/account/" in str(letter.body)
        assert "localhost" not in str(letter.body)
        assert str(letter.body).endswith("Rekindle\nhttps://photos.example.org")


def test_signing_up_succeeds_without_the_mail_server(client: Client, no_server: None) -> None:
    page = client.post(reverse("account_signup"), NEW, follow=True)
    assert page.status_code == 200
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    assert f"{LOST}; ask for it again under E-mail addresses." in page.text
    assert "Confirmation email sent" not in page.text


def test_what_never_left_may_be_asked_for_again_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:

        def refuse(*args: Any) -> int:
            raise OSError

        broken.setattr(locmem.EmailBackend, "send_messages", refuse)
        client.post(reverse("account_signup"), NEW)
    client.post(reverse("account_email"), {"email": NEW["email"], "action_send": ""})
    assert [each.to for each in mail.outbox] == [[NEW["email"]]]


def test_a_lost_reset_tells_no_stranger_who_has_an_account(no_server: None, client: Client) -> None:
    vera = person("vera")
    known, unknown = (
        client.post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in (vera.email, "nobody@example.org")
    )
    assert (
        known.redirect_chain == unknown.redirect_chain == [(reverse("account_reset_password"), 302)]
    )
    assert LOST in known.text
    assert LOST in unknown.text


def test_a_changed_password_is_kept_without_the_mail_server(
    client: Client, no_server: None
) -> None:
    vera, fresh = person("vera"), "another-long-pass-phrase"
    client.force_login(vera)
    words = {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}
    assert client.post(reverse("account_change_password"), words).status_code == 302
    vera.refresh_from_db()
    assert vera.check_password(fresh)


def test_the_mail_server_is_waited_for_a_few_seconds(settings: Any) -> None:
    assert settings.EMAIL_TIMEOUT <= 10


PAGES = ["account_reset_password", "account_reset_password_done", "account_email_verification_sent"]


@pytest.mark.parametrize("name", PAGES)
def test_where_none_are_sent_no_page_promises_one(client: Client, printed: None, name: str) -> None:
    page = client.get(reverse(name)).text
    assert "This site sends no letters yet" in page
    assert "mailto:help@museum.example" in page
    assert "on its way" not in page
    assert "We have sent" not in page


def test_where_none_are_sent_signing_up_promises_none(client: Client, printed: None) -> None:
    assert "Not needed: this site sends no letters yet." in client.get("/account/signup/").text
    page = client.post(reverse("account_signup"), NEW, follow=True).text
    assert "If you lose your password, ask help@museum.example." in page
    assert "Confirmation email sent" not in page
    addresses = client.get(reverse("account_email")).text
    assert "Send the confirmation again" not in addresses


@pytest.mark.parametrize("name", ["account_reset_password", "account_inactive"])
def test_who_needs_a_steward_reads_where_to_write(client: Client, name: str, settings: Any) -> None:
    settings.CONTACT_MAIL = "help@museum.example"
    assert "mailto:help@museum.example" in client.get(reverse(name)).text
