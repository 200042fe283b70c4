"""The settings of an institution, from docker/kubernetes.yaml, pass Django's own checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config import env
from tests.services.need import ROOT

SECRETS = "/run/secrets/rekindle"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory, collected_static: Path) -> dict[str, str]:
    """The environment of the site's pods, with secrets made by the script and files collected."""
    folder = tmp_path_factory.mktemp("production")
    secrets, text = folder / "secrets", (ROOT / "docker" / "kubernetes.yaml").read_text()
    subprocess.run(["sh", str(ROOT / "docker" / "make-secrets.sh"), str(secrets)], check=True)
    for name in ("database-url", "broker-url"):
        _lead_nowhere(secrets / name)
    [config] = [each for each in yaml.safe_load_all(text) if each["kind"] == "ConfigMap"]
    given = {name: value.replace(SECRETS, str(secrets)) for name, value in config["data"].items()}
    # Of the tests' own world nothing, and not what only its browser needs.
    ours = (env.PREFIX, "DJANGO_ALLOW_ASYNC_UNSAFE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    here = {"REKINDLE_VAR_DIR": str(folder / "var"), "TMPDIR": str(folder)}
    here |= {"REKINDLE_CACHE_URL": "redis://redis.invalid"}
    return clean | given | here | {"REKINDLE_STATIC_DIR": str(collected_static)}


def _lead_nowhere(address: Path) -> None:
    """Where the tests run, a machine may really be called as the manifests call theirs."""
    before, _at, after = address.read_text(encoding="utf-8").rpartition("@")
    address.unlink()
    address.write_text(f"{before}@{after.replace(':', '.invalid:', 1)}", encoding="utf-8")


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def complaints(said: str) -> list[str]:
    return sorted(re.findall(r"^\?: \(([\w.]+)\)", said, re.MULTILINE))


@pytest.mark.slow
def test_a_deployment_complains_only_of_the_parts_that_are_not_here_and_of_mails(
    production: dict[str, str],
) -> None:
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **production)
    # Database, queue, cache and bucket are another's; the script writes no address for mails.
    assert complaints(answer.stderr) == ["config.E003"] * 4 + ["config.W007"], answer.stderr
    assert "(2 silenced)" in answer.stderr
    for part in ("database", "queue", "cache", "storage"):
        assert f"The {part} does not answer: " in answer.stderr


@pytest.mark.slow
def test_a_check_without_deploy_asks_no_part(production: dict[str, str]) -> None:
    answer = manage("check", "--fail-level", "WARNING", **production)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.slow
def test_the_check_would_have_complained(production: dict[str, str], tmp_path: Path) -> None:
    spoilt = production | {
        "REKINDLE_SITE_URL": "http://photos.example.org",
        "REKINDLE_STATIC_DIR": str(tmp_path),
    }
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **spoilt)
    assert answer.returncode == 1
    for complaint in ("config.W003", "config.E002"):
        assert complaint in answer.stderr
