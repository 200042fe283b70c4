"""Machine time: reserved before a run, settled after it, given back when it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.policy import Refused
from archive.trust import LIMITS, Trust
from restoration import costs, leases, ledger, tallies
from restoration.actions.jobs import cancel_job, request_look, sweep_jobs
from restoration.engine.plan import Plan
from restoration.lifecycle import JobState
from restoration.models import Draft, Job, Version
from restoration.purses import Entry, EntryKind, Purse, Resource
from tests import factories

from .conftest import Desk, recipe

Work = Callable[[], list[Job]]
REGULAR = LIMITS[Trust.REGULAR].cpu_seconds
TONE = Plan.from_json({"steps": [{"name": "tone"}]})


def lines(**fields: Any) -> list[tuple[str, int, int]]:
    rows = Entry.objects.filter(**fields).order_by("purse", "number")
    return list(rows.values_list("kind", "seconds", "balance"))


def run(desk: Desk, **more: Any) -> Any:
    draft = Draft.objects.filter(photo=desk.photo, volunteer=desk.user).first()
    return desk.post("run", data=recipe(rev=draft.rev if draft else 0), **more)


def purse(desk: Desk) -> Purse:
    return Purse.objects.get(person=desk.user, resource=Resource.CPU)


def spend_all_but(desk: Desk, seconds: int, now: datetime) -> None:
    """Leave so much of the day's allowance."""
    desk_purse, _new = Purse.objects.get_or_create(person=desk.user, resource=Resource.CPU)
    with transaction.atomic():
        ledger.left(desk.user, None, now=now)
        ledger.top_up(purse=desk_purse, user=desk.user, now=now)
        ledger.give(
            purse=desk_purse, seconds=seconds - ledger.balance(desk_purse), by=None, now=now
        )


def test_a_run_reserves_its_bound_and_pays_what_it_took(vera: Desk, work: Work) -> None:
    run(vera)
    bound = costs.bound(TONE, Version.objects.get(number=0))
    assert lines() == [
        (EntryKind.ALLOWANCE, REGULAR, REGULAR),
        (EntryKind.RESERVE, -bound, REGULAR - bound),
    ]
    (done,) = work()
    assert done.state == JobState.SUCCEEDED
    paid = Entry.objects.get(kind=EntryKind.SETTLE)
    assert paid.used >= 1
    assert paid.balance == REGULAR - paid.used
    assert paid.closes.kind == EntryKind.RESERVE


def test_a_run_that_fails_costs_nothing(vera: Desk, work: Work, settings: Any) -> None:
    settings.JOB_LIMIT_SECONDS = -1
    run(vera)
    (done,) = work()
    assert done.state == JobState.FAILED
    assert lines(kind=EntryKind.REFUND) == [(EntryKind.REFUND, 1, REGULAR)]


def test_a_run_cancelled_while_it_waits_costs_nothing(vera: Desk) -> None:
    run(vera)
    vera.client.post(reverse("restoration:cancel", args=[Job.objects.get().pk]))
    assert lines()[-1][::2] == (EntryKind.REFUND, REGULAR)


def test_a_run_cancelled_at_work_pays_for_that_work(vera: Desk, now: datetime) -> None:
    run(vera)
    job = leases.start(job_id=Job.objects.get().pk, worker="one", now=now)
    assert job is not None
    cancel_job(job=job, by=vera.user, now=now + timedelta(seconds=7.2))
    assert lines()[-1][::2] == (EntryKind.SETTLE, REGULAR - 8)


def test_a_lost_worker_costs_nobody_anything_until_a_try_succeeds(
    vera: Desk, now: datetime, work: Work
) -> None:
    run(vera)
    leases.start(job_id=Job.objects.get().pk, worker="one", now=now - timedelta(hours=1))
    sweep_jobs(now=now)
    assert Job.objects.get().state == JobState.QUEUED
    assert [kind for kind, *_ in lines()] == [EntryKind.ALLOWANCE, EntryKind.RESERVE]
    (done,) = work()
    assert done.state == JobState.SUCCEEDED
    assert Entry.objects.get(kind=EntryKind.SETTLE).used < 60


