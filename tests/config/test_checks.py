"""System checks: settings that read well but will not work."""

from typing import Any

import pytest

from config import checks


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
