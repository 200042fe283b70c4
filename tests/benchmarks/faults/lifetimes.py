"""Where the parts of the site are and how patient it is; read before the settings are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.services import addresses

ROOT = Path(__file__).resolve().parents[3]
# Short, so that a round is; PATIENCE makes them longer on a machine that others keep busy.
PATIENCE = float(os.environ.get("FAULTS_PATIENCE", "1"))
LEASE_SECONDS, READING_LEASE_SECONDS = round(6 * PATIENCE), round(15 * PATIENCE)


def addressed(folder: Path, broker: str, port: int, bucket: Mapping[str, str]) -> dict[str, str]:
    """The environment of every program: rows at `port`, bells after it, then the way to S3."""
    bells = {
        "redis": f"redis://127.0.0.1:{port + 1}/0",
        "rabbitmq": f"{addresses.rabbitmq()}/rekindle-faults-{port + 1}",
    }
    owner = "postgres" if os.geteuid() == 0 else os.environ.get("USER", "postgres")
    return dict(bucket) | {
        "REKINDLE_S3_ENDPOINT": f"http://127.0.0.1:{port + 2}",
        "REKINDLE_DATABASE_URL": f"postgres://{owner}@127.0.0.1:{port}/postgres",
        "REKINDLE_BROKER_URL": bells[broker],
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "REKINDLE_READING_LEASE_SECONDS": str(READING_LEASE_SECONDS),
        "REKINDLE_DRAIN_SECONDS": "1",
        "REKINDLE_SECRET_KEY": "only-for-faults",
        "REKINDLE_LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)]),
        "OMP_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
    }
