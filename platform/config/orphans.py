"""Stored files that no row names: found and listed, and cleared away only when somebody asks.

1. The storage is listed first and the rows are read after it: what a row names was stored before.
2. What is younger than a day is never touched: its row may be on the way. Whoever stores a file
   that lies there already makes it count as new (storage.put_file).
3. Clearing away takes two runs, a day apart. The first sets a file aside, looks at the rows once
   more and puts back what has been named meanwhile; only what lay aside for a day and is still
   named by nobody is deleted for good.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.files.storage import Storage

from archive import arriving, forwarding, places
from config import naming

ASIDE = "orphans/"
# Wrong bytes that were taken from under a right name; people look into them and delete by hand.
KEPT_ASIDE = "set-aside/"
YOUNGEST = timedelta(days=1)
GRACE = 5.0  # seconds


class Moving(Exception):  # noqa: N818 - says what is so
    """The bytes are in two places now; whoever clears away would have to ask both."""


@dataclass(frozen=True)
class Found:
    """What no row names, oldest first."""

    orphans: list[places.Item] = field(default_factory=list)
    # Set aside by an earlier run, for so long that they may go.
    aside: list[places.Item] = field(default_factory=list)
    # Files that were being written when their writer was killed.
    halves: list[places.Item] = field(default_factory=list)
    uploads: list[places.Unfinished] = field(default_factory=list)
    # Files with names that the site does not give; they are only told of.
    strangers: list[places.Item] = field(default_factory=list)


@dataclass(frozen=True)
class Cleared:
    """What was done: files set aside, put back, and deleted for good."""

    aside: int = 0
    back: int = 0
    gone: int = 0
    bytes: int = 0


def find(*, now: datetime, older: timedelta) -> Found:
    """All that is older and that no row names; ValueError when asked for younger than a day."""
    if older < YOUNGEST:
        raise ValueError("A file may be a day old before its row is there.")
    place, found = _place(), Found(uploads=[])
    listed = [each for each in places.listing(place) if not _is_looked_after(each.key)]
    begun = [each for each in places.unfinished(place) if not _is_looked_after(each.key)]
    uploads = [each for each in begun if each.began < now - older]
    wanted = naming.named()
    for each in sorted(listed, key=lambda item: (item.changed, item.key)):
        _sort(each, wanted, found, now, older)
    found.uploads.extend(uploads)
    return found


def _is_looked_after(key: str) -> bool:
    """The note of a move, and large uploads on their way, which the sweeper ends."""
    return key == forwarding.NOTE or key.startswith(arriving.FOLDER)


def _place() -> Storage:
    way = forwarding.way()
    if way.other is not None:
        raise Moving
    return way.main


def _sort(
    each: places.Item, wanted: set[bytes], found: Found, now: datetime, older: timedelta
) -> None:
    digest = naming.digest_in(each.key)
    is_old = each.changed < now - older
    if each.key.startswith(ASIDE):
        if each.changed < now - YOUNGEST or bytes.fromhex(digest) in wanted:
            found.aside.append(each)
    elif each.key.rpartition("/")[2].startswith(places.PART):
        found.halves.extend([each] if is_old else [])
    elif not digest:
        found.strangers.append(each)
    elif is_old and bytes.fromhex(digest) not in wanted and not each.key.startswith(KEPT_ASIDE):
        found.orphans.append(each)


def clear(found: Found) -> Iterator[Cleared]:
    """Delete what lay aside for a day, set the orphans aside; gives how far it is after each."""
    place, wanted = _place(), naming.named()
    done = Cleared()
    for each in found.aside:
        done = _settle(place, each, wanted, done)
        yield done
    for half in found.halves:
        places.remove(place, half.key)
        done = Cleared(done.aside, done.back, done.gone + 1, done.bytes + half.size)
        yield done
    for upload in found.uploads:
        places.give_up(place, upload)
    for each in found.orphans:
        is_aside = False
        with contextlib.suppress(FileNotFoundError):  # somebody else clears away too
            is_aside = _set_aside(place, each)
        if is_aside:
            done = Cleared(done.aside + 1, done.back, done.gone, done.bytes)
        yield done
    if done.aside and places.is_bucket(place):
        time.sleep(GRACE)  # a bucket does not rename: a hand may have come in between
    yield _put_back_what_is_named(place, found.orphans, done)


def _settle(place: Storage, each: places.Item, wanted: set[bytes], done: Cleared) -> Cleared:
    """End what an earlier run began: back if a row names it by now, else gone."""
    if bytes.fromhex(naming.digest_in(each.key)) in wanted:
        _put_back(place, each.key)
        return Cleared(done.aside, done.back + 1, done.gone, done.bytes)
    places.remove(place, each.key)
    return Cleared(done.aside, done.back, done.gone + 1, done.bytes + each.size)


def _set_aside(place: Storage, each: places.Item) -> bool:
    """Take it from its name, unless somebody stored it again since it was listed."""
    aside = ASIDE + each.key
    if _changed(place, each.key) != each.changed:
        return False
    if places.path(place, each.key) is None:
        return _copy_aside(place, each, aside)
    places.carry(place, each.key, aside)
    # A rename keeps the date: one that changed in the last moment tells of another hand.
    if _changed(place, aside) != each.changed:
        _put_back(place, aside)
        return False
    return places.touch(place, aside)


def _copy_aside(place: Storage, each: places.Item, aside: str) -> bool:
    places.copy(place, each.key, aside)
    if _changed(place, each.key) != each.changed:
        places.remove(place, aside)
        return False
    places.remove(place, each.key)
    return True


def _changed(place: Storage, key: str) -> datetime | None:
    seen = places.look(place, key)
    return seen.changed if seen else None


def _put_back(place: Storage, aside: str) -> None:
    key = aside.removeprefix(ASIDE)
    with contextlib.suppress(FileNotFoundError):  # somebody else did
        _back_to(place, aside, key)


def _back_to(place: Storage, aside: str, key: str) -> None:
    if places.look(place, key) is None:
        places.carry(place, aside, key)
    else:
        places.remove(place, aside)


def _put_back_what_is_named(place: Storage, orphans: list[places.Item], done: Cleared) -> Cleared:
    """Rows that came while files were set aside have the last word."""
    wanted = naming.named()
    named = [each for each in orphans if bytes.fromhex(naming.digest_in(each.key)) in wanted]
    for each in named:
        if places.look(place, ASIDE + each.key) is not None:
            _put_back(place, ASIDE + each.key)
            done = Cleared(done.aside - 1, done.back + 1, done.gone, done.bytes)
    return done
