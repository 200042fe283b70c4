"""Brings a model's folders from a hub, or from a folder, and locks what has arrived.

The only code of the work that opens a connection to the outside, and only when the operator runs
`manage.py fetch_models`. A folder appears in its place complete and locked, or not at all: what is
half there waits in `.fetching` and is gone on with at the next call.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from restoration.engine.errors import StepFailed
from restoration.engine.generative import weights
from restoration.engine.generative.rows import Licence, Model, Source
from restoration.engine.generative.weights import FIRST_USE, HUB, PINNED, Lock, Told

WAITING = ".fetching"
INDEX = "model_index.json"
NEEDED = (".safetensors", ".json", ".txt", ".model", ".jinja")
NETWORK = re.compile(r"^[^.]+(?P<variant>\.[a-z0-9_]+)?(-\d+-of-\d+)?\.safetensors$")
SHARDS = re.compile(r"^[^.]+\.safetensors\.index(?P<variant>\.[a-z0-9_]+)?\.json$")
HALF = ".fp16"
NEVER_LOADED = {"safety_checker", "image_encoder"}
SPARE = 1 << 30  # bytes that stay free on the disk
BLOCK = 8 << 20
KEPT = "What has arrived is kept; the same command goes on with it."

Say = Callable[[str], None]


class NotFetched(Exception):  # noqa: N818 - says what happened
    """A sentence for the operator: why, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """One folder below the models' to be filled, from where, and under what licence."""

    folder: str
    source: Source
    licence: Licence


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

    def listing(self, wanted: Wanted, revision: str) -> Listing: ...

    def bring(self, wanted: Wanted, at: str, file: Listed, into: Path, told: Told) -> None:
        """Write the file to `into`, going on where it ends."""


def wanted_of(model: Model) -> list[Wanted]:
    """The folders a model is made of, the base first."""
    base = Wanted(model.folder, model.source, model.licence)
    return [base, *(Wanted(part.folder, part.source, part.licence) for part in model.parts)]


def fetch(
    wanted: Wanted, models_dir: Path, origin: Origin, *, update: bool, say: Say, on: Listener
) -> Lock:
    """Have the folder in its place, complete and locked; NotFetched when that cannot be.

    update: take what the origin has now instead of the commit that was locked.
    """
    with _alone(models_dir):
        place = models_dir / wanted.folder
        before = None if update else _locked(place)
        if before and _whole(place, before, on):
            say(_here(wanted, before))
            return before
        begun = _begun(models_dir, wanted, update=update)
        asked = wanted.source.revision or (before.revision if before else "") or begun
        listing = origin.listing(wanted, asked)
        waiting = models_dir / WAITING / f"{wanted.folder}@{listing.revision or 'unknown'}"
        files = _chosen(wanted, listing, origin, waiting, on.told)
        _require_room(models_dir, waiting, files)
        on.expect(sum(file.size for file in files))
        for file in files:
            _bring(origin, wanted, listing.revision, file, waiting, on.told)
        _require_the_same(before, listing, waiting)
        _drop_others(waiting, files)
        made = _lock(wanted, listing, waiting)
        _put(waiting, place)
        return made


def _here(wanted: Wanted, before: Lock) -> str:
    told = f"{wanted.folder} is here as it was locked, commit {before.revision or 'unknown'}."
    if wanted.source.revision in ("", before.revision):
        return told
    return f"{told} This release was made with {wanted.source.revision}; --update fetches it."


def _begun(models_dir: Path, wanted: Wanted, *, update: bool) -> str:
    """The commit of which a part is here already; an update begins anew."""
    for folder in sorted((models_dir / WAITING).glob(f"{wanted.folder}@*")):
        if not update:
            return folder.name.partition("@")[2].replace("unknown", "")
        shutil.rmtree(folder)
    return ""


