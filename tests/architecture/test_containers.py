"""docker/ cannot be built here; what can be known without an engine is checked."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from config import env
from tests.services.need import ROOT

DOCKER = ROOT / "docker"
DOCKERFILES = sorted(path.name for path in DOCKER.glob("*.Dockerfile"))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", DOCKERFILES)
def test_everything_that_is_copied_is_there(name: str) -> None:
    text = (DOCKER / name).read_text(encoding="utf-8")
    for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), f"{name} copies {source}"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_no_image_runs_as_root(name: str) -> None:
    assert re.search(r"^USER rekindle$", (DOCKER / name).read_text(), re.MULTILINE)


def test_the_image_of_the_site_has_no_torch() -> None:
    installs = re.findall(r"pip install.*", (DOCKER / "web.Dockerfile").read_text())
    assert installs
    assert not any("gpu" in line or "torch" in line for line in installs)


def test_compose_starts_every_part() -> None:
    assert {"postgres", "rabbitmq", "s3", "web", "worker", "sweeper"} <= compose()[
        "services"
    ].keys()


def test_compose_builds_from_files_that_are_there() -> None:
    builds = [part["build"] for part in compose()["services"].values() if "build" in part]
    assert builds
    for build in builds:
        assert (DOCKER / build["context"] / build["dockerfile"]).is_file()


def test_compose_waits_only_for_parts_that_are_there() -> None:
    parts = compose()["services"]
    for name, part in parts.items():
        assert set(part.get("depends_on", {})) <= parts.keys(), name


def test_compose_sets_only_names_that_the_settings_know() -> None:
    for name, part in compose()["services"].items():
        ours = {key for key in part.get("environment", {}) if key.startswith(env.PREFIX)}
        assert ours <= env.asked, name


def test_each_command_of_compose_is_known_to_the_entrypoint() -> None:
    entry = (DOCKER / "entrypoint.sh").read_text(encoding="utf-8")
    subprocess.run(["sh", "-n", str(DOCKER / "entrypoint.sh")], check=True)
    for name, part in compose()["services"].items():
        if "build" in part and part["command"][0] != "python":
            assert f"\n  {part['command'][0]})" in entry, name


def test_the_lock_of_npm_names_no_host() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
