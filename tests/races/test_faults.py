"""A handful of the rounds of tests.benchmarks.faults: real workers, struck, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.faults.lifetimes import PORTS
from tests.services.need import ROOT, need
from tests.services.processes import free_ports


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broker", "fault"), [("redis", "kill before the commit"), ("rabbitmq", "database's links cut")]
)
def test_a_struck_site_loses_nothing_and_doubles_nothing(broker: str, fault: str) -> None:
    for part in ("postgres", "s3", broker):
        need(part)
    words = ["--broker", broker, "--only", fault, "--rounds", "2", "--compare", "1"]
    words += ["--port", str(free_ports(PORTS))]
    command = [sys.executable, "-m", "tests.benchmarks.faults", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "jobs lost 0, versions doubled 0" in done.stdout
