"""The two addresses for those who watch the site."""

from typing import Any

import pytest
from django.test import Client

from config import health


def test_a_stranger_may_ask_whether_the_site_answers(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_a_site_whose_parts_answer_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.json() == {"database": True, "broker": True, "storage": True}


@pytest.mark.django_db
def test_a_site_without_its_storage_is_not_ready_and_keeps_the_reason_to_itself(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ConnectionError("secret address")

    monkeypatch.setitem(health.PARTS, "storage", fails)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["storage"] is False
    assert "secret address" not in answer.content.decode()
    assert "secret address" in caplog.text


def test_the_site_answers_health_by_http_behind_https(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health").status_code == 200
    assert client.get("/admin/").status_code == 301
