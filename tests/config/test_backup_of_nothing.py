"""A backup of a bare database is refused: it was made by a shell without the settings."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests import factories
from tests.people import person
from tests.services import databases

NOTHING = r"nothing in this database \(.*{}\).*is REKINDLE_DATABASE_URL set in this shell\?"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup"


def backup(place: Path) -> str:
    out = StringIO()
    call_command("backup", str(place), stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(place: Path, match: str) -> None:
    with pytest.raises(CommandError, match=f"(?i){match}"):
        backup(place)
    assert [path for path in place.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("on_sqlite_file")
def test_a_database_without_tables_is_no_site(place: Path, tmp_path: Path) -> None:
    with databases.rows_in(f"sqlite:///{tmp_path / 'bare.sqlite3'}"):
        refused(place, NOTHING.format("bare.sqlite3"))


@pytest.mark.usefixtures("on_sqlite_file")
def test_tables_with_nobody_and_nothing_in_them_are_no_site_until_somebody_comes(
    place: Path, bytes_in_folder: Path
) -> None:
    refused(place, NOTHING.format("sqlite3"))
    person("vera")
    assert " 0 files" in backup(place)


@pytest.mark.usefixtures("on_sqlite_file")
def test_a_database_from_before_the_update_is_told_what_to_do(place: Path) -> None:
    factories.collection()
    MigrationRecorder(connection).record_unapplied("archive", "0005_freeze_checks")
    refused(place, r"lacks archive\.0005_freeze_checks\. Make the backup with the program from bef")
