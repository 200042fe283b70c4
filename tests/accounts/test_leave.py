"""Somebody closes their account: what goes, what is given back, what stays."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts import leaving
from accounts.actions import switch_on
from accounts.models import User
from archive.models import Curatorship, Event
from archive.policy import Refused
from archive.trust import Trust
from exhibit.hiding import hide_everything, undo_hiding
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job
from restoration.actions.reviews import open_review
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from restoration.lifecycle import ClaimState, JobState, ReviewState, VersionState
from restoration.models import Claim, Draft, Job, Review
from tests import factories
from tests.people import PASSWORD, Cast, appoint, cast, person, signed_in

pytestmark = pytest.mark.django_db
URL = "people:close"


@pytest.fixture
def people() -> Cast:
    return cast()


def leave(client: Client, credit: str = "keep", password: str = PASSWORD) -> Any:
    return client.post(reverse(URL), {"credit": credit, "password": password})


def test_the_page_says_before_what_goes_and_what_stays(people: Cast) -> None:
    page = signed_in(people.vera).get(reverse(URL)).text
    assert "What goes" in page
    assert "What stays" in page
    assert "Nobody can undo this" in page


def test_all_that_was_in_hand_is_given_back_by_its_own_verbs(people: Cast) -> None:
    vera, now = people.vera, timezone.now()
    photo = factories.photo(factories.collection())
    claim = claim_photo(photo=photo, by=vera, now=now)
    plan = Plan.from_json({"steps": [{"name": "tone"}]})
    scan = scan_version(photo=photo, now=now)
    job = request_job(source=scan, by=vera, fence=claim.pk, plan=plan, now=now)
    Draft.objects.create(photo=photo, volunteer=vera, body={}, saved_at=now)
    waiting = factories.submitted(factories.photo(photo.collection), vera)
    assert leave(signed_in(vera)).status_code == 302
    assert Claim.objects.get(pk=claim.pk).state == ClaimState.RELEASED
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELLED
    assert not Draft.objects.filter(volunteer=vera).exists()
    waiting.refresh_from_db()
    assert waiting.state == VersionState.SUBMITTED
    told = set(Event.objects.filter(actor=vera, at__gte=now).values_list("verb", flat=True))
    assert {"claim.released", "job.cancelled", "person.closed"} <= told


def test_nobody_signs_in_any_more_and_the_addresses_are_gone(people: Cast) -> None:
    vera = people.vera
    EmailAddress.objects.create(user=vera, email=vera.email, primary=True, verified=True)
    Token.objects.create(user=vera)
    here, there = signed_in(vera), signed_in(vera)
    leave(here)
    for client in (here, there):
        assert client.get(reverse("people:work")).status_code == 302
    vera.refresh_from_db()
    assert (vera.is_active, vera.email, vera.has_usable_password()) == (False, "", False)
    assert not EmailAddress.objects.filter(user=vera).exists()
    assert not Token.objects.filter(user=vera).exists()
    assert not Client().login(username="vera", password=PASSWORD)


def test_the_last_letter_goes_to_the_address_that_was(people: Cast) -> None:
    leave(signed_in(people.vera))
    assert [letter.to for letter in mail.outbox] == [["vera@example.org"]]
    assert "is closed, as you asked" in mail.outbox[0].body


def test_a_wrong_password_closes_nothing_and_guessing_on_has_to_wait(people: Cast) -> None:
    client = signed_in(people.vera)
    answer = leave(client, password="wrong")
    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert User.objects.get(pk=people.vera.pk).is_active
    codes = [leave(client, password="wrong").status_code for _ in range(12)]
    assert codes[-1] == 429


def test_the_last_steward_who_can_work_stays(people: Cast) -> None:
    person("stella", is_steward=True, trust=Trust.SUSPENDED)
    person("stan", is_steward=True, is_active=False)
    answer = leave(signed_in(people.sten))
    assert answer.status_code == 422
    assert "Make another one before you leave" in answer.text
    person("steve", is_steward=True)
    leave(signed_in(people.sten))
    people.sten.refresh_from_db()
    assert (people.sten.is_steward, people.sten.is_active) == (False, False)
    assert Event.objects.filter(verb="steward.unmade", actor=people.sten).exists()


def test_a_curator_leaves_the_office_and_the_review_they_were_at(people: Cast) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    version = factories.submitted(factories.photo(box), people.vera)
    review = open_review(version=version, by=people.cora, now=timezone.now())
    leave(signed_in(people.cora))
    assert not Curatorship.objects.filter(user=people.cora).exists()
    assert Event.objects.filter(verb="curator.dismissed", collection=box).exists()
    assert Review.objects.get(pk=review.pk).state == ReviewState.LAPSED


def test_what_a_closing_that_was_cut_off_left_is_ended_by_the_sweep(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, now = factories.collection(), timezone.now()
    for curator in (people.cora, people.clive):
        appoint(curator, box)
    photo, other = factories.photo(box), factories.photo(box)
    claim = claim_photo(photo=photo, by=people.cora, now=now)
    plan = Plan.from_json({"steps": [{"name": "tone"}]})
    scan = scan_version(photo=photo, now=now)
    job = request_job(source=scan, by=people.cora, fence=claim.pk, plan=plan, now=now)
    version = factories.submitted(factories.photo(box), people.vera)
    review = open_review(version=version, by=people.cora, now=now)
    kept = claim_photo(photo=other, by=people.victor, now=now)
    with monkeypatch.context() as cut:
        cut.setattr(leaving, "_give_back", lambda *_: None)
        leave(signed_in(people.cora))
    assert Claim.objects.get(pk=claim.pk).state == ClaimState.OPEN
    call_command("sweep")
    assert Claim.objects.get(pk=claim.pk).state == ClaimState.RELEASED
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELLED
    assert Review.objects.get(pk=review.pk).state == ReviewState.LAPSED
    assert Claim.objects.get(pk=kept.pk).state == ClaimState.OPEN
    told = Event.objects.filter(verb="claim.released").values_list("actor", flat=True)
    assert list(told) == [people.cora.pk]


def test_one_round_of_the_sweep_ends_so_many_and_no_more(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, now = factories.collection(), timezone.now()
    for _ in range(3):
        claim_photo(photo=factories.photo(box), by=people.vera, now=now)
    gone = {"closed_at": now, "is_active": False}
    User.objects.filter(pk=people.vera.pk).update(**gone)
    monkeypatch.setattr(leaving, "AT_ONCE", 2)
    assert [leaving.give_back_closed(now=now) for _ in range(3)] == [2, 1, 0]


def test_who_is_suspended_may_leave_too(people: Cast) -> None:
    User.objects.filter(pk=people.vera.pk).update(trust=Trust.SUSPENDED)
    claim = Claim.objects.create(
        photo=factories.photo(factories.collection()),
        volunteer=people.vera,
        opened_at=timezone.now(),
        seen_at=timezone.now(),
        ends_at=timezone.now(),
    )
    leave(signed_in(people.vera))
    claim.refresh_from_db()
    assert claim.state == ClaimState.RELEASED


def test_a_closed_account_is_not_switched_on_again_by_verb_or_row(people: Cast) -> None:
    leave(signed_in(people.vera))
    vera = User.objects.get(pk=people.vera.pk)
    with pytest.raises(Refused, match="closed"):
        switch_on(person=vera, by=people.sten, now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=vera.pk).update(is_active=True)
    page = signed_in(people.sten).get(reverse("people:person", args=[vera.pk])).text
    assert "Its owner closed this account" in page
    assert "Switch this account on" not in page


def test_no_office_is_offered_to_who_has_left(people: Cast) -> None:
    leave(signed_in(people.vera))
    sten, box = signed_in(people.sten), factories.collection()
    page = sten.get(reverse("people:person", args=[people.vera.pk])).text
    assert "Make curator" not in page
    assert "Make steward" not in page
    url = reverse("people:appoint", args=[people.vera.pk])
    assert "switched off" in sten.post(url, {"collection": box.pk}, follow=True).text
    assert not Curatorship.objects.exists()


def test_who_has_left_is_neither_slowed_down_nor_given_time(people: Cast) -> None:
    leave(signed_in(people.vera))
    page = signed_in(people.sten).get(reverse("people:person", args=[people.vera.pk])).text
    for deed in ("limit", "suspend", "grant"):
        assert f'action="{reverse(f"people:{deed}", args=[people.vera.pk])}"' not in page
    assert reverse("exhibit:hide", args=[people.vera.pk]) in page


def test_bringing_back_what_was_hidden_gives_a_closed_account_no_photo(people: Cast) -> None:
    now, photo = timezone.now(), factories.photo(factories.collection())
    claim_photo(photo=photo, by=people.vera, now=now)
    hide_everything(person=people.vera, by=people.sten, reason="Spam.", now=now)
    leave(signed_in(people.vera))
    came = undo_hiding(person=User.objects.get(pk=people.vera.pk), by=people.sten, now=now)
    assert came["moved-on"] == 1
    assert not Claim.objects.filter(volunteer=people.vera, state=ClaimState.OPEN).exists()


def test_signing_out_elsewhere_leaves_this_page_and_nothing_else(people: Cast) -> None:
    here, there = signed_in(people.vera), signed_in(people.vera)
    Token.objects.create(user=people.vera)
    url = reverse("people:sign-out-elsewhere")
    assert "not your password" in here.post(url, {"password": "wrong"}, follow=True).text
    assert there.get(reverse("people:work")).status_code == 200
    page = here.post(url, {"password": PASSWORD}, follow=True)
    assert "Signed out everywhere else." in page.text
    assert here.get(reverse("people:work")).status_code == 200
    assert there.get(reverse("people:work")).status_code == 302
    assert not Token.objects.exists()
    assert Client().login(username="vera", password=PASSWORD)


def test_the_verb_asks_for_the_password_itself(people: Cast) -> None:
    with pytest.raises(Refused, match="wrong-password"):
        leaving.close_account(person=people.vera, password="", keep_name=True, now=timezone.now())
