"""Wrong passwords: few from one source, many from all together, whatever the host is called."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db

FRESH = {"password1": "another-long-pass-phrase", "password2": "another-long-pass-phrase"}
REFUSED = "Too many wrong passwords. Try again in 5 minutes"
WRONG = "This name and password do not belong together."


@pytest.fixture
def vera() -> User:
    return person("vera")


def says(login: str = "vera", word: str = "no", source: str = "10.0.0.1", **more: Any) -> str:
    """What the page of signing in answers."""
    told = {"login": login, "password": word}
    client = Client(REMOTE_ADDR=source)
    return client.post(reverse("account_login"), told, **more).text


def lets_in(source: str, word: str = PASSWORD, login: str = "vera") -> bool:
    client = Client(REMOTE_ADDR=source)
    client.post(reverse("account_login"), {"login": login, "password": word})
    return "_auth_user_id" in client.session


def api_says(name: str, word: str = "no", source: str = "10.0.0.1") -> tuple[int, str]:
    """What a program is answered that asks for a token."""
    client = Client(REMOTE_ADDR=source)
    told = {"name": name, "password": word}
    answer = client.post(reverse("api:token"), told, "application/json")
    return answer.status_code, answer.text


def ask_for_a_new_password(email: str, source: str) -> None:
    client = Client(REMOTE_ADDR=source)
    client.post(reverse("account_reset_password"), {"email": email})
    path = "/account/" + str(mail.outbox[0].body).split("/account/")[1].split()[0]
    client.post(client.get(path, follow=True).redirect_chain[-1][0], FRESH)


def has_address(user: User, email: str) -> User:
    EmailAddress.objects.create(user=user, email=email, verified=True)
    return user


@pytest.mark.parametrize("login", ["vera", "VERA", "vera@example.org", "nobody"])
def test_five_from_one_source_are_enough_and_the_page_says_for_how_long(
    vera: User, login: str
) -> None:
    for _ in range(5):
        assert REFUSED not in says(login)
    assert REFUSED in says(login)
    assert "ask for a new password" in says(login)


def test_another_host_begins_no_other_count(vera: User, settings: Any) -> None:
    for port in range(5):
        says(HTTP_HOST=f"localhost:{port + 1}")
    assert REFUSED in says(HTTP_HOST="localhost:99")


def test_a_name_and_an_address_are_one_person(vera: User) -> None:
    has_address(vera, "v@example.org")
    for login in ("vera", "vera@example.org", "v@example.org", "Vera", " vera "):
        says(login)
    assert not lets_in("10.0.0.1")
    assert lets_in("10.0.0.2")


def test_guesses_by_the_name_tell_nobody_whose_the_address_is(vera: User) -> None:
    """The address answers as one that nobody has, to the right password too, and to programs."""
    has_address(vera, "v@example.org")
    for _ in range(5):
        says("vera")
    for address in ("v@example.org", "nobody@example.org"):
        page = says(address, PASSWORD)
        assert WRONG in page, address
        assert REFUSED not in page, address
        status, said = api_says(address, PASSWORD)
        assert (status, WRONG in said) == (401, True), address
        for _ in range(3):
            assert REFUSED not in says(address), address
        assert REFUSED in says(address), address


def test_guesses_from_everywhere_tell_nobody_whose_the_address_is(vera: User) -> None:
    has_address(vera, "v@example.org")
    for number in range(30):
        says("vera", source=f"10.0.1.{number}")
    page = says("v@example.org", PASSWORD, "10.0.2.1")
    assert WRONG in page
    assert REFUSED not in page
    assert REFUSED in says("vera", PASSWORD, "10.0.2.1")


def test_its_owner_reads_at_the_name_that_was_guessed_at_how_long_it_takes(vera: User) -> None:
    has_address(vera, "v@example.org")
    for _ in range(5):
        says("v@example.org")
    assert REFUSED in says("v@example.org", PASSWORD)
    status, said = api_says("v@example.org", PASSWORD)
    assert (status, REFUSED in said) == (429, True)


def test_who_has_the_same_address_is_not_kept_out_with_its_owner(vera: User) -> None:
    """Or whoever signs up with somebody's address, and guesses at a name, learns whose it is."""
    other, word = person("mallory"), "a-word-that-vera-has-not"
    other.email = vera.email
    other.set_password(word)
    other.save()
    for _ in range(5):
        says("vera")
    assert lets_in("10.0.0.1", word, "vera@example.org")
    assert not lets_in("10.0.0.1", PASSWORD, "vera@example.org")


