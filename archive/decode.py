"""Reads an untrusted picture by sending another process into it; see docs/decisions/0003."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

WALL_SECONDS = 180
CPU_SECONDS = 300
THREADS = "2"
GIB = 1024**3
# Codes after which another try may go better: the machine was too busy, not the file too bad.
PASSING = frozenset({"took-too-long", "too-heavy"})
ROOT = Path(__file__).resolve().parent.parent


class Unreadable(Exception):  # noqa: N818 - the word of the vocabulary
    """The file cannot be taken. archive.wording has a sentence for each code."""

    def __init__(
        self, code: str, facts: Mapping[str, Any] | None = None, *, permanent: bool | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.facts = dict(facts or {})
        self.permanent = code not in PASSING if permanent is None else permanent


@dataclass(frozen=True)
class Decoded:
    """What the original is. Width and height are those of the picture when it stands upright."""

    width: int
    height: int
    media_type: str
    bits: int
    bands: int
    interpretation: str
    icc: str
    orientation: int
    dpi: float | None
    pages: int = 1


def read(path: Path, *, into: Path) -> Decoded:
    """Decode `path` wholly into an upright sRGB TIFF at `into`, of 16 bits when the source has 16.

    Unreadable when the file is not one of the four kinds, not whole, or more than it should be.
    """
    try:
        answer = _ask(path, into)
        if "decoded" not in answer:
            raise Unreadable(answer["code"], answer["facts"])
    except Unreadable:
        into.unlink(missing_ok=True)
        raise
    return Decoded(**answer["decoded"])


def _ask(path: Path, into: Path) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "archive.decoder"]
    command += [str(path), str(into), json.dumps(_limits())]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a bad file can make a library talk without end
            timeout=WALL_SECONDS,
            env=_environment(into.parent),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("took-too-long", {"seconds": WALL_SECONDS}) from None
    if done.returncode != 0:
        raise _died(done.returncode)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _limits() -> dict[str, int]:
    """Room for the largest picture allowed: sixteen bytes a pixel and a gibibyte for libraries."""
    memory = GIB + 16 * settings.MAX_PIXELS
    return {
        "pixels": settings.MAX_PIXELS,
        "memory": memory,
        "disk": memory,
        "seconds": CPU_SECONDS,
    }


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours goes along: no address of a database, no key, no home."""
    kept = {name: os.environ[name] for name in ("PATH", "VIPS_CONCURRENCY") if name in os.environ}
    # Each thread claims address space, which is what is bounded: a machine of many cores must not
    # need more of it for the same file than a small one.
    kept.setdefault("VIPS_CONCURRENCY", THREADS)
    return kept | {
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder),
        "VIPS_WARNING": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
    }


def _died(code: int) -> Unreadable:
    """How the process ended when it could not answer."""
    number = -code if code < 0 else 0
    if number == signal.SIGXCPU:
        return Unreadable("took-too-long", {"seconds": CPU_SECONDS})
    # glib aborts when it is refused memory.
    if number in (signal.SIGKILL, signal.SIGXFSZ, signal.SIGABRT):
        return Unreadable("too-heavy", {"signal": number})
    # It fell over inside a library: the file did that, and would do it again.
    return Unreadable("damaged", {"signal": number, "exit": max(code, 0)})
