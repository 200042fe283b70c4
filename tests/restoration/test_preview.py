"""The half-finished picture of a run: the newest only, for who sees the run, gone with the try."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from restoration import leases, runner
from restoration.actions.jobs import cancel_job, sweep_jobs
from restoration.engine.errors import StepFailed
from restoration.engine.restore import Restored
from restoration.lifecycle import JobState
from restoration.models import MOST_PREVIEW_BYTES, Job, Preview
from tests import factories

from .conftest import Desk, recipe

JPEG = b"\xff\xd8\xff"
Work = Callable[[], list[Job]]


def glimpse(shade: int = 0) -> leases.Glimpse:
    return leases.Glimpse(JPEG + bytes([shade]), 64, 48)


@pytest.fixture
def running(vera: Desk, now: datetime) -> Job:
    """A run of Vera's that a worker has just begun and shown something of."""
    vera.post("run", data=recipe())
    job = leases.start(job_id=Job.objects.latest("pk").pk, worker="w", now=now)
    assert job is not None
    leases.beat(job=job, now=now, glimpse=glimpse(), step="tone", progress=0.2)
    return job


def look(desk: Desk, job: Job) -> Any:
    return desk.client.get(reverse("restoration:preview", args=[job.pk]))


def card(desk: Desk, job: Job) -> Any:
    url = reverse("restoration:job", args=[job.pk])
    return desk.client.get(url, headers={"HX-Request": "true"})


def test_it_is_shown_on_the_card_and_kept_by_nobody(vera: Desk, running: Job) -> None:
    page = card(vera, running).text
    assert f'src="{reverse("restoration:preview", args=[running.pk])}?at=' in page
    assert 'alt="The picture as far as the run has come"' in page
    assert "Half-finished picture; the result can differ." in page
    answer = look(vera, running)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer.content == glimpse().picture
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    assert f"job-preview-{running.pk}-" in vera.get("bench").text


def test_a_newer_one_takes_its_place_and_has_an_address_of_its_own(
    vera: Desk, running: Job, now: datetime
) -> None:
    before = card(vera, running).context["job"]["preview"]
    leases.beat(job=running, now=now + timedelta(seconds=1), glimpse=glimpse(7))
    after = card(vera, running).context["job"]["preview"]
    assert (before["id"], before["src"]) != (after["id"], after["src"])
    assert look(vera, running).content == glimpse(7).picture
    assert Preview.objects.count() == 1


def test_a_beat_without_one_leaves_it(vera: Desk, running: Job, now: datetime) -> None:
    leases.beat(job=running, now=now, step="tone", progress=0.5)
    assert look(vera, running).status_code == 200


def test_only_who_sees_the_run_sees_it(vera: Desk, victor: Desk, running: Job) -> None:
    assert look(victor, running).status_code == 404
    url = reverse("restoration:preview", args=[running.pk])
    assert Client().get(url)["Location"].startswith(reverse("account_login"))
    assert vera.client.post(url).status_code == 405


@pytest.mark.parametrize("end", ["finish", "fail", "fail for good", "cancel", "lost"])
def test_it_goes_with_the_try_that_made_it(
    vera: Desk, running: Job, now: datetime, end: str
) -> None:
    ends: dict[str, Callable[[], Any]] = {
        "finish": lambda: leases.finish(job=running, made=None, now=now),
        "fail": lambda: leases.fail(job=running, code="x", facts={}, permanent=False, now=now),
        "fail for good": lambda: leases.fail(
            job=running, code="x", facts={}, permanent=True, now=now
        ),
        "cancel": lambda: cancel_job(job=running, by=vera.user, now=now),
        "lost": lambda: sweep_jobs(now=now + leases.lease() + timedelta(seconds=1)),
    }
    ends[end]()
    assert not Preview.objects.exists()
    assert look(vera, running).status_code == 204  # a page that still shows it asks for no mistake
    assert "Half-finished" not in card(vera, running).text


def test_a_worker_that_lost_its_lease_shows_nothing_more(
    vera: Desk, running: Job, now: datetime
) -> None:
    cancel_job(job=Job.objects.get(pk=running.pk), by=vera.user, now=now)
    with pytest.raises(leases.LeaseLost):
        leases.beat(job=running, now=now, glimpse=glimpse(7))
    assert not Preview.objects.exists()


def test_the_database_keeps_no_large_one(vera: Desk, running: Job, now: datetime) -> None:
    large = leases.Glimpse(bytes(MOST_PREVIEW_BYTES + 1), 64, 48)
    with pytest.raises(IntegrityError), transaction.atomic():
        leases.beat(job=running, now=now, glimpse=large)
    assert look(vera, running).content == glimpse().picture


def test_the_runner_tells_the_first_at_once_then_the_newest_and_leaves_none(
    vera: Desk, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, int]] = []

    def restore(*given: Any) -> Restored:
        report = given[-1]
        report("tone", 0.0)
        for share, shade in ((0.1, 10), (0.2, 200), (0.3, 90)):
            report("tone", share, np.full((300, 800, 3), shade, np.uint8))
            first = Preview.objects.get()
        report("guard", 0.9)  # another step: told at once, with what had come since
        shown = Preview.objects.get()
        assert bytes(shown.picture) != bytes(first.picture)
        assert bytes(shown.picture).startswith(JPEG)
        seen.append((shown.width, shown.height, len(shown.picture)))
        raise StepFailed("step-output", {})

    monkeypatch.setattr(runner, "restore", restore)
    vera.post("run", data=recipe())
    (done,) = work()
    assert done.state == JobState.FAILED
    assert [(width, height) for width, height, _size in seen] == [(512, 192)]
    assert not Preview.objects.exists()


def test_a_real_run_leaves_none(vera: Desk, work: Work) -> None:
    vera.post("run", data=recipe())
    (done,) = work()
    assert done.state == JobState.SUCCEEDED
    assert not Preview.objects.exists()


def test_the_card_asks_once_for_it_and_not_for_its_pixels(vera: Desk, running: Job) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            card(vera, running)
        return [each["sql"] for each in queries if "preview" in each["sql"]]

    (sql,) = asked()
    assert '"picture"' not in sql
    other = leases.Glimpse(b"", 1, 1)
    job = Job.objects.create(
        photo=factories.photo(vera.photo.collection), requested_at=factories.NOW
    )
    Preview.objects.create(job=job, made_at=factories.NOW, **vars(other))
    assert len(asked()) == 1
