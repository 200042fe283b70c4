"""Two curators decide at once: one does, the other is told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from archive.policy import Refused
from restoration.actions.reviews import (
    accept_version,
    decline_version,
    lapse_due,
    open_review,
)
from restoration.actions.versions import withdraw_version
from restoration.lifecycle import REVIEW_LEASE, ReviewState, VersionState
from restoration.models import Review, Version
from tests import factories
from tests.people import appoint, person
from tests.races.together import together


@pytest.mark.usefixtures("on_postgres")
def test_ten_curators_open_one_version_and_one_holds_it() -> None:
    collection = factories.collection()
    version = factories.submitted(factories.photo(collection), person("vera"))
    curators = [person(f"curator{number}") for number in range(10)]
    for curator in curators:
        appoint(curator, collection)
    results = together(
        [partial(open_review, version=version, by=one, now=factories.NOW) for one in curators]
    )
    assert sum(isinstance(each, Review) for each in results) == 1
    assert {each.code for each in results if isinstance(each, Refused)} == {"in-review"}


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_accept_and_decline_and_withdraw_in_one_moment_end_in_one_state() -> None:
    collection = factories.collection()
    vera, cora = person("vera"), person("cora")
    appoint(cora, collection)
    for _ in range(10):
        version = factories.submitted(factories.photo(collection), vera)
        review = open_review(version=version, by=cora, now=factories.NOW)
        twin = Review.objects.select_related("version__photo").get(pk=review.pk)
        results = together(
            [
                partial(accept_version, review=review, by=cora, now=factories.NOW),
                partial(
                    decline_version,
                    review=twin,
                    by=cora,
                    reason="other-person",
                    advice="The face is another person's.",
                    now=factories.NOW,
                ),
                partial(withdraw_version, version=version, by=vera, now=factories.NOW),
            ]
        )
        assert sum(each is None for each in results) == 1
        assert sum(isinstance(each, Refused) for each in results) == 2
        review.refresh_from_db()
        version.refresh_from_db()
        pair = (version.state, review.state)
        assert pair in {
            (VersionState.ACCEPTED, ReviewState.ACCEPTED),
            (VersionState.DECLINED, ReviewState.DECLINED),
            (VersionState.WITHDRAWN, ReviewState.OPEN),
        }


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_a_late_decision_and_another_who_takes_the_version_end_in_one_of_the_two() -> None:
    collection = factories.collection()
    vera, cora, clive = person("vera"), person("cora"), person("clive")
    appoint(cora, collection)
    appoint(clive, collection)
    late = factories.NOW + REVIEW_LEASE + timedelta(seconds=1)
    for _ in range(10):
        version = factories.submitted(factories.photo(collection), vera)
        review = open_review(version=version, by=cora, now=factories.NOW)
        assert lapse_due(now=late) == 1
        twin = Version.objects.select_related("photo").get(pk=version.pk)
        decided, taken = together(
            [
                partial(accept_version, review=review, by=cora, now=late),
                partial(open_review, version=twin, by=clive, now=late),
            ]
        )
        review.refresh_from_db()
        version.refresh_from_db()
        if decided is None:
            assert (review.state, version.state) == (ReviewState.ACCEPTED, VersionState.ACCEPTED)
        else:
            assert (decided.code, taken.state) == ("in-review", ReviewState.OPEN)
            assert (review.state, version.state) == (ReviewState.LAPSED, VersionState.SUBMITTED)
        Review.objects.filter(version=version, state=ReviewState.OPEN).delete()
