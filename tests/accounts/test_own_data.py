"""What the site keeps of one person can be taken along, and a page says what that is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from archive.models import Event
from restoration.actions.claims import claim_photo
from restoration.actions.standing import limit_person, restore_person
from restoration.models import Draft, Job
from tests import factories
from tests.people import Cast, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


def taken(user: User) -> dict[str, Any]:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("people:data"))
    assert "no-store" in answer["Cache-Control"]
    assert answer.streaming
    found: dict[str, Any] = json.loads(answer.getvalue())
    return found


def test_it_has_ones_own_rows_and_prompts_and_nobody_elses(people: Cast) -> None:
    box, now = factories.collection(), timezone.now()
    photo, other = factories.photo(box), factories.photo(box)
    claim_photo(photo=photo, by=people.vera, now=now)
    claim_photo(photo=other, by=people.victor, now=now)
    Draft.objects.create(photo=photo, volunteer=people.vera, body={"prompt": "1974"}, saved_at=now)
    Job.objects.create(
        photo=photo, requested_by=people.vera, plan={"prompt": "Tehran"}, requested_at=now
    )
    factories.submitted(factories.photo(box), people.vera)
    factories.submitted(factories.photo(box), people.victor)
    found = taken(people.vera)
    assert found["account"]["username"] == "vera"
    assert "password" not in found["account"]
    assert [row["photo_ref"] for row in found["claims"]] == [photo.ref]
    assert found["drafts"][0]["body"] == {"prompt": "1974"}
    assert found["runs"][0]["plan"] == {"prompt": "Tehran"}
    assert len(found["versions"]) == 1
    assert "claim.open" in [row["verb"] for row in found["what_you_did"]]


def test_what_stewards_write_to_each_other_is_not_in_it(people: Cast) -> None:
    limit_person(person=people.vera, by=people.sten, reason="Spam.", now=timezone.now())
    restore_person(person=people.vera, by=people.sten, now=timezone.now())
    found = taken(people.vera)
    assert [row["verb"] for row in found["what_was_done_about_you"]] == [
        "trust.limited",
        "trust.regular",
    ]
    assert "Spam." not in json.dumps(found)
    assert str(people.sten) not in json.dumps(found)


def test_it_asks_no_more_for_more_rows(people: Cast) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            taken(people.vera)
        return len(queries)

    before = asked()
    Event.objects.bulk_create(
        Event(actor=people.vera, verb="claim.open", at=timezone.now()) for _ in range(30)
    )
    assert asked() == before


def test_strangers_read_what_is_kept_from_every_page(client: Client) -> None:
    home = client.get(reverse("account_signup")).text
    url = reverse("people:privacy")
    assert home.count(f'href="{url}"') == 2
    assert "What this site keeps of you" in client.get(url).text
