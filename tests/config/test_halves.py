"""Uploads whose process died are cleared away after a day, and never one that is on its way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config import halves
from config.management.commands import sweep
from tests.services.need import ROOT

HOUR = 3600


def put(folder: Path, name: str, *, hours: float) -> Path:
    """A file to which something was written so many hours ago."""
    path = folder / name
    path.write_bytes(b"half")
    os.utime(path, (time.time() - hours * HOUR,) * 2)
    return path


@pytest.fixture
def old(settings: Any, tmp_path: Path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return put(tmp_path, "tmpab12cd34.upload.tif", hours=25)


def test_one_that_is_older_than_a_day_goes(old: Path) -> None:
    assert halves.clear(now=time.time()) == 1
    assert not old.exists()


def test_one_that_is_on_its_way_and_what_is_something_else_stays(old: Path) -> None:
    kept = [
        put(old.parent, "tmpon12itsway.upload.zip", hours=23),
        put(old.parent, "rekindle.sqlite3", hours=9999),
        put(old.parent, "tmpab12cd34.upload.d", hours=9999),
    ]
    kept[-1].unlink()
    kept[-1].mkdir()
    assert halves.clear(now=time.time()) == 1
    assert all(path.exists() for path in kept)


def test_the_sweeper_looks_once_an_hour(old: Path) -> None:
    work = sweep.BESIDES["halves of uploads"]
    assert work(now=timezone.now()) == 1
    put(old.parent, old.name, hours=25)
    assert work(now=timezone.now()) == 0


def test_each_process_of_the_site_looks_when_it_starts(old: Path) -> None:
    environment = os.environ | {"REKINDLE_VAR_DIR": str(old.parent)}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)])}
    subprocess.run([sys.executable, "-c", "import config.wsgi"], env=environment, check=True)
    assert not old.exists()
