"""The manifests are never applied here; what can be known by reading them is checked."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from config import env
from tests.architecture.test_containers import DOCKER, SECRETS
from tests.architecture.test_watching import samples
from tests.services.need import ROOT

Part = dict[str, Any]


def manifests(*kinds: str) -> list[Part]:
    text = (DOCKER / "kubernetes.yaml").read_text(encoding="utf-8")
    return [each for each in yaml.safe_load_all(text) if not kinds or each["kind"] in kinds]


def pods() -> dict[str, Part]:
    """The pod of each program by its name."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["name"]: each["spec"]["template"]["spec"]
        for each in manifests("Deployment", "Job")
    }


PROGRAMS = sorted(pods())


def container(name: str) -> Part:
    [only] = pods()[name]["containers"]
    found: Part = only
    return found


def test_every_program_is_there() -> None:
    assert PROGRAMS == ["migrate", "sweeper", "web", "worker", "worker-gpu"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_runs_as_root_or_writes_to_its_image(name: str) -> None:
    pod, closed = pods()[name]["securityContext"], container(name)["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == 10001
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert closed["readOnlyRootFilesystem"] is True
    assert closed["allowPrivilegeEscalation"] is False
    assert closed["capabilities"] == {"drop": ["ALL"]}
    assert pods()[name]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_bounds_and_what_it_mounts(name: str) -> None:
    resources = container(name)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert "memory" in resources["limits"]
    mounted = {each["name"] for each in container(name)["volumeMounts"]}
    assert mounted == {each["name"] for each in pods()[name]["volumes"]}
    assert "rekindle" in next(
        each["secret"]["secretName"] for each in pods()[name]["volumes"] if "secret" in each
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_is_a_word_of_the_entrypoint(name: str) -> None:
    entry = (DOCKER / "entrypoint.sh").read_text(encoding="utf-8")
    assert f"\n  {container(name)['args'][0]})" in entry


def test_it_sets_only_names_that_the_settings_know_and_no_secret_among_them() -> None:
    [config] = manifests("ConfigMap")
    names = {name for name in config["data"] if name.startswith(env.PREFIX)}
    for name in PROGRAMS:
        given = {each["name"] for each in container(name).get("env", [])}
        names |= given - {"POD_IP", "PYTORCH_CUDA_ALLOC_CONF"}
    assert names <= env.asked
    assert not names & SECRETS


def test_every_secret_is_one_that_the_script_makes() -> None:
    [config] = manifests("ConfigMap")
    made = re.findall(r"^keep (\S+)", (DOCKER / "make-secrets.sh").read_text(), re.MULTILINE)
    files = [value for name, value in config["data"].items() if name.endswith("_FILE")]
    assert files
    assert {file.removeprefix("/run/secrets/rekindle/") for file in files} <= set(made)


def test_the_probes_ask_addresses_that_are_there_and_readiness_is_not_liveness() -> None:
    web = container("web")
    live, ready = (web[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness"))
    assert resolve(live).view_name == "health-live"
    assert resolve(ready).view_name == "health-ready"


@pytest.mark.parametrize("name", ["sweeper", "worker", "worker-gpu"])
def test_what_has_no_address_is_asked_by_its_file(name: str) -> None:
    what = name.removesuffix("-gpu")
    command = container(name)["livenessProbe"]["exec"]["command"]
    assert command == ["/entrypoint.sh", "alive", what]


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_a_worker_ends_its_job_before_it_is_stopped(name: str) -> None:
    assert pods()[name]["terminationGracePeriodSeconds"] > settings.DRAIN_SECONDS


def test_the_site_has_room_for_two_of_the_largest_zips() -> None:
    """Each is there twice: as it arrives, and as it is hashed on its way into the storage."""
    [var] = [each["emptyDir"] for each in pods()["web"]["volumes"] if each["name"] == "var"]
    room = int(var["sizeLimit"].removesuffix("Gi")) * 1024**3
    assert room >= 2 * 2 * settings.MAX_BATCH_BYTES


def test_what_has_to_come_first_is_found_by_its_label() -> None:
    manual = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert "'part in (settings, migrate)'" in manual
    first = [
        each["kind"]
        for each in manifests()
        if each["metadata"]["labels"].get("part") in ("settings", "migrate")
    ]
    assert sorted(first) == ["ConfigMap", "Job"]


def test_selectors_find_the_pods_they_mean() -> None:
    for each in manifests("Deployment"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        assert each["spec"]["selector"]["matchLabels"] == labels
    labels = {
        tuple(each["spec"]["selector"]["matchLabels"].items()) for each in manifests("Deployment")
    }
    for each in manifests("Service", "PodDisruptionBudget"):
        selector = each["spec"]["selector"]
        assert tuple(selector.get("matchLabels", selector).items()) in labels


@pytest.mark.django_db
def test_workers_grow_with_their_queue_and_none_is_sent_away_for_being_at_work() -> None:
    scalers = {each["spec"]["scaleTargetRef"]["name"]: each for each in manifests("ScaledObject")}
    told = samples()
    for queue, name in (("cpu", "worker"), ("generative", "worker-gpu")):
        spec = scalers[f"rekindle-{name}"]["spec"]
        [trigger] = spec["triggers"]
        asked = re.findall(r'(rekindle_\w+)\{queue="(\w+)"\}', trigger["metadata"]["query"])
        assert asked == [("rekindle_jobs_waiting", queue), ("rekindle_jobs_running", queue)]
        assert {each for each, _ in asked} <= told.keys()
        assert container(name)["args"] == ["worker", queue]
        assert spec["minReplicaCount"] >= 1


def test_the_scaler_and_not_the_manifest_says_how_many_workers_there_are() -> None:
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in manifests("ScaledObject")}
    replicas = {
        each["metadata"]["name"]: each["spec"].get("replicas") for each in manifests("Deployment")
    }
    assert {name for name, count in replicas.items() if count is None} == scaled
