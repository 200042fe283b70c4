"""What every test stands on: quick passwords, bytes in memory, and a word on what was left out."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import translation

from archive import tiles
from restoration import dispatch
from restoration.queries import waiting
from restoration.reactions import REACTIONS
from restoration.standings import Change
from tests.services.need import summary

pytest_plugins = ["tests.services.fixtures"]

LONG = 900  # seconds that a slow test may take on a slow machine


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests have more time before they are taken for hanging."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG))


@pytest.fixture(autouse=True)
def _quick_and_in_memory(settings: Any) -> None:
    """No slow hashes, no files left on the disk, no manifest to collect first."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Tests make rows and take them back; what a page showed in between must not be shown again.
    settings.PAGES_KEPT_SECONDS = 0
    cache.clear()  # nor do the tries of the test before count as this one's
    tiles.directory.cache_clear()  # of the bytes of the test before
    waiting._drawn.clear()  # nor the line of the test before
    dispatch._announced.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True)
def _counts_at_once(request: pytest.FixtureRequest) -> None:
    """PostgreSQL writes standings when a transaction ends, and that of a test never does."""
    if "db" in request.fixturenames and connection.vendor == "postgresql":
        request.getfixturevalue("db")
        late = ", ".join(each.title() for each in REACTIONS if each.late)
        with connection.cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS {late} IMMEDIATE")


@pytest.fixture(scope="module")
def emptied(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For a test that commits: the emptying of the tables sets off what counts their rows."""
    yield
    with django_db_blocker.unblock():
        Change.objects.all().delete()


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Give back the language that a test changed."""
    with translation.override("en"):
        yield


def pytest_collection_finish() -> None:
    """What was imported to find the tests stays to the end: the collector need not look again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line what was left out for want of a service."""
    for line in summary(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line, yellow=True)
