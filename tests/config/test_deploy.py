"""The settings of an institution, from docker/kubernetes.yaml, pass Django's own checks."""

from __future__ import annotations

import os
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
    [config] = [each for each in yaml.safe_load_all(text) if each["kind"] == "ConfigMap"]
    given = {name: value.replace(SECRETS, str(secrets)) for name, value in config["data"].items()}
    # Of the tests' own world nothing, and not what only its browser needs.
    ours = (env.PREFIX, "DJANGO_ALLOW_ASYNC_UNSAFE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    here = {"REKINDLE_VAR_DIR": str(folder / "var"), "TMPDIR": str(folder)}
    return clean | given | here | {"REKINDLE_STATIC_DIR": str(collected_static)}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_deployment_has_nothing_to_complain_of(production: dict[str, str]) -> None:
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **production)
    assert (answer.returncode, answer.stdout) == (
        0,
        "System check identified no issues (2 silenced).\n",
    ), answer.stderr


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
