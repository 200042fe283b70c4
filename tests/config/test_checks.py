"""System checks: settings that read well but will not work."""

import threading
from pathlib import Path
from typing import Any

import pytest

from config import checks, health, parts


def test_a_misspelled_variable_is_named_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REKINDLE_MAX_PIXEL", "5")
    [message] = checks.every_variable_is_known()
    assert (message.id, message.hint) == ("config.W001", "Did you mean REKINDLE_MAX_PIXELS?")


def test_a_bucket_server_without_a_bucket_is_warned_of(settings: Any) -> None:
    settings.S3_ENDPOINT = "https://s3.example.org"
    [message] = checks.a_bucket_has_a_name()
    assert message.id == "config.W004"


def test_a_bucket_with_a_queue_in_a_folder_is_warned_of(settings: Any) -> None:
    settings.S3_BUCKET = "photos"
    [message] = checks.the_embedded_broker_stays_on_one_machine()
    assert message.id == "config.W002"


def test_a_deployment_without_collected_files_is_an_error(settings: Any, tmp_path: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    [message] = checks.static_files_are_collected()
    assert message.id == "config.E002"
    (tmp_path / "staticfiles.json").touch()
    assert checks.static_files_are_collected() == []


def test_a_deployment_that_names_no_mailbox_for_pleas_is_warned_of(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CONTACT_MAIL = "steward@photos.example.org"
    monkeypatch.delenv("REKINDLE_CONTACT_MAIL", raising=False)
    [message] = checks.a_plea_reaches_somebody()
    assert (message.id, "steward@photos.example.org" in message.msg) == ("config.W008", True)
    monkeypatch.setenv("REKINDLE_CONTACT_MAIL", "photos@example.org")
    assert checks.a_plea_reaches_somebody() == []


def test_an_https_address_with_no_proxy_to_believe_is_warned_of(settings: Any) -> None:
    settings.HTTPS, settings.PROXIES = True, 0
    [message] = checks.https_is_heard_of()
    assert (message.id, "REKINDLE_PROXIES" in str(message.hint)) == ("config.W009", True)
    for settings.HTTPS, settings.PROXIES in ((True, 1), (False, 0)):
        assert checks.https_is_heard_of() == []


def test_a_deployment_whose_parts_answer_is_told_of_none(db: None) -> None:
    assert parts.every_part_answers() == []


def test_a_part_that_does_not_answer_is_named_with_its_setting(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed() -> None:
        raise ConnectionError("[Errno 111] Connection\nrefused")

    monkeypatch.setitem(health.ELSEWHERE, "broker", closed)
    [message] = parts.every_part_answers()
    assert message.msg == "The queue does not answer: [Errno 111] Connection refused"
    assert (message.id, "REKINDLE_BROKER_URL" in str(message.hint)) == ("config.E003", True)


def test_a_part_that_hangs_is_named_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setitem(health.ELSEWHERE, "storage", lambda: let_go.wait(30))
    [message] = parts.every_part_answers()
    let_go.set()
    assert message.msg == "The storage does not answer: nothing came within 0.05 seconds"


def test_a_folder_that_takes_no_file_is_named(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {"default": {"OPTIONS": {"location": "/proc/bytes"}}}
    settings.VAR_DIR, settings.INGEST_DIR = tmp_path, tmp_path / "none"
    told = [message.msg for message in parts.every_folder_is_there()]
    assert [each.split()[0] for each in told] == ["REKINDLE_BYTES_DIR", "REKINDLE_INGEST_DIR"]
    settings.STORAGES = {"default": {"OPTIONS": {"location": str(tmp_path / "not yet")}}}
    settings.INGEST_DIR = tmp_path
    assert parts.every_folder_is_there() == []


def test_a_deployment_that_prints_its_mails_is_warned_of(settings: Any) -> None:
    settings.EMAIL_BACKEND = parts.PRINTED
    [message] = parts.mails_are_sent()
    assert (message.id, "REKINDLE_MAIL_URL" in str(message.hint)) == ("config.W007", True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert parts.mails_are_sent() == []
