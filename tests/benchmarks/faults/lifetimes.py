"""Where the parts of the site are and how patient it is; read before the settings are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Short, so that a round is; PATIENCE makes them longer on a machine that others keep busy.
PATIENCE = float(os.environ.get("FAULTS_PATIENCE", "1"))
LEASE_SECONDS, READING_LEASE_SECONDS = round(6 * PATIENCE), round(15 * PATIENCE)
PORTS = 5  # the rows, the bells, the way to S3, and two that RabbitMQ wants for itself


def addressed(folder: Path, bells: str, port: int, bucket: Mapping[str, str]) -> dict[str, str]:
    """The environment of every program: rows at `port`, `bells` after it, then the way to S3."""
    owner = "postgres" if os.geteuid() == 0 else os.environ.get("USER", "postgres")
    # As config.env says it, in proportion to a lease that is short.
    silent = f"options=-c%20idle_in_transaction_session_timeout%3D{LEASE_SECONDS}s"
    return dict(bucket) | {
        "REKINDLE_S3_ENDPOINT": f"http://127.0.0.1:{port + 2}",
        "REKINDLE_DATABASE_URL": f"postgres://{owner}@127.0.0.1:{port}/postgres?{silent}",
        "REKINDLE_BROKER_URL": bells,
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "REKINDLE_READING_LEASE_SECONDS": str(READING_LEASE_SECONDS),
        "REKINDLE_DRAIN_SECONDS": "1",
        "REKINDLE_FIXITY_DAYS": "0",  # each new sweeper would have all files read again
        "REKINDLE_SECRET_KEY": "only-for-faults",
        "REKINDLE_LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)]),
        "OMP_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
    }
