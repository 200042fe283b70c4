"""How much memory of its own a process held at most, for a process that measures itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.02  # seconds


@dataclass
class Held:
    """What was seen so far."""

    most: int = 0  # KiB

    def look(self) -> None:
        """Look again."""
        told = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
        assert told is not None
        self.most = max(self.most, int(told[1]))


@contextmanager
def own_memory() -> Iterator[Held]:
    """Watch until the end of the block.

    Of its own: the pages of mapped files, gigabytes, are the system's, which keeps as many as it
    has room for.
    """
    held, over = Held(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            held.look()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield held
    finally:
        over.set()
        watching.join()
        held.look()
