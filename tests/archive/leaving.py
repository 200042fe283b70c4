"""For tests that want an ingest's report: it ends with 1 for what is left behind, as it should."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.core.management.base import CommandError

from archive.lifecycle import BatchState
from archive.models import Batch


@contextlib.contextmanager
def left_behind() -> Iterator[None]:
    """Let an ingest end with 1 when it came to its end; whatever stopped it before goes on up."""
    try:
        yield
    except CommandError as error:
        last = Batch.objects.order_by("pk").last()
        at_its_end = last is not None and last.state in (BatchState.DONE, BatchState.LOOKED)
        if not at_its_end or "--report FILE" not in str(error):
            raise
