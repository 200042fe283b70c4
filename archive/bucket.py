"""The S3 service as a place for bytes, with a patience that a request and a worker can afford."""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

# Seconds. A service that is there answers within the first; what it sends keeps coming.
CONNECT, READ = 5, 20
TRIES = 3
# Eight threads of a site, each with a few parts of a file at once.
CONNECTIONS = 32


class Bucket(S3Storage):  # type: ignore[misc]
    """django-storages' bucket; it gives up on a service that does not answer within a minute."""

    def __init__(self, **options: Any) -> None:
        patience = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=CONNECTIONS,
            signature_version=options.get("signature_version", "s3v4"),
            s3={"addressing_style": options.get("addressing_style", "path")},
        )
        super().__init__(**{"client_config": patience, **options})
