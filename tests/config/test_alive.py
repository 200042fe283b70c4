"""The files by which those who watch see that a worker and the sweeper live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from config import worker
from config.management.commands import sweep
from restoration import presence


@pytest.fixture(autouse=True)
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def test_a_worker_touches_its_file_also_while_the_database_is_away(
    var_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(presence, "announce", away)
    monkeypatch.setattr(worker._stop, "wait", lambda _seconds: True)
    worker._announce(name="w", queues=["cpu"])
    assert (var_dir / worker.ALIVE).exists()


@pytest.mark.django_db
def test_the_sweeper_touches_its_file_after_each_round(var_dir: Path) -> None:
    call_command("sweep")
    assert (var_dir / sweep.ALIVE).exists()
