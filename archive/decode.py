"""Reads an untrusted picture by sending another process into it; see docs/decisions/0003."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings

from archive import cell, decoder, outages

# The process ends itself before this; it is for one that cannot any more.
WALL_SECONDS = 240
THREADS = "2"
# An answer is a few hundred bytes; what a process says beyond this is not listened to.
ANSWER_BYTES = 64 * 1024
# With less than this free, a process that says the disk is full may be right.
ROOM_BYTES = 1024**3
# Codes after which another try may go better: the machine was too busy, not the file too bad.
PASSING = frozenset({"took-too-long", "too-heavy"})
ROOT = Path(__file__).resolve().parent.parent
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

logger = logging.getLogger(__name__)


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


class Told(NamedTuple):
    """How the other process ended and what it cost: its words, exit code, and work in seconds."""

    said: bytes
    code: int
    cpu: float

    @property
    def peak(self) -> int:
        """The most memory it says it had in use, in bytes; 0 when it could not say."""
        try:
            return int(json.loads(self.said)["peak"])
        except (ValueError, KeyError, TypeError):
            return 0


def read(path: Path, *, into: Path, page: int = 1) -> Decoded:
    """Decode a page of `path` wholly into an upright sRGB TIFF at `into`, as deep as the source.

    `into` lies in a folder of its own, the only place where the other process may write.
    Unreadable when the file is not one of the five kinds, not whole, or more than it should be.
    """
    try:
        return judge(ask(path, into, page), into)
    except Unreadable:
        into.unlink(missing_ok=True)
        raise


def ask(path: Path, into: Path, page: int = 1) -> Told:
    """Send a process into the file and wait for its end; whatever it started ends with it."""
    _say_what_is_missing()
    command = [sys.executable, "-P", "-m", "archive.decoder"]
    command += [str(path), str(into), str(settings.MAX_PIXELS), str(page)]
    with _room_for_an_answer() as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,  # a bad file can make a library talk without end
            env=_environment(into.parent),
            cwd=into.parent,
            start_new_session=True,
        )
        _wait(process)
        _pid, ended, cost = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
        out.seek(0)
        said = out.read(ANSWER_BYTES)
    return Told(said, process.returncode, cost.ru_utime + cost.ru_stime)


def _room_for_an_answer() -> IO[bytes]:
    """A file in memory where there are such: on a full disk nobody could say that it is full."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("answer"), "w+b")
    return tempfile.TemporaryFile()


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait without reaping, so that the number of its group stays its own until all are ended."""
    timer = threading.Timer(WALL_SECONDS, _end, [process.pid, signal.SIGALRM])
    timer.start()
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    finally:
        timer.cancel()
        timer.join()
        _end(process.pid, signal.SIGKILL)


def _end(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def judge(told: Told, into: Path) -> Decoded:
    """What the other process found out, or Unreadable; it is believed only what can be so."""
    if told.code != 0:
        raise _died(told.code)
    try:
        answer = json.loads(told.said)
        if "decoded" not in answer:
            _check_for_room(str(answer["code"]), into.parent)
            raise Unreadable(str(answer["code"]), dict(answer["facts"]))
        found = Decoded(**answer["decoded"])
    except (ValueError, KeyError, TypeError):
        raise Unreadable("damaged", {"detail": "no answer"}) from None
    if not _can_be(found, into):
        raise Unreadable("damaged", {"detail": "no picture"})
    return found


def _check_for_room(code: str, folder: Path) -> None:
    """A disk that is full is no fault of the file; believed only where it is so."""
    if code == outages.DISK and shutil.disk_usage(folder).free < ROOM_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _can_be(found: Decoded, into: Path) -> bool:
    """Whether the answer is of the kind that an honest decoder gives."""
    kinds: dict[Any, Any] = {"str": str, "int": int, "float | None": float | int | None}
    right = all(isinstance(getattr(found, each.name), kinds[each.type]) for each in fields(found))
    if not right or found.media_type not in decoder.KINDS or not into.is_file():
        return False
    sides = min(found.width, found.height), max(found.width, found.height)
    with into.open("rb") as stream:
        is_tiff = stream.read(4) in TIFF_HEADS
    return is_tiff and sides[0] >= decoder.SMALLEST_SIDE and sides[1] <= decoder.LARGEST_SIDE


@cache
def _say_what_is_missing() -> None:
    """Once for each process of ours, where the kernel lacks a lock of the cell."""
    if lacking := cell.missing():
        logger.warning("untrusted files are read without %s", " and ".join(lacking))


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
        "OPENBLAS_NUM_THREADS": "1",
        "VIPS_WARNING": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
    }


def _died(code: int) -> Unreadable:
    """How the process ended when it could not answer."""
    number = -code if code < 0 else 0
    if number == signal.SIGALRM:
        return Unreadable("took-too-long", {"signal": number})
    # Work is counted, not time: a busy machine does not make a file dear.
    if number == signal.SIGXCPU:
        return Unreadable("too-costly", {"signal": number})
    # glib aborts when it is refused memory.
    if number in (signal.SIGKILL, signal.SIGXFSZ, signal.SIGABRT):
        return Unreadable("too-heavy", {"signal": number})
    # It fell over inside a library: the file did that, and would do it again.
    return Unreadable("damaged", {"signal": number, "exit": max(code, 0)})
