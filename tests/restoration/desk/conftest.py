"""Cora at her desk, with a version of Vera's on it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from archive.models import Collection
from restoration.models import Review, Version
from tests import factories
from tests.people import Cast, appoint


@dataclass
class Office:
    """A curator's browser."""

    client: Client
    user: User

    def desk(self) -> str:
        return self.client.get(reverse("restoration:desk")).text

    def take(self, version: Version) -> Review:
        """Open a review by its button."""
        response = self.client.post(reverse("restoration:review-open", args=[version.pk]))
        review = Review.objects.filter(version=version, reviewer=self.user).latest("pk")
        assert response["Location"] == reverse("restoration:review", args=[review.pk])
        return review

    def look(self, review: Review, **query: str) -> str:
        return self.client.get(reverse("restoration:review", args=[review.pk]), query).text

    def decide(self, review: Review, verb: str, **form: str) -> object:
        url = reverse(f"restoration:review-{verb}", args=[review.pk])
        return self.client.post(url, form, headers={"Referer": f"http://testserver{url}"})


def office(user: User) -> Office:
    client = Client()
    client.force_login(user)
    return Office(client, user)


@pytest.fixture
def cora(people: Cast, box: Collection) -> Office:
    appoint(people.cora, box)
    return office(people.cora)


@pytest.fixture
def sten(people: Cast) -> Office:
    """The steward may review everywhere."""
    return office(people.sten)


@pytest.fixture
def version(people: Cast, box: Collection) -> Version:
    """Submitted by Vera, with a note."""
    return factories.submitted(factories.photo(box), people.vera)
