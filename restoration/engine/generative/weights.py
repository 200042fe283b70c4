"""Which bytes a model's weights are: their hashes, and the manifest an operator may pin them by."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from restoration.engine.errors import StepFailed

MANIFEST = "rekindle.json"


@dataclass(frozen=True)
class Weights:
    """The sha256 of every safetensors file by its path, and of which revision they are.

    size: bytes of all; variant: 'fp16' when only such files are there.
    """

    files: dict[str, str]
    revision: str
    size: int

    @property
    def digest(self) -> str:
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def variant(self) -> str | None:
        half = [".fp16." in name for name in self.files]
        return "fp16" if half and all(half) else None


def measured(folder: Path, revision: str = "") -> Weights:
    """Hash the weights in a folder; a file that did not change is hashed once per process."""
    found = {}
    size = 0
    for file in sorted(folder.rglob("*.safetensors")):
        stat = file.stat()
        size += stat.st_size
        found[file.relative_to(folder).as_posix()] = sha256_of(file, stat.st_size, stat.st_mtime_ns)
    return Weights(found, revision, size)


def pin(folder: Path, revision: str) -> Weights:
    """Write the manifest of a folder as it is now."""
    weights = measured(folder, revision)
    content = {"revision": revision, "files": weights.files}
    (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return weights


def verified(folder: Path) -> Weights:
    """Hash the weights and hold them against the manifest, if one is there.

    Raises StepFailed 'weights-changed' with the first file that differs, is missing or is new.
    """
    try:
        pinned = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return measured(folder)
    weights = measured(folder, str(pinned["revision"]))
    differing = sorted(set(weights.files.items()) ^ set(pinned["files"].items()))
    if differing:
        raise StepFailed("weights-changed", {"folder": folder.name, "file": differing[0][0]})
    return weights


@lru_cache(maxsize=256)
def sha256_of(file: Path, size: int, modified_ns: int) -> str:
    """Hash a file; size and time are there to tell the cache that it is another one now."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
