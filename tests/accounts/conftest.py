"""The people of the tests, and a steward at the keyboard."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.people import Cast, cast, signed_in


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def sten(people: Cast) -> Client:
    return signed_in(people.sten)
