"""My work: what is in hand, and what became of what one made."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import queries
from accounts.models import User
from exhibit.actions import Words, publish_version, retract_publication
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review, return_version
from restoration.actions.versions import scan_version
from restoration.lifecycle import JobKind
from restoration.models import Draft, Job
from tests import factories
from tests.factories import NOW
from tests.people import appoint, cast, person

pytestmark = pytest.mark.django_db

URL = "people:work"


def test_an_empty_page_invites(client: Client) -> None:
    client.force_login(person("vera"))
    assert "You hold no photograph" in client.get(reverse(URL)).text


def test_it_shows_claims_with_the_time_left_and_drafts_that_outlived_theirs(client: Client) -> None:
    people, box = cast(), factories.collection()
    held = factories.photo(box, title_en="Held in hand")
    claim_photo(photo=held, by=people.vera, now=timezone.now())
    kept = factories.photo(box, title_en="Kept for later")
    Draft.objects.create(photo=kept, volunteer=people.vera, body={}, saved_at=NOW)
    other = factories.photo(box, title_en="Of somebody else")
    claim_photo(photo=other, by=people.victor, now=timezone.now())

    client.force_login(people.vera)
    page = client.get(reverse(URL)).text
    assert "Held in hand" in page
    assert "Kept for later" in page
    assert "Of somebody else" not in page
    assert "Yours for 1\xa0day, 23\xa0hours more" in page


def test_what_was_handed_in_is_not_called_begun_until_it_is_begun_again(client: Client) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection(), title_en="The stadium")
    factories.submitted(photo, vera)
    draft = Draft.objects.create(photo=photo, volunteer=vera, body={}, saved_at=NOW)
    assert queries.work_of(vera, now=NOW).drafts == []
    Draft.objects.filter(pk=draft.pk).update(saved_at=NOW + timedelta(hours=1))
    assert queries.work_of(vera, now=NOW).drafts == [draft]


def test_a_run_on_a_photo_in_hand_is_told_there_and_not_once_more(client: Client) -> None:
    vera, box = person("vera"), factories.collection()
    held, gone = factories.photo(box, title_en="In hand"), factories.photo(box, title_en="Let go")
    claim_photo(photo=held, by=vera, now=timezone.now())
    running, left = (
        Job.objects.create(
            photo=photo,
            kind=JobKind.RESTORE,
            source=scan_version(photo=photo, now=NOW),
            requested_by=vera,
            requested_at=NOW,
        )
        for photo in (held, gone)
    )
    found = queries.work_of(vera, now=timezone.now())
    assert [each.jobs for each in found.held] == [[running]]
    assert found.jobs == [left]
    client.force_login(vera)
    page = client.get(reverse(URL)).text
    assert page.count("In hand</a>") == page.count("Let go</a>") == 1


def _returned(photo_title: str) -> tuple[User, object]:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    made = factories.submitted(factories.photo(box, title_en=photo_title), people.vera)
    review = open_review(version=made, by=people.cora, now=NOW)
    advice = "The left eye looks elsewhere now."
    return_version(review=review, by=people.cora, reason="other-person", advice=advice, now=NOW)
    return people.vera, made


def test_a_return_shows_the_reviewers_advice_until_it_is_answered(client: Client) -> None:
    vera, made = _returned("A portrait")
    client.force_login(vera)
    page = client.get(reverse(URL)).text
    assert "Almost there" in page
    assert page.count("The left eye looks elsewhere now.") == 1
    assert page.count(f'id="version-{made.pk}"') == 1  # type: ignore[attr-defined]

    factories.version(made.photo, vera, parent=made)  # type: ignore[attr-defined]
    assert list(queries.unanswered(vera)) == []
    assert "Almost there" not in client.get(reverse(URL)).text


def test_a_newer_version_from_the_scan_answers_a_return_as_well(client: Client) -> None:
    vera, made = _returned("A portrait")
    client.force_login(vera)
    people = {"other": person("walter"), "own": vera}
    factories.version(made.photo, people["other"])  # type: ignore[attr-defined]
    assert list(queries.unanswered(vera)) == [made]
    factories.version(made.photo, people["own"])  # type: ignore[attr-defined]
    assert list(queries.unanswered(vera)) == []
    assert "Almost there" not in client.get(reverse(URL)).text


def test_what_a_curator_wrote_is_not_read_in_the_language_of_the_page(client: Client) -> None:
    vera, _made = _returned("A portrait")
    client.force_login(vera)
    page = client.get(reverse(URL)).text
    assert '<blockquote class="prose" lang=""><p>The left eye looks elsewhere now.</p>' in page


def test_why_a_picture_was_taken_down_is_told_in_its_own_voice(client: Client) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    version, _review = factories.accepted(factories.photo(box), people.vera, people.cora)
    shown = publish_version(
        version=version, room=factories.room(box), words=Words(), by=people.cora, now=NOW
    )
    retract_publication(publication=shown, by=people.cora, reason="家人要求。", now=NOW)
    client.force_login(people.vera)
    assert 'Taken down: <span lang="">家人要求。</span>' in client.get(reverse(URL)).text


def test_what_is_public_says_so(client: Client) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    version, _review = factories.accepted(factories.photo(box), people.vera, people.cora)
    room = factories.room(box)
    publish_version(version=version, room=room, words=Words(), by=people.cora, now=NOW)
    client.force_login(people.vera)
    assert "badge-live" in client.get(reverse(URL)).text


def test_the_page_costs_the_same_for_one_and_for_twenty(client: Client) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    client.force_login(people.vera)

    def more() -> None:
        factories.accepted(factories.photo(box), people.vera, people.cora)
        draft = factories.photo(box)
        Draft.objects.create(photo=draft, volunteer=people.vera, body={}, saved_at=NOW)

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse(URL)).status_code == 200
        return len(seen)

    more()
    one = cost()
    for _ in range(19):
        more()
    assert cost() == one
    assert one <= 12


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    answer = client.get(reverse(URL))
    assert answer["Location"].startswith(reverse("account_login"))


def test_the_profile_keeps_name_and_language(client: Client) -> None:
    vera = person("vera")
    client.force_login(vera)
    words = {"display_name": "Vera L.", "language": "zh-hans"}
    answer = client.post(reverse("people:profile"), words)
    assert answer.cookies["django_language"].value == "zh-hans"
    vera.refresh_from_db()
    assert (str(vera), vera.language) == ("Vera L.", "zh-hans")


def test_an_unknown_language_is_refused(client: Client) -> None:
    client.force_login(person("vera"))
    answer = client.post(reverse("people:profile"), {"display_name": "", "language": "tlh"})
    assert answer.status_code == 422


def test_nobody_makes_themselves_steward_by_the_profile(client: Client) -> None:
    vera = person("vera")
    client.force_login(vera)
    words = {"display_name": "", "language": "en", "is_steward": "on"}
    client.post(reverse("people:profile"), words)
    vera.refresh_from_db()
    assert not vera.is_steward
