"""A working file in another kind, made by a process of its own: libvips stays out of the web."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from archive import storage

SECONDS = 120
ROOT = Path(__file__).resolve().parent.parent


def png(sha256: str) -> IO[bytes]:
    """The working file as a PNG of the same depth, opened at its beginning.

    FileNotFoundError when there is no such file; subprocess.SubprocessError when it cannot be done.
    """
    # Unlinked already: it goes when whoever reads it closes it.
    made: IO[bytes] = tempfile.TemporaryFile(prefix="rekindle-")  # noqa: SIM115
    try:
        with storage.local(storage.working_key(sha256)) as path:
            command = [sys.executable, "-P", "-m", "archive.exporter", str(path)]
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=made,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=True,
                env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
            )
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return made
