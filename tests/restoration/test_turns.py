"""Whose turn it is: people before the background, the least served first, nobody starved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from accounts.models import User
from archive.models import Collection
from restoration import dispatch, leases, presence, tallies
from restoration.actions.versions import scan_version
from restoration.lifecycle import (
    AFFINITY_ROW,
    AFFINITY_WAIT,
    FLOOR_WAIT,
    JobKind,
    JobLane,
    JobState,
)
from restoration.models import Attempt, Job
from tests import factories
from tests.people import person

pytestmark = pytest.mark.django_db
NOW = factories.NOW
SDXL, KLEIN = "redraw:sdxl", "redraw:klein"


@pytest.fixture
def shelf() -> Collection:
    return factories.collection()


def asked(shelf: Collection, by: User | None, *, ago: float = 10, **fields: Any) -> Job:
    """A job that waits since so many seconds."""
    photo = factories.photo(shelf)
    fields.setdefault("needs", [presence.EMBEDDED])
    fields.setdefault("queue", presence.queue(fields["needs"]))
    return Job.objects.create(
        photo=photo,
        kind=JobKind.RESTORE,
        source=scan_version(photo=photo, now=NOW),
        requested_by=by,
        requested_at=NOW - timedelta(seconds=ago),
        **fields,
    )


def worked(shelf: Collection, by: User, *, seconds: float, ago: float = 60) -> None:
    """A finished job of this person, so long, that ended so long ago."""
    job = asked(shelf, by, ago=ago + seconds, state=JobState.SUCCEEDED)
    ended = NOW - timedelta(seconds=ago)
    started = ended - timedelta(seconds=seconds)
    Attempt.objects.create(job=job, number=1, worker="w", started_at=started, ended_at=ended)


def turns(*offers: str, now: datetime = NOW, warm: tuple[str, ...] = (), row: int = 0) -> list[int]:
    at = dispatch.Seat("w", ["cpu", "generative"], offers, warm, row)
    fair = dispatch.line(queues=at.queues, offers=at.offers, now=now)
    return [each.pk for each in dispatch.preferred(fair, at, now=now)]


def test_who_waits_longest_is_next_among_equals(shelf: Collection) -> None:
    late = asked(shelf, person("vera"), ago=5)
    early = asked(shelf, person("victor"), ago=9)
    assert turns() == [early.pk, late.pk]


def test_what_a_person_waits_for_goes_before_the_background(shelf: Collection) -> None:
    background = asked(shelf, None, ago=200, lane=JobLane.BATCH)
    wanted = asked(shelf, person("vera"), ago=1)
    assert turns() == [wanted.pk, background.pk]


def test_who_had_the_fewest_seconds_in_the_last_hour_is_next(shelf: Collection) -> None:
    vera, victor = person("vera"), person("victor")
    worked(shelf, vera, seconds=300)
    worked(shelf, victor, seconds=20)
    worked(shelf, victor, seconds=900, ago=3700)  # over an hour ago counts no more
    first, second = asked(shelf, vera, ago=60), asked(shelf, victor, ago=1)
    assert turns() == [second.pk, first.pk]


def test_a_run_at_work_counts_by_the_second(shelf: Collection) -> None:
    vera, victor = person("vera"), person("victor")
    running = asked(shelf, vera, ago=90)
    leases.start(job_id=running.pk, worker="other", now=NOW - timedelta(seconds=80))
    again, other = asked(shelf, vera, ago=80), asked(shelf, victor, ago=1)
    assert turns() == [other.pk, again.pk]


@pytest.mark.parametrize("lane", JobLane.values)
def test_everybody_has_a_floor_slot(shelf: Collection, lane: str) -> None:
    heavy = person("heavy")
    worked(shelf, heavy, seconds=3000)
    waited = asked(shelf, heavy, ago=FLOOR_WAIT.total_seconds() + 1, lane=lane)
    for number in range(3):
        asked(shelf, person(f"new{number}"), ago=100)
    assert turns()[0] == waited.pk


def test_the_floor_is_one_slot_not_two(shelf: Collection) -> None:
    heavy, fresh = person("heavy"), person("fresh")
    running = asked(shelf, heavy, ago=900)
    leases.start(job_id=running.pk, worker="other", now=NOW - timedelta(seconds=600))
    waited = asked(shelf, heavy, ago=FLOOR_WAIT.total_seconds() + 1)
    new = asked(shelf, fresh, ago=1)
    assert turns() == [new.pk, waited.pk]


def test_what_this_worker_cannot_run_is_not_in_its_line(shelf: Collection) -> None:
    here = asked(shelf, person("vera"), needs=[presence.EMBEDDED, SDXL])
    asked(shelf, person("victor"), needs=[presence.EMBEDDED, KLEIN])
    assert turns(SDXL) == [here.pk]


def test_what_was_given_back_waits_for_its_time(shelf: Collection) -> None:
    asked(shelf, person("vera"), not_before=NOW + timedelta(seconds=1))
    assert turns() == []
    assert len(turns(now=NOW + timedelta(seconds=1))) == 1


@pytest.fixture
def two(shelf: Collection) -> tuple[Job, Job]:
    """The first in turn needs one model, the second another."""
    first = asked(shelf, person("vera"), ago=20, needs=[SDXL])
    return first, asked(shelf, person("victor"), ago=10, needs=[KLEIN])


def test_a_worker_prefers_what_it_has_in_memory(two: tuple[Job, Job]) -> None:
    assert turns(SDXL, KLEIN) == [two[0].pk, two[1].pk]
    assert turns(SDXL, KLEIN, warm=("klein",)) == [two[1].pk, two[0].pk]


def test_but_only_so_often_in_a_row(two: tuple[Job, Job]) -> None:
    assert turns(SDXL, KLEIN, warm=("klein",), row=AFFINITY_ROW - 1)[0] == two[1].pk
    assert turns(SDXL, KLEIN, warm=("klein",), row=AFFINITY_ROW)[0] == two[0].pk


def test_and_not_when_the_first_has_waited_a_minute(two: tuple[Job, Job]) -> None:
    later = two[0].requested_at + AFFINITY_WAIT + timedelta(seconds=1)
    assert turns(SDXL, KLEIN, warm=("klein",), now=later)[0] == two[0].pk


def test_and_never_lifts_the_background_over_people(shelf: Collection) -> None:
    wanted = asked(shelf, person("vera"), ago=1, needs=[SDXL])
    asked(shelf, None, ago=30, needs=[KLEIN], lane=JobLane.BATCH)
    assert turns(SDXL, KLEIN, warm=("klein",))[0] == wanted.pk


def test_taking_says_whether_it_was_before_its_turn(two: tuple[Job, Job]) -> None:
    at = dispatch.Seat("w", ["generative"], [SDXL, KLEIN], ("klein",))
    early = dispatch.take(at, now=NOW)
    assert early is not None
    assert (early.job.pk, early.early) == (two[1].pk, True)
    turn = dispatch.take(at, now=NOW)
    assert turn is not None
    assert (turn.job.pk, turn.early) == (two[0].pk, False)
    assert dispatch.take(at, now=NOW) is None


def test_the_line_is_read_in_four_queries_and_one_alone_in_one(
    shelf: Collection, django_assert_num_queries: Any
) -> None:
    asked(shelf, person("alone"))
    with django_assert_num_queries(1):
        turns()
    for number in range(4):
        asked(shelf, person(f"new{number}"))
    with django_assert_num_queries(4):
        turns()


def test_a_run_begins_also_when_its_wait_cannot_be_counted(
    shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(shelf, person("vera"))

    def away(*_told: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(tallies, "add", away)
    taken = dispatch.take(dispatch.Seat("w", ["cpu"], ["embedded"]), now=NOW)
    assert taken is not None
    job.refresh_from_db()
    assert (job.state, job.token) == (JobState.RUNNING, taken.job.token)


def test_a_bell_rings_where_the_family_of_the_model_is(shelf: Collection) -> None:
    assert presence.bell([presence.EMBEDDED]) == "cpu"
    assert presence.bell([presence.EMBEDDED, "redraw:sdxl-tile"]) == "generative.sdxl"
    # The large one is what a worker is least likely to have.
    assert presence.bell([SDXL, "repair:qwen-edit"]) == "generative.qwen-edit"


def test_a_bell_goes_to_the_idle_worker_that_has_the_model_in_memory(shelf: Collection) -> None:
    for name in ("cold", "warm"):
        presence.announce(name=name, queues=["generative"], offers=[SDXL], models=[], now=NOW)
    assert presence.nearest([SDXL], now=NOW) == ""
    presence.warmed(name="warm", models=["sdxl"])
    assert presence.nearest([SDXL], now=NOW) == "warm"
    running = asked(shelf, person("vera"), needs=[SDXL])
    leases.start(job_id=running.pk, worker="warm", now=NOW)
    assert presence.nearest([SDXL], now=NOW) == ""
