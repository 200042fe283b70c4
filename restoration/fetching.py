"""Brings a model's folders from a hub, or from a folder, and locks what has arrived.

The only code of the work that opens a connection to the outside, and only when the operator runs
`manage.py fetch_models`. A folder appears in its place complete and locked, or not at all: what is
half there waits in `.fetching` and is gone on with at the next call.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from restoration.engine.errors import StepFailed
from restoration.engine.generative import weights
from restoration.engine.generative.rows import Licence, Model, Source
from restoration.engine.generative.weights import HUB, PINNED, Lock, Told

WAITING = ".fetching"
UNKNOWN = "unknown"
OLD = ".old"  # what a swap took out of its place
INDEX = "model_index.json"
SAFE = ".safetensors"
NEEDED = (SAFE, ".json", ".txt", ".model", ".jinja")
NETWORK = re.compile(r"^[^.]+(?P<variant>\.[a-z0-9_]+)?(-\d+-of-\d+)?\.safetensors$")
SHARDS = re.compile(r"^[^.]+\.safetensors\.index(?P<variant>\.[a-z0-9_]+)?\.json$")
HALF = ".fp16"
NEVER_LOADED = {"safety_checker", "image_encoder"}
SPARE = 1 << 30  # bytes that stay free on the disk
BLOCK = 8 << 20
KEPT = "What has arrived is kept; the same command goes on with it."

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)

Say = Callable[[str], None]


class NotFetched(Exception):  # noqa: N818 - says what happened
    """A sentence for the operator: why, and what to do."""


class NoSuchCommit(NotFetched):
    """The origin has the repository, and not the commit that was asked for."""


@dataclass(frozen=True)
class Wanted:
    """One folder below the models' to be filled, from where, under what licence; whether it is to
    hold what is put onto a pipeline, and none itself."""

    folder: str
    source: Source
    licence: Licence
    is_part: bool = False


@dataclass(frozen=True)
class Listed:
    """A file of a repository. sha256, or the git object's sha1, where the origin names them."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True)
class Listing:
    """What a repository holds at a commit; `trust` is who vouches for it."""

    revision: str
    files: tuple[Listed, ...]
    trust: str


class Listener(Protocol):
    """Hears how much is to come, and of every byte."""

    def expect(self, total: int) -> None: ...

    def told(self, count: int) -> None: ...


class Origin(Protocol):
    """Where files are from."""

    def listing(self, wanted: Wanted, revision: str, on: Listener) -> Listing:
        """List what it has; `on` hears of it where that means to read much."""

    def bring(self, wanted: Wanted, at: str, file: Listed, into: Path, told: Told) -> None:
        """Write the file to `into`, going on where it ends."""


@dataclass(frozen=True)
class Try:
    """One try to fill a folder: with what, from where, and who hears of it."""

    wanted: Wanted
    origin: Origin
    listing: Listing
    waiting: Path
    say: Say
    on: Listener


def wanted_of(model: Model) -> list[Wanted]:
    """The folders a model is made of, the base first."""
    base = Wanted(model.folder, model.source, model.licence)
    parts = [Wanted(part.folder, part.source, part.licence, is_part=True) for part in model.parts]
    return [base, *parts]


def fetch(
    wanted: Wanted, models_dir: Path, origin: Origin, *, update: bool, say: Say, on: Listener
) -> Lock:
    """Have the folder in its place, complete and locked; NotFetched when that cannot be.

    update: take what the origin has now instead of the commit that was locked.
    """
    with _explaining(models_dir), _alone(models_dir):
        _mend(models_dir)
        place = models_dir / wanted.folder
        before = None if update else locked_in(place)
        if before and _whole(place, before, on):
            say(_here(wanted, before))
            return before
        begun = "" if update else _begun(models_dir, wanted)
        kept = wanted.source.revision or (before.revision if before else "")
        listing = _listing(wanted, origin, kept, begun, say, on)
        waiting = models_dir / WAITING / f"{wanted.folder}@{listing.revision or UNKNOWN}"
        _drop_other_tries(waiting, wanted)
        files = _brought(Try(wanted, origin, listing, waiting, say, on))
        _require_the_same(before, listing, waiting)
        _drop_others(waiting, files)
        made = _lock(wanted, listing, waiting)
        _put(waiting, place, say)
        return made


