"""What the site keeps of one person can be taken along, and a page says what that is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts.models import User
from archive.models import Event, Upload
from exhibit.models import Evidence, Publication
from restoration.actions.budgets import open_workshop
from restoration.actions.claims import claim_photo
from restoration.actions.standing import limit_person, restore_person
from restoration.models import Draft, Job
from tests import factories
from tests.people import Cast, appoint, cast

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


# Where each row that names a person is told; by the model and its column.
TOLD = {
    "account.EmailAddress.user": "email_addresses",
    "archive.Batch.begun_by": "folders_you_took_in",
    "archive.Curatorship.user": "offices",
    "archive.Event.actor": "what_you_did",
    "archive.Pair.decided_by": "pairs_you_decided",
    "archive.Photo.added_by": "photos_you_added",
    "archive.Upload.by": "uploads",
    "authtoken.Token.user": "token",
    "exhibit.Evidence.asked_by": "evidence",
    "exhibit.Publication.published_by": "publications",
    "restoration.Claim.volunteer": "claims",
    "restoration.Draft.volunteer": "drafts",
    "restoration.Guest.person": "workshops",
    "restoration.Job.requested_by": "runs",
    "restoration.Purse.person": "machine_time",
    "restoration.Review.reviewer": "reviews",
    "restoration.Sheet.kept_by": "masks",
    "restoration.Version.made_by": "versions",
    "restoration.Workshop.made_by": "workshops_you_opened",
}
WHY_NOT = {
    "accounts.User_groups.user": "The site has no groups.",
    "accounts.User_user_permissions.user": "The site gives no permissions by row.",
    "admin.LogEntry.user": "The administration changes by verbs, which leave events.",
    "authtoken.TokenProxy.user": "The token once more.",
    "exhibit.Hiding.by": "A steward's deed: person.hidden in what_you_did.",
    "exhibit.Hiding.undone_by": "A steward's deed: person.shown in what_you_did.",
    "exhibit.Hiding.person": "Told in what_was_done_about_you, without who and why.",
    "exhibit.Publication.ended_by": "Its event in what_you_did, with the reason.",
    "restoration.Entry.by": "A steward's deed: budget.granted in what_you_did.",
}


def test_every_row_that_names_a_person_is_in_it_or_says_why_not(people: Cast) -> None:
    named = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.related_model is User and not field.many_to_many
    }
    assert named == set(TOLD) | set(WHY_NOT)
    assert set(TOLD.values()) <= set(taken(people.vera))


def test_what_a_curator_published_took_in_and_opened_is_in_it(people: Cast) -> None:
    cora, now = people.cora, timezone.now()
    box = factories.collection()
    appoint(cora, box)
    photo = factories.photo(box)
    version, review = factories.accepted(photo, people.vera, cora)
    shown_as = {"version": version, "review": review, "published_by": cora}
    publication = Publication.objects.create(photo=photo, published_at=now, **shown_as)
    Evidence.objects.create(publication=publication, asked_by=cora, asked_at=now)
    until = {"began_at": now, "expires_at": now}
    Upload.objects.create(collection=box, by=cora, filename="a.tif", size=9, **until)
    size = {"seats": 3, "days": 1, "cpu_minutes": 1, "gpu_minutes": 0}
    open_workshop(collection=box, title="A class", by=cora, now=now, **size)
    Token.objects.create(user=cora, key="the-word-itself")
    found = taken(cora)
    [shown] = found["publications"]
    assert (shown["photo_ref"], shown["state"]) == (photo.ref, "live")
    assert [row["photo_ref"] for row in found["evidence"]] == [photo.ref]
    assert found["evidence"][0]["evidence_asked_at"]
    assert [(row["filename"], row["state"]) for row in found["uploads"]] == [("a.tif", "arriving")]
    assert [row["title"] for row in found["workshops_you_opened"]] == ["A class"]
    assert found["token"][0]["created"]
    assert "the-word-itself" not in json.dumps(found)
    assert found["account"]["trust_before"] == ""
    assert taken(people.vera)["publications"] == []


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
