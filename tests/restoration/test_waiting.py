"""How long a run waits: by the order of turns, for machines that live, at a steady cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from archive.models import Collection
from restoration import leases, presence
from restoration.lifecycle import JobLane, JobState
from restoration.models import Job
from restoration.queries import waiting
from restoration.queries.waiting import Outlook, Seconds
from tests import factories
from tests.people import person

from .test_turns import KLEIN, NOW, SDXL, asked, worked

pytestmark = pytest.mark.django_db
LONG = timedelta(seconds=3600)


@pytest.fixture
def shelf() -> Collection:
    return factories.collection()


@pytest.fixture(autouse=True)
def _drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of these tests change within the same second."""
    monkeypatch.setattr(waiting, "FRESH", timedelta(0))


def machine(
    name: str = "w", *offers: str, slots: int = 1, queues: tuple[str, ...] = ("cpu",)
) -> None:
    presence.announce(
        name=name, queues=list(queues), offers=list(offers), models=[], now=NOW, slots=slots
    )


def took(shelf: Collection, *seconds: float, **fields: Any) -> None:
    """Finished runs at the least size, so that they count as half a megapixel."""
    for each in seconds:
        job = asked(shelf, None, state=JobState.SUCCEEDED, **fields)
        begun, ended = NOW - LONG, NOW - LONG + timedelta(seconds=each)
        Job.objects.filter(pk=job.pk).update(started_at=begun, ended_at=ended)


def outlook(job: Job) -> Outlook:
    return waiting.outlook_of(Job.objects.select_related("source").get(pk=job.pk), now=NOW)


def test_with_nobody_before_it_takes_what_runs_like_it_took(shelf: Collection) -> None:
    machine()
    took(shelf, *range(10, 20))
    said = outlook(asked(shelf, person("vera")))
    assert (said.place, said.ahead) == (1, 0)
    assert said.seconds == Seconds(12, 19)


def test_people_take_turns_and_so_the_second_of_one_comes_after_the_first_of_another(
    shelf: Collection,
) -> None:
    machine()
    took(shelf, 10)
    heavy, fresh = person("heavy"), person("fresh")
    many = [asked(shelf, heavy, ago=100 - at) for at in range(5)]
    one = asked(shelf, fresh, ago=1)
    assert [outlook(job).place for job in many] == [1, 3, 4, 5, 6]
    assert outlook(one).place == 2
    assert outlook(one).seconds == Seconds(20, 20)
    assert outlook(many[-1]).seconds == Seconds(60, 60)


def test_who_had_much_lately_comes_after_who_had_little(shelf: Collection) -> None:
    machine()
    heavy, fresh = person("heavy"), person("fresh")
    worked(shelf, heavy, seconds=300)
    first, last = asked(shelf, fresh, ago=1), asked(shelf, heavy, ago=60)
    assert (outlook(first).place, outlook(last).place) == (1, 2)


def test_the_background_is_before_nobody_who_waits(shelf: Collection) -> None:
    machine()
    for _each in range(3):
        asked(shelf, None, ago=200, lane=JobLane.BATCH)
    said = outlook(asked(shelf, person("vera"), ago=1))
    assert (said.place, said.ahead) == (1, 0)


def test_what_no_living_machine_can_run_is_before_nobody(shelf: Collection) -> None:
    machine("klein", KLEIN, queues=("generative",))
    asked(shelf, person("victor"), needs=[presence.EMBEDDED, SDXL])
    said = outlook(asked(shelf, person("vera"), ago=1, needs=[presence.EMBEDDED, KLEIN]))
    assert (said.workers, said.place) == (1, 1)


def test_that_nobody_can_run_it_now_is_said_without_a_place_or_a_time(shelf: Collection) -> None:
    machine("klein", KLEIN, queues=("generative",))
    took(shelf, 10, needs=[presence.EMBEDDED, SDXL])
    said = outlook(asked(shelf, person("vera"), needs=[presence.EMBEDDED, SDXL]))
    assert said == Outlook(0, 0, None)


