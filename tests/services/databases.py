"""Databases that live as long as a test, and how to put the test's own rows into one."""

import contextlib
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.db import connections
from psycopg2 import sql

from config.env import database
from tests.services import addresses
from tests.services.need import ROOT


def migrate(url: str) -> None:
    """Make the tables of the product in the database at `url`."""
    manage("migrate", "--no-input", "--verbosity", "0", REKINDLE_DATABASE_URL=url)


def manage(*words: str, **variables: str) -> str:
    """Run a management command in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def postgres_database(template: str = "") -> Iterator[str]:
    """Make a PostgreSQL database, a copy of the one at the address `template` if given; drop it."""
    url = create_postgres(template)
    try:
        yield url
    finally:
        drop_postgres(url)


def create_postgres(template: str = "") -> str:
    """Make a database, a copy of the template if given; return its address."""
    name = f"rekindle_test_{uuid.uuid4().hex[:12]}"
    words = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        words += sql.SQL(" TEMPLATE {}").format(sql.Identifier(_name(template)))
    _ask_postgres(words)
    return urlunsplit(urlsplit(addresses.postgres())._replace(path=f"/{name}"))


def drop_postgres(url: str) -> None:
    """Drop it, whoever is connected."""
    _ask_postgres(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_name(url))))


def _name(url: str) -> str:
    return urlsplit(url).path[1:]


def sqlite_database(folder: Path, template: str) -> str:
    """Copy the SQLite database at `template` into the folder; return its address."""
    file = folder / f"{uuid.uuid4().hex[:12]}.sqlite3"
    shutil.copyfile(urlsplit(template).path[1:], file)
    return f"sqlite:///{file}"


@contextlib.contextmanager
def rows_in(url: str) -> Iterator[None]:
    """Let this process, with all its threads, work on the database at `url` for a while."""
    before = connections.settings["default"]
    kept = connections["default"]  # in memory it would vanish when closed
    connections.settings["default"] = connections.configure_settings(
        {"default": database("url", url) | {"CONN_MAX_AGE": 0}}
    )["default"]
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = before
        connections["default"] = kept


def _ask_postgres(question: sql.Composable) -> None:
    link = psycopg2.connect(addresses.postgres())
    try:
        link.autocommit = True  # databases are made outside of transactions
        with link.cursor() as cursor:
            cursor.execute(question)
    finally:
        link.close()
