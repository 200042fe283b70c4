"""All bytes to another place while the site runs: copied, verified, and then asked for there.

1. A note at the old place says `moving` (archive/forwarding.py): from then on both are written.
2. Every file is copied, read back and compared by sha256; what is done stands in a journal, so that
   a killed move goes on where it was. Passes are made until one finds nothing new.
3. Nothing that a row names may be missing at the new place, and no large upload be on its way: it
   is written to while others copy, so it ends where it began. Then the note says `moved`.
4. One more pass takes what a slow hand put at the old place in the last moment.

Nothing is deleted. The way back is the same way, or before the end: take the note away.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from archive import arriving, forwarding, places, storage
from archive.forwarding import Note
from archive.lifecycle import UploadState
from archive.models import Upload
from archive.places import Item
from config.naming import digest_in
from restoration.holdings import named

# Their bytes are what their name says; the others are made from them and just have to be the same.
BY_CONTENT = ("originals/", "working/", "sheets/", "incoming/", "sources/", "set-aside/")
PROBE = "moving-probe"
HANDS = 4
PASSES = 100

Say = Callable[[str], None]


class MoveRefused(Exception):  # noqa: N818 - says what happened
    """It cannot be done, or not to its end; the text says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What there is to do: how much lies there, and how much of it is still to be copied."""

    files: int
    bytes: int
    to_copy: int
    bytes_to_copy: int
    # Named by a row, and at neither place.
    lacking: list[str]


def _progress(items: Iterable[Item], done: Iterable[Item], began: float) -> str:
    """One line: how much of how much, how fast, and how long it will take."""
    all_, copied = list(items), list(done)
    size, so_far = sum(each.size for each in all_), sum(each.size for each in copied)
    rate = so_far / max(time.monotonic() - began, 0.001)
    left = (size - so_far) / rate if rate else 0
    return (
        f"{len(copied)} of {len(all_)} files, {_mb(so_far)} of {_mb(size)} MB,"
        f" {_mb(rate)} MB/s, {left / 60:.1f} minutes left"
    )


def _ended(items: list[Item], began: float) -> str:
    seconds = max(time.monotonic() - began, 0.001)
    size = sum(each.size for each in items)
    return (
        f"{len(items)} files looked at, {_mb(size)} MB in {seconds:.1f} seconds:"
        f" {_mb(size / seconds)} MB/s"
    )


def _mb(number: float) -> str:
    return f"{number / 1e6:.1f}"


class Journal:
    """The keys that are at the new place and verified, one a line; it outlives a kill."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.lock = path, threading.Lock()
        told = path.read_text(encoding="utf-8") if path.exists() else ""
        # A last line without its end is of a key that was being written when we were killed.
        self.keys = set(told.rpartition("\n")[0].splitlines())

    def add(self, key: str) -> None:
        """Keep that the key is done."""
        with self.lock, self.path.open("a", encoding="utf-8") as out:
            out.write(f"{key}\n")
            self.keys.add(key)

    def forget(self) -> None:
        """The move is over: another one between the same places looks at everything anew."""
        self.path.unlink(missing_ok=True)


def journal(folder: Path, source: Storage, target: Storage) -> Journal:
    """The journal of the move from one place to the other."""
    way = f"{places.address(source)} -> {places.address(target)}"
    return Journal(folder / f"{hashlib.sha256(way.encode()).hexdigest()[:16]}.txt")


# --- before --------------------------------------------------------------------------------------
def ends(to: str) -> tuple[Storage, Storage]:
    """Where the bytes are and where they shall be; MoveRefused when that makes no sense."""
    main, other, both = forwarding.way()
    if not places.address(main):
        raise MoveRefused("The bytes are neither in a folder nor in a bucket.")
    target = places.at(to)
    if places.address(target) == places.address(main):
        raise MoveRefused(f"The bytes are at {to} already.")
    if both and other is not None and places.address(other) != places.address(target):
        raise MoveRefused(
            f"The bytes are moving to {places.address(other)}. End that with --to that place, or"
            " call it off with --back."
        )
    return main, target


def plan(to: str) -> Plan:
    """What a move would do; nothing is changed but a probe that comes and goes."""
    source, target = ends(to)
    _probe(target)
    there = {each.key: each.size for each in places.listing(target)}
    here = list(_to_move(source))
    copy = [each for each in here if there.get(each.key) != each.size]
    known = {each.key for each in here} | set(there)
    return Plan(
        files=len(here),
        bytes=sum(each.size for each in here),
        to_copy=len(copy),
        bytes_to_copy=sum(each.size for each in copy),
        lacking=sorted(_wanted() - known),
    )


def _probe(target: Storage) -> None:
    """Whether one may write, read and delete there, before anything depends on it."""
    places.put(target, PROBE, ContentFile(b"probe"))
    with places.get(target, PROBE) as stream:
        came = stream.read()
    places.remove(target, PROBE)
    if came != b"probe":
        raise MoveRefused("The new place gives back other bytes than were put there.")


def _to_move(source: Storage) -> Iterator[Item]:
    for each in places.listing(source):
        is_half = each.key.rpartition("/")[2].startswith(places.PART)
        stays = is_half or each.key.startswith(arriving.FOLDER)
        if each.key not in (forwarding.NOTE, PROBE) and not stays:
            yield each


