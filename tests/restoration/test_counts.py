"""Counts follow the rows by themselves, and a recount finds and mends what went astray."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command

from archive.actions import hold_photo, release_photo_hold
from archive.models import Collection, Photo
from restoration import counting
from restoration.actions.claims import release_claim
from restoration.actions.reviews import open_review, return_version
from restoration.actions.versions import withdraw_version
from restoration.models import Claim, Version
from restoration.standings import Change, Standing, Sum
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint


def of(box: Collection) -> dict[str, int]:
    """What is not none."""
    return {
        name: value for name, value in counting.of_collections([box.pk])[box.pk].items() if value
    }


def test_a_photo_counts_where_it_stands_from_the_first_moment(
    box: Collection, people: Cast
) -> None:
    photo = factories.photo(box)
    assert of(box) == {"ready": 1, "waits": 1}
    claim = factories.claim(photo, people.vera)
    assert of(box) == {"ready": 1, "held": 1}
    release_claim(claim=claim, by=people.vera, now=NOW)
    assert of(box) == {"ready": 1, "waits": 1}
    made = factories.submitted(photo, people.vera)
    assert of(box) == {"ready": 1, "review": 1, "queue": 1}
    withdraw_version(version=made, by=people.vera, now=NOW)
    assert of(box) == {"ready": 1, "waits": 1}


def test_what_is_accepted_or_returned_is_told_apart(box: Collection, people: Cast) -> None:
    appoint(people.cora, box)
    factories.accepted(factories.photo(box), people.vera, people.cora)
    returned = factories.submitted(factories.photo(box), people.vera)
    review = open_review(version=returned, by=people.cora, now=NOW)
    return_version(review=review, by=people.cora, reason="colour", advice="Less.", now=NOW)
    assert of(box) == {"ready": 2, "waits": 1, "returned": 1, "done": 1}
    assert counting.of_person(people.vera.pk)["accepted"] == 1
    assert counting.of_person(people.vera.pk)["returned"] == 1


def test_a_photo_on_hold_waits_for_nobody(box: Collection, people: Cast) -> None:
    appoint(people.cora, box)
    photo = factories.photo(box)
    hold_photo(photo=photo, by=people.cora, reason="A question.", now=NOW)
    assert of(box) == {}
    release_photo_hold(photo=photo, by=people.cora, now=NOW)
    assert of(box) == {"ready": 1, "waits": 1}


def test_a_second_slot_still_waits(box: Collection, people: Cast) -> None:
    photo = factories.photo(box, slots=2)
    factories.claim(photo, people.vera)
    assert of(box) == {"ready": 1, "waits": 1, "held": 1}
    factories.claim(photo, people.victor)
    assert of(box) == {"ready": 1, "held": 1}


def test_rows_that_are_written_past_every_verb_count_too(box: Collection, people: Cast) -> None:
    factories.claim(factories.photo(box), people.vera)
    Claim.objects.update(state="expired")
    Photo.objects.update(state="on_hold")
    assert of(box) == {}


def test_changes_are_added_up_and_read_the_same_before_and_after(
    box: Collection, people: Cast
) -> None:
    for _each in range(3):
        factories.submitted(factories.photo(box), people.vera)
    before, mine = of(box), counting.of_person(people.vera.pk)
    assert counting.add_up(now=NOW) > 0
    assert not Change.objects.exists()
    assert of(box) == before
    assert counting.of_person(people.vera.pk)["submitted"] == mine["submitted"] == 3
    assert counting.add_up(now=NOW) == 0


def test_a_recount_has_nothing_to_say_of_what_the_verbs_did(box: Collection, people: Cast) -> None:
    appoint(people.cora, box)
    factories.accepted(factories.photo(box), people.vera, people.cora)
    factories.claim(factories.photo(box), people.vera)
    factories.submitted(factories.photo(box, slots=3), people.victor)
    assert counting.recount() == []
    counting.add_up(now=NOW)
    assert counting.recount() == []


def test_a_recount_says_what_differed_and_puts_it_right(box: Collection, people: Cast) -> None:
    held, other = factories.photo(box), factories.photo(box)
    factories.claim(held, people.vera)
    factories.submitted(other, people.victor)
    right = of(box)
    counting.add_up(now=NOW)
    Standing.objects.filter(photo=held).update(held=7)
    Standing.objects.filter(photo=other).update(in_review=0, ready=False, slots=3)
    Sum.objects.filter(measure="ready").update(value=40)
    Sum.objects.filter(about="person").delete()
    told = StringIO()
    call_command("recount", stdout=told)
    said = told.getvalue()
    assert f"photo {held.pk} held: kept 7, counted 1" in said
    assert f"photo {other.pk} in_review: kept 0, counted 1" in said
    assert "ready: kept" in said
    assert "counts differed" in said
    assert of(box) == right
    assert counting.of_person(people.victor.pk)["submitted"] == 1
    told = StringIO()
    call_command("recount", stdout=told)
    assert told.getvalue() == "every count is right\n"


def test_a_photo_whose_standing_is_gone_gets_one_again(box: Collection, people: Cast) -> None:
    photo = factories.photo(box)
    factories.claim(photo, people.vera)
    right = of(box)
    Standing.objects.all().delete()
    assert any("standing" in str(each) for each in counting.recount())
    assert Standing.objects.get(photo=photo).held == 1
    assert of(box) == right


def test_the_sweep_recounts_once_a_day_and_logs_what_differed(
    box: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    cache.delete("recounted")
    factories.photo(box)
    Standing.objects.update(held=2)
    assert counting.recount_nightly(now=NOW) > 0
    assert "held: kept 2, counted 0" in caplog.text
    Standing.objects.update(held=2)
    assert counting.recount_nightly(now=NOW) == 0
    cache.delete("recounted")


def test_versions_nobody_made_and_scans_are_in_nobodys_count(box: Collection, people: Cast) -> None:
    factories.version(factories.photo(box), people.vera)
    assert counting.of_person(people.vera.pk) == {"draft": 1}
    assert Version.objects.count() == 2
