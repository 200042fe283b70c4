"""The figures for Prometheus: who may read them, and that they are right."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from archive.lifecycle import Kept, Outcome
from archive.models import Alarm, FixityCheck, Photo
from config import logs, metrics
from restoration import fixity, leases, presence
from restoration.actions.jobs import cancel_job, sweep_jobs
from restoration.actions.versions import scan_version
from restoration.holdings import Holding, due
from restoration.lifecycle import JobKind, VersionKind
from restoration.models import Job
from restoration.queries.figures import figures
from tests import factories
from tests.people import person
from tests.services.need import ROOT

TOKEN = "let-me-see"


@pytest.fixture
def open_page(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def photo(db: None) -> Photo:
    return factories.photo(factories.collection())


def scrape(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def value(text: str, sample: str, **labels: str) -> float | None:
    """The value of one sample, None when it is not there."""
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            if each.name == sample and each.labels == labels:
                return each.value
    return None


def queued(photo: Photo, *, asked: datetime, queue: str = "cpu") -> Job:
    return Job.objects.create(
        photo=photo,
        kind=JobKind.RESTORE,
        source=scan_version(photo=photo, now=asked),
        requested_by=person(f"vera{Job.objects.count()}"),
        requested_at=asked,
        queue=queue,
    )


def start(job: Job, *, now: datetime) -> Job:
    started = leases.start(job_id=job.pk, worker="w", now=now)
    assert started is not None
    return started


@pytest.mark.django_db
def test_there_is_no_page_before_the_operator_sets_a_token(client: Client) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.usefixtures("open_page")
@pytest.mark.parametrize("said", ["", "Bearer wrong", "Bearer ", TOKEN, "Bearer \u4e2d"])
def test_whoever_does_not_bear_the_token_reads_nothing(
    client: Client, django_assert_num_queries: Any, db: None, said: str
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/metrics", headers={"Authorization": said})
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.usefixtures("open_page")
def test_a_scrape_asks_the_database_six_times_whatever_there_is(
    client: Client, photo: Photo, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        job = queued(photo, asked=factories.NOW, queue=("cpu", "generative", "x")[number % 3])
        start(job, now=factories.NOW + timedelta(seconds=10**number))
    with django_assert_num_queries(6):
        scrape(client)


@pytest.mark.slow
@pytest.mark.usefixtures("on_sqlite_file")
def test_no_table_that_grows_is_read_without_an_index() -> None:
    with CaptureQueriesContext(connection) as asked:
        figures(queues=["cpu"], now=factories.NOW)
    assert len(asked) == 6
    for query in asked:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            steps = [row[-1] for row in cursor if row[-1].startswith(("SCAN", "SEARCH"))]
        assert steps
        assert all("INDEX" in step or "tally" in step for step in steps), steps


@pytest.mark.usefixtures("open_page")
def test_each_queue_tells_what_waits_and_for_how_long(client: Client, photo: Photo) -> None:
    now = timezone.now()
    for minutes in (5, 2):
        queued(photo, asked=now - timedelta(minutes=minutes))
    start(queued(photo, asked=now), now=now - timedelta(hours=1))
    presence.announce(name="w", queues=["cpu"], offers=[], models=[], now=now)
    text = scrape(client)
    assert value(text, "rekindle_jobs_waiting", queue="cpu") == 2
    assert value(text, "rekindle_jobs_running", queue="cpu") == 1
    assert value(text, "rekindle_jobs_overdue", queue="cpu") == 1
    assert value(text, "rekindle_workers", queue="cpu") == 1
    oldest = value(text, "rekindle_oldest_waiting_job_seconds", queue="cpu")
    assert oldest == pytest.approx(300, abs=30)
    assert value(text, "rekindle_jobs_waiting", queue="generative") == 0
    assert value(text, "rekindle_oldest_waiting_job_seconds", queue="generative") == 0


@pytest.mark.usefixtures("open_page")
def test_the_time_from_asked_to_started_is_counted_once_a_job(client: Client, photo: Photo) -> None:
    first = queued(photo, asked=factories.NOW)
    started = start(first, now=factories.NOW + timedelta(seconds=20))
    leases.fail(job=started, code="x", facts={}, permanent=False, now=factories.NOW)
    start(first, now=factories.NOW + timedelta(hours=2))
    start(queued(photo, asked=factories.NOW), now=factories.NOW + timedelta(seconds=3))
    text, of = scrape(client), {"queue": "cpu", "kind": "restore"}
    bucket = "rekindle_job_wait_seconds_bucket"
    assert value(text, "rekindle_job_wait_seconds_count", **of) == 2
    assert value(text, "rekindle_job_wait_seconds_sum", **of) == 23
    assert [value(text, bucket, **of, le=le) for le in ("1.0", "5.0", "30.0", "+Inf")] == [
        0,
        1,
        2,
        2,
    ]


@pytest.mark.usefixtures("open_page")
def test_every_try_is_counted_by_how_it_ended(client: Client, photo: Photo) -> None:
    at = factories.NOW
    done, failed, lost, stopped, waiting = (queued(photo, asked=at) for _ in range(5))
    leases.finish(job=start(done, now=at), made=None, now=at)
    leases.fail(job=start(failed, now=at), code="x", facts={}, permanent=True, now=at)
    start(lost, now=at)
    cancel_job(job=start(stopped, now=at), by=stopped.requested_by, now=at)
    cancel_job(job=waiting, by=waiting.requested_by, now=at)
    assert sweep_jobs(now=at + timedelta(hours=1)) == 1
    text = scrape(client)
    counts = {
        outcome: value(text, "rekindle_job_attempts_total", outcome=outcome)
        for outcome in ("succeeded", "failed", "lost", "cancelled")
    }
    assert counts == {"succeeded": 1, "failed": 1, "lost": 1, "cancelled": 1}


@pytest.mark.usefixtures("open_page")
def test_the_seconds_of_each_step_of_a_finished_run_are_told(client: Client, photo: Photo) -> None:
    job = start(queued(photo, asked=factories.NOW), now=factories.NOW)
    records = [
        {"step": "tone", "backend": "embedded", "seconds": 0.2},
        {"step": "redraw", "backend": "generative", "seconds": 42.0},
        {"step": "retouch", "backend": "hand"},
    ]
    made = leases.NewVersion(
        kind=VersionKind.MACHINE, sha256="a" * 64, width=128, height=96, records=records
    )
    leases.finish(job=job, made=made, now=factories.NOW)
    text, redraw = scrape(client), {"step": "redraw", "backend": "generative"}
    assert value(text, "rekindle_step_seconds_sum", **redraw) == 42
    assert value(text, "rekindle_step_seconds_bucket", **redraw, le="30.0") == 0
    assert value(text, "rekindle_step_seconds_bucket", **redraw, le="60.0") == 1
    assert value(text, "rekindle_step_seconds_count", step="retouch", backend="hand") is None


@pytest.mark.usefixtures("open_page", "photo")
def test_the_bytes_of_all_originals_are_added_up(client: Client) -> None:
    factories.photo(factories.collection())
    text = scrape(client)
    assert value(text, "rekindle_ingested_bytes_total") == 2000
    assert value(text, "rekindle_ingested_originals_total") == 2


@pytest.mark.usefixtures("open_page")
def test_the_age_of_the_oldest_check_is_told_as_of_the_last_hour(
    client: Client, photo: Photo
) -> None:
    assert value(scrape(client), "rekindle_fixity_age_seconds") is None
    fixity.note_age()  # never read: it counts from its coming
    came = value(scrape(client), "rekindle_fixity_age_seconds")
    assert came == pytest.approx((timezone.now() - factories.NOW).total_seconds(), abs=60)
    holdings = due(before=timezone.now(), retry=timezone.now(), most=10)
    for days, holding in enumerate(holdings, start=1):
        at = timezone.now() - timedelta(days=days)
        FixityCheck.objects.create(**holding._asdict(), at=at, outcome=Outcome.OK)
        later = at + timedelta(hours=12)
        FixityCheck.objects.create(**holding._asdict(), at=later, outcome=Outcome.UNREACHABLE)
    fixity.note_age()
    age = value(scrape(client), "rekindle_fixity_age_seconds")
    assert age == pytest.approx(len(holdings) * 24 * 3600, abs=60)
    assert len(holdings) > 1


@pytest.mark.usefixtures("open_page", "db")
def test_nothing_kept_has_no_age(client: Client, settings: Any) -> None:
    settings.FIXITY_DAYS = 3
    fixity.note_age()
    text = scrape(client)
    assert value(text, "rekindle_fixity_age_seconds") is None
    assert value(text, "rekindle_fixity_age_wanted_seconds") == 3 * 24 * 3600


@pytest.mark.usefixtures("open_page")
def test_files_that_are_missing_or_altered_are_counted(client: Client, photo: Photo) -> None:
    holding = Holding(Kept.ORIGINAL, photo.sha256)
    found = FixityCheck.objects.create(
        **holding._asdict(), at=factories.NOW, outcome=Outcome.MISSING
    )
    Alarm.objects.create(photo=photo, raised_by=found, **holding._asdict())
    assert value(scrape(client), "rekindle_bad_files") == 1


@pytest.mark.usefixtures("open_page", "db")
def test_requests_are_timed_by_view_and_class_and_never_by_address(client: Client) -> None:
    count, of = "rekindle_request_seconds_count", {"view": "archive:collection", "status": "3xx"}
    before = value(scrape(client), count, **of) or 0
    client.get("/collections/whose-page-it-is/?q=secret")
    client.get("/no-such-address")
    text = scrape(client)
    assert value(text, count, **of) == before + 1
    assert value(text, count, view=logs.NO_VIEW, status="4xx")
    assert "whose-page" not in text
    assert "secret" not in text


def test_the_processes_of_one_site_are_added_up(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from config import metrics\n"
        "metrics.REQUESTS.labels('v', '2xx').observe(0.02)\n"
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "registry = CollectorRegistry()\n"
        "metrics.MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())\n"
    )
    roots = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    environment = os.environ | {
        "PYTHONPATH": roots,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REKINDLE_VAR_DIR": str(tmp_path / "var"),
        metrics.SHARED: str(tmp_path),
    }
    for number in (1, 2):
        command = [sys.executable, "-c", code]
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        count = value(answer.stdout, "rekindle_request_seconds_count", view="v", status="2xx")
        assert count == number
