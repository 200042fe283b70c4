"""Fifty requests at once spend what is there and not a second more."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from archive import storage
from archive.models import Photo
from archive.policy import Refused
from archive.trust import LIMITS, Trust
from restoration import leases, ledger
from restoration.actions.drafts import keep_mask
from restoration.actions.jobs import bring_retouch, cancel_job, request_job
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from restoration.lifecycle import JobState
from restoration.models import Claim, Job, Sheet
from restoration.purses import Entry, EntryKind, Purse, Resource
from tests import factories
from tests.people import person
from tests.races.together import together
from tests.restoration.test_mask import png

AT_ONCE = 50


def _ask(photo: Photo, claim: Claim, seed: int = 0) -> Job:
    source = scan_version(photo=photo, now=factories.NOW)
    plan = Plan.from_json({"steps": [{"name": "tone"}], "seed": seed})
    return request_job(
        source=source, by=claim.volunteer, fence=claim.pk, plan=plan, now=factories.NOW
    )


def _adds_up(purse: Purse) -> None:
    seen = 0
    for number, entry in enumerate(purse.entries.order_by("number"), start=1):
        seen += entry.seconds
        assert (entry.number, entry.balance) == (number, seen)


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("rounds", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_fifty_people_share_a_collections_budget_for_seven_runs(rounds: int) -> None:
    box = factories.collection()
    purse = Purse.objects.create(collection=box, resource=Resource.CPU)
    crowd = [person(f"volunteer{number}") for number in range(AT_ONCE)]
    for _ in range(rounds):
        held = []
        for one in crowd:
            photo = factories.photo(box)
            scan_version(photo=photo, now=factories.NOW)
            held.append((photo, factories.claim(photo, one)))
        bound = 7  # what this plan is bound by on these pictures
        with transaction.atomic():
            ledger.give(
                purse=purse,
                seconds=7 * bound + 3 - ledger.balance(purse),
                by=None,
                now=factories.NOW,
            )
        results = together([partial(_ask, *each) for each in held])
        jobs = [each for each in results if isinstance(each, Job)]
        codes = [each.code for each in results if isinstance(each, Refused)]
        assert len(jobs) == 7
        assert codes == ["collection-budget-spent"] * (AT_ONCE - 7)
        assert ledger.balance(purse) == 3
        _adds_up(purse)
        together(
            [
                partial(cancel_job, job=each, by=each.requested_by, now=factories.NOW)
                for each in jobs
            ]
        )
        assert ledger.balance(purse) == 7 * bound + 3
        assert not Entry.objects.filter(kind=EntryKind.RESERVE, closed_by=None).exists()
        for _photo, claim in held:
            claim.move("released", by=None, at=factories.NOW)


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_one_person_who_asks_for_fifty_runs_gets_those_that_wait_and_no_more() -> None:
    box, vera = factories.collection(), person("vera", trust=Trust.REGULAR)
    photo = factories.photo(box)
    scan_version(photo=photo, now=factories.NOW)
    claim = factories.claim(photo, vera)
    results = together([partial(_ask, photo, claim, seed) for seed in range(AT_ONCE)])
    jobs = [each for each in results if isinstance(each, Job)]
    assert len(jobs) == 3
    assert {each.code for each in results if isinstance(each, Refused)} == {"too-many-jobs"}
    _adds_up(Purse.objects.get(person=vera))


@pytest.mark.usefixtures("on_postgres")
def test_one_person_who_presses_fifty_times_gets_one_run() -> None:
    photo, vera = factories.photo(factories.collection()), person("vera", trust=Trust.REGULAR)
    scan_version(photo=photo, now=factories.NOW)
    claim = factories.claim(photo, vera)
    results = together([partial(_ask, photo, claim)] * AT_ONCE)
    assert len({each.pk for each in results}) == 1
    assert Job.objects.count() == 1
    _adds_up(Purse.objects.get(person=vera))


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_where_nobodys_time_is_counted_no_more_runs_wait_either(settings: Any) -> None:
    settings.ALLOWANCE_PERCENT = 0
    photo, vera = factories.photo(factories.collection()), person("vera", trust=Trust.REGULAR)
    scan_version(photo=photo, now=factories.NOW)
    claim = factories.claim(photo, vera)
    results = together([partial(_ask, photo, claim, seed) for seed in range(20)])
    assert sum(isinstance(each, Job) for each in results) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_no_more_retouches_and_masks_are_taken_at_once_than_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = replace(LIMITS[Trust.REGULAR], uploads=2, masks=2, live_jobs=50)
    monkeypatch.setitem(LIMITS, Trust.REGULAR, few)
    photo, vera = factories.photo(factories.collection()), person("vera", trust=Trust.REGULAR)
    scan = scan_version(photo=photo, now=factories.NOW)
    claim = factories.claim(photo, vera)

    def bring(number: int) -> Job:
        return bring_retouch(
            parent=scan,
            by=vera,
            fence=claim.pk,
            chunks=[b"retouch %d" % number],
            filename="a.tif",
            now=factories.NOW,
        )

    def paint(number: int) -> str:
        return keep_mask(photo=photo, by=vera, content=png(32 + number), now=factories.NOW)

    results = together([partial(bring, number) for number in range(10)])
    kept = [each.plan["upload_sha256"] for each in results if isinstance(each, Job)]
    assert len(kept) == 2
    shas = [hashlib.sha256(b"retouch %d" % number).hexdigest() for number in range(10)]
    there = [sha for sha in shas if storage.exists(storage.incoming_key(sha))]
    assert sorted(there) == sorted(kept)
    together([partial(paint, number) for number in range(10)])
    assert Sheet.objects.filter(kept_by=vera).count() == 2


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_one_file_that_comes_ten_times_at_once_is_taken_in_once() -> None:
    photo, vera = factories.photo(factories.collection()), person("vera", trust=Trust.REGULAR)
    scan = scan_version(photo=photo, now=factories.NOW)
    claim = factories.claim(photo, vera)

    def bring() -> Job:
        return bring_retouch(
            parent=scan,
            by=vera,
            fence=claim.pk,
            chunks=[b"a retouch"],
            filename="a.tif",
            now=factories.NOW,
        )

    results = together([bring] * 10)
    assert {getattr(each, "pk", each) for each in results} == {Job.objects.get().pk}
    assert Entry.objects.filter(kind=EntryKind.RESERVE).count() == 1
    assert storage.exists(storage.incoming_key(hashlib.sha256(b"a retouch").hexdigest()))


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_the_end_and_the_cancelling_of_a_job_close_it_once() -> None:
    box, vera = factories.collection(), person("vera")
    for _ in range(10):
        photo = factories.photo(box)
        scan_version(photo=photo, now=factories.NOW)
        claim = factories.claim(photo, vera)
        asked = _ask(photo, claim)
        job = leases.start(job_id=asked.pk, worker="one", now=factories.NOW)
        assert job is not None
        fail = partial(
            leases.fail, job=job, code="our-fault", facts={}, permanent=True, now=factories.NOW
        )
        results = together([fail, partial(cancel_job, job=asked, by=vera, now=factories.NOW)])
        lost = [each for each in results if isinstance(each, leases.LeaseLost | Refused)]
        assert len(lost) == 1, results
        assert Job.objects.get(pk=job.pk).state in (JobState.FAILED, JobState.CANCELLED)
        claim.move("released", by=None, at=factories.NOW)
    reserved = Entry.objects.filter(kind=EntryKind.RESERVE)
    assert reserved.count() == 10
    assert not reserved.filter(closed_by=None).exists()
    _adds_up(Purse.objects.get(person=vera))
