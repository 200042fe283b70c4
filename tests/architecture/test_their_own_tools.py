"""Everything in docker/ before the judges of its kind, and each judge before a spoilt one.

Nobody starts a container or a cluster here, so what the makers of these forms check is checked.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from config import env
from tests.architecture.test_kubernetes import manifests
from tests.architecture.test_watching import alarms, dashboard, expressions
from tests.services.need import ROOT, need, tool

pytestmark = pytest.mark.slow

DOCKERFILES = ("web.Dockerfile", "worker.Dockerfile")
SCRIPTS = ("docker/entrypoint.sh", "docker/make-secrets.sh", ".ci/run")


@pytest.fixture(autouse=True)
def _judges() -> None:
    need("tools")


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A copy that a test may spoil, without what an operator keeps there."""
    theirs = shutil.ignore_patterns(".env", "secrets")
    return Path(shutil.copytree(ROOT / "docker", tmp_path / "docker", ignore=theirs))


def judge(*words: str | Path) -> subprocess.CompletedProcess[str]:
    name, *rest = map(str, words)
    done = subprocess.run([tool(name), *rest], capture_output=True, text=True, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout + done.stderr)


def dockerfile(docker: Path, name: str = "web.Dockerfile") -> subprocess.CompletedProcess[str]:
    return judge("hadolint", "--no-color", docker / name)


def compose(docker: Path, *words: str) -> subprocess.CompletedProcess[str]:
    every = ("--profile", "*", "config", *(words or ("--quiet",)))
    return judge("docker-compose", "--file", docker / "compose.yaml", *every)


def cluster(docker: Path) -> subprocess.CompletedProcess[str]:
    return judge("kubernetes-validate", "--strict", docker / "kubernetes.yaml")


def scalers(docker: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tests" / "architecture" / "scaled_objects.py"
    return judge("python", script, docker / "kubernetes.yaml")


def rules(docker: Path) -> subprocess.CompletedProcess[str]:
    return judge("promtool", "check", "rules", docker / "watch" / "alarms.yaml")


def ringing(docker: Path) -> subprocess.CompletedProcess[str]:
    return judge("promtool", "test", "rules", docker / "watch" / "alarms_test.yaml")


def script(docker: Path) -> subprocess.CompletedProcess[str]:
    return judge("shellcheck", docker / "entrypoint.sh")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_images_are_built_as_images_should_be(docker: Path, name: str) -> None:
    said = dockerfile(docker, name)
    assert (said.returncode, said.stdout) == (0, "")


def test_compose_would_start_it(docker: Path) -> None:
    said = compose(docker)
    assert (said.returncode, said.stdout) == (0, "")


def test_every_setting_that_is_written_down_arrives_in_every_program_of_ours(docker: Path) -> None:
    names = {name for name in env.asked if not name.endswith("_FILE")}
    names |= {"WEB_PROCESSES", "CPU_JOBS"}
    (docker / ".env").write_text("".join(f"{name}=mine\n" for name in names))
    parts = json.loads(compose(docker, "--format", "json").stdout)["services"]
    given = {name: part.get("environment") or {} for name, part in parts.items()}
    ours = {name for name, variables in given.items() if "REKINDLE_SITE_URL" in variables}
    assert ours == {"bucket", "migrate", "web", "worker", "worker-gpu", "sweeper"}
    for part in ours:
        # Where the models are mounted is the container's own.
        lost = {name for name in names if given[part].get(name) != "mine"}
        assert lost == ({"REKINDLE_MODELS_DIR"} if part == "worker-gpu" else set()), part
    assert all("mine" not in given[part].values() for part in given.keys() - ours)


def test_a_cluster_would_take_every_manifest(docker: Path) -> None:
    said = cluster(docker)
    assert said.returncode == 0, said.stdout
    others = [each for each in manifests() if each["kind"] != "ScaledObject"]
    assert said.stdout.count(" passed for resource ") == len(others)


def test_keda_would_take_the_scalers(docker: Path) -> None:
    said = scalers(docker)
    assert said.returncode == 0, said.stdout


def test_prometheus_would_take_the_rules(docker: Path) -> None:
    said = rules(docker)
    assert said.returncode == 0, said.stdout


def test_each_alarm_rings_when_it_should_and_only_then(docker: Path) -> None:
    said = ringing(docker)
    assert said.returncode == 0, said.stdout


def test_no_alarm_is_left_out_of_that() -> None:
    text = (ROOT / "docker" / "watch" / "alarms_test.yaml").read_text(encoding="utf-8")
    cases = [case for each in yaml.safe_load(text)["tests"] for case in each["alert_rule_test"]]
    names = {rule["alert"] for rule in alarms()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


def test_prometheus_understands_what_the_dashboard_and_the_scalers_ask(tmp_path: Path) -> None:
    asked = expressions(dashboard())
    asked += [
        trigger["metadata"]["query"]
        for each in manifests("ScaledObject")
        for trigger in each["spec"]["triggers"]
    ]
    recorded = [
        # Of Grafana's own words; Prometheus never sees them.
        {"record": f"asked:{n}", "expr": re.sub(r"\$__\w+", "5m", each)}
        for n, each in enumerate(asked)
    ]
    file = tmp_path / "asked.yaml"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": recorded}]}))
    said = judge("promtool", "check", "rules", file)
    assert said.returncode == 0, said.stdout
    assert f"{len(asked)} rules found" in said.stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_written_with_care(name: str) -> None:
    said = judge("shellcheck", ROOT / name)
    assert (said.returncode, said.stdout) == (0, "")


SPOILT: list[tuple[Callable[[Path], subprocess.CompletedProcess[str]], str, str, str]] = [
    (dockerfile, "web.Dockerfile", "USER 10001", "USER root"),
    (compose, "compose.yaml", "healthcheck:", "heathcheck:"),
    (compose, "compose.yaml", "condition: service_healthy", "condition: service_well"),
    (compose, "compose.yaml", "required: false", "required: true"),
    (cluster, "kubernetes.yaml", "replicas: 2", "replicas: two"),
    (cluster, "kubernetes.yaml", "livenessProbe:", "livenessprobe:"),
    (scalers, "kubernetes.yaml", "maxReplicaCount", "maxReplicacount"),
    (scalers, "kubernetes.yaml", "minReplicaCount: 1", "minReplicaCount: one"),
    (rules, "watch/alarms.yaml", "> 900", "> > 900"),
    (ringing, "watch/alarms.yaml", "> 900", "> 90000"),
    (ringing, "watch/alarms.yaml", "> 0.02 *", "> 0 *"),
    (script, "entrypoint.sh", '"$@"', "$@"),
]


@pytest.mark.parametrize(("by", "file", "good", "bad"), SPOILT)
def test_each_judge_would_have_complained(
    docker: Path,
    by: Callable[[Path], subprocess.CompletedProcess[str]],
    file: str,
    good: str,
    bad: str,
) -> None:
    text = (docker / file).read_text(encoding="utf-8")
    assert good in text
    (docker / file).write_text(text.replace(good, bad), encoding="utf-8")
    assert by(docker).returncode != 0
