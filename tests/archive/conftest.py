"""A box of scans and the curator who looks after it."""

from __future__ import annotations

import pytest
from django.test import Client

from archive.models import Collection
from tests import factories
from tests.people import Cast, appoint, cast


@pytest.fixture
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is called: the test is the worker."""
    for bell in ("_send", "_send_batch", "_send_upload"):
        monkeypatch.setattr(f"archive.tasks.{bell}", lambda _row: None)


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


@pytest.fixture
def box(people: Cast) -> Collection:
    """Cora's; Clive looks after another."""
    made = factories.collection()
    appoint(people.cora, made)
    appoint(people.clive, factories.collection())
    return made


@pytest.fixture
def cora(client: Client, people: Cast, box: Collection) -> Client:
    client.force_login(people.cora)
    return client