def _drop_others(waiting: Path, files: Iterable[Listed]) -> None:
    """Leave nothing that an earlier try chose and this one did not."""
    kept = {waiting / file.path for file in files}
    for path in [path for path in waiting.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()


def _locked(place: Path) -> Lock | None:
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
def _alone(models_dir: Path) -> Iterator[None]:
    """One fetch at a time in a models folder; the system lets go of the lock when we die."""
    (models_dir / WAITING).mkdir(parents=True, exist_ok=True)
    with (models_dir / WAITING / "lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotFetched(
                f"Another fetch is filling {models_dir}; wait until it ends."
            ) from None
        yield


def _chosen(
    wanted: Wanted, listing: Listing, origin: Origin, waiting: Path, told: Told
) -> list[Listed]:
    """The files that are loaded, of all that a repository holds."""
    by_path = {file.path: file for file in listing.files}
    if wanted.source.file:
        if wanted.source.file not in by_path:
            raise NotFetched(f"{wanted.source.repository} has no file {wanted.source.file}.")
        return [by_path[wanted.source.file]]
    if INDEX not in by_path:
        return _networks_of(wanted, [file for file in listing.files if "/" not in file.path])
    _bring(origin, wanted, listing.revision, by_path[INDEX], waiting, told)
    parts = _parts_of((waiting / INDEX).read_text(encoding="utf-8"), wanted)
    inside = [file for file in listing.files if file.path.partition("/")[0] in parts]
    return [by_path[INDEX], *_licence_texts(listing), *_networks_of(wanted, inside)]


def _parts_of(index: str, wanted: Wanted) -> set[str]:
    try:
        content = json.loads(index)
        named = {name for name, part in content.items() if isinstance(part, list) and part[1]}
    except (ValueError, AttributeError, IndexError):
        raise NotFetched(f"The {INDEX} of {wanted.source.repository} cannot be read.") from None
    return named - NEVER_LOADED


def _licence_texts(listing: Listing) -> list[Listed]:
    return [file for file in listing.files if re.match(r"(?i)licen[cs]e[^/]*$", file.path)]


def _networks_of(wanted: Wanted, files: Iterable[Listed]) -> list[Listed]:
    """Leave out pickles and all but one variant: half precision where all of it is there."""
    found = [(file, _variant(file.path)) for file in files if file.path.endswith(NEEDED)]
    half, whole = (
        {str(Path(file.path).parent) for file, variant in found if variant == kind}
        for kind in (HALF, "")
    )
    taken = HALF if half and half >= whole else ""
    chosen = [file for file, variant in found if variant in (None, taken)]
    if not any(file.path.endswith(".safetensors") for file in chosen):
        raise NotFetched(
            f"{wanted.source.repository} has no safetensors, and nothing else is ever loaded."
        )
    return chosen


def _variant(path: str) -> str | None:
    """Return the variant of a file of weights ('' for the plain one), None for any other file."""
    name = path.rpartition("/")[2]
    match = NETWORK.match(name) or SHARDS.match(name)
    return None if match is None else match["variant"] or ""


def _require_room(models_dir: Path, waiting: Path, files: Iterable[Listed]) -> None:
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


def _bring(
    origin: Origin, wanted: Wanted, at: str, file: Listed, waiting: Path, told: Told
) -> None:
    """Have one file complete and checked: what came half goes on, what came wrong is dropped."""
    path = waiting / file.path
    if not path.resolve().is_relative_to(waiting.resolve()):
        raise NotFetched(
            f"{wanted.source.repository} names a file outside its folder: {file.path}."
        )
    if path.is_file():
        told(file.size)
        return
    half = _half(path)
    half.parent.mkdir(parents=True, exist_ok=True)
    if half.is_file() and half.stat().st_size > file.size:
        half.unlink()
    told(half.stat().st_size if half.is_file() else 0)
    origin.bring(wanted, at, file, half, told)
    _require_right(wanted, file, half)
    half.replace(path)


def _require_right(wanted: Wanted, file: Listed, half: Path) -> None:
    size = half.stat().st_size
    right = size == file.size
    if right and file.sha256:
        right = weights.hashed(half) == file.sha256
    elif right and file.blob:
        right = _git_blob(half, size) == file.blob
    if not right:
        half.unlink()
        raise NotFetched(
            f"{wanted.folder}/{file.path} is not what {wanted.source.repository} says it is. It "
            "was thrown away; fetch again, and if it happens again, do not use this origin."
        )


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


def _put(waiting: Path, place: Path) -> None:
    """Swap the new folder in; a worker that has the old one open keeps its bytes."""
    old = waiting.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    waiting.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def gigabytes(size: float) -> str:
    """Write a number of bytes for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size:.0f} bytes"


@dataclass(frozen=True)
class Hub:
    """A hub that speaks the protocol of huggingface.co, through the library made for it."""

    address: str
    token: str = field(default="", repr=False)

    def listing(self, wanted: Wanted, revision: str) -> Listing:
        library, repository = _library(), wanted.source.repository
        with self._answering(repository, revision):
            api = library.HfApi(endpoint=self.address, token=self.token or False)
            commit = api.model_info(repository, revision=revision or None).sha
            tree = api.list_repo_tree(repository, recursive=True, revision=commit)
            found = [each for each in tree if hasattr(each, "blob_id")]
        files = [
            Listed(each.path, each.lfs.size, each.lfs.sha256)
            if each.lfs
            else Listed(each.path, each.size, blob=each.blob_id)
            for each in found
        ]
        return Listing(commit, tuple(files), HUB)

    def bring(self, wanted: Wanted, at: str, file: Listed, into: Path, told: Told) -> None:
        library, repository = _library(), wanted.source.repository
        from huggingface_hub.file_download import http_get

        url = library.hf_hub_url(repository, file.path, revision=at, endpoint=self.address)
        headers = library.utils.build_hf_headers(token=self.token or False)
        headers["Accept-Encoding"] = "identity"  # half of a packed file could not be gone on with
        with self._answering(repository, at), _Growing(into, told) as half:
            http_get(
                url,
                half,
                resume_size=half.tell(),
                headers=headers,
                expected_size=file.size,
                displayed_filename=file.path,
            )

    @contextmanager
    def _answering(self, repository: str, revision: str) -> Iterator[None]:
        """Turn the library's errors into sentences."""
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except errors.GatedRepoError:
            raise NotFetched(
                f"{repository} is given out only to those who asked for it: agree to its terms at "
                f"{self.address}/{repository} and set REKINDLE_MODELS_HUB_TOKEN."
            ) from None
        except errors.RevisionNotFoundError:
            raise NotFetched(f"{self.address} has no commit {revision} of {repository}.") from None
        except errors.RepositoryNotFoundError:
            raise NotFetched(f"{self.address} has no repository {repository}.") from None
        except httpx2.HTTPError as error:
            raise NotFetched(
                f"{self.address} did not answer as it should: {_first_line(error)} {KEPT}"
            ) from None
        except OSError as error:
            raise NotFetched(f"Fetching broke off: {_first_line(error)} {KEPT}") from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _library() -> Any:
    os.environ.pop("HF_HUB_OFFLINE", None)  # what jobs work under; here somebody asked to fetch
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import huggingface_hub
    except ImportError:
        raise NotFetched(
            "The hub's library is not installed here: pip install 'rekindle[gpu]', or fetch on "
            "another machine, carry the folder over and use --from."
        ) from None
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    return huggingface_hub


class _Growing(io.FileIO):
    """A file that is gone on with at its end and tells of every byte, so that a kill costs none."""

    def __init__(self, path: Path, told: Told) -> None:
        super().__init__(path, "r+" if path.exists() else "w+")
        self.seek(0, io.SEEK_END)
        self._told = told

    def write(self, block: Any) -> int:
        view = memoryview(block)
        done = 0
        while done < len(view):
            done += super().write(view[done:]) or 0
        self._told(done)
        return done


@dataclass(frozen=True)
class Shelf:
    """A folder with models, as another machine's fetch left them or as somebody put them there."""

    path: Path

    def listing(self, wanted: Wanted, revision: str) -> Listing:
        folder = self._folder(wanted)
        locked = _locked(folder)
        if locked and revision and locked.revision != revision:
            raise NotFetched(
                f"{folder} is of commit {locked.revision or 'unknown'}, not of {revision}. Use "
                "--update to take it all the same."
            )
        if locked:
            files = [Listed(path, entry.size, entry.sha256) for path, entry in locked.files.items()]
            return Listing(locked.revision, tuple(files), locked.trust)
        found = weights.present(folder)
        files = [Listed(path, file.stat().st_size) for path, file in found.items()]
        return Listing(revision, tuple(files), FIRST_USE)

    def bring(self, wanted: Wanted, at: str, file: Listed, into: Path, told: Told) -> None:
        source = self._folder(wanted) / file.path
        try:
            with source.open("rb") as given, _Growing(into, told) as half:
                given.seek(half.tell())
                while block := given.read(BLOCK):
                    half.write(block)
        except OSError as error:
            raise NotFetched(f"{source} cannot be copied: {error.strerror}.") from None

    def _folder(self, wanted: Wanted) -> Path:
        """The folder of that name, or the given one when it is the model itself."""
        named = self.path / wanted.folder
        if named.is_dir():
            return named
        if (self.path / INDEX).is_file() or (self.path / weights.LOCK).is_file():
            return self.path
        raise NotFetched(f"There is no folder {wanted.folder} in {self.path}.")
