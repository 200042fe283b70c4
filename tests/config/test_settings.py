"""The settings as an operator meets them: each start in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.validate import ParamValidator

from config import env
from tests.services.need import ROOT

QUESTION = "from django.conf import settings; print(({}))"


def ask(expression: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Evaluate an expression on the settings of a start with these variables."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REKINDLE_", "OTEL_"))}
    clean |= {"DJANGO_SETTINGS_MODULE": "config.settings", "REKINDLE_VAR_DIR": str(folder)}
    # This checkout, also where the environment has another one installed.
    clean["PYTHONPATH"] = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", QUESTION.format(expression)],
        env=clean | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_clone_starts_without_any_variable(tmp_path: Path) -> None:
    answer = ask("settings.DATABASES['default']['NAME'], len(settings.SECRET_KEY) > 40", tmp_path)
    assert answer.stdout.strip() == f"('{tmp_path}/rekindle.sqlite3', True)", answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REKINDLE_DEBUG", "perhaps", "REKINDLE_DEBUG is 'perhaps'; write yes or no."),
        ("REKINDLE_BROKER_URL", "kafka://x", "REKINDLE_BROKER_URL must begin with fsatomic://"),
        ("REKINDLE_SITE_URL", "photos", "REKINDLE_SITE_URL is 'photos'; write it as https://"),
        ("REKINDLE_WORKER_KINDS", "gpu", "REKINDLE_WORKER_KINDS has 'gpu'; it knows cpu"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "me:4318", "ENDPOINT is 'me:4318'; write it as http://"),
        ("REKINDLE_MAX_PIXELS", "0", "REKINDLE_MAX_PIXELS is 0; the least it can be is 1."),
        ("REKINDLE_SITE_URL", "htps://photos.org", "is 'htps://photos.org'; write it as https://"),
        ("REKINDLE_BROKER_URL", "redis:///0", "REKINDLE_BROKER_URL names no host; write it as"),
        ("REKINDLE_CACHE_URL", "memcached://m", "REKINDLE_CACHE_URL must be redis://HOST:PORT/0"),
        ("REKINDLE_S3_ENDPOINT", "s3.org:9000", "ENDPOINT is 's3.org:9000'; write it as https://"),
        ("REKINDLE_MODELS_HUB", "mirror", "MODELS_HUB is 'mirror'; write it as https://hugging"),
        ("REKINDLE_MAIL_URL", "smtp+starttls://m", "MAIL_URL must be smtp+tls://, smtps://"),
        ("REKINDLE_CONTACT_MAIL", "photos", "CONTACT_MAIL is 'photos'; write it as photos@exam"),
        ("REKINDLE_MAIL_FROM", "Photos <a@>", "FROM is 'Photos <a@>'; write it as photos@exam"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    answer = ask("settings.DEBUG", tmp_path, **{name: value})
    assert answer.returncode != 0
    assert sentence in answer.stderr.splitlines()[-1]


def manage(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the operator does, on a folder of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REKINDLE_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=clean | {"REKINDLE_VAR_DIR": str(folder)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REKINDLE_DEBUG", "perhaps", "REKINDLE_DEBUG is 'perhaps'; write yes or no.\n"),
        ("REKINDLE_VAR_DIR", "/proc/nope", "REKINDLE_VAR_DIR is '/proc/nope', and it cannot"),
        ("REKINDLE_TIME_ZONE", "Berlin", "REKINDLE_TIME_ZONE is 'Berlin', which is no time zone"),
        ("REKINDLE_MAIL_URL", "smtp://a:p/q@mail", "REKINDLE_MAIL_URL cannot be read as an"),
        ("REKINDLE_SECRET_KEY_FILE", "/nope", "REKINDLE_SECRET_KEY_FILE cannot be read: "),
    ],
)
def test_a_command_says_only_the_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    answer = manage(tmp_path, "check", **{name: value})
    assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1), answer.stderr
    assert answer.stderr.startswith(sentence)


@pytest.mark.slow
def test_a_command_says_in_a_sentence_that_the_database_does_not_answer(tmp_path: Path) -> None:
    away = {"REKINDLE_DATABASE_URL": "postgres://vera:hush@127.0.0.1:1/photos"}
    answer = manage(tmp_path, "migrate", **away)
    assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1), answer.stderr
    assert answer.stderr.startswith("The database of REKINDLE_DATABASE_URL does not answer: ")
    assert "hush" not in answer.stderr
    assert "Traceback" in manage(tmp_path, "migrate", "--traceback", **away).stderr


def test_a_database_that_answers_is_not_said_to_be_away(tmp_path: Path) -> None:
    answer = manage(tmp_path, "make_steward", "vera")  # nothing is migrated
    assert answer.returncode == 1
    assert "does not answer" not in answer.stderr


def test_what_is_percent_encoded_in_the_address_for_mails_is_read(tmp_path: Path) -> None:
    names = "settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD"
    answer = ask(names, tmp_path, REKINDLE_MAIL_URL="smtps://vera%40x.org:p%23ss@mail:465")
    assert answer.stdout.strip() == "('vera@x.org', 'p#ss')", answer.stderr


def test_an_https_address_turns_on_what_belongs_to_it(tmp_path: Path) -> None:
    names = "settings.SECURE_SSL_REDIRECT, settings.SESSION_COOKIE_SECURE, settings.ALLOWED_HOSTS"
    answer = ask(names, tmp_path, REKINDLE_SITE_URL="https://photos.example.org")
    assert answer.stdout.startswith("(True, True, ['photos.example.org'"), answer.stderr


def test_bytes_go_to_a_bucket_when_one_is_named(tmp_path: Path) -> None:
    names = "settings.STORAGES['default']['BACKEND'], settings.CONTENT_SECURITY_POLICY"
    bucket = {"REKINDLE_S3_BUCKET": "b", "REKINDLE_S3_ENDPOINT": "https://s3.example.org/x"}
    answer = ask(names, tmp_path, **bucket)
    assert "archive.bucket.Bucket" in answer.stdout, answer.stderr
    assert "'data:', 'blob:', 'https://s3.example.org'" in answer.stdout


def test_every_setting_is_explained_to_the_operator() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `((?:REKINDLE|OTEL)_[A-Z0-9_]+)`", text, re.MULTILINE))
    ours = {name for name in env.asked if name.startswith((env.PREFIX, "OTEL_"))}
    assert ours == {n for n in explained if not n.startswith("REKINDLE_TEST_")} | {
        name for name in ours if name.endswith("_FILE")
    }


def test_the_rules_for_other_origins_in_the_manual_are_ones_a_service_understands() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    [told] = re.findall(r"^```json\n(\{\n  \"CORSRules\".*?)^```", text, re.MULTILINE | re.DOTALL)
    service = boto3.client("s3", region_name="us-east-1").meta.service_model
    shape = service.shape_for("CORSConfiguration")
    assert not ParamValidator().validate(json.loads(told), shape).has_errors()
