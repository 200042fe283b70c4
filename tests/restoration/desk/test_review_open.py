"""Take a version from the desk: one reviewer at a time, never one's own work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.models import Collection, Photo
from restoration.actions.reviews import open_review
from restoration.lifecycle import REVIEW_CAP, REVIEW_LEASE, JobState, ReviewState
from restoration.models import Job, Review, Version
from tests import factories
from tests.people import Cast
from tests.restoration.desk.conftest import Office


def opened(office: Office, version: Version) -> object:
    url = reverse("restoration:review-open", args=[version.pk])
    return office.client.post(url, follow=True)


def test_the_loupe_shows_note_pair_lineage_and_meters(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    first = factories.version(photo, people.victor)
    guard = {
        "verdict": "review",
        "reasons": ["face"],
        "changed_area": 3.1,
        "moved": 0.8,
        "filled_area": 0.5,
        "faces": [{"verdict": "review"}],
        "coloured_guess_area": 0.2,
    }
    made = factories.submitted(photo, people.vera, parent=first, meters={"guard": guard})
    plan = {
        "prompt": {"who": "three shooters", "facts": ["jacket: red"]},
        "dabs": [{"x": 0.5, "y": 0.25, "rgb": [180, 37, 44]}],
        "regions": [{"points": [[0, 0], [1, 0], [1, 1]], "word": "grey-blue", "rgb": None}],
    }
    Job.objects.create(
        photo=photo, version=made, state=JobState.SUCCEEDED, requested_at=factories.NOW, plan=plan
    )
    page = cora.look(cora.take(made))
    for said in (
        "See the left edge.",
        "3.1\N{NO-BREAK SPACE}%",
        "0.80 px",
        "look closely",
        "a face may",
    ):
        assert said in page
    assert "Colour was added on 20.0 % of it." in page
    for said in ("Victor", "Vera", "Tone", "Strength 0.5", "three shooters", "jacket: red"):
        assert said in page
    for said in ("#b4252c", "50 % across, 25 % down", "grey-blue", "20.0\N{NO-BREAK SPACE}%"):
        assert said in page
    assert "data-zoomable" in page


def test_it_says_where_a_hand_marked_the_damage_and_that_no_machine_read_the_words(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    repair = {"step": "repair", "backend": "embedded", "mask": "given"}
    records = [repair | {"settings": {"sensitivity": 0.6, "grain": 1.0}, "seconds": 1}]
    made = factories.submitted(photo, people.vera, records=records)
    Job.objects.create(
        photo=photo,
        version=made,
        state=JobState.SUCCEEDED,
        requested_at=factories.NOW,
        plan={"prompt": {"who": "three shooters"}},
    )
    page = cora.look(cora.take(made))
    marked = "where a person marked damage, or let the machine&#x27;s marks stand"
    assert f"Repair: {marked}, Grain kept 1.0" in page
    assert "How much counts as damage" not in page
    assert "Noted by the volunteer; no machine read it" in page
    assert "three shooters" in page
    assert "The words the machine was given" not in page


def facts(**fields: str) -> dict[str, str]:
    """What the archive knows of a photo, but for what a test says."""
    return {
        "date_edtf": "1855~",
        "place_en": "Tehran",
        "people_en": "Su Zhibo",
        "description_en": "Before the opening.",
        "identifier": "A-17",
    } | fields


def test_the_reviewer_reads_what_is_known_of_the_photo_and_what_is_asked(
    cora: Office, people: Cast, box: Collection
) -> None:
    Collection.objects.filter(pk=box.pk).update(instructions_en="", instructions_zh="保留印章。")
    photo = factories.photo(box, **facts())
    page = cora.look(cora.take(factories.submitted(photo, people.vera)))
    assert "What the archive knows of it" in page
    for said in ("about 1855", "Tehran", "Su Zhibo", "Before the opening.", "A-17"):
        assert f"<dd >{said}</dd>" in page
    assert "What the collection asks of you" in page
    assert '<p lang="zh-Hans">保留印章。</p>' in page
    assert f'href="{reverse("archive:describe", args=[photo.ref])}"' in page


def test_what_is_known_of_the_photo_costs_the_loupe_nothing(
    cora: Office, people: Cast, box: Collection
) -> None:
    costs = []
    for known in ({}, facts()):
        made = factories.submitted(factories.photo(box, **known), people.vera)
        review = cora.take(made)
        cora.look(review)
        with CaptureQueriesContext(connection) as seen:
            cora.look(review)
        costs.append(len(seen))
        cora.decide(review, "accept")
    assert costs[0] == costs[1]


def test_what_people_wrote_is_not_read_in_the_language_of_the_page(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    first, second = (factories.submitted(photo, people.vera) for _number in range(2))
    earlier = cora.take(first)
    cora.decide(earlier, "return", reason="damage", advice="裂缝还在。")
    assert '<p class="desk-note" lang="">裂缝还在。</p>' in cora.look(earlier)
    page = cora.look(cora.take(second))
    assert '<blockquote class="desk-note"><p lang="">See the left edge.</p>' in page
    assert '<p class="small" lang="">裂缝还在。</p>' in page


def noted(cora: Office, people: Cast, photo: Photo, **prompt: str) -> str:
    """The loupe on a version beside whose steps this was typed."""
    made = factories.submitted(photo, people.vera)
    Job.objects.create(
        photo=photo,
        version=made,
        state=JobState.SUCCEEDED,
        requested_at=factories.NOW,
        plan={"prompt": prompt},
    )
    return cora.look(cora.take(made))


@pytest.mark.parametrize(("period", "place"), [("about 1855", "Tehran"), ("约 1855 年", "德黑兰")])
def test_what_the_archive_says_itself_is_not_called_noted_by_the_volunteer(
    cora: Office, people: Cast, box: Collection, period: str, place: str
) -> None:
    photo = factories.photo(box, date_edtf="1855~", place_en="Tehran", place_zh="德黑兰")
    assert "Noted by the volunteer" not in noted(cora, people, photo, period=period, place=place)


def test_what_the_volunteer_noted_beside_what_the_archive_says_is_told(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box, date_edtf="1855~", place_en="Tehran")
    page = noted(cora, people, photo, period="about 1855", place="Tehran, the bazaar")
    assert "Noted by the volunteer" in page
    by_hand = page[page.index("Noted by the volunteer") :].partition("</dl>")[0]
    assert "Tehran, the bazaar" in by_hand
    assert "about 1855" not in by_hand


def test_a_placed_colour_of_the_palette_is_told_by_its_name(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    made = factories.submitted(photo, people.vera)
    dabs = [{"x": 0.74, "y": 0.5, "rgb": rgb} for rgb in ([31, 58, 95], [1, 2, 3])]
    Job.objects.create(
        photo=photo,
        version=made,
        state=JobState.SUCCEEDED,
        requested_at=factories.NOW,
        plan={"dabs": dabs},
    )
    page = cora.look(cora.take(made))
    assert '<span>navy blue (#1f3a5f) <span class="dim">74 % across' in page
    assert '<span>#010203 <span class="dim">74 % across' in page


def test_it_can_be_held_against_its_parent_too(cora: Office, people: Cast, box: Collection) -> None:
    photo = factories.photo(box)
    first = factories.version(photo, people.victor)
    made = factories.submitted(photo, people.vera, parent=first)
    review = cora.take(made)
    assert f"/photos/{photo.ref}/versions/0/1600.jpg" in cora.look(review)
    against = cora.look(review, against=str(first.number))
    assert f"/photos/{photo.ref}/versions/{first.number}/1600.jpg" in against
    assert f"/photos/{photo.ref}/versions/0/1600.jpg" not in against


def test_all_maps_of_the_version_can_be_laid_over_it(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    first = factories.version(photo, people.victor)
    maps = {"changed": "a" * 64, "coloured_guess": "b" * 64}
    guard = {"verdict": "pass", "changed_area": 3.1, "coloured_guess_area": 0.2}
    made = factories.submitted(photo, people.vera, parent=first, maps=maps, meters={"guard": guard})
    page = cora.look(cora.take(made), layer="changed")
    assert page.count(" data-map ") == 2
    for said in (
        "Changed beyond tone, grain and repair",
        "3.1\N{NO-BREAK SPACE}%",
        "Colour that is guessed",
        "20.0\N{NO-BREAK SPACE}%",
    ):
        assert said in page
    assert 'value="changed" data-map checked' in page
    assert f'href="?against={first.number}&amp;layer=changed"' in page


def test_a_version_of_the_first_check_is_told_in_its_words(
    cora: Office, people: Cast, box: Collection
) -> None:
    guard = {"verdict": "review", "reasons": ["worst-block"], "worst_block": 0.8}
    made = factories.submitted(factories.photo(box), people.vera, meters={"guard": guard})
    page = cora.look(cora.take(made))
    for said in ("An earlier check", "least similar spot", "one place looks different"):
        assert said in page


def test_a_second_reviewer_is_told_and_opens_nothing(
    cora: Office, sten: Office, version: Version
) -> None:
    cora.take(version)
    page = opened(sten, version).text  # type: ignore[attr-defined]
    assert "Another curator is looking at this version." in page
    assert Review.objects.filter(version=version).count() == 1


def test_taking_it_again_renews_the_same_lease(cora: Office, version: Version) -> None:
    first = cora.take(version)
    assert cora.take(version) == first


def test_after_the_lease_ran_out_the_next_one_may_look(
    cora: Office, sten: Office, version: Version
) -> None:
    old = open_review(version=version, by=cora.user, now=timezone.now() - timedelta(minutes=16))
    new = sten.take(version)
    old.refresh_from_db()
    assert (old.state, new.state) == (ReviewState.LAPSED, ReviewState.OPEN)


def test_own_work_cannot_be_taken(cora: Office, box: Collection) -> None:
    version = factories.submitted(factories.photo(box), cora.user)
    assert "somebody else has to review it" in opened(cora, version).text  # type: ignore[attr-defined]
    assert not Review.objects.exists()


def test_own_work_among_the_ancestors_cannot_be_taken(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    mine = factories.version(photo, cora.user)
    between = factories.version(photo, people.victor, parent=mine)
    version = factories.submitted(photo, people.vera, parent=between)
    assert "somebody else has to review it" in opened(cora, version).text  # type: ignore[attr-defined]
    assert not Review.objects.exists()


def test_a_steward_cannot_review_own_work_either(sten: Office, box: Collection) -> None:
    version = factories.submitted(factories.photo(box), sten.user)
    opened(sten, version)
    assert not Review.objects.exists()


def test_a_volunteer_and_a_curator_of_another_collection_find_nothing(
    client: Client, people: Cast, cora: Office, version: Version
) -> None:
    review = cora.take(version)
    urls = [reverse(f"restoration:review-{verb}", args=[review.pk]) for verb in VERBS]
    urls.append(reverse("restoration:review-open", args=[version.pk]))
    for person in (people.vera, people.clive):
        client.force_login(person)
        assert {client.post(url).status_code for url in urls} == {404}
        assert client.get(reverse("restoration:review", args=[review.pk])).status_code == 404


VERBS = ("accept", "return", "decline", "release", "beat")


def test_looking_changes_nothing(cora: Office, version: Version) -> None:
    url = reverse("restoration:review-open", args=[version.pk])
    assert cora.client.get(url).status_code == 405
    review = cora.take(version)
    for verb in VERBS:
        url = reverse(f"restoration:review-{verb}", args=[review.pk])
        assert cora.client.get(url).status_code == 405


def test_the_open_page_keeps_the_lease_up_to_a_cap(cora: Office, version: Version) -> None:
    now = timezone.now()
    review = open_review(version=version, by=cora.user, now=now - timedelta(minutes=10))
    url = reverse("restoration:review-beat", args=[review.pk])
    told = cora.client.post(url).json()
    assert told["state"] == "open"
    assert REVIEW_LEASE.total_seconds() - 60 < told["seconds_left"] <= REVIEW_LEASE.total_seconds()
    review.refresh_from_db()
    assert review.lease_until > now + REVIEW_LEASE - timedelta(minutes=1)
    Review.objects.filter(pk=review.pk).update(opened_at=now - REVIEW_CAP, lease_until=now)
    cora.client.post(url)
    review.refresh_from_db()
    assert review.lease_until == now


def test_a_closed_review_does_not_beat(cora: Office, version: Version) -> None:
    review = cora.take(version)
    cora.decide(review, "release", then="desk")
    url = reverse("restoration:review-beat", args=[review.pk])
    answer = cora.client.post(url, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "review-closed")
