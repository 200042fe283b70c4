"""Uploads that were on their way when their process died: nobody goes on with them.

Django writes a large upload into a file of its own and takes it away at the request's end, which a
process that is killed does not see. So each site process clears them away when it starts, for it
may be the only one that sees this folder, and the sweeper does so every hour where it sees it too.
"""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

NAMES = "tmp*.upload*"  # what TemporaryUploadedFile calls them
# One that is on its way is written to all the time.
OLD, EVERY = 24 * 3600, 3600  # seconds


def clear(*, now: float) -> int:
    """Delete those to which nothing was written for a day; how many they were."""
    return sum(_gone(path, now) for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(NAMES))


def _gone(path: Path, now: float) -> bool:
    with contextlib.suppress(OSError):  # another was quicker, or it belongs to somebody else
        if path.is_file() and path.lstat().st_mtime < now - OLD:
            path.unlink()
            return True
    return False


def clear_hourly(*, now: datetime) -> int:
    """For the sweeper, whose clock is the database's; the files are dated by this machine's."""
    if not cache.add("halves-cleared", now.isoformat(), EVERY):
        return 0
    return clear(now=time.time())