def _listing(
    wanted: Wanted, origin: Origin, kept: str, begun: str, say: Say, on: Listener
) -> Listing:
    """List the commit that is kept to, else the one that was begun, else what is newest.

    A commit that was only begun binds nobody: where it is gone, what is newest is fetched instead.
    """
    try:
        return origin.listing(wanted, kept or begun, on)
    except NoSuchCommit as gone:
        if wanted.source.revision:  # this release's own choice, which no option changes
            raise
        if kept:
            raise NotFetched(f"{gone} --update fetches what is newest there.") from None
        say(f"{gone} What had come of it is thrown away, and what is newest is fetched.")
        return origin.listing(wanted, "", on)


def _brought(this: Try) -> list[Listed]:
    """Have every file that is loaded in the waiting folder, checked."""
    files = _chosen(this)
    _require_room(this.waiting, files)
    this.on.expect(sum(file.size for file in files))
    for file in files:
        _bring(this, file)
    return files


def _here(wanted: Wanted, before: Lock) -> str:
    told = f"{wanted.folder} is here as it was locked, commit {before.revision or 'unknown'}."
    if wanted.source.revision in ("", before.revision):
        return told
    return f"{told} This release was made with {wanted.source.revision}; --update fetches it."


def _begun(models_dir: Path, wanted: Wanted) -> str:
    """The commit of which a part is here already."""
    for folder in sorted((models_dir / WAITING).glob(f"{wanted.folder}@*")):
        return folder.name.partition("@")[2].replace(UNKNOWN, "")
    return ""


def _drop_other_tries(waiting: Path, wanted: Wanted) -> None:
    """Leave nothing of a commit that is not asked for any more."""
    for folder in waiting.parent.glob(f"{wanted.folder}@*"):
        if folder != waiting:
            shutil.rmtree(folder)


