"""Where the processes of a site add up what they count: in memory, and only if it is read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from config import metrics
from config.management.commands import serve
from tests.services.need import ROOT


@pytest.fixture
def memory(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("var", "memory"):
        (tmp_path / name).mkdir()
    settings.VAR_DIR, settings.METRICS_TOKEN = tmp_path / "var", "let-me-see"
    monkeypatch.setattr(metrics, "MEMORY", tmp_path / "memory")
    return tmp_path / "memory"


def test_one_process_or_none_who_may_read_needs_no_folder(memory: Path, settings: Any) -> None:
    assert serve._adding_up(1) == {}
    settings.METRICS_TOKEN = ""
    assert serve._adding_up(2) == {}
    assert [*memory.iterdir(), *settings.VAR_DIR.iterdir()] == []


def test_several_processes_add_up_in_a_new_folder_in_memory(memory: Path, settings: Any) -> None:
    first = Path(serve._adding_up(2)[metrics.SHARED])
    (first / "histogram_1.db").touch()
    another = memory / "rekindle-counts-of-another-site"
    another.mkdir()
    second = Path(serve._adding_up(2)[metrics.SHARED])
    assert sorted(memory.iterdir()) == sorted([second, another])
    assert [*second.iterdir(), *settings.VAR_DIR.iterdir()] == []
    serve._forget_counts()
    assert list(memory.iterdir()) == [another]


def test_where_no_memory_is_a_folder_it_lies_in_var(memory: Path, settings: Any) -> None:
    memory.rmdir()
    folder = Path(serve._adding_up(2)[metrics.SHARED])
    assert folder.parent == settings.VAR_DIR
    assert "--worker-tmp-dir" not in serve.programs("", 0, 1, 1)[0].command


def test_a_folder_that_somebody_left_in_the_environment_is_not_used(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(metrics.SHARED, "/var/full")
    assert metrics.SHARED not in serve._environment()


def container(tmp_path: Path, **environment: str) -> str:
    """What the image's script says to gunicorn of that folder."""
    told = tmp_path / "gunicorn"
    told.write_text('#!/bin/sh\necho "${PROMETHEUS_MULTIPROC_DIR-none}"\n')
    told.chmod(0o755)
    script = (ROOT / "docker" / "entrypoint.sh").read_text(encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REKINDLE_", "PROM"))}
    clean |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    command = ["sh", "-c", script.replace("cd /app\n", ""), "entrypoint.sh", "web"]
    done = subprocess.run(
        command, env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_container_does_the_same(tmp_path: Path) -> None:
    token = {"REKINDLE_METRICS_TOKEN_FILE": "/run/secrets/metrics-token"}
    folder = Path(container(tmp_path, **token))
    assert folder.parent == Path("/dev/shm")
    folder.rmdir()
    assert container(tmp_path) == "none"
    assert container(tmp_path, WEB_PROCESSES="1", **token) == "none"
