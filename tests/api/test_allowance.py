"""A program knows what its account may still do today, as the page tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from archive import trust
from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.trust import Trust
from restoration import ledger
from restoration.actions.budgets import grant_person
from tests import factories
from tests.api.conftest import Programs
from tests.people import cast, person, signed_in

pytestmark = pytest.mark.django_db

URL = "/api/v1/me"
REGULAR = trust.LIMITS[Trust.REGULAR]


def days(told: dict[str, Any]) -> dict[str, tuple[int | None, int | None]]:
    return {each["resource"]: (each["a_day"], each["left"]) for each in told["machine_time"]}


def test_the_day_is_whole_before_anything_ran(program: Programs) -> None:
    told = program(person("vera")).get(URL).json()
    assert days(told) == {
        "cpu": (REGULAR.cpu_seconds, REGULAR.cpu_seconds),
        "gpu": (REGULAR.gpu_seconds, REGULAR.gpu_seconds),
    }


def test_what_was_given_is_told_as_the_page_tells_it(program: Programs) -> None:
    people, now = cast(), timezone.now()
    grant_person(person=people.vera, resource="cpu", minutes=30, by=people.sten, now=now)
    a_day, left = days(program(people.vera).get(URL).json())["cpu"]
    assert (a_day, left) == (REGULAR.cpu_seconds, REGULAR.cpu_seconds + 30 * 60)
    assert ledger.minutes(left or 0) in signed_in(people.vera).get(reverse("people:standing")).text


def test_a_run_that_was_asked_for_is_taken_off(program: Programs) -> None:
    vera = person("vera")
    photo, client = factories.photo(factories.collection()), program(vera)
    claim = factories.claim(photo, vera)
    told = {"claim": claim.pk, "plan": {"steps": [{"name": "tone"}]}}
    assert client.post(f"/api/v1/photos/{photo.ref}/jobs", told, format="json").status_code == 201
    a_day, left = days(client.get(URL).json())["cpu"]
    assert (a_day or 0) > (left or 0) > 0


def test_it_is_full_again_at_the_midnight_of_the_house(program: Programs, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    said = program(person("vera")).get(URL).json()["full_at"]
    assert said.endswith("T16:00:00Z")
    assert timedelta() < datetime.fromisoformat(said) - timezone.now() <= timedelta(days=1)


def test_where_nobody_counts_there_is_no_number(program: Programs, settings: Any) -> None:
    settings.ALLOWANCE_PERCENT = 0
    told = program(person("vera")).get(URL).json()
    assert days(told) == {"cpu": (None, None), "gpu": (None, None)}


def test_photos_in_hand_are_counted_as_at_the_next_claim(program: Programs) -> None:
    vera, box = person("vera"), factories.collection()
    first, _second = (factories.claim(factories.photo(box), vera) for _ in range(2))
    client = program(vera)
    assert client.get(URL).json()["hands"] == {"held": 2, "most": 3, "left": 1}
    Photo.objects.filter(pk=first.photo_id).update(state=PhotoState.ON_HOLD)
    assert client.get(URL).json()["hands"] == {"held": 1, "most": 3, "left": 2}


def test_who_was_slowed_down_has_no_hand_free_and_not_less(program: Programs) -> None:
    vera, box = person("vera"), factories.collection()
    for _ in range(3):
        factories.claim(factories.photo(box), vera)
    vera.trust = Trust.LIMITED
    vera.save()
    assert program(vera).get(URL).json()["hands"] == {"held": 3, "most": 1, "left": 0}
