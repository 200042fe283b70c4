"""Accept, return, decline, put back: bound to the file, told to the maker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from archive.models import Collection, Event
from restoration.actions.versions import withdraw_version
from restoration.lifecycle import ReviewState, VersionState
from restoration.models import Review, Version
from restoration.queries.desk import last_return, outcomes_for
from tests import factories
from tests.factories import NOW
from tests.people import Cast
from tests.restoration.desk.conftest import Office


def test_accepting_names_the_file(cora: Office, version: Version) -> None:
    review = cora.take(version)
    cora.decide(review, "accept", advice="Lovely.")
    review.refresh_from_db()
    version.refresh_from_db()
    assert (review.state, version.state) == (ReviewState.ACCEPTED, VersionState.ACCEPTED)
    assert review.file_sha256 == version.sha256
    event = Event.objects.get(verb="review.accepted")
    assert (event.facts["sha256"], event.actor) == (version.sha256, cora.user)


def test_a_return_needs_a_reason_and_advice_and_keeps_what_was_written(
    cora: Office, version: Version
) -> None:
    review = cora.take(version)
    answer = cora.decide(review, "return", advice="Look at the left eye.")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "Look at the left eye." in answer.text  # type: ignore[attr-defined]
    answer = cora.decide(review, "return", reason="other-person", advice="  ")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    review.refresh_from_db()
    assert review.state == ReviewState.OPEN


def test_declining_needs_a_reason(cora: Office, version: Version) -> None:
    review = cora.take(version)
    answer = cora.decide(review, "decline", reason="no-such-reason")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    cora.decide(review, "decline", reason="invented")
    version.refresh_from_db()
    assert version.state == VersionState.DECLINED


def test_the_maker_finds_the_advice_and_answers_with_a_child(
    cora: Office, people: Cast, version: Version
) -> None:
    cora.decide(cora.take(version), "return", reason="too-smooth", advice="Clean at 0.3 is enough.")
    outcome = outcomes_for(people.vera).get()
    assert (outcome.version, outcome.advice) == (version, "Clean at 0.3 is enough.")
    advice = last_return(version.photo, people.vera)
    assert advice == outcome
    assert last_return(version.photo, people.victor) is None
    answer = factories.version(version.photo, people.vera, parent=version)
    assert last_return(version.photo, people.vera) == outcome
    Version.objects.filter(pk=answer.pk).update(
        state=VersionState.SUBMITTED, submitted_at=outcome.decided_at + timedelta(hours=1)
    )
    assert last_return(version.photo, people.vera) is None


def test_after_a_decision_comes_the_next_one(
    cora: Office, people: Cast, box: Collection, version: Version
) -> None:
    second = factories.submitted(factories.photo(box), people.victor)
    answer = cora.decide(cora.take(version), "accept")
    review = Review.objects.get(version=second)
    assert answer["Location"] == reverse("restoration:review", args=[review.pk])  # type: ignore[index]
    answer = cora.decide(review, "accept")
    assert answer["Location"] == reverse("restoration:desk")  # type: ignore[index]


def test_after_accepting_the_next_page_leads_to_publishing_what_was_accepted(
    cora: Office, people: Cast, box: Collection, version: Version
) -> None:
    box.two_person = False
    box.save()
    factories.submitted(factories.photo(box), people.victor)
    answer = cora.decide(cora.take(version), "accept")
    page = cora.client.get(answer["Location"]).text  # type: ignore[index]
    assert f'href="{reverse("exhibit:publish", args=[version.pk])}"' in page


@pytest.mark.parametrize(
    ("verb", "form", "told"),
    [
        (
            "return",
            {"reason": "damage", "advice": "Look at the left eye."},
            "“Old Tom” went back to Vera with your advice.",
        ),
        ("decline", {"reason": "invented"}, "“Old Tom” is declined. Vera is told why."),
    ],
)
def test_the_answer_to_a_decision_names_its_photo(
    cora: Office,
    people: Cast,
    box: Collection,
    verb: str,
    form: dict[str, str],
    told: str,
) -> None:
    version = factories.submitted(factories.photo(box, title_en="Old Tom"), people.vera)
    factories.submitted(factories.photo(box, title_en="The next one"), people.victor)
    answer = cora.decide(cora.take(version), verb, **form)
    assert told in cora.client.get(answer["Location"]).text  # type: ignore[index]


def test_a_photo_without_a_title_is_named_by_its_reference(
    cora: Office, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box, title_en="", title_zh="", filename="IMG_0001.jpg")
    version = factories.submitted(photo, people.vera)
    answer = cora.decide(cora.take(version), "decline", reason="invented")
    page = cora.client.get(answer["Location"]).text  # type: ignore[index]
    assert f"“{photo.ref}” is declined." in page


def test_who_may_not_publish_is_told_who_can(
    cora: Office, box: Collection, version: Version
) -> None:
    box.two_person = True
    box.save()
    answer = cora.decide(cora.take(version), "accept")
    page = cora.client.get(answer["Location"]).text  # type: ignore[index]
    assert "A second person of this collection publishes it." in page
    assert reverse("exhibit:publish", args=[version.pk]) not in page


def test_own_work_is_left_out_when_going_on(
    cora: Office, box: Collection, version: Version
) -> None:
    factories.submitted(factories.photo(box), cora.user)
    answer = cora.decide(cora.take(version), "accept")
    assert answer["Location"] == reverse("restoration:desk")  # type: ignore[index]


@pytest.mark.parametrize(("then", "goes"), [("next", 2), ("before", 0), ("desk", None)])
def test_putting_back_leads_on_or_back(
    cora: Office, people: Cast, box: Collection, then: str, goes: int | None
) -> None:
    waiting = [factories.submitted(factories.photo(box), people.vera) for _ in range(3)]
    review = cora.take(waiting[1])
    answer = cora.decide(review, "release", then=then)
    review.refresh_from_db()
    assert review.state == ReviewState.LAPSED
    if goes is None:
        assert answer["Location"] == reverse("restoration:desk")  # type: ignore[index]
    else:
        held = Review.objects.get(state=ReviewState.OPEN)
        assert held.version == waiting[goes]


def test_only_the_holder_decides(cora: Office, sten: Office, version: Version) -> None:
    review = cora.take(version)
    sten.decide(review, "accept")
    review.refresh_from_db()
    assert review.state == ReviewState.OPEN


def test_what_was_withdrawn_meanwhile_is_not_accepted(
    cora: Office, people: Cast, version: Version
) -> None:
    review = cora.take(version)
    withdraw_version(version=version, by=people.vera, now=NOW)
    assert "took this version back" in cora.look(review)
    cora.decide(review, "accept")
    version.refresh_from_db()
    review.refresh_from_db()
    assert version.state == VersionState.WITHDRAWN
    assert review.state == ReviewState.OPEN


def test_a_second_decision_is_refused(cora: Office, version: Version) -> None:
    review = cora.take(version)
    cora.decide(review, "accept")
    cora.decide(review, "decline", reason="invented")
    version.refresh_from_db()
    assert version.state == VersionState.ACCEPTED


def test_a_decided_review_can_still_be_read(cora: Office, version: Version) -> None:
    review = cora.take(version)
    cora.decide(review, "return", reason="damage", advice="The crack is still there.")
    page = cora.look(review)
    assert "The crack is still there." in page
    assert reverse("restoration:review-accept", args=[review.pk]) not in page
