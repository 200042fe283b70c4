"""Which bytes a model's folder holds: a lock lists every file, and nothing else is ever loaded.

The lock lies beside the files and guards against accident and mix-up, not against somebody who may
write there: who can change a file can change the lock.
"""

import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any

from restoration.engine.errors import StepFailed

LOCK = "rekindle.lock.json"
FORMAT = 1
TEXTS = ("repository", "revision", "licence", "trust", "locked_at")
# A pickle runs what its author wrote into it as soon as it is opened.
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle")
CHUNK = 1 << 20
# Who says that the bytes are right: the registry, the hub, or nobody before us.
PINNED, HUB, FIRST_USE = "pinned", "hub", "first-use"

# What reading a JSON raises that is none, is of another shape, or is nested deeper than Python is.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)

Told = Callable[[int], None]
# By file, how it looked when it was read, and its sha256.
_seen: dict[Path, tuple[tuple[int, ...], str]] = {}


class Swapped(StepFailed):
    """Other weights took the place of those that were being loaded; the next try finds them."""

    permanent = False


def _nobody(count: int) -> None:
    """Nobody counts the bytes."""


@dataclass(frozen=True)
class Entry:
    """What a file must be: its size in bytes and its sha256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Lock:
    """Every file of a folder by its path, the repository and commit they are of, and the licence.

    trust: 'pinned' (a commit that the registry names), 'hub' (hashes that the hub names),
    'first-use' (whatever lay there).
    """

    files: Mapping[str, Entry]
    repository: str = ""
    revision: str = ""
    licence: str = ""
    trust: str = FIRST_USE
    locked_at: str = ""

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files.values())

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Lock":
        """Read what `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        if content["format"] != FORMAT:
            raise ValueError(content["format"])
        return cls(
            files={path: Entry(**entry) for path, entry in content["files"].items()},
            **{name: str(content[name]) for name in TEXTS},
        )


@dataclass(frozen=True)
class Weights:
    """The sha256 of every safetensors file by its path, and of which revision they are.

    size: bytes of all; numbers: how many of them are parameters; variant: 'fp16' when only such
    files are there.
    """

    files: dict[str, str]
    revision: str
    size: int
    numbers: int = field(default=0, compare=False)

    @property
    def digest(self) -> str:
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def at(self, element: int) -> int:
        """Return the bytes in the memory when each number takes `element` of them."""
        return self.numbers * element or self.size

    @property
    def variant(self) -> str | None:
        half = [".fp16." in name for name in self.files]
        return "fp16" if half and all(half) else None


def lock(
    folder: Path,
    *,
    repository: str = "",
    revision: str = "",
    licence: str = "",
    trust: str = FIRST_USE,
    told: Told = _nobody,
) -> Lock:
    """Write the lock of a folder as it is now; `told` hears how many bytes were read.

    Raises StepFailed 'weights-pickled' or 'weights-linked'.
    """
    found = present(folder)
    refuse_pickles(folder, found)
    files = {path: Entry(file.stat().st_size, hashed(file, told)) for path, file in found.items()}
    now = datetime.now(UTC).isoformat("T", "seconds")
    made = Lock(files, repository, revision, licence, trust, now)
    beside = folder / f".{LOCK}"
    beside.write_text(json.dumps(made.to_json(), indent=2) + "\n", encoding="utf-8")
    on_disk(beside)
    beside.replace(folder / LOCK)
    on_disk(folder)
    return made


def read_lock(folder: Path) -> Lock:
    """Return a folder's lock; StepFailed 'weights-unlocked' without one that can be read."""
    try:
        return Lock.from_json(json.loads((folder / LOCK).read_text(encoding="utf-8")))
    except (*UNREADABLE, OSError) as error:
        raise StepFailed("weights-unlocked", {"folder": folder.name}) from error


def looked_over(folder: Path) -> Lock:
    """Hold names and sizes against the lock, which costs next to nothing.

    Raises StepFailed 'weights-unlocked', 'weights-linked', 'weights-pickled', 'weights-unlisted',
    'weights-missing' or 'weights-changed', each with the first file.
    """
    locked, found = read_lock(folder), present(folder)
    refuse_pickles(folder, found)
    for path in found.keys() - locked.files.keys():
        raise StepFailed("weights-unlisted", {"folder": folder.name, "file": path})
    for path, entry in locked.files.items():
        if path not in found:
            raise StepFailed("weights-missing", {"folder": folder.name, "file": path})
        if found[path].stat().st_size != entry.size:
            raise StepFailed("weights-changed", {"folder": folder.name, "file": path})
    return locked


def verified(folder: Path, told: Told = _nobody, *, afresh: bool = False) -> Weights:
    """Hold every byte against the lock; a file that was not touched since is read once a process.

    afresh: read them all now, whatever was read before. Raises what `looked_over` raises.
    """
    locked = looked_over(folder)
    read = hashed if afresh else sha256_of
    for path, entry in sorted(locked.files.items()):
        if read(folder / path, told) != entry.sha256:
            raise StepFailed("weights-changed", {"folder": folder.name, "file": path})
    return weights_of(folder, locked)


def unready(folder: Path) -> str:
    """Return the code for which a folder would be refused at once, or nothing."""
    try:
        looked_over(folder)
    except StepFailed as refusal:
        return refusal.code
    return ""


def weights_of(folder: Path, locked: Lock) -> Weights:
    """Return the networks' files among those of a lock."""
    files = {
        path: entry for path, entry in sorted(locked.files.items()) if path.endswith(".safetensors")
    }
    return Weights(
        files={path: entry.sha256 for path, entry in files.items()},
        revision=locked.revision,
        size=sum(entry.size for entry in files.values()),
        numbers=sum(parameters(folder / path) for path in files),
    )


def present(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by their path; hidden ones are nobody's, and never loaded.

    A link to a file is read through, as a loader does: the hub's own cache is made of such links,
    and a hash holds whatever they lead to. Behind a link to a folder nothing would be listed while
    a loader follows it: StepFailed 'weights-linked'.
    """
    paths = ((file.relative_to(folder), file) for file in sorted(folder.rglob("*")))
    seen = {
        path.as_posix(): file
        for path, file in paths
        if path.as_posix() != LOCK and not any(part.startswith(".") for part in path.parts)
    }
    for path, file in seen.items():
        if file.is_symlink() and file.is_dir():
            raise StepFailed("weights-linked", {"folder": folder.name, "file": path})
    return {path: file for path, file in seen.items() if file.is_file()}


def refuse_pickles(folder: Path, found: Iterable[str]) -> None:
    for path in found:
        if path.lower().endswith(PICKLES):
            raise StepFailed("weights-pickled", {"folder": folder.name, "file": path})


def parameters(file: Path) -> int:
    """Return how many numbers a safetensors file holds, from its header; 0 when it has none."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            tensors = json.loads(stream.read(min(length, 100 << 20)))
        return sum(prod(each["shape"]) for name, each in tensors.items() if name != "__metadata__")
    except (*UNREADABLE, OSError, struct.error):
        return 0  # a torn file is told of by its hash, or by its loader


def hashed(file: Path, told: Told = _nobody) -> str:
    """Return the sha256 of a file, read now."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
            told(len(block))
    return digest.hexdigest()


def sha256_of(file: Path, told: Told = _nobody) -> str:
    """Return the sha256 of a file, read again only when it is another than it was."""
    stat = file.stat()
    look = stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    seen = _seen.get(file)
    if seen is None or seen[0] != look:
        seen = _seen[file] = look, hashed(file, told)
    return seen[1]


def on_disk(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError) if path.is_dir() else nullcontext():  # some shares know no such wait
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def held(paths: Sequence[Path]) -> Iterator[None]:
    """Keep a model's folders in their place while they are checked and loaded by their names.

    A fetch waits until then before it puts others there. On a share that knows no locks it cannot:
    raises Swapped when that happened, whatever else went wrong because of it.
    """
    with _turn(paths[0].parent, fcntl.LOCK_SH):
        before = {path: _look(path) for path in paths}
        try:
            yield
        finally:
            for path, look in before.items():
                if _look(path) != look:
                    raise Swapped("weights-swapped", {"folder": path.name})


@contextmanager
def swapping(models_dir: Path, waits: Callable[[], object]) -> Iterator[None]:
    """Put a folder in its place while nobody loads; `waits` is called when somebody does."""
    with _turn(models_dir, fcntl.LOCK_EX, waits):
        yield


@contextmanager
def _turn(
    models_dir: Path, kind: int, waits: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Lock the folder of models itself, which a worker can that may only read there."""
    handle = os.open(models_dir, os.O_RDONLY)
    try:
        with suppress(OSError):  # a share that knows no locks
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                waits()
                fcntl.flock(handle, kind)
        yield
    finally:
        with suppress(OSError):  # a child that was forked meanwhile would hold it on
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _look(folder: Path) -> tuple[int, bytes]:
    """Return which folder it is that lies there, and its lock."""
    try:
        return folder.stat().st_ino, (folder / LOCK).read_bytes()
    except OSError:
        return 0, b""