def test_a_machine_that_is_silent_for_too_long_is_none(shelf: Collection) -> None:
    machine()
    job = Job.objects.select_related("source").get(pk=asked(shelf, person("vera")).pk)
    assert waiting.outlook_of(job, now=NOW + timedelta(minutes=2)).workers == 0


def test_two_machines_halve_the_wait_and_a_free_one_ends_it(shelf: Collection) -> None:
    machine(slots=2)
    took(shelf, 10)
    jobs = [asked(shelf, person(name), ago=ago) for name, ago in (("a", 9), ("b", 8), ("c", 7))]
    assert outlook(jobs[1]).seconds == Seconds(10, 10)
    assert outlook(jobs[2]).seconds == Seconds(20, 20)


def test_what_is_left_of_a_run_at_work_is_waited_for(shelf: Collection) -> None:
    machine("w")
    took(shelf, 60)
    begun = asked(shelf, person("victor"), ago=50)
    leases.start(job_id=begun.pk, worker="w", now=NOW - timedelta(seconds=40))
    said = outlook(asked(shelf, person("vera"), ago=1))
    assert (said.place, said.ahead) == (1, 1)
    assert said.seconds == Seconds(80, 80)
    at_work = outlook(begun)
    assert at_work.seconds == Seconds(20, 20)


def test_what_one_would_wait_is_what_one_then_waits(shelf: Collection) -> None:
    machine()
    took(shelf, 10)
    vera, victor = person("vera"), person("victor")
    asked(shelf, victor, ago=5)
    asked(shelf, victor, ago=4)
    source = asked(shelf, None, state=JobState.CANCELLED).source
    assert source is not None
    before = waiting.outlook_for(source, by=vera, needs=[presence.EMBEDDED], now=NOW)
    after = outlook(asked(shelf, vera, ago=0))
    assert before == after
    assert after.place == 2


def test_of_many_finished_runs_only_the_last_are_looked_at(
    shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    took(shelf, 1, 1, 1, 100, 100)  # those that took longer ended later
    assert waiting.pace(kind="restore", needs=[presence.EMBEDDED]) == Seconds(2, 200)
    monkeypatch.setattr(waiting, "LOOKED_THROUGH", 2)
    assert waiting.pace(kind="restore", needs=[presence.EMBEDDED]) == Seconds(200, 200)


class TestCost:
    """A poll costs the same with three before it and with three hundred."""

    def rows(self, shelf: Collection, many: int) -> None:
        people = [User(username=f"v{many}-{at}") for at in range(many)]
        User.objects.bulk_create(people)
        like = asked(shelf, None)
        like.delete()
        Job.objects.bulk_create(
            Job(
                photo=like.photo,
                kind=like.kind,
                source=like.source,
                requested_by=each,
                requested_at=NOW - timedelta(seconds=60),
                needs=like.needs,
                queue=like.queue,
            )
            for each in people
        )

    def test_after_the_board_is_drawn_only_the_machines_are_asked_for(
        self, shelf: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "FRESH", timedelta(seconds=2))
        machine()
        self.rows(shelf, 300)
        job = Job.objects.select_related("source").latest("pk")
        waiting.outlook_of(job, now=NOW)
        with CaptureQueriesContext(connection) as queries:
            said = waiting.outlook_of(job, now=NOW + timedelta(seconds=1))
        assert said.place == 300
        assert len(queries) == 1
        assert "restoration_worker" in queries[0]["sql"]

    def test_to_draw_it_takes_as_many_queries_however_long_the_line_is(
        self, shelf: Collection
    ) -> None:
        machine()
        counts = []
        for many in (3, 300):
            self.rows(shelf, many)
            job = Job.objects.select_related("source").latest("pk")
            with CaptureQueriesContext(connection) as queries:
                waiting.outlook_of(job, now=NOW)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 7
