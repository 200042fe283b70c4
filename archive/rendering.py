"""The worker's part: makes the sizes and tiles of one working file.

Cut off anywhere it is simply done again: files are named by their content and their pipeline, the
row changes last, and what an older pipeline made goes only when the newer one is there.
"""

from __future__ import annotations

import contextlib
import logging

from django.db import InterfaceError, OperationalError, connection

from archive import clock, derivatives, outages, renditions, storage, tiling
from archive.models import Rendition
from archive.sizes import PIPELINE, tiles_name

logger = logging.getLogger(__name__)


def render(*, sha256: str) -> None:
    """Make what is missing or old of one working file; nothing when another worker is at it."""
    taken = renditions.take(sha256=sha256, now=clock.now())
    if taken is None:
        return
    try:
        size = _render(taken)
    except Exception as error:
        if away := outages.named(error):
            # It does not count as a try; the lease ends by its time, should rows be away too.
            logger.warning("the tiles of %s are put off: %s", sha256, away, exc_info=True)
            with contextlib.suppress(OperationalError, InterfaceError):
                connection.close_if_unusable_or_obsolete()
                renditions.put_off(rendition=taken, now=clock.now())
            return
        logger.exception("the tiles of %s could not be made", sha256)
        renditions.failed(rendition=taken)
        return
    if renditions.made(rendition=taken, tiles_bytes=size, now=clock.now()):
        _forget(taken)


def _render(taken: Rendition) -> int:
    with storage.local(storage.working_key(taken.sha256)) as path:
        if 0 < taken.sizes < PIPELINE:
            derivatives.make(path, taken.sha256, again=True)
        else:
            derivatives.ensure(taken.sha256)
        return tiling.make(path, taken.sha256)


def _forget(taken: Rendition) -> None:
    """The older archive is of no use any more."""
    if 0 < taken.tiles < PIPELINE:
        storage.delete(storage.derivative_key(taken.sha256, tiles_name(taken.tiles)))