def _drop_others(waiting: Path, files: Iterable[Listed]) -> None:
    """Leave nothing that an earlier try chose and this one did not."""
    kept = {waiting / file.path for file in files}
    for path in [path for path in waiting.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()


def locked_in(place: Path) -> Lock | None:
    try:
        return weights.read_lock(place)
    except StepFailed:
        return None


def _whole(place: Path, before: Lock, on: Listener) -> bool:
    on.expect(before.size)
    try:
        weights.verified(place, on.told, afresh=True)
    except StepFailed:
        return False
    return True


@contextmanager
def _explaining(models_dir: Path) -> Iterator[None]:
    """Say in a sentence why the disk did not take it, and what helps."""
    try:
        yield
    except OSError as error:
        raise NotFetched(f"{_trouble(error, models_dir)} {KEPT}") from None


def _trouble(error: OSError, models_dir: Path) -> str:
    if error.errno in FULL:
        return f"There is no room left on the disk of {models_dir}. Make room there."
    if error.errno in CLOSED:
        place = error.filename or models_dir
        return (
            f"{place} cannot be written: {error.strerror}. Run this as somebody who may write to "
            f"{models_dir}, on a machine that has it not only to read."
        )
    return f"Fetching broke off: {first_line(error)}."


@contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """One fetch at a time in a models folder; the system lets go of the lock when we die."""
    (models_dir / WAITING).mkdir(parents=True, exist_ok=True)
    with (models_dir / WAITING / "lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotFetched(
                f"Another fetch is filling {models_dir}; wait until it ends."
            ) from None
        yield


def _chosen(this: Try) -> list[Listed]:
    """The files that are loaded, of all that a repository holds."""
    wanted, files = this.wanted, this.listing.files
    by_path = {file.path: file for file in files}
    if wanted.source.file:
        if wanted.source.file not in by_path:
            raise NotFetched(f"{wanted.source.repository} has no file {wanted.source.file}.")
        return [by_path[wanted.source.file]]
    if INDEX not in by_path:
        return _networks_of(wanted, [file for file in files if "/" not in file.path])
    _bring(this, by_path[INDEX])
    parts = _parts_of((this.waiting / INDEX).read_text(encoding="utf-8"), wanted)
    inside = [file for file in files if file.path.partition("/")[0] in parts]
    return [by_path[INDEX], *_licence_texts(this.listing), *_networks_of(wanted, inside)]


def _parts_of(index: str, wanted: Wanted) -> set[str]:
    try:
        content = json.loads(index)
        named = {name for name, part in content.items() if isinstance(part, list) and part[1]}
    except (ValueError, AttributeError, IndexError, RecursionError):
        raise NotFetched(f"The {INDEX} of {wanted.source.repository} cannot be read.") from None
    return named - NEVER_LOADED


def _licence_texts(listing: Listing) -> list[Listed]:
    return [file for file in listing.files if re.match(r"(?i)licen[cs]e[^/]*$", file.path)]


def _networks_of(wanted: Wanted, files: Iterable[Listed]) -> list[Listed]:
    """Leave out pickles and all but one variant: half precision where all of it is there."""
    files = list(files)
    found = [(file, _variant(file.path)) for file in files if file.path.endswith(NEEDED)]
    half, whole = (
        {str(Path(file.path).parent) for file, variant in found if variant == kind}
        for kind in (HALF, "")
    )
    taken = HALF if half and half >= whole else ""
    chosen = [file for file, variant in found if variant in (None, taken)]
    _require_all_networks(wanted, files, chosen)
    return chosen


def _require_all_networks(wanted: Wanted, files: list[Listed], chosen: list[Listed]) -> None:
    """Refuse a model of which a network would be left out: its loader would miss it much later."""
    missing = _parts_with(files, (SAFE, *weights.PICKLES)) or {""}
    missing -= _parts_with(chosen, (SAFE,))
    if not missing:
        return
    repository = wanted.source.repository
    pickled = missing - _parts_with(files, (SAFE,))
    if pickled:
        where = f" for {', '.join(sorted(pickled))}" if any(pickled) else ""
        raise NotFetched(
            f"{repository} has no safetensors{where}, and nothing else is ever loaded, least of "
            "all a pickle (.bin), which may run what it likes. docs/operate.md, The models, says "
            "how you can turn one into safetensors yourself."
        )
    raise NotFetched(
        f"{repository} has {', '.join(sorted(missing)) or 'its network'} only in a variant that "
        "the rest is not there in, and all have to be of one."
    )


def _parts_with(files: Iterable[Listed], suffixes: tuple[str, ...]) -> set[str]:
    """The folders in which, at any depth, a file of such a name lies; '' for the repository's."""
    found = (file.path for file in files if file.path.lower().endswith(suffixes))
    return {path.rpartition("/")[0].partition("/")[0] for path in found}


def _variant(path: str) -> str | None:
    """Return the variant of a file of weights ('' for the plain one), None for any other file."""
    name = path.rpartition("/")[2]
    match = NETWORK.match(name) or SHARDS.match(name)
    return None if match is None else match["variant"] or ""


def _require_room(waiting: Path, files: Iterable[Listed]) -> None:
    models_dir = waiting.parent.parent
    there = [waiting / file.path for file in files]
    half = [_half(path) for path in there]
    have = sum(path.stat().st_size for path in [*there, *half] if path.is_file())
    missing = sum(file.size for file in files) - have
    free = shutil.disk_usage(models_dir).free
    if missing + SPARE > free:
        raise NotFetched(
            f"{gigabytes(missing)} are still to come, and {models_dir} has {gigabytes(free)} free "
            f"of which {gigabytes(SPARE)} must stay so. Make room, or set REKINDLE_MODELS_DIR."
        )


def _half(path: Path) -> Path:
    return path.with_name(f".{path.name}.half")


def _bring(this: Try, file: Listed) -> None:
    """Have one file complete and checked: what came half goes on, what came wrong is dropped."""
    path, told = this.waiting / file.path, this.on.told
    repository = this.wanted.source.repository
    if not path.resolve().is_relative_to(this.waiting.resolve()):
        raise NotFetched(f"{repository} names a file outside its folder: {file.path}.")
    if path.is_file():
        if _is(file, path):
            told(file.size)
            return
        path.unlink()
        this.say(f"{file.path} had come and is not what {repository} lists; it is fetched again.")
    half = _half(path)
    half.parent.mkdir(parents=True, exist_ok=True)
    if half.is_file() and half.stat().st_size > file.size:
        half.unlink()
    _fill(this, file, half)
    _finish(half, path)


def _fill(this: Try, file: Listed, half: Path) -> None:
    """Have a file's bytes, once more from its start where they do not fit what had come of it."""
    had = half.stat().st_size if half.is_file() else 0
    this.on.told(had)
    right = _comes_right(this, file, half)
    if had and not right:
        this.on.told(-half.stat().st_size)
        half.unlink()
        this.say(f"{file.path} had come in part, and the two do not fit; it is fetched again.")
        right = _comes_right(this, file, half)
    if not right:
        _refuse_wrong(this.wanted, file, half)


def _comes_right(this: Try, file: Listed, half: Path) -> bool:
    """Go on with a file to its end, and say whether it is what is listed."""
    this.origin.bring(this.wanted, this.listing.revision, file, half, this.on.told)
    return _is(file, half)


def _finish(half: Path, path: Path) -> None:
    """Give a file its name once its bytes are on the disk: a power cut must not leave the name."""
    weights.on_disk(half)
    half.replace(path)
    weights.on_disk(path.parent)


def _refuse_wrong(wanted: Wanted, file: Listed, half: Path) -> NoReturn:
    half.unlink()
    raise NotFetched(
        f"{wanted.folder}/{file.path} is not what {wanted.source.repository} says it is. It "
        "was thrown away; fetch again, and if it happens again, do not use this origin."
    )


def _is(file: Listed, path: Path) -> bool:
    """Say whether a file here is the one that the origin lists, as far as it says what it is."""
    size = path.stat().st_size
    if size != file.size:
        return False
    if file.sha256:
        return weights.hashed(path) == file.sha256
    return not file.blob or _git_blob(path, size) == file.blob


def _git_blob(file: Path, size: int) -> str:
    """Return the name git gives to a file's bytes; a check against accident, not against malice."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _require_the_same(before: Lock | None, listing: Listing, waiting: Path) -> None:
    """A commit that was locked once is the same bytes for ever, whoever hands them out."""
    if before is None or before.revision != listing.revision or not before.revision:
        return
    for path, entry in before.files.items():
        if (waiting / path).is_file() and weights.sha256_of(waiting / path) != entry.sha256:
            (waiting / path).unlink()
            raise NotFetched(
                f"{path} is another file than the one that was locked from the same commit. It was "
                "thrown away; do not use this origin before you know why."
            )


def _lock(wanted: Wanted, listing: Listing, waiting: Path) -> Lock:
    trust = PINNED if wanted.source.revision and listing.trust == HUB else listing.trust
    return weights.lock(
        waiting,
        repository=wanted.source.repository,
        revision=listing.revision,
        licence=wanted.licence.spdx,
        trust=trust,
    )


def _put(waiting: Path, place: Path, say: Say) -> None:
    """Swap the new folder in while nobody loads; `_mend` knows what a kill in between leaves."""
    old = waiting.with_name(f"{place.name}{OLD}")
    told = f"A worker is loading from {place.parent}; {place.name} is put there when it has done."
    with weights.swapping(place.parent, lambda: say(told)):
        if _lies(place):
            place.rename(old)
        try:
            waiting.rename(place)
        except OSError:
            _mend(place.parent)
            raise
        for folder in (place.parent, waiting.parent):
            weights.on_disk(folder)
    _drop(old)


def _mend(models_dir: Path) -> None:
    """End a swap that broke off: put the old folder back, or drop it when the new one is there."""
    for old in (models_dir / WAITING).glob(f"*{OLD}"):
        place = models_dir / old.name.removesuffix(OLD)
        if _lies(place):
            _drop(old)
        else:
            old.rename(place)


def _lies(path: Path) -> bool:
    """Say whether something has that name, if only a link that leads nowhere."""
    return path.is_symlink() or path.exists()


def _drop(folder: Path) -> None:
    """Remove a folder that was swapped out, or the link by which it lay there."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def gigabytes(size: float) -> str:
    """Write a number of bytes for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size:.0f} bytes"
