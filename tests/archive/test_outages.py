"""What is the fault of a part that is away, and what of the work itself."""

from __future__ import annotations

import errno

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from django.db import IntegrityError, OperationalError
from django.db.utils import InterfaceError

from archive import outages
from archive.places import StorageAway


def said(status: int) -> ClientError:
    return ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
        (OSError(errno.EFBIG, "File too large"), "disk-full"),
        (RuntimeError("write error: No space left on device"), "disk-full"),
        (EndpointConnectionError(endpoint_url="http://x"), "storage-away"),
        (ReadTimeoutError(endpoint_url="http://x"), "storage-away"),
        (said(503), "storage-away"),
        (said(403), "storage-away"),
        (ConnectionResetError(), "storage-away"),
        (StorageAway("connection refused"), "storage-away"),
        (StorageAway(errno.ENOSPC, "No space left on device"), "disk-full"),
        (OperationalError("terminating connection"), "database-away"),
        (InterfaceError("connection already closed"), "database-away"),
        (said(404), ""),
        (FileNotFoundError(errno.ENOENT, "x"), ""),
        (IntegrityError("duplicate key"), ""),
        (ValueError("shapes do not match"), ""),
    ],
)
def test_an_error_names_the_part_that_is_away(error: Exception, code: str) -> None:
    assert outages.named(error) == code


def test_the_cause_counts_too() -> None:
    error = RuntimeError("could not keep it")
    error.__cause__ = said(500)
    assert outages.named(error) == "storage-away"
