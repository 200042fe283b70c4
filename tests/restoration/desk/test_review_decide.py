"""Accept, return, decline, put back: bound to the file, told to the maker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from archive.lifecycle import PhotoState
from archive.models import Collection, Event, Photo
from archive.policy import Refused
from restoration.actions.reviews import accept_version, lapse_due, open_review
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


# --- a lease that ran out while somebody wrote ---------------------------------------------------
ADVICE = "The crack over the left eye is still there."
FORMS = {
    "accept": {"advice": ADVICE},
    "return": {"reason": "damage", "advice": ADVICE},
    "decline": {"reason": "invented", "advice": ADVICE},
}


def ran_out(office: Office, version: Version) -> Review:
    """Taken sixteen minutes ago, and ended by the sweep since: the page was in no sight."""
    now = timezone.now()
    review = open_review(version=version, by=office.user, now=now - timedelta(minutes=16))
    assert lapse_due(now=now) == 1
    return review


def told(answer: Any) -> tuple[int, bool]:
    """The state of an answer, and whether its page has the advice in a field."""
    return answer.status_code, f"{ADVICE}</textarea>" in answer.text


@pytest.mark.parametrize("verb", FORMS)
def test_a_decision_after_the_lease_ran_out_counts_while_nobody_else_looks(
    cora: Office, version: Version, verb: str
) -> None:
    review = ran_out(cora, version)
    answer: Any = cora.decide(review, verb, **FORMS[verb])
    assert answer["Location"] == reverse("restoration:desk")
    review.refresh_from_db()
    version.refresh_from_db()
    assert (review.state, review.advice) == (version.state, ADVICE)
    assert review.file_sha256 == version.sha256
    verbs = Event.objects.filter(verb__startswith="review.").order_by("pk")
    assert [each.verb.removeprefix("review.") for each in verbs] == [
        "open",
        "lapsed",
        "open",
        review.state,
    ]
    assert verbs[2].actor == cora.user


def test_a_program_decides_after_the_lease_ran_out_as_well(cora: Office, version: Version) -> None:
    review = ran_out(cora, version)
    url = reverse("api:review-return", args=[review.pk])
    answer = cora.client.post(url, FORMS["return"], content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (200, "returned")


def test_what_another_curator_took_meanwhile_is_refused_and_the_words_stay(
    cora: Office, sten: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    theirs = sten.take(version)
    answer: Any = cora.decide(review, "return", **FORMS["return"])
    assert told(answer) == (409, True)
    assert "Another curator is looking at this version." in answer.text
    assert 'value="damage" id="return-reason_4" checked' in answer.text.replace(" required", "")
    review.refresh_from_db()
    theirs.refresh_from_db()
    version.refresh_from_db()
    assert (review.state, theirs.state) == (ReviewState.LAPSED, ReviewState.OPEN)
    assert version.state == VersionState.SUBMITTED
    url = reverse("api:review-return", args=[review.pk])
    answer = cora.client.post(url, FORMS["return"], content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "in-review")


def test_once_the_other_curator_put_it_back_the_same_form_counts(
    cora: Office, sten: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    theirs = sten.take(version)
    cora.decide(review, "return", **FORMS["return"])
    sten.decide(theirs, "release", then="desk")
    cora.decide(review, "return", **FORMS["return"])
    version.refresh_from_db()
    assert version.state == VersionState.RETURNED


def test_another_curator_who_forgot_it_too_is_in_nobodys_way(
    cora: Office, sten: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    now = timezone.now()
    theirs = open_review(version=version, by=sten.user, now=now - timedelta(minutes=16))
    cora.decide(review, "accept")
    review.refresh_from_db()
    theirs.refresh_from_db()
    assert (review.state, theirs.state) == (ReviewState.ACCEPTED, ReviewState.LAPSED)


def test_who_took_it_again_in_another_tab_decides_in_the_first_one_as_well(
    cora: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    again = cora.take(version)
    cora.decide(review, "return", **FORMS["return"])
    for each, state in ((review, ReviewState.RETURNED), (again, ReviewState.LAPSED)):
        each.refresh_from_db()
        assert each.state == state


def test_what_its_maker_took_back_meanwhile_is_refused_and_the_words_stay(
    cora: Office, people: Cast, version: Version
) -> None:
    review = ran_out(cora, version)
    withdraw_version(version=version, by=people.vera, now=NOW)
    answer = cora.decide(review, "return", **FORMS["return"])
    assert told(answer) == (409, True)
    assert "decided or withdrawn in the meantime" in answer.text  # type: ignore[attr-defined]
    review.refresh_from_db()
    assert (review.state, review.decided_at is None) == (ReviewState.LAPSED, False)


def test_a_photo_on_hold_is_not_taken_again_and_the_words_stay(
    cora: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    Photo.objects.filter(pk=version.photo_id).update(state=PhotoState.ON_HOLD)
    assert told(cora.decide(review, "return", **FORMS["return"])) == (409, True)
    version.refresh_from_db()
    assert version.state == VersionState.SUBMITTED


def test_words_for_what_is_decided_already_stay_as_well(cora: Office, version: Version) -> None:
    review = cora.take(version)
    cora.decide(review, "accept")
    assert told(cora.decide(review, "decline", **FORMS["decline"])) == (409, True)


def test_a_review_that_lapses_while_its_decision_arrives_is_decided(
    cora: Office, version: Version
) -> None:
    """The verb's own copy of the row says that it is open still."""
    now = timezone.now()
    review = open_review(version=version, by=cora.user, now=now - timedelta(minutes=16))
    late = Review.objects.get()
    assert lapse_due(now=now) == 1
    accept_version(review=late, by=cora.user, now=now)
    review.refresh_from_db()
    assert review.state == ReviewState.ACCEPTED


