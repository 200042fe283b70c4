"""The two addresses for those who watch the site."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config import health
from restoration import presence

WHOLE = {"database": "ok", "worker": "ok", "broker": "ok", "storage": "ok"}


@pytest.fixture
def worker(db: None) -> None:
    presence.announce(name="w", queues=["cpu"], offers=[], models=[], now=timezone.now())


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Breaks a part by name; its error says what nobody outside may read."""

    def fails() -> None:
        raise ConnectionError("secret address")

    def break_it(name: str) -> None:
        parts = health.HERE if name in health.HERE else health.ELSEWHERE
        monkeypatch.setitem(parts, name, fails)

    return break_it


def test_a_stranger_may_ask_whether_the_site_answers_and_no_part_is_touched(
    client: Client, django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/health/live")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_a_site_whose_parts_answer_is_ready(client: Client, worker: None) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, WHOLE)


@pytest.mark.parametrize(
    ("part", "code"), [("database", 503), ("storage", 503), ("broker", 200), ("worker", 200)]
)
def test_only_a_part_that_pages_cannot_be_without_takes_the_site_out(
    client: Client, worker: None, broken: Callable[[str], None], part: str, code: int
) -> None:
    broken(part)
    answer = client.get("/health/ready")
    assert answer.status_code == code
    assert answer.json() == WHOLE | {part: "does not answer"}


def test_the_reason_goes_to_the_log_and_not_to_the_asker(
    client: Client,
    worker: None,
    broken: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken("storage")
    answer = client.get("/health/ready")
    assert "secret address" not in answer.content.decode()
    assert "secret address" in caplog.text


def test_a_part_that_hangs_is_named_in_time(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setitem(health.ELSEWHERE, "broker", lambda: let_go.wait(30))
    answer = client.get("/health/ready")
    let_go.set()
    assert answer.json()["broker"] == "did not answer in time"


def test_silent_workers_are_told_and_leave_the_site_in_rotation(client: Client, db: None) -> None:
    long_ago = timezone.now() - timedelta(minutes=2)
    presence.announce(name="w", queues=["cpu"], offers=[], models=[], now=long_ago)
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["worker"] == "no worker has been heard of for a minute; jobs wait"


def test_the_site_answers_health_by_http_behind_https(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/admin/").status_code == 301
