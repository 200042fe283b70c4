"""A steward who cannot work is none: not the one who stays, and none in the administration."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from accounts import actions
from accounts.models import User
from archive.models import Curatorship, Event
from archive.policy import Refused
from archive.trust import Trust
from restoration.actions.standing import suspend_person
from tests.factories import NOW, collection
from tests.people import person

pytestmark = pytest.mark.django_db

UNABLE = [{"trust": Trust.SUSPENDED}, {"is_active": False}]


@pytest.mark.parametrize("state", UNABLE)
def test_the_last_who_can_work_does_not_go(client: Client, state: dict[str, object]) -> None:
    sten = person("sten", is_steward=True)
    person("stella", is_steward=True, **state)
    client.force_login(sten)
    answer = client.post(reverse("people:unmake-steward", args=[sten.pk]))
    assert answer.status_code == 302
    sten.refresh_from_db()
    assert sten.is_steward
    assert not Event.objects.exists()


def test_who_is_only_slowed_down_can_work() -> None:
    sten = person("sten", is_steward=True)
    person("stella", is_steward=True, trust=Trust.LIMITED)
    actions.unmake_steward(person=sten, by=sten, now=NOW)
    assert not User.objects.get(username="sten").is_steward


@pytest.mark.parametrize("state", UNABLE)
def test_nobody_is_made_a_steward_who_cannot_work(state: dict[str, object]) -> None:
    sten, vera = person("sten", is_steward=True), person("vera")
    User.objects.filter(pk=vera.pk).update(**state)  # after the row was read
    with pytest.raises(Refused, match="cannot-work"):
        actions.make_steward(person=vera, by=sten, now=NOW)
    vera.refresh_from_db()
    assert not vera.is_steward
    assert not Event.objects.exists()
    with pytest.raises(CommandError):
        call_command("make_steward", "vera")


@pytest.mark.parametrize("state", UNABLE)
def test_nor_a_curator(state: dict[str, object]) -> None:
    sten, vera, box = person("sten", is_steward=True), person("vera"), collection()
    User.objects.filter(pk=vera.pk).update(**state)  # after the row was read
    with pytest.raises(Refused, match="cannot-work"):
        actions.appoint_curator(person=vera, collection=box, by=sten, now=NOW)
    assert not Curatorship.objects.exists()
    assert not Event.objects.exists()


def test_a_steward_is_not_suspended() -> None:
    sten = person("sten", is_steward=True)
    with pytest.raises(Refused, match="is-steward"):
        suspend_person(person=sten, by=sten, reason="tired", now=NOW)


def test_who_was_made_a_steward_a_moment_ago_is_not_suspended_by_an_older_look() -> None:
    sten, vera = person("sten", is_steward=True), person("vera")
    actions.make_steward(person=User.objects.get(pk=vera.pk), by=sten, now=NOW)
    with pytest.raises(Refused, match="trust-moved-on"):
        suspend_person(person=vera, by=sten, reason="read before that", now=NOW)
    assert User.objects.get(pk=vera.pk).trust != Trust.SUSPENDED


@pytest.mark.parametrize("mark", [{}, {"is_superuser": True, "is_staff": True}])
def test_a_suspended_steward_does_not_enter_the_administration(
    client: Client, mark: dict[str, bool]
) -> None:
    sten = person("sten", is_steward=True, trust=Trust.SUSPENDED, **mark)
    client.force_login(sten)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get(reverse("admin:accounts_user_changelist"), follow=True).status_code == 403
    assert not sten.has_perm("accounts.change_user")
    assert not sten.has_module_perms("accounts")
