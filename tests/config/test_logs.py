"""Log lines for a collector: what each is about, and nothing personal."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from gunicorn.config import Config

from archive import logbook
from config import logs, metrics
from restoration import heard, runner
from restoration.lifecycle import JobKind
from restoration.models import Job
from tests import factories
from tests.people import person
from tests.services.need import ROOT

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged meanwhile, as the collector gets it."""
    written: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    collector = Collector()
    collector.setFormatter(logs.JsonLines())
    root, levels = logging.getLogger(), {}
    for logger in (root, logs.requests, runner.logger):
        levels[logger] = logger.level
        logger.setLevel(logging.INFO)
    root.addHandler(collector)
    yield lambda: [json.loads(line) for line in written]
    root.removeHandler(collector)
    for logger, level in levels.items():
        logger.setLevel(level)


def test_each_request_has_one_line_and_gives_its_id_back(client: Client, lines: Lines) -> None:
    answer = client.get("/health/live?who=vera@example.org")
    [line] = [each for each in lines() if each["logger"] == "config.requests"]
    assert line["request"] == answer["X-Request-ID"]
    assert len(line["request"]) == 32
    told = {name: line[name] for name in ("level", "method", "view", "status")}
    assert told == {"level": "INFO", "method": "GET", "view": "health-live", "status": 200}
    assert "vera" not in json.dumps(line)


def test_the_id_that_a_proxy_gave_is_kept(client: Client, lines: Lines) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": "from-the-proxy-1"})
    assert answer["X-Request-ID"] == lines()[-1]["request"] == "from-the-proxy-1"


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "vera@example.org", "a b c d e f g h"])
def test_an_id_that_is_none_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": given})
    assert logs.GIVEN.fullmatch(answer["X-Request-ID"])
    assert answer["X-Request-ID"] != given


@pytest.mark.django_db
def test_neither_an_address_nor_a_query_is_in_any_line(client: Client, lines: Lines) -> None:
    client.get("/collections/box-of-vera/?q=vera")
    client.get("/no/such/vera?q=vera")
    client.get("/", headers={"Host": "vera.example.org"})
    assert len(lines()) > 3
    assert "vera" not in json.dumps(lines())


def test_an_error_tells_its_classes_and_places_and_not_its_words(lines: Lines) -> None:
    try:
        try:
            raise KeyError("vera@example.org")
        except KeyError as error:
            raise IntegrityError("Key (email)=(vera@example.org) already exists.") from error
    except IntegrityError:
        logging.getLogger("archive.ingest").exception("photo %s could not be read", 5)
    [line] = lines()
    assert line["message"] == "photo 5 could not be read"
    assert line["error"] == "django.db.utils.IntegrityError from builtins.KeyError"
    assert line["at"][-1].startswith("test_logs.py:")
    assert "vera" not in json.dumps(line)


def test_a_page_that_fails_is_logged_with_the_id_of_its_request(
    client: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def fails() -> None:
        raise ValueError("vera")

    settings.METRICS_TOKEN = "vera"
    monkeypatch.setattr(metrics, "_registry", fails)
    client.raise_request_exception = False
    answer = client.get("/metrics?q=vera", headers={"Authorization": "Bearer vera"})
    assert answer.status_code == 500
    [error] = [each for each in lines() if each["level"] == "ERROR"]
    assert (error["request"], error["error"]) == (answer["X-Request-ID"], "builtins.ValueError")
    assert error["at"][-1].endswith(" fails")
    assert "vera" not in json.dumps(lines())


def test_of_a_library_only_the_words_of_its_code_are_kept(lines: Lines) -> None:
    logging.getLogger("urllib3").warning("Retrying %s", "https://s3/x?X-Amz-Signature=vera")
    logging.getLogger("urllib3").warning("Retrying https://s3/x?X-Amz-Signature=vera")
    assert lines()[0]["message"] == "Retrying %s"
    assert lines()[1]["message"].startswith("test_logs.py:")


@pytest.mark.django_db
def test_a_workers_lines_name_the_job_and_the_try(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.objects.create(
        photo=factories.photo(factories.collection()),
        kind=JobKind.ASSESS,
        requested_by=person("vera"),
        requested_at=factories.NOW,
    )

    def fails(*_: object) -> None:
        raise ValueError("vera")

    monkeypatch.setitem(runner.WORK, JobKind.ASSESS, fails)
    runner.run(job_id=job.pk, worker="w")
    [line] = [each for each in lines() if each["level"] == "ERROR"]
    assert (line["job"], line["attempt"], line["error"]) == (job.pk, 1, "builtins.ValueError")
    assert logbook.ids_now() == {}


@pytest.mark.django_db
def test_the_thread_that_beats_names_the_job_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, beaten = [], threading.Event()

    def beat(*_: object) -> None:
        seen.append(logbook.ids_now())
        beaten.set()

    monkeypatch.setattr(heard.Reporter, "beat", beat)
    with logbook.about(job=7, attempt=2), heard.beating(Job(pk=7)):
        assert beaten.wait(10)
    assert seen == [{"job": 7, "attempt": 2}]


def test_gunicorn_writes_the_same_form(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.LOG_FORMAT = "json"
    log = logs.ServerLog(Config())
    log.info("Listening at: %s", "10.0.0.1")
    line = json.loads(capsys.readouterr().err)
    assert (line["logger"], line["message"]) == ("gunicorn.error", "Listening at: %s")


def test_a_program_that_is_told_to_writes_json(tmp_path: Path) -> None:
    code = "import django, logging; django.setup(); logging.getLogger('archive').warning('here')"
    roots = f"{ROOT / 'platform'}:{ROOT}"
    environment = {
        "PYTHONPATH": roots,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REKINDLE_VAR_DIR": str(tmp_path),
        "REKINDLE_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(answer.stderr)["message"] == "here"
