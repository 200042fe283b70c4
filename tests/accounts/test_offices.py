"""Who makes whom steward or curator."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from accounts import actions
from accounts.models import User
from archive.models import Curatorship, Event
from archive.policy import Refused
from tests.factories import NOW, collection
from tests.people import PASSWORD, cast, person

pytestmark = pytest.mark.django_db


def test_a_steward_makes_a_curator_and_dismisses_them(client: Client) -> None:
    people, box = cast(), collection()
    client.force_login(people.sten)
    client.post(reverse("people:appoint", args=[people.vera.pk]), {"collection": box.pk})
    assert Curatorship.objects.filter(user=people.vera, collection=box).exists()
    client.post(reverse("people:dismiss", args=[people.vera.pk]), {"collection": box.pk})
    assert not Curatorship.objects.exists()
    assert list(Event.objects.order_by("pk").values_list("verb", "collection")) == [
        ("curator.appointed", box.pk),
        ("curator.dismissed", box.pk),
    ]


def test_appointing_twice_is_appointing_once() -> None:
    people, box = cast(), collection()
    for _ in range(2):
        actions.appoint_curator(person=people.vera, collection=box, by=people.sten, now=NOW)
    assert Event.objects.count() == 1


def test_a_steward_makes_a_steward_and_takes_it_back(client: Client) -> None:
    people = cast()
    client.force_login(people.sten)
    client.post(reverse("people:make-steward", args=[people.cora.pk]))
    people.cora.refresh_from_db()
    assert people.cora.is_steward
    client.post(reverse("people:unmake-steward", args=[people.cora.pk]))
    people.cora.refresh_from_db()
    assert not people.cora.is_steward


def test_whoever_runs_the_machine_makes_the_first_steward() -> None:
    vera = person("vera")
    call_command("make_steward", "vera", stdout=StringIO())
    vera.refresh_from_db()
    assert vera.is_steward
    event = Event.objects.get()
    assert (event.verb, event.actor, event.facts) == ("steward.made", None, {"person": vera.pk})


@pytest.mark.parametrize("name", ["nobody", "gone", "sten"])
def test_only_who_is_there_and_is_none_yet_is_made_a_steward_so(name: str) -> None:
    person("gone", is_active=False)
    person("sten", is_steward=True)
    with pytest.raises(CommandError, match=name):
        call_command("make_steward", name)
    assert not Event.objects.exists()


def test_the_last_steward_stays(client: Client) -> None:
    sten = person("sten", is_steward=True)
    person("gone", is_steward=True, is_active=False)
    client.force_login(sten)
    answer = client.post(reverse("people:unmake-steward", args=[sten.pk]), follow=True)
    assert "Make another one first" in answer.text
    sten.refresh_from_db()
    assert sten.is_steward


@pytest.mark.parametrize("who", ["vera", "cora"])
def test_nobody_else_gives_offices(client: Client, who: str) -> None:
    people, box = cast(), collection()
    Curatorship.objects.create(user=people.cora, collection=box)
    somebody = getattr(people, who)
    client.force_login(somebody)
    for name in ("people:list", "people:person"):
        args = [somebody.pk] if name == "people:person" else []
        assert client.get(reverse(name, args=args)).status_code == 403
    assert client.post(reverse("people:make-steward", args=[somebody.pk])).status_code == 403
    somebody.refresh_from_db()
    assert not somebody.is_steward


def test_the_verb_asks_for_itself() -> None:
    people = cast()
    with pytest.raises(Refused) as refusal:
        actions.make_steward(person=people.vera, by=people.vera, now=NOW)
    assert refusal.value.code == "not-steward"


def test_people_are_found_by_name_and_mail(client: Client) -> None:
    people = cast()
    client.force_login(people.sten)
    page = client.get(reverse("people:list"), {"q": "vera@"}).text
    assert reverse("people:person", args=[people.vera.pk]) in page
    assert reverse("people:person", args=[people.cora.pk]) not in page


def test_the_list_costs_the_same_for_three_and_for_thirty(
    client: Client, django_assert_num_queries: object
) -> None:
    client.force_login(person("sten", is_steward=True))
    box = collection()

    def cost() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("people:list")).status_code == 200
        return len(seen)

    few = cost()
    for number in range(20):
        Curatorship.objects.create(user=person(f"p{number}"), collection=box)
    assert cost() <= few + 1  # the prefetch of offices begins when somebody has one
    assert few <= 7


def test_only_a_steward_enters_the_administration(client: Client) -> None:
    people = cast()
    client.force_login(people.vera)
    assert client.get("/admin/", follow=True).status_code == 403
    client.force_login(people.sten)
    assert client.get("/admin/").status_code == 200
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 200


def test_the_administration_shows_a_person_and_changes_nothing_of_them(client: Client) -> None:
    people = cast()
    client.force_login(people.sten)
    url = reverse("admin:accounts_user_change", args=[people.vera.pk])
    assert "vera@example.org" in client.get(url).text
    before = User.objects.filter(pk=people.vera.pk).values().get()
    told = {"username": "sten2", "display_name": "New", "email": "sten@example.org"}
    assert client.post(url, told | {"is_steward": "on"}).status_code == 403
    assert User.objects.filter(pk=people.vera.pk).values().get() == before
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403


def test_no_door_of_the_administration_sets_a_password_or_confirms_an_address(
    client: Client,
) -> None:
    people = cast()
    client.force_login(people.sten)
    page = f"/admin/accounts/user/{people.vera.pk}/password/"
    client.post(page, {"password1": "a-stewards-own-word", "password2": "a-stewards-own-word"})
    people.vera.refresh_from_db()
    assert people.vera.check_password(PASSWORD)
    assert client.get("/admin/account/emailaddress/").status_code == 404


def test_ones_own_password_is_changed_on_the_page_that_tells_by_letter(client: Client) -> None:
    client.force_login(cast().sten)
    answer = client.get(reverse("admin:password_change"))
    assert answer["Location"] == reverse("account_change_password")


def test_the_list_of_the_administration_switches_accounts_off_and_on_but_no_stewards(
    client: Client,
) -> None:
    people = cast()
    client.force_login(people.sten)
    url = reverse("admin:accounts_user_changelist")

    def press(name: str) -> tuple[str, bool, bool]:
        chosen = {"action": name, "_selected_action": [people.vera.pk, people.sten.pk]}
        page = client.post(url, chosen, follow=True)
        people.vera.refresh_from_db()
        people.sten.refresh_from_db()
        return page.text, people.vera.is_active, people.sten.is_active

    page, *on = press("switch_off")
    assert "Sten: Take the office of steward back first." in page
    assert on == [False, True]
    assert not signs_in(people.vera)
    assert press("switch_on")[1:] == (True, True)
    assert signs_in(people.vera)
    facts = {"person": people.vera.pk}
    assert list(Event.objects.order_by("pk").values_list("verb", "actor", "facts")) == [
        ("person.switched-off", people.sten.pk, facts),
        ("person.switched-on", people.sten.pk, facts),
    ]


def signs_in(person: User) -> bool:
    """Whether the person can sign in."""
    client = Client()
    client.post(reverse("account_login"), {"login": person.username, "password": PASSWORD})
    return "_auth_user_id" in client.session


def test_nobody_is_deleted(client: Client) -> None:
    sten, vera = person("sten", is_steward=True), person("vera")
    client.force_login(sten)
    for each in (sten, vera):
        gone = reverse("admin:accounts_user_delete", args=[each.pk])
        assert client.post(gone, {"post": "yes"}).status_code == 403
    people = reverse("admin:accounts_user_changelist")
    assert "delete_selected" not in client.get(people).text
    chosen = {"action": "delete_selected", "_selected_action": [sten.pk, vera.pk], "post": "yes"}
    client.post(people, chosen)
    assert User.objects.count() == 2


@pytest.mark.parametrize("verb", [actions.switch_off, actions.switch_on])
def test_only_a_steward_switches_accounts(verb: Callable[..., None]) -> None:
    people = cast()
    with pytest.raises(Refused, match="not-steward"):
        verb(person=people.vera, by=people.cora, now=NOW)


def test_the_administration_has_no_door_of_its_own(client: Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/account/login/?next=/admin/"
    elsewhere = client.get("/admin/login/?next=https://example.org/")
    assert elsewhere["Location"] == "/account/login/?next=/admin/"
