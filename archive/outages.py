"""Tells a part of the site that is away from a fault in the work: nobody's job pays for the first.

What failed because the storage, the database or the disk was away is given back and tried again
later, without counting against it. Sources: botocore's exceptions, errno(3).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

from archive.places import StorageAway

DISK, STORAGE, DATABASE = "disk-full", "storage-away", "database-away"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What libraries in C say in words: strerror(3) of the three above.
FULL_WORDS = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.I)
AWAY = frozenset({errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN})


def named(error: BaseException) -> str:
    """Which part is away, if the error or one that caused it says so; else nothing."""
    return next(filter(None, map(_named, _chain(error))), "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _named(error: BaseException) -> str:
    if isinstance(error, OperationalError | InterfaceError):
        return DATABASE
    if isinstance(error, FileNotFoundError):
        return ""
    if type(error).__module__.startswith(("botocore.", "s3transfer.", "urllib3.")):
        return "" if _is_an_answer(error) else STORAGE
    if FULL_WORDS.search(str(error)) or getattr(error, "errno", None) in FULL:
        return DISK
    gone = isinstance(error, StorageAway | ConnectionError | TimeoutError)
    return STORAGE if gone or getattr(error, "errno", None) in AWAY else ""


def _is_an_answer(error: BaseException) -> bool:
    """Whether the service did answer, and said that there is no such thing."""
    response = getattr(error, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404)
