"""Submit a version, late or in time; take it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.policy import Refused
from archive.trust import Trust
from restoration.actions.claims import expire_due
from restoration.actions.reviews import accept_version, open_review, return_version
from restoration.actions.versions import submit_version
from restoration.lifecycle import CLAIM_IDLE, ClaimState, VersionState
from restoration.models import Claim, Version
from tests import factories
from tests.people import Cast, appoint

from .conftest import Desk, newest

JSON = {"accept": "application/json"}


def submit(desk: Desk, number: int = 1, note: str = "See the left edge.") -> Any:
    return desk.client.post(desk.url("submit", number), {"note": note}, follow=True)


def state(photo: Any, number: int = 1) -> str:
    return str(Version.objects.get(photo=photo, number=number).state)


class TestSubmit:
    def test_it_goes_to_review_with_its_note_and_fulfils_the_claim(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        page = submit(vera).text
        assert "A curator will look at it" in page
        version = newest(vera.photo)
        assert (version.state, version.note) == (VersionState.SUBMITTED, "See the left edge.")
        assert Claim.objects.get().state == ClaimState.FULFILLED
        assert "in review" in page

    def test_the_page_then_offers_the_next_photo_before_this_one(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        page = submit(vera).text
        assert "Your version waits for a curator." in page
        assert page.index("Give me another photo") < page.index("Take this photo again")

    def test_and_still_says_in_whose_hands_it_is_now(self, vera: Desk, victor: Desk) -> None:
        factories.version(vera.photo, vera.user)
        vera.post("release")
        victor.post("claim")
        page = submit(vera).text
        assert "With Victor, until" in page
        assert "Take this photo again" not in page

    def test_a_version_that_was_taken_back_is_not_submitted_again(self, vera: Desk) -> None:
        version = factories.version(vera.photo, vera.user)
        vera.post("withdraw", 1)
        with pytest.raises(Refused) as refused:
            submit_version(version=version, by=vera.user, note="", now=timezone.now())
        assert refused.value.code == "not-a-draft"
        assert state(vera.photo) == VersionState.WITHDRAWN

    def test_a_suspended_account_submits_nothing(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        type(vera.user).objects.update(trust=Trust.SUSPENDED)
        submit(vera)
        assert state(vera.photo) == VersionState.DRAFT

    def test_late_it_is_kept_as_an_alternative(self, vera: Desk, victor: Desk) -> None:
        factories.version(vera.photo, vera.user)
        Claim.objects.update(seen_at=timezone.now() - CLAIM_IDLE - timedelta(seconds=1))
        expire_due(now=timezone.now())
        victor.post("claim")
        page = submit(vera).text
        assert "Submitted as an alternative" in page
        assert newest(vera.photo).is_alternative
        assert Claim.objects.get(state=ClaimState.OPEN).volunteer == victor.user

    def test_late_with_nobody_else_there_it_is_a_plain_submission(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        vera.post("release")
        submit(vera)
        assert not newest(vera.photo).is_alternative
        assert state(vera.photo) == VersionState.SUBMITTED

    def test_nobody_submits_the_work_of_another(self, vera: Desk, victor: Desk) -> None:
        factories.version(vera.photo, vera.user)
        assert victor.post("submit", 1).status_code == 404
        assert state(vera.photo) == VersionState.DRAFT

    def test_the_scan_is_not_submitted(self, vera: Desk) -> None:
        answer = vera.post("submit", 0, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-yours")

    def test_twice_is_once(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        submit(vera)
        answer = vera.post("submit", 1, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "not-a-draft")

    def test_a_fourth_that_waits_is_one_too_many(
        self, vera: Desk, people: Cast, sit: Callable[..., Desk]
    ) -> None:
        for _each in range(4):
            factories.version(vera.photo, vera.user)
        for number in (1, 2, 3):
            submit(vera, number)
        answer = submit(vera, 4, note="The sky is the scan’s.")
        assert answer.status_code == 422
        assert "Yours is kept as a draft" in answer.text
        assert "The sky is the scan’s.</textarea>" in answer.text
        assert state(vera.photo, 4) == VersionState.DRAFT

    def test_a_novel_is_too_long_a_note(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        answer = submit(vera, note="x" * 2001)
        assert "The note is too long" in answer.text
        assert f"{'x' * 2001}</textarea>" in answer.text
        assert state(vera.photo) == VersionState.DRAFT


class TestWithdraw:
    def test_before_a_decision_it_comes_back(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        submit(vera)
        answer = vera.client.post(vera.url("withdraw", 1), follow=True)
        assert "Taken back" in answer.text
        assert state(vera.photo) == VersionState.WITHDRAWN

    def test_what_follows_is_said_before_it_is_pressed_and_is_true(self, vera: Desk) -> None:
        factories.version(vera.photo, vera.user)
        submit(vera)
        page = vera.get("bench").text
        said = page.index("it stays on the strip and cannot be submitted again")
        assert said < page.index("Take it back from review")
        assert 'aria-describedby="withdraw-help-1"' in page
        assert 'id="withdraw-help-1"' in page
        vera.client.post(vera.url("withdraw", 1))
        assert "Submit this version" not in vera.get("bench").text
        factories.version(vera.photo, vera.user, parent=newest(vera.photo))
        assert "Submit this version" in vera.get("bench").text

    def test_a_curator_never_sees_a_draft_that_was_taken_back_unsubmitted(
        self, vera: Desk, people: Cast
    ) -> None:
        appoint(people.cora, vera.photo.collection)
        factories.version(vera.photo, vera.user)
        factories.version(vera.photo, vera.user)
        submit(vera, 2)
        for number in (1, 2):
            vera.client.post(vera.url("withdraw", number))
        seen = Version.objects.visible_to(people.cora).filter(photo=vera.photo)
        assert set(seen.values_list("number", flat=True)) == {0, 2}
        own = Version.objects.visible_to(vera.user).filter(photo=vera.photo)
        assert own.filter(state=VersionState.WITHDRAWN).count() == 2

    def test_after_a_decision_it_does_not(self, vera: Desk, people: Cast) -> None:
        appoint(people.cora, vera.photo.collection)
        factories.version(vera.photo, vera.user)
        submit(vera)
        version = newest(vera.photo)
        review = open_review(version=version, by=people.cora, now=timezone.now())
        accept_version(review=review, by=people.cora, now=timezone.now())
        answer = vera.post("withdraw", 1, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "already-decided")
        assert state(vera.photo) == VersionState.ACCEPTED

    def test_nobody_withdraws_the_work_of_another(self, vera: Desk, people: Cast) -> None:
        factories.version(vera.photo, vera.user)
        submit(vera)
        appoint(people.cora, vera.photo.collection)
        vera.client.force_login(people.cora)
        answer = vera.post("withdraw", 1, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-yours")


class TestReturn:
    def test_the_maker_reads_the_advice_and_answers_with_a_child(
        self, vera: Desk, people: Cast
    ) -> None:
        appoint(people.cora, vera.photo.collection)
        first = factories.submitted(vera.photo, vera.user)
        review = open_review(version=first, by=people.cora, now=timezone.now())
        return_version(
            review=review,
            by=people.cora,
            reason="colour",
            advice="The flag is green.",
            now=timezone.now(),
        )
        vera.client.post(vera.url("claim"))
        page = vera.get("bench")
        assert "came back with advice" in page.text
        assert page.text.index("The flag is green.") < page.text.index("How the bench works")
        assert "returned with advice" in page.text
        assert page.context["base"]["id"] == 1
