"""A name is somebody's whatever its capitals: the database says so, and every door hears it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import names
from accounts.models import User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db
NEW = {"username": "ann", "password1": PASSWORD, "password2": PASSWORD}
TAKEN = "Somebody here has this name. Add a word or a number to yours."


def test_two_that_differ_by_capitals_cannot_be_written() -> None:
    person("Ann")
    with pytest.raises(IntegrityError), transaction.atomic():
        person("ann")


@pytest.fixture
def quicker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Somebody else takes a name between the question whether it is free and the row."""

    def take(name: str) -> None:
        looked = names.check

        def slow(*args: Any, **more: Any) -> None:
            looked(*args, **more)
            User.objects.create_user(name, "", PASSWORD)

        monkeypatch.setattr(names, "check", slow)

    return take


@pytest.mark.parametrize("name", ["ann", "Ann"])
def test_who_was_a_moment_too_late_reads_it_beside_the_field(
    client: Client, quicker: Callable[[str], None], name: str
) -> None:
    quicker(name)
    answer = client.post(reverse("account_signup"), NEW | {"email": "ann@example.org"})
    assert answer.status_code in (200, 422)
    assert TAKEN in answer.text
    assert 'value="ann@example.org"' in answer.text
    assert "_auth_user_id" not in client.session
    assert User.objects.filter(username__iexact="ann").count() == 1
    signed = {"login": "ann", "password": PASSWORD}
    assert client.post(reverse("account_login"), signed).status_code == 302


def test_the_console_makes_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    person("Ann")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", "--noinput", username="ann", email="", stdout=StringIO())


@pytest.fixture
def before() -> Any:
    """The migration's step, in a database that does not know the constraint yet."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX person_name_once")  # comes back with the end of the test
    step = importlib.import_module("accounts.migrations.0005_tell_equal_names_apart")
    return partial(step.tell_apart, apps, None)


def test_of_those_that_are_there_the_first_keeps_the_name(before: Callable[[], None]) -> None:
    """A site that two have signed up to at once: neither of them could sign in by name."""
    made = [person(name) for name in ("Ann", "ann 2", "ann", "ANN", "Bob")]
    for _ in range(2):
        before()
        now = [User.objects.get(pk=each.pk).username for each in made]
        assert now == ["Ann", "ann 2", "ann 3", "ANN 4", "Bob"]


def test_the_operator_reads_who_signs_in_otherwise_now(
    before: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.create_user("a" * 150, "", PASSWORD)
    late = User.objects.create_user("A" * 150, "", PASSWORD)
    before()
    late.refresh_from_db()
    assert late.username == f"{'A' * 148} 2"
    assert f"account {late.pk} signs in as “{late.username}” from now on" in capsys.readouterr().out
