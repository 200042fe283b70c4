"""kill -9 of `manage.py ingest` in the middle: called again, it goes on, and nothing is doubled."""

from __future__ import annotations

import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from archive.lifecycle import FileOutcome, FileStep
from archive.models import Batch, BatchFile, Event, Photo
from tests.archive.scans import scan
from tests.factories import collection
from tests.people import person
from tests.services.databases import manage
from tests.services.processes import start, wait_until

MANY, KILLS = 15, 2
pytestmark = pytest.mark.slow


def settled(url: str) -> int:
    """Read beside the command, on a connection of its own."""
    with sqlite3.connect(urlsplit(url).path, timeout=20) as rows:
        asked = "SELECT count(*) FROM archive_batchfile WHERE step = 'settled'"
        count: int = rows.execute(asked).fetchone()[0]
        return count


def test_a_killed_command_goes_on_and_doubles_nothing(
    on_sqlite_file: str, tmp_path: Path, settings: Any
) -> None:
    person("sten", is_steward=True)
    collection(slug="games")
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(MANY):
        (folder / f"{number:02}.jpg").write_bytes(scan(number))
    environment = {"REKINDLE_DATABASE_URL": on_sqlite_file, "REKINDLE_VAR_DIR": str(tmp_path)}
    words = ["ingest", str(folder), "--collection", "games", "--wait"]
    for kill in range(1, KILLS + 1):
        log = tmp_path / f"{kill}.log"
        running = start([sys.executable, "manage.py", *words], log, environment)
        goal = kill * MANY // (KILLS + 1)
        wait_until(lambda goal=goal: settled(on_sqlite_file) >= goal, f"{goal} files", seconds=90)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert settled(on_sqlite_file) < MANY
    last = manage(*words, "--at-once", "2", **environment).splitlines()[-1]
    assert last == f"{MANY} new"
    assert Batch.objects.get().state == "done"
    assert Photo.objects.filter(state="ready").count() == MANY
    assert Event.objects.filter(verb="photo.received").count() == MANY
    outcomes = BatchFile.objects.values_list("step", "outcome").distinct()
    assert list(outcomes) == [(FileStep.SETTLED, FileOutcome.NEW)]
