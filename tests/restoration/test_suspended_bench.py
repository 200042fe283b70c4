"""Somebody is suspended while their bench is open: it keeps nothing in hand, and says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from archive.policy import Refused
from archive.trust import Trust
from restoration.actions.claims import claim_photo, extend_claim, release_claim
from restoration.models import Claim
from tests import factories
from tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim() -> Claim:
    vera, photo = person("vera"), factories.photo(factories.collection())
    made = claim_photo(photo=photo, by=vera, now=timezone.now() - timedelta(minutes=5))
    User.objects.filter(pk=vera.pk).update(trust=Trust.SUSPENDED)
    return Claim.objects.select_related("photo", "volunteer").get(pk=made.pk)


@pytest.fixture
def vera(claim: Claim) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=claim.volunteer_id))
    return client


def test_the_open_page_beats_for_nothing_and_shows_the_sentence(claim: Claim, vera: Client) -> None:
    answer = vera.post(reverse("restoration:beat", args=[claim.photo.ref]))
    assert (answer.status_code, answer.json()["code"]) == (409, "suspended")
    assert "Your account is suspended" in answer.json()["warning"]
    seen = claim.seen_at
    claim.refresh_from_db()
    assert claim.seen_at == seen


def test_nothing_is_extended_but_it_can_be_given_back(claim: Claim) -> None:
    vera = User.objects.get(pk=claim.volunteer_id)
    with pytest.raises(Refused, match="suspended"):
        extend_claim(claim=claim, by=vera, now=timezone.now())
    release_claim(claim=claim, by=vera, now=timezone.now())


def test_the_bench_opens_all_the_same_to_look_at_and_download(claim: Claim, vera: Client) -> None:
    made = factories.version(claim.photo, claim.volunteer)
    answer = vera.get(reverse("restoration:bench", args=[claim.photo.ref]))
    assert (answer.status_code, answer.templates[0].name) == (200, "restoration/bench.html")
    assert "This page is not open to you" not in answer.text
    assert reverse("restoration:working", args=[claim.photo.ref, made.number, "tif"]) in answer.text
    seen = claim.seen_at
    claim.refresh_from_db()
    assert claim.seen_at == seen  # to look on keeps nothing in hand


def test_the_bench_says_so(claim: Claim, vera: Client) -> None:
    page = vera.get(reverse("restoration:bench", args=[claim.photo.ref])).text
    assert "Your account is suspended." in page