def test_the_third_lost_worker_gives_everything_back(vera: Desk, now: datetime) -> None:
    run(vera)
    for _ in range(3):
        leases.start(job_id=Job.objects.get().pk, worker="one", now=now - timedelta(hours=1))
        sweep_jobs(now=now)
    assert Job.objects.get().state == JobState.FAILED
    assert lines()[-1][::2] == (EntryKind.REFUND, REGULAR)


def test_a_look_at_a_new_photo_is_the_houses(vera: Desk, now: datetime) -> None:
    request_look(photo=vera.photo, now=now)
    assert not Entry.objects.exists()


def test_what_is_not_there_is_not_spent_and_the_draft_is_kept(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, 3, now)
    form = recipe() | {"prompt-place": "Tehran"}
    answer = vera.post("run", data=form)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 86400
    assert "and you have 3 s left today" in answer.text
    assert 'value="Tehran"' in answer.text
    assert Draft.objects.get(volunteer=vera.user).body["prompt"]["place"] == "Tehran"
    assert not Job.objects.exists()


def test_a_script_reads_a_code_and_when_to_come_back(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, 3, now)
    url = reverse("api:photo-jobs", args=[vera.photo.ref])
    told = {"claim": vera.claim.pk, "plan": TONE.to_json()}
    answer = vera.client.post(url, told, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "budget-spent")
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) > 0


def test_a_run_larger_than_a_day_says_so(vera: Desk, settings: Any) -> None:
    settings.ALLOWANCE_PERCENT = 1
    vera.user.trust = Trust.LIMITED
    vera.user.save()
    answer = run(vera)
    assert answer.status_code == 409
    assert "more than you get in a day" in answer.text
    assert not Job.objects.exists()


def test_the_next_day_begins_full_again_and_only_once(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, 10, now)
    tomorrow = now + timedelta(days=1)
    for _ in range(2):
        with transaction.atomic():
            ledger.hold(
                user=vera.user,
                collection_id=vera.photo.collection_id,
                resource=Resource.CPU,
                seconds=1,
                now=tomorrow,
            )
    assert ledger.balance(purse(vera)) == REGULAR
    assert len(lines(kind=EntryKind.ALLOWANCE)) == 2


def asked_over_night(desk: Desk, seconds: int, now: datetime) -> tuple[Job, datetime]:
    """A run that still waits after midnight, of somebody who had so much left before it."""
    spend_all_but(desk, seconds, now)
    run(desk)
    tomorrow = ledger.midnight(now) + timedelta(minutes=1)
    with transaction.atomic():
        ledger.top_up(purse=purse(desk), user=desk.user, now=tomorrow)
    return Job.objects.latest("pk"), tomorrow


def bound(desk: Desk) -> int:
    return costs.bound(TONE, Version.objects.get(photo=desk.photo, number=0))


def own_left(desk: Desk, now: datetime) -> int | None:
    (cpu, _gpu) = ledger.left(desk.user, None, now=now)
    return cpu.own


def test_what_comes_back_after_midnight_does_not_add_to_the_new_day(
    vera: Desk, now: datetime
) -> None:
    for _night in range(3):
        spend_all_but(vera, bound(vera) + 10, now)
        run(vera)
        midnight = ledger.midnight(now)
        told = own_left(vera, midnight)
        with transaction.atomic():
            ledger.top_up(purse=purse(vera), user=vera.user, now=midnight)
        assert ledger.balance(purse(vera)) == told == REGULAR - bound(vera)
        cancel_job(job=Job.objects.latest("pk"), by=vera.user, now=midnight)
        assert ledger.balance(purse(vera)) == REGULAR
        now += timedelta(days=1)


@pytest.mark.parametrize("took", [2, 60])
def test_a_run_that_ends_after_midnight_is_paid_out_of_the_new_day(
    vera: Desk, now: datetime, took: int
) -> None:
    """Less than was reserved, and more."""
    waits, tomorrow = asked_over_night(vera, bound(vera) + 10, now)
    assert 2 < bound(vera) < 60
    job = leases.start(job_id=waits.pk, worker="one", now=tomorrow)
    assert job is not None
    leases.finish(job=job, made=None, now=tomorrow + timedelta(seconds=took))
    assert own_left(vera, tomorrow) == ledger.balance(purse(vera)) == REGULAR - took


