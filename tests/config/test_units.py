"""The units for systemd start what the manual names, each worker under a name of its own."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings

from tests.services.need import ROOT

UNITS = sorted((ROOT / "docker" / "systemd").glob("*.service"))


def service(path: Path) -> dict[str, str]:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path, encoding="utf-8")
    return dict(unit["Service"])


def words(path: Path) -> list[str]:
    """What is started, as systemd hands it over in the first of its instances."""
    line = service(path)["ExecStart"].replace("%i", "1").replace("%%", "%")
    program, *rest = shlex.split(line)
    return [Path(program).name, *rest]


def told() -> list[list[str]]:
    """The commands of the manual's table of programs."""
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    table = text.partition("| Program | Command |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| [^|]+ \| `([^`]+)`", table, re.MULTILINE)
    return [line.split() for line in found if "serve" not in line]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_program_of_the_manual_with_all_its_words(unit: Path) -> None:
    ours = words(unit)
    assert any(set(line) <= set(ours) for line in told()), ours
    assert (service(unit)["Restart"], service(unit)["User"]) == ("always", "rekindle")


def test_every_program_of_the_manual_has_a_unit() -> None:
    assert len(UNITS) == len(told()) == 4


def test_a_worker_bears_its_instance_in_its_name_and_may_end_its_job() -> None:
    workers = [path for path in UNITS if words(path)[0] == "celery"]
    assert len(workers) == 2
    for path in workers:
        assert "-%i@%%h" in service(path)["ExecStart"]
        assert int(service(path)["TimeoutStopSec"]) > settings.DRAIN_SECONDS


def test_a_worker_with_a_card_works_on_the_card_of_its_number() -> None:
    unit = next(path for path in UNITS if "generative" in path.name)
    given = service(unit)["Environment"].split()
    assert given == ["CUDA_VISIBLE_DEVICES=%i", "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"]
    manual = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert "rekindle-generative@0" in manual
