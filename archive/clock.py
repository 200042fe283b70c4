"""The one clock of a site: the database's, so that a machine whose own is wrong harms nobody.

Leases compare times that different machines wrote; a worker an hour behind would lose every job
to the sweeper, one an hour ahead would keep a dead job for an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

# No lease begins so far ahead: one that does was written before this clock was put back, and what
# it holds would else wait for as long as the clock was wrong.
AHEAD = timedelta(minutes=10)


def now() -> datetime:
    """The time by the database's clock; SQLite is on this machine, and so is its clock.

    An aware datetime in UTC. Raises django.db.OperationalError when the database is away.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told
