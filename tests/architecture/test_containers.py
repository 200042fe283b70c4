"""docker/ cannot be built here; what can be known without an engine is checked."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config import env, worker
from tests.services.need import ROOT

DOCKER = ROOT / "docker"
# A password is in them, so they come from a file; but our Redis has none.
SECRETS = {name.removesuffix("_FILE") for name in env.asked if name.endswith("_FILE")}
SECRETS -= {"REKINDLE_CACHE_URL"}
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
    text = (DOCKER / name).read_text(encoding="utf-8")
    # By its number: a cluster cannot tell whether a name is root's.
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]
    assert "--uid 10001" in text


@pytest.mark.parametrize("name", DOCKERFILES)
def test_every_image_speaks_both_languages(name: str) -> None:
    text = (DOCKER / name).read_text(encoding="utf-8")
    assert re.search(r"^COPY locale locale$", text, re.MULTILINE)
    assert "pybabel compile --domain django --directory locale" in text


def test_the_image_of_the_site_has_no_torch() -> None:
    installs = re.findall(r"pip install.*", (DOCKER / "web.Dockerfile").read_text())
    assert installs
    assert not any("gpu" in line or "torch" in line for line in installs)


def test_compose_starts_every_part() -> None:
    parts = {"postgres", "rabbitmq", "s3", "web", "worker", "worker-gpu", "sweeper"}
    assert parts <= compose()["services"].keys()
    assert compose()["services"]["worker-gpu"]["profiles"] == ["gpu"]


def test_compose_builds_from_files_that_are_there() -> None:
    builds = [part["build"] for part in compose()["services"].values() if "build" in part]
    assert builds
    for build in builds:
        assert (DOCKER / build["context"] / build["dockerfile"]).is_file()


def test_what_others_make_is_taken_in_a_version_that_is_named() -> None:
    others = [part["image"] for part in compose()["services"].values() if "build" not in part]
    assert len(others) >= 4
    assert [image for image in others if not re.search(r":[\w.-]*\d[\w.-]*$", image)] == []


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
        if "build" in part and part["command"][0] not in ("python", "true"):
            assert f"\n  {part['command'][0]})" in entry, name


def test_no_part_runs_as_root_or_writes_to_its_image() -> None:
    for name, part in compose()["services"].items():
        assert not part["user"].startswith(("0", "root")), name
        assert part["read_only"] is True, name
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name


def test_every_part_that_stays_says_whether_it_is_well() -> None:
    for name, part in compose()["services"].items():
        assert (part["restart"] == "no") != ("healthcheck" in part), name


def test_every_secret_is_a_file_of_its_own() -> None:
    """No password in the environment, and every file that is named is mounted there."""
    secrets = compose()["secrets"]
    for name, part in compose()["services"].items():
        mounted = {s if isinstance(s, str) else s["source"] for s in part.get("secrets", [])}
        assert mounted <= secrets.keys(), name
        for key, value in part.get("environment", {}).items():
            is_secret = key in SECRETS or re.search(r"PASSWORD|SECRET|TOKEN|ROOT_USER", key)
            assert not is_secret or key.endswith("_FILE"), f"{name} {key}"
            if key.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in mounted, f"{name} {key}"


def test_the_script_makes_every_secret_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make = ["sh", str(DOCKER / "make-secrets.sh"), str(folder)]
    subprocess.run(make, check=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    wanted = {Path(each["file"]).name for each in compose()["secrets"].values()}
    assert wanted <= made.keys()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(made["secret-key"]) >= 50
    assert made["postgres-password"] in made["database-url"]
    assert made["rabbitmq-password"] in made["broker-url"]
    subprocess.run(make, check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_every_program_of_ours_reads_what_the_operator_wrote_down() -> None:
    """Beside compose.yaml, where it need not be; what compose itself reads lies there too."""
    told = {name: part.get("env_file") for name, part in compose()["services"].items()}
    ours = {name for name, env_file in told.items() if env_file}
    assert ours == {"bucket", "migrate", "web", "worker", "worker-gpu", "sweeper"}
    for name in ours:
        assert told[name] == [{"path": ".env", "required": False}], name


def test_a_worker_ends_its_job_before_it_is_stopped() -> None:
    longest = settings.DRAIN_SECONDS
    for name in ("worker", "worker-gpu"):
        grace = compose()["services"][name]["stop_grace_period"]
        assert int(grace.removesuffix("m")) * 60 > longest


@pytest.mark.parametrize(("age", "code"), [(0, 0), (600, 1), (None, 1)])
def test_a_worker_is_alive_while_it_touches_its_file(
    tmp_path: Path, age: int | None, code: int
) -> None:
    file = tmp_path / worker.ALIVE
    if age is not None:
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
    entry = (DOCKER / "entrypoint.sh").read_text(encoding="utf-8").replace("cd /app\n", "")
    command = ["sh", "-c", entry, "entrypoint.sh", "alive", "worker"]
    environment = os.environ | {"REKINDLE_VAR_DIR": str(tmp_path)}
    assert subprocess.run(command, env=environment, check=False).returncode == code


def test_the_lock_of_npm_names_no_host() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
