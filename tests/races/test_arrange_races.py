"""Curators who write in one moment: one is let, the others are told; nobody waits for ever."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from archive.policy import Refused
from archive.saying import WordsMoved, revision
from exhibit.actions import publish_version
from exhibit.arranging import HEADLINE, Headline, Words, add_room, edit_exhibit, edit_words
from exhibit.models import Placement, Publication
from restoration.models import Version
from tests import factories
from tests.people import appoint, person
from tests.races.together import together

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("on_postgres")]


def test_of_those_who_saw_the_same_words_one_writes_and_the_others_are_told() -> None:
    cora, exhibit = person("cora"), factories.room(factories.collection()).exhibit
    appoint(cora, exhibit.collection)
    for turn in range(5):
        exhibit.refresh_from_db()
        seen = {revision(exhibit, HEADLINE)}
        calls = [
            partial(
                edit_exhibit,
                exhibit=exhibit,
                headline=Headline(title_en=f"{turn} by {hand}"),
                by=cora,
                only_of=seen,
            )
            for hand in range(6)
        ]
        results = together(calls)
        assert results.count(None) == 1
        assert sum(isinstance(each, WordsMoved) for each in results) == 5, results


def test_who_publishes_and_who_hangs_the_same_picture_elsewhere_do_not_wait_for_each_other() -> (
    None
):
    box, vera, sten = factories.collection(), person("vera"), person("sten", is_steward=True)
    first = factories.room(box)
    second = add_room(exhibit=first.exhibit, headline=Headline(title_en="The lake"), by=sten)
    told: dict[str, Any] = {"words": Words(), "by": sten}
    for _ in range(8):
        photo = factories.photo(box)
        made = [factories.accepted(photo, vera, sten)[0].pk for _ in range(2)]
        before, after = (
            Version.objects.select_related("photo__collection").get(pk=pk) for pk in made
        )
        publish_version(version=before, room=first, now=factories.NOW, **told)
        hung = Placement.objects.select_related("room__exhibit").get(photo=photo)
        results = together(
            [
                partial(edit_words, placement=hung, room=second, **told),
                partial(publish_version, version=after, room=second, now=factories.NOW, **told),
            ]
        )
        assert all(isinstance(each, Publication | Refused | None) for each in results), results
        assert Placement.objects.get(photo=photo).room == second
