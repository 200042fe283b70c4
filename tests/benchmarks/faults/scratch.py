"""The disk on which the workers keep their temporary files: a small one, so that it can be full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

SIZE = "48m"
BLOCK = b"\0" * 1024**2


class Scratch:
    """A file system in memory. Mounting it wants root; without, a folder that is never full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True)
        self.can_be_full = os.geteuid() == 0
        if self.can_be_full:
            words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=1777", "tmpfs", str(folder)]
            subprocess.run(words, check=True)

    def fill(self) -> None:
        """Leave not one byte; what others delete meanwhile is taken again by the next call."""
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while ballast.write(BLOCK):
                pass

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it."""
        if self.can_be_full:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
