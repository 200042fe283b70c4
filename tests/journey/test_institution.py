"""The journey on PostgreSQL and RabbitMQ."""

import pytest

from tests.journey.chapters import Journey


@pytest.mark.slow
@pytest.mark.parametrize("live_site", ["institution"], indirect=True)
class TestAtAnInstitution(Journey):
    """Every chapter of it."""