def test_what_was_given_besides_survives_the_night_also_while_a_run_has_it_reserved(
    vera: Desk, now: datetime
) -> None:
    waits, tomorrow = asked_over_night(vera, REGULAR + 500, now)
    assert own_left(vera, tomorrow) == REGULAR + 500 - bound(vera)
    cancel_job(job=waits, by=vera.user, now=tomorrow)
    assert own_left(vera, tomorrow) == REGULAR + 500


def test_a_run_of_somebody_else_takes_nothing_from_the_new_day(
    vera: Desk, victor: Desk, now: datetime
) -> None:
    asked_over_night(vera, REGULAR, now)
    spend_all_but(victor, 10, now)
    assert own_left(victor, ledger.midnight(now)) == REGULAR


def test_who_misses_what_their_own_runs_have_reserved_is_told_so(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, bound(vera) + 3, now)
    run(vera)
    answer = vera.post("run", data=recipe(rev=1, **{"step-tone": "on", "tone-strength": "0.3"}))
    assert answer.status_code == 429
    kept = f"You have 3 s left today, and {bound(vera)} s are reserved for runs of yours"
    assert kept in answer.text
    assert "after midnight" not in answer.text


def test_a_new_day_asks_the_ledger_the_same_after_many_runs(vera: Desk, now: datetime) -> None:
    def reads(at: datetime) -> int:
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            ledger.top_up(purse=purse(vera), user=vera.user, now=at)
        return len(asked)

    _waits, tomorrow = asked_over_night(vera, REGULAR, now)
    few = reads(tomorrow + timedelta(days=1))
    for _ in range(20):
        cancel_job(job=Job.objects.latest("pk"), by=vera.user, now=now)
        run(vera)
    assert reads(tomorrow + timedelta(days=2)) == few
    assert _reads(vera, tomorrow + timedelta(days=3)) == 1


def test_what_was_given_besides_survives_the_night(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, REGULAR + 500, now)
    (cpu, _gpu) = ledger.left(vera.user, None, now=now + timedelta(days=1))
    assert cpu.own == REGULAR + 500


def test_what_others_have_left_is_not_ones_own(vera: Desk, victor: Desk, now: datetime) -> None:
    spend_all_but(vera, 10, now)
    (cpu, _gpu) = ledger.left(victor.user, None, now=now)
    assert cpu.own == REGULAR


def test_where_the_operator_counts_nothing_everybody_runs(vera: Desk, settings: Any) -> None:
    settings.ALLOWANCE_PERCENT = 0
    run(vera)
    assert Job.objects.count() == 1
    assert not Entry.objects.exists()


def test_a_collection_with_a_budget_pays_besides(vera: Desk, now: datetime, work: Work) -> None:
    shared = Purse.objects.create(collection=vera.photo.collection, resource=Resource.CPU)
    with transaction.atomic():
        ledger.give(purse=shared, seconds=100, by=None, now=now)
    run(vera)
    work()
    used = set(Entry.objects.filter(kind=EntryKind.SETTLE).values_list("used", flat=True))
    assert Entry.objects.filter(kind=EntryKind.SETTLE).count() == 2
    assert ledger.balance(shared) == 100 - used.pop()


def test_a_collection_whose_budget_is_spent_says_so(vera: Desk) -> None:
    Purse.objects.create(collection=vera.photo.collection, resource=Resource.CPU)
    answer = run(vera)
    assert answer.status_code == 409
    assert "The machine time of this collection is used up." in answer.text
    Purse.objects.update(is_limited=False)
    run(vera)
    assert Job.objects.count() == 1


# --- what the database itself refuses -------------------------------------------------------------
def test_an_entry_is_never_changed(vera: Desk) -> None:
    run(vera)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Entry.objects.update(seconds=0)


