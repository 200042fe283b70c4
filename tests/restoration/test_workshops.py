"""A curator's code lets a class in for a day, and pays for its runs; stewards give machine time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.models import Collection, Event
from archive.policy import Refused
from archive.trust import Trust
from restoration import ledger
from restoration.actions import budgets
from restoration.lifecycle import JobState
from restoration.models import Job, Workshop
from restoration.purses import Entry, EntryKind, Guest, Purse, Resource
from tests import factories
from tests.people import Cast, appoint, person, signed_in

from .conftest import Desk, recipe

Work = Callable[[], list[Job]]


def opened(box: Collection, people: Cast, now: datetime, **more: object) -> Workshop:
    words = {"title": "Class 7b", "seats": 2, "days": 1, "cpu_minutes": 10, "gpu_minutes": 0}
    return budgets.open_workshop(
        collection=box,
        by=people.sten,
        now=now,
        **(words | more),  # type: ignore[arg-type]
    )


def test_a_curator_makes_a_code_that_can_be_read_from_the_last_row(
    people: Cast, box: Collection
) -> None:
    appoint(people.cora, box)
    client = signed_in(people.cora)
    form = {"title": "Class 7b", "collection": box.pk, "seats": 40, "days": 1}
    form |= {"cpu_minutes": 120, "gpu_minutes": 0}
    answer = client.post(reverse("restoration:workshops"), form, follow=True)
    made = Workshop.objects.get()
    assert f"{made.code[:4]} {made.code[4:]}" in answer.text
    assert "/join/" in answer.text
    assert "Class 7b" in client.get(reverse("restoration:workshops")).text
    assert Event.objects.filter(verb="workshop.opened", collection=box).exists()


def test_one_field_lets_a_pupil_in_and_the_workshop_pays(
    people: Cast, box: Collection, now: datetime, sit: Callable[..., Desk], work: Work
) -> None:
    workshop, pupil = opened(box, people, now), person("pupil", trust=Trust.NEW)
    code = f" {workshop.code[:4].upper()}-{workshop.code[4:]} "
    answer = signed_in(pupil).post(reverse("restoration:join"), {"code": code})
    assert answer["Location"] == f"{reverse('restoration:wall')}?collection={box.slug}"
    desk = sit(pupil, factories.photo(box, bytes_too=True))
    assert "Your workshop pays first: 10 min left." in desk.get("bench").text
    desk.post("run", data=recipe())
    assert work()[0].state == JobState.SUCCEEDED
    assert Entry.objects.get(kind=EntryKind.SETTLE).purse.workshop == workshop
    assert not Entry.objects.filter(purse__person=pupil, kind=EntryKind.RESERVE).exists()


def test_where_the_workshop_has_nothing_left_ones_own_time_pays(
    people: Cast, box: Collection, now: datetime, sit: Callable[..., Desk]
) -> None:
    workshop, pupil = opened(box, people, now, cpu_minutes=0), person("pupil")
    budgets.join_workshop(code=workshop.code, by=pupil, now=now)
    sit(pupil, factories.photo(box)).post("run", data=recipe())
    assert Entry.objects.get(kind=EntryKind.RESERVE).purse.person == pupil


@pytest.mark.parametrize("code", ["", "nosuchco", "x" * 50])
def test_a_wrong_code_is_said_and_kept_in_its_field(people: Cast, code: str) -> None:
    answer = signed_in(people.vera).post(reverse("restoration:join"), {"code": code})
    assert answer.status_code == 422
    assert code[:8] in answer.text


def test_a_code_that_is_over_lets_nobody_in(people: Cast, box: Collection, now: datetime) -> None:
    workshop = opened(box, people, now)
    with pytest.raises(Refused, match="no-such-workshop"):
        budgets.join_workshop(code=workshop.code, by=people.vera, now=now + timedelta(days=2))
    signed_in(people.sten).post(reverse("restoration:workshop-close", args=[workshop.pk]))
    with pytest.raises(Refused, match="no-such-workshop"):
        budgets.join_workshop(code=workshop.code, by=people.vera, now=now + timedelta(minutes=1))


def test_there_are_as_many_seats_as_there_are(people: Cast, box: Collection, now: datetime) -> None:
    workshop = opened(box, people, now)
    for pupil in (people.vera, people.victor, people.vera):
        budgets.join_workshop(code=workshop.code, by=pupil, now=now)
    with pytest.raises(Refused, match="workshop-full"):
        budgets.join_workshop(code=workshop.code, by=people.clive, now=now)
    assert Guest.objects.count() == 2


def test_a_curator_gives_no_more_than_a_workshop_may_have(
    people: Cast, box: Collection, now: datetime
) -> None:
    for more in ({"cpu_minutes": 601}, {"seats": 0}, {"days": 15}, {"gpu_minutes": -1}):
        with pytest.raises(Refused, match="workshop-too-large"):
            opened(box, people, now, **more)
    for _ in range(3):
        opened(box, people, now)
    with pytest.raises(Refused, match="too-many-workshops"):
        opened(box, people, now)
    assert Workshop.objects.count() == 3


def test_a_volunteer_makes_no_codes(people: Cast, box: Collection, now: datetime) -> None:
    assert signed_in(people.vera).get(reverse("restoration:workshops")).status_code == 403
    workshop = opened(box, people, now)
    page = reverse("restoration:workshop", args=[workshop.pk])
    assert signed_in(people.vera).get(page).status_code == 404


def test_a_list_of_workshops_asks_the_same_for_many(
    people: Cast, box: Collection, now: datetime
) -> None:
    client = signed_in(people.sten)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("restoration:workshops")).status_code == 200
        return len(queries)

    opened(box, people, now)
    few = asked()
    for _ in range(2):
        opened(box, people, now)
    assert asked() == few


# --- a steward gives ------------------------------------------------------------------------------
def test_a_steward_gives_a_collection_time_and_lifts_the_limit(
    people: Cast, box: Collection
) -> None:
    client = signed_in(people.sten)
    form = {"collection": box.pk, "resource": "cpu", "minutes": 90}
    page = client.post(reverse("restoration:grant"), form, follow=True)
    assert "90 min" in page.text
    purse = Purse.objects.get(collection=box)
    assert ledger.balance(purse) == 5400
    client.post(reverse("restoration:grant"), form | {"minutes": -100})
    assert ledger.balance(purse) == 5400
    client.post(reverse("restoration:lift", args=[box.slug, "cpu"]))
    assert not Purse.objects.get().is_limited
    verbs = list(Event.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["budget.granted", "budget.lifted"]


def test_a_steward_gives_somebody_time_besides_the_days(people: Cast, now: datetime) -> None:
    form = {"resource": Resource.CPU, "minutes": 30, "reason": "A long film"}
    signed_in(people.sten).post(reverse("people:grant", args=[people.vera.pk]), form)
    (cpu, _gpu) = ledger.left(people.vera, None, now=now)
    assert cpu.own == 7200 + 1800


def test_the_table_of_limits_is_shown_to_stewards(people: Cast) -> None:
    page = signed_in(people.sten).get(reverse("restoration:budgets")).text
    assert "Runs asked for in an hour" in page
    assert ">240</td>" in page
