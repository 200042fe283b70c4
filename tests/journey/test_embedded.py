"""The journey on SQLite, a folder as broker, a folder of bytes."""

import pytest

from tests.journey.chapters import Journey


@pytest.mark.parametrize("live_site", ["embedded"], indirect=True)
class TestOnTheEmbeddedDefault(Journey):
    """Every chapter of it."""
