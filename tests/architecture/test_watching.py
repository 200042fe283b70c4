"""What the dashboard and the alarms ask for exists, and every alarm has its page in the runbook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from config import metrics
from restoration import tallies
from tests.services.need import ROOT

WATCH = ROOT / "docker" / "watch"
# A family of this type shows itself as samples with these endings.
ENDINGS = {
    "gauge": ("",),
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
}


def expressions(found: Any) -> list[str]:
    """Every expression anywhere in a dashboard or in rules."""
    if isinstance(found, dict):
        mine = [found["expr"]] if "expr" in found else []
        return mine + [each for value in found.values() for each in expressions(value)]
    if isinstance(found, list):
        return [each for value in found for each in expressions(value)]
    return []


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WATCH / "dashboard.json").read_text(encoding="utf-8"))
    return found


def alarms() -> list[dict[str, Any]]:
    rules = yaml.safe_load((WATCH / "alarms.yaml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def families() -> list[Metric]:
    """Everything that /metrics tells, with one measurement of each kind."""
    tallies.add(tallies.WAIT, ("cpu", "restore"), 1)
    tallies.add(tallies.STEP, ("tone", "embedded"), 1)
    metrics.REQUESTS.labels("v", "2xx").observe(1)
    return list(metrics._registry().collect())


def samples() -> dict[str, set[str]]:
    """The labels of each sample by its name, without the bound of a bucket."""
    shown = {f"{family.name}{ending}" for family in families() for ending in ENDINGS[family.type]}
    labels: dict[str, set[str]] = {name: set() for name in shown}
    for family in families():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(set(sample.labels) - {"le"})
    return labels


@pytest.mark.django_db
def test_the_dashboard_and_the_alarms_name_only_samples_that_are_told() -> None:
    asked = [*expressions(dashboard()), *expressions(alarms())]
    names = {name for each in asked for name in re.findall(r"\brekindle_\w+", each)}
    assert names
    assert names <= samples().keys()


@pytest.mark.django_db
def test_every_figure_is_on_the_dashboard() -> None:
    shown = " ".join(expressions(dashboard()))
    assert not [f.name for f in families() if f.name not in shown]


@pytest.mark.django_db
def test_the_dashboard_and_the_alarms_group_only_by_labels_that_are_there() -> None:
    told = samples()
    for each in [*expressions(dashboard()), *expressions(alarms())]:
        known = {label for name in told if name in each for label in told[name]} | {"le"}
        for group in re.findall(r"\bby \(([^)]*)\)", each):
            assert {label.strip() for label in group.split(",")} <= known, each


def test_what_the_rows_say_is_never_added_up_over_processes() -> None:
    for each in [*expressions(dashboard()), *expressions(alarms())]:
        for name in re.findall(r"\bsum\b[^r]*?\(?rate\((rekindle_\w+)", each):
            assert name.startswith("rekindle_request_"), each
        assert not re.search(r"\bsum\b[^(]*(by \([^)]*\) )?\(rekindle_", each), each


def test_every_alarm_has_its_entry_in_the_runbook() -> None:
    text = Path(ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\| `(Rekindle\w+)` \|", text, re.MULTILINE)
    assert entries == [rule["alert"] for rule in alarms()]