def test_a_ledger_that_does_not_add_up_is_refused(vera: Desk, now: datetime) -> None:
    run(vera)
    last = Entry.objects.latest("number")
    for number, balance in ((last.number + 1, 9999), (last.number + 2, last.balance + 5)):
        with pytest.raises(IntegrityError, match="must add up"), transaction.atomic():
            Entry.objects.create(
                purse=last.purse, number=number, kind="grant", seconds=5, balance=balance, at=now
            )


def test_a_reservation_below_nothing_is_refused(vera: Desk, now: datetime) -> None:
    run(vera)
    last = Entry.objects.latest("number")
    with pytest.raises(IntegrityError, match="entry_reserves"), transaction.atomic():
        Entry.objects.create(
            purse=last.purse,
            number=last.number + 1,
            kind="reserve",
            seconds=-last.balance - 1,
            balance=-1,
            job=request_look(photo=factories.photo(vera.photo.collection), now=now),
            at=now,
        )


def test_a_job_cannot_end_while_its_reservation_is_open(vera: Desk) -> None:
    run(vera)
    with pytest.raises(IntegrityError, match="closes its reservation"), transaction.atomic():
        Job.objects.update(state=JobState.FAILED)


def test_a_job_has_one_reservation_in_a_purse(vera: Desk, now: datetime) -> None:
    run(vera)
    held = ledger.Held((purse(vera),), 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.reserve(held=held, job=Job.objects.get(), now=now)


# --- how much it asks ----------------------------------------------------------------------------
@pytest.mark.slow
def test_asking_what_is_left_reads_as_little_after_a_thousand_entries(
    vera: Desk, now: datetime
) -> None:
    spend_all_but(vera, 10_000, now)
    few = _reads(vera, now)
    with transaction.atomic():
        for _ in range(1000):
            ledger._append(purse(vera), EntryKind.GRANT, 0, now)
    assert _reads(vera, now) == few == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT balance FROM restoration_entry"
            " WHERE purse_id = 1 ORDER BY number DESC LIMIT 1"
        )
        plan = str(cursor.fetchall())
    assert "SEARCH" in plan
    assert "TEMP B-TREE" not in plan


def _reads(desk: Desk, now: datetime) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        ledger.left(desk.user, desk.photo.collection_id, now=now)
    return len(asked)


def test_a_request_asks_the_ledger_the_same_after_many_runs(vera: Desk, now: datetime) -> None:
    def hold() -> int:
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            ledger.hold(
                user=vera.user,
                collection_id=vera.photo.collection_id,
                resource=Resource.CPU,
                seconds=1,
                now=now,
            )
        return len(asked)

    hold()
    few = hold()
    with transaction.atomic():
        for _ in range(300):
            ledger._append(purse(vera), EntryKind.GRANT, 0, now)
    assert hold() == few
    assert few <= 8


# --- the bound -----------------------------------------------------------------------------------
def test_the_bound_grows_with_the_picture_and_learns_from_what_was_measured(vera: Desk) -> None:
    small, large = Version(width=1000, height=1000), Version(width=4000, height=3000)
    before = costs.bound(TONE, large)
    assert costs.bound(TONE, small) < before
    for seconds in [0.3] * 19 + [30.0]:
        tallies.add(tallies.RATE, ("tone", "embedded"), seconds)
        tallies.add(tallies.RATE, ("guard", "embedded"), seconds)
    assert costs.bound(TONE, large) == costs.START + 12  # twice half a second, twelve megapixels
    assert costs.bound(TONE, Version(width=60_000, height=60_000)) == 1800


def test_a_hold_by_the_verb_names_its_code(vera: Desk, now: datetime) -> None:
    spend_all_but(vera, 0, now)
    with pytest.raises(Refused) as refusal, transaction.atomic():
        ledger.hold(
            user=vera.user,
            collection_id=vera.photo.collection_id,
            resource=Resource.CPU,
            seconds=10,
            now=now,
        )
    assert refusal.value.code == "budget-spent"


def test_the_day_is_that_of_the_house_in_whatever_zone_an_answer_is_written(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    past_one = datetime(2026, 11, 30, 17, tzinfo=UTC)  # in the night to 1 December, over there
    with timezone.override(UTC):
        assert ledger.midnight(past_one) == datetime(2026, 12, 1, 16, tzinfo=UTC)