def test_who_has_the_same_address_and_password_learns_nothing_either(vera: User) -> None:
    person("mallory")
    User.objects.filter(username="mallory").update(email=vera.email)
    for _ in range(5):
        says("vera")
    assert lets_in("10.0.0.1", PASSWORD, "vera@example.org")


@pytest.mark.parametrize("name", ["Großmann", "Örn", "ΟΔΟΣ", "İpek"])
def test_a_name_of_other_letters_is_counted_with_its_address(name: str) -> None:
    has_address(person(name), "some@example.org")
    for _ in range(5):
        says(name)
    assert not lets_in("10.0.0.1", PASSWORD, "some@example.org")
    assert lets_in("10.0.0.2", PASSWORD, name)


def test_more_accounts_with_the_same_address_give_no_more_guesses(vera: User) -> None:
    for number in range(5):
        says("vera@example.org")
        User.objects.create(username=f"p{number}", email=vera.email)
    assert REFUSED in says("vera@example.org")


def test_who_guesses_keeps_nobody_out_elsewhere(vera: User) -> None:
    for _ in range(6):
        says(source="10.0.0.66")
    assert not lets_in("10.0.0.66")
    assert lets_in("10.0.0.1")


def test_thirty_from_everywhere_are_enough(vera: User) -> None:
    for number in range(30):
        says(source=f"10.0.1.{number}")
    assert REFUSED in says(source="10.0.2.1")
    assert not lets_in("10.0.2.2")


def test_forty_people_in_a_classroom_do_not_count_together() -> None:
    for number in range(40):
        person(f"p{number}")
        assert REFUSED not in says(f"p{number}")


def test_who_knows_the_password_is_not_counted(vera: User) -> None:
    assert [lets_in("10.0.0.1") for _ in range(35)] == [True] * 35


def test_a_new_password_lets_its_owner_in_at_once(vera: User) -> None:
    for number in range(31):
        says(source=f"10.0.1.{number % 7}")
    assert not lets_in("10.0.1.1")
    ask_for_a_new_password(vera.email, "10.0.1.1")
    assert lets_in("10.0.1.1", FRESH["password1"])
    assert [each.subject for each in mail.outbox[1:]] == ["[Rekindle] Your password was changed"]


def test_a_new_password_forgets_the_tries_by_every_name(vera: User) -> None:
    has_address(vera, "v@example.org")
    names = ("vera", "vera@example.org", "v@example.org")
    for login in names * 5:
        says(login)
    ask_for_a_new_password("v@example.org", "10.0.0.1")
    for login in names:
        assert REFUSED not in says(login), login
    assert lets_in("10.0.0.1", FRESH["password1"])


def test_a_proxy_of_ours_is_believed_and_no_other(vera: User, settings: Any) -> None:
    for number in range(5):
        says(HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
    assert REFUSED in says(HTTP_X_FORWARDED_FOR="1.2.3.99")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert REFUSED not in says(HTTP_X_FORWARDED_FOR="1.2.3.4")


def test_the_password_once_more_is_counted_too(vera: User) -> None:
    client = Client()
    client.force_login(vera)
    answers = [
        client.post(reverse("account_reauthenticate"), {"password": "no"}).text for _ in range(6)
    ]
    assert REFUSED in answers[5]


@pytest.mark.parametrize("door", ["people:close", "people:sign-out-elsewhere"])
def test_an_open_page_is_no_place_to_guess_on(vera: User, door: str) -> None:
    """Five there and the name waits at the sign-in too; the right one is refused meanwhile."""
    client = Client(REMOTE_ADDR="10.0.0.1")
    client.force_login(vera)
    for _ in range(5):
        client.post(reverse(door), {"credit": "keep", "password": "no"})
    answer = client.post(reverse(door), {"credit": "keep", "password": PASSWORD})
    assert answer.status_code == 429
    assert REFUSED in answer.text
    assert REFUSED in says("vera", PASSWORD)
    vera.refresh_from_db()
    assert vera.is_active


def test_guesses_at_the_sign_in_count_on_an_open_page(vera: User) -> None:
    for _ in range(5):
        says("vera")
    client = Client(REMOTE_ADDR="10.0.0.1")
    client.force_login(vera)
    answer = client.post(reverse("people:close"), {"credit": "keep", "password": PASSWORD})
    assert answer.status_code == 429


def test_a_password_left_out_is_no_guess(vera: User) -> None:
    client = Client(REMOTE_ADDR="10.0.0.1")
    client.force_login(vera)
    for _ in range(6):
        client.post(reverse("people:sign-out-elsewhere"))
    assert lets_in("10.0.0.1")