def test_nobody_decides_what_another_took_while_the_decision_arrives(
    cora: Office, sten: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    late = Review.objects.get()
    theirs = sten.take(version)
    with pytest.raises(Refused) as refused:
        accept_version(review=late, by=cora.user, now=timezone.now())
    assert refused.value.code == "in-review"
    for each, state in ((review, ReviewState.LAPSED), (theirs, ReviewState.OPEN)):
        each.refresh_from_db()
        assert each.state == state


def test_the_page_of_a_lapsed_review_offers_its_version_again(
    cora: Office, sten: Office, version: Version
) -> None:
    review = ran_out(cora, version)
    opens = f'action="{reverse("restoration:review-open", args=[version.pk])}"'
    page = cora.look(review)
    assert opens in page
    assert "Nobody is looking at this version." in page
    sten.take(version)
    page = cora.look(review)
    assert opens not in page
    assert "Sten is looking at this version." in page


def test_the_words_of_a_form_are_kept_by_the_version(cora: Office, version: Version) -> None:
    """A version that is taken again has a new review: what was typed belongs to both."""
    for _ in range(2):
        review = cora.take(version)
        page = cora.look(review)
        for kind in FORMS:
            assert f'data-kept-as="version-{version.pk}-{kind}"' in page
        cora.decide(review, "release", then="desk")


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (False, "It is still yours unless somebody else takes it."),
        (True, "Another curator is looking at this version."),
    ],
    ids=["free", "taken"],
)
def test_an_open_page_whose_lease_ran_out_is_told_how_it_stands(
    cora: Office, sten: Office, version: Version, taken: bool, said: str
) -> None:
    review = ran_out(cora, version)
    if taken:
        sten.take(version)
    url = reverse("restoration:review-beat", args=[review.pk])
    answer = cora.client.post(url, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "review-closed")
    assert said in answer.json()["message"]


def test_an_open_page_is_told_that_there_is_nothing_to_decide_any_more(
    cora: Office, people: Cast, version: Version
) -> None:
    review = ran_out(cora, version)
    withdraw_version(version=version, by=people.vera, now=NOW)
    url = reverse("restoration:review-beat", args=[review.pk])
    answer = cora.client.post(url, headers={"Accept": "application/json"})
    assert "decided or withdrawn in the meantime" in answer.json()["message"]