def _wanted() -> set[str]:
    """What a row names and what moves."""
    return {key for key in named() if not key.startswith(arriving.FOLDER)}


# --- there ---------------------------------------------------------------------------------------
def move(to: str, *, folder: Path, despite_bad: bool = False, say: Say) -> None:
    """Copy, verify and switch; the journal goes into the folder. MoveRefused, StorageAway."""
    source, target = ends(to)
    _probe(target)
    done = journal(folder, source, target)
    forwarding.leave(source, Note(places.address(target), moved=False))
    _until_all_know()
    bad = _copy_all(source, target, done, say)
    _check_uploads()
    _check(source, target, bad, despite_bad)
    # Whoever comes to the new place must not be led back from there.
    forwarding.take_away(target)
    _until_all_know()
    forwarding.leave(source, Note(places.address(target), moved=True))
    _until_all_know()
    _copy_all(source, target, done, say)
    done.forget()
    say(f"The bytes are at {places.address(target)} now.")


def _until_all_know() -> None:
    time.sleep(forwarding.EVERY * 1.2)


def _copy_all(source: Storage, target: Storage, done: Journal, say: Say) -> list[str]:
    """Pass by pass until nothing new came in between; gives what is not what its name says."""
    bad: set[str] = set()
    for _pass in range(PASSES):
        new = [each for each in _to_move(source) if each.key not in done.keys | bad]
        if not new:
            break
        bad |= set(_copy_some(source, target, new, done, say))
    return sorted(bad)


def _copy_some(
    source: Storage, target: Storage, items: list[Item], done: Journal, say: Say
) -> list[str]:
    """One pass over these files, a few at once; the first that fails ends it."""
    began = time.monotonic()
    with ThreadPoolExecutor(HANDS) as hands:
        running = {hands.submit(_copy, source, target, each.key, done): each for each in items}
        try:
            while True:
                ended, others = wait(running, timeout=2, return_when=FIRST_EXCEPTION)
                right = {running[each].key: each.result() for each in ended}
                if not others:
                    say(_ended(items, began))
                    return [key for key, is_right in right.items() if not is_right]
                say(_progress(items, (running[each] for each in ended), began))
        finally:
            hands.shutdown(cancel_futures=True)


def _copy(source: Storage, target: Storage, key: str, done: Journal) -> bool:
    """Copy one file; whether its bytes were what its name says."""
    try:
        is_right = _carry_over(source, target, key)
    except FileNotFoundError:  # it was remade, or is not wanted any more
        return True
    if is_right:
        done.add(key)
    return is_right


def _carry_over(source: Storage, target: Storage, key: str) -> bool:
    """Whether the bytes were right; wrong ones stay where they are."""
    with places.get(source, key) as stream:
        sha256, size = storage.measure(stream)
        if key.startswith(BY_CONTENT) and sha256 != digest_in(key):
            return False
        there = places.look(target, key)
        if there is None or there.size != size or _digest(target, key) != sha256:
            stream.seek(0)
            places.put(target, key, File(stream))
            if _digest(target, key) != sha256:
                raise MoveRefused(f"The new place gives back other bytes than were put: {key}.")
    return True


def _digest(place: Storage, key: str) -> str:
    with places.get(place, key) as stream:
        return storage.measure(stream)[0]


def _check_uploads() -> None:
    """Nobody begins one while bytes move; those that were begun before have to end first."""
    ways = (UploadState.ARRIVING, UploadState.WHOLE)
    if count := Upload.objects.filter(state__in=ways).count():
        raise MoveRefused(
            f"Large uploads are still on their way: {count}. Nothing was switched. Nobody can begin"
            " another one meanwhile; call this again when they are in. Those that nobody goes on"
            f" with end after {settings.UPLOAD_HOURS} hours by themselves."
        )


def _check(source: Storage, target: Storage, bad: list[str], despite_bad: bool) -> None:
    """Every file that a row names is there; rows are read first, what they name came before."""
    wanted = _wanted()
    there = {each.key for each in places.listing(target)}
    lacking = sorted({*bad, *(key for key in wanted - there if not _got(source, target, key))})
    if lacking and not despite_bad:
        shown = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if lacking[5:] else "")
        raise MoveRefused(
            f"Missing or altered where they were: {shown}. Nothing was switched. Bring them back"
            " with `manage.py fixity --restore` and call this again, or say --despite-bad: they"
            " stay at the old place."
        )


def _got(source: Storage, target: Storage, key: str) -> bool:
    """Whether a file that came since the last pass could be taken over; it may be read by now."""
    try:
        return _carry_over(source, target, key)
    except FileNotFoundError:
        return places.look(target, storage.original_key(digest_in(key))) is not None


# --- back ----------------------------------------------------------------------------------------
def call_off(folder: Path) -> str:
    """Before the end: the bytes stay where they were. Gives that place."""
    main, other, both = forwarding.way()
    if not both or other is None:
        raise MoveRefused("No bytes are moving. Undo a move that is done with --to the old place.")
    forwarding.take_away(main)
    journal(folder, main, other).forget()
    return places.address(main)
