"""The desk: what waits, oldest first, and who looks at it."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.models import Collection
from restoration.actions.reviews import open_review
from restoration.actions.versions import submit_version
from restoration.models import Version
from tests import factories
from tests.people import Cast, appoint
from tests.restoration.desk.conftest import Office

URL = "/desk/"


def test_the_oldest_comes_first_with_its_verdict(
    cora: Office, people: Cast, box: Collection
) -> None:
    new = factories.photo(box, title_en="The newer one")
    old = factories.photo(box, title_en="The older one")
    for photo, hours in ((new, 1), (old, 5)):
        made = factories.version(photo, people.vera)
        submit_version(
            version=made, by=people.vera, note="", now=timezone.now() - timedelta(hours=hours)
        )
    page = cora.desk()
    assert page.index("The older one") < page.index("The newer one")
    assert "5 hours" in page.replace("\xa0", " ")
    assert "same picture" in page


def test_it_shows_only_collections_one_curates(
    cora: Office, people: Cast, version: Version
) -> None:
    elsewhere = factories.photo(factories.collection(), title_en="Somewhere else")
    factories.submitted(elsewhere, people.vera)
    page = cora.desk()
    assert version.photo.title_en in page
    assert "Somewhere else" not in page


def test_a_volunteer_has_no_desk(client: Client, people: Cast, version: Version) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(people.vera)
    assert client.get(URL).status_code == 403


def test_own_work_is_shown_as_not_mine_to_review(cora: Office, box: Collection) -> None:
    factories.submitted(factories.photo(box), cora.user)
    assert "Not yours to review" in cora.desk()


def test_a_version_under_a_loupe_says_whose(cora: Office, sten: Office, version: Version) -> None:
    sten.take(version)
    page = cora.desk()
    assert "Sten is looking" in page
    assert f'action="{reverse("restoration:review-open", args=[version.pk])}"' not in page


def test_a_lease_that_ran_out_is_not_shown(cora: Office, sten: Office, version: Version) -> None:
    past = timezone.now() - timedelta(hours=1)
    open_review(version=version, by=sten.user, now=past)
    assert "is looking" not in cora.desk()


def test_the_desk_has_pages(cora: Office, people: Cast, box: Collection) -> None:
    for _ in range(31):
        factories.submitted(factories.photo(box), people.vera)
    assert 'href="?page=2"' in cora.desk()
    assert cora.client.get(URL, {"page": "2"}).text.count("Look at it") == 1


def test_the_number_of_queries_does_not_grow_with_the_desk(
    cora: Office, people: Cast, box: Collection, version: Version
) -> None:
    appoint(people.clive, box)
    cora.desk()
    with CaptureQueriesContext(connection) as few:
        cora.desk()
    for _ in range(6):
        made = factories.submitted(factories.photo(box), people.victor)
        open_review(version=made, by=people.clive, now=timezone.now())
    with CaptureQueriesContext(connection) as many:
        cora.desk()
    assert len(many) == len(few)
    assert len(many) <= 10
