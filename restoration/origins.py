"""Where models are fetched from: a hub, through the library made for it, or a folder."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoration.engine.generative import weights
from restoration.engine.generative.weights import FIRST_USE, HUB, Lock, Told
from restoration.fetching import (
    BLOCK,
    CLOSED,
    FULL,
    INDEX,
    KEPT,
    Listed,
    Listener,
    Listing,
    NoSuchCommit,
    NotFetched,
    Wanted,
    first_line,
    locked_in,
)

ANEW = ".anew"  # beside a half, while its file comes from its start


@dataclass(frozen=True)
class Hub:
    """A hub that speaks the protocol of huggingface.co, through the library made for it."""

    address: str
    token: str = field(default="", repr=False)

    def listing(self, wanted: Wanted, revision: str, on: Listener) -> Listing:
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
        url = library.hf_hub_url(repository, file.path, revision=at, endpoint=self.address)
        with self._answering(repository, at):
            try:
                self._bring(url, file, into, told)
            except _FromItsStart:
                self._bring_anew(url, file, into, told)

    def _bring_anew(self, url: str, file: Listed, into: Path, told: Told) -> None:
        """Bring the whole of a file beside the half, which stays until then: what answers with the
        whole when it is asked for the rest may be no hub, but a gate that wants a password."""
        anew = into.with_name(f"{into.name}{ANEW}")
        told(-into.stat().st_size)
        try:
            self._bring(url, file, anew, told, keeps=False)
            anew.replace(into)
        finally:
            anew.unlink(missing_ok=True)

    def _bring(self, url: str, file: Listed, into: Path, told: Told, *, keeps: bool = True) -> None:
        from huggingface_hub.file_download import http_get

        headers = _library().utils.build_hf_headers(token=self.token or False)
        headers["Accept-Encoding"] = "identity"  # half of a packed file could not be gone on with
        with _Growing(into, told, keeps=keeps) as half, _cut_back(half):
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
            told = f"{self.address} has no commit {revision} of {repository}."
            raise NoSuchCommit(told) from None
        except errors.RepositoryNotFoundError:
            raise NotFetched(f"{self.address} has no repository {repository}.") from None
        except httpx2.HTTPError as error:
            raise NotFetched(
                f"{self.address} did not answer as it should: {first_line(error)} {KEPT}"
            ) from None
        except OSError as error:
            if error.errno in (*FULL, *CLOSED):
                raise  # our own disk, and not the hub
            raise NotFetched(f"Fetching broke off: {first_line(error)} {KEPT}") from None


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
    """A file that is gone on with at its end and tells of every byte, so that a kill costs none.

    keeps: raise _FromItsStart where the hub's library would throw away what is here.
    """

    def __init__(self, path: Path, told: Told, *, keeps: bool = True) -> None:
        super().__init__(path, "r+" if path.exists() else "w+")
        self.begun = self.seek(0, io.SEEK_END)
        self._told, self._keeps = told, keeps

    def write(self, block: Any) -> int:
        view = memoryview(block)
        done = 0
        while done < len(view):
            done += super().write(view[done:]) or 0
        self._told(done)
        return done

    def truncate(self, size: int | None = None) -> int:
        """What the hub's library calls when it was sent a file from its start."""
        if self._keeps and self.seek(0, io.SEEK_END):
            raise _FromItsStart
        return super().truncate(size)

    def cut_back(self) -> None:
        """Be as long as when this was opened."""
        self._told(self.begun - self.seek(0, io.SEEK_END))
        super().truncate(self.begun)


class _FromItsStart(Exception):  # noqa: N818 - says what happened
    """A file of which some is here came from its start again."""


@contextmanager
def _cut_back(half: _Growing) -> Iterator[None]:
    """Keep nothing of an answer that ended too early: it is something else, as a rule a page."""
    try:
        yield
    except OSError as error:
        # The library says so by an error that is no other: not of the system, not of the network.
        if type(error) is OSError and error.errno is None:
            half.cut_back()
        raise


@dataclass(frozen=True)
class Shelf:
    """A folder with models, as another machine's fetch left them or as somebody put them there."""

    path: Path

    def listing(self, wanted: Wanted, revision: str, on: Listener) -> Listing:
        folder = self._folder(wanted)
        locked = locked_in(folder)
        _require_named(folder, locked, wanted)
        if locked and revision and locked.revision != revision:
            raise NotFetched(
                f"{folder} is of commit {locked.revision or 'unknown'}, not of {revision}. Use "
                "--update to take it all the same."
            )
        if locked:
            files = [Listed(path, entry.size, entry.sha256) for path, entry in locked.files.items()]
            return Listing(locked.revision, tuple(files), locked.trust)
        with _readable(folder):
            return Listing(revision, tuple(_read(folder, on)), FIRST_USE)

    def bring(self, wanted: Wanted, at: str, file: Listed, into: Path, told: Told) -> None:
        source = self._folder(wanted) / file.path
        with _Growing(into, told) as half:
            for block in _blocks(source, half.tell()):
                half.write(block)

    def _folder(self, wanted: Wanted) -> Path:
        """The folder of that name, or the given one when it is the model itself."""
        named = self.path / wanted.folder
        if named.is_dir():
            return named
        if self._is_itself(wanted):
            return self.path
        raise NotFetched(f"There is no folder {wanted.folder} in {self.path}.")

    def _is_itself(self, wanted: Wanted) -> bool:
        """Whether the given folder may be what is wanted; a whole pipeline is no part of one."""
        is_locked, is_pipeline = ((self.path / name).is_file() for name in (weights.LOCK, INDEX))
        return is_locked and not is_pipeline if wanted.is_part else is_locked or is_pipeline


def _require_named(folder: Path, locked: Lock | None, wanted: Wanted) -> None:
    """Refuse a folder that is locked as another repository's: its weights would be kept here under
    a name and a licence that are not theirs. One that names none is held to what is wanted."""
    if locked is None or locked.repository in ("", wanted.source.repository):
        return
    licence = locked.licence or "of an unknown licence"
    raise NotFetched(
        f"{folder} holds {locked.repository} ({licence}), as its {weights.LOCK} says, and "
        f"{wanted.folder} is {wanted.source.repository} ({wanted.licence.spdx}). Nothing was "
        "taken: give --from the folder with that model, or the one above it."
    )


def _read(folder: Path, on: Listener) -> list[Listed]:
    """List what nobody vouches for by its bytes now: it may be another the next time we look."""
    found = {path: (file, file.stat().st_size) for path, file in weights.present(folder).items()}
    on.expect(sum(size for _, size in found.values()))
    return [
        Listed(path, size, weights.hashed(file, on.told)) for path, (file, size) in found.items()
    ]


def _blocks(source: Path, at: int) -> Iterator[bytes]:
    with _readable(source), source.open("rb") as given:
        given.seek(at)
        while block := given.read(BLOCK):
            yield block


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = f"{error.filename or path} cannot be read: {error.strerror}."
        raise NotFetched(f"{told} {KEPT}") from None
