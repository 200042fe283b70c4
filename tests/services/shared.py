"""What is dear to make and the same for every worker of a run: made by the first who asks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock


class Shared:
    """A folder that all workers of one run see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """The file or folder of that name; it goes with the run's own folder."""
        path, done = self.folder / name, self.folder / f"{name}.done"
        with self._lock(name):
            if not done.exists():
                make(path)
                done.touch()
        return path

    @contextlib.contextmanager
    def lent(
        self, name: str, make: Callable[[], str], end: Callable[[str], object]
    ) -> Iterator[str]:
        """What outlives no run by itself: whoever leaves last ends it."""
        file = self.folder / f"{name}.json"
        with self._lock(name):
            users, value = json.loads(file.read_text()) if file.exists() else (0, make())
            file.write_text(json.dumps([users + 1, value]))
        try:
            yield value
        finally:
            with self._lock(name):
                users, value = json.loads(file.read_text())
                file.write_text(json.dumps([users - 1, value]))
                if users == 1:
                    file.unlink()
                    end(value)

    def _lock(self, name: str) -> FileLock:
        return FileLock(self.folder / f"{name}.lock")
