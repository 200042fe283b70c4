"""Two curators decide at once: one does, the other is told."""

from __future__ import annotations

from functools import partial

import pytest

from archive.policy import Refused
from restoration.actions.reviews import accept_version, decline_version, open_review
from restoration.actions.versions import withdraw_version
from restoration.lifecycle import ReviewState, VersionState
from restoration.models import Review
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
