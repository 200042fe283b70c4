"""Rows and pictures for tests, made by the product's own code where that is what a user would get.

`now` is fixed: tests move the clock by adding to it.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from archive import derivatives, storage
from archive.lifecycle import PhotoState
from archive.models import Collection, Original, Photo
from archive.rights import RIGHTS
from exhibit.models import Exhibit, Room
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import accept_version, open_review
from restoration.actions.versions import scan_version, submit_version
from restoration.engine import image as pictures
from restoration.lifecycle import VersionKind
from restoration.models import Claim, Review, Version

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_count = itertools.count(1)


def collection(**fields: Any) -> Collection:
    """An open collection in the public domain."""
    number = next(_count)
    defaults: dict[str, Any] = {
        "slug": f"collection-{number}",
        "institution_en": "Museum of the Games",
        "institution_zh": "运动会博物馆",
        "title_en": f"Tehran 1974, box {number}",
        "title_zh": f"德黑兰 1974，第 {number} 盒",
        "rights_uri": RIGHTS[7][0],
    }
    return Collection.objects.create(**(defaults | fields))


def picture(seed: int = 0, *, height: int = 96, width: int = 128) -> NDArray[np.float32]:
    """A small grey photograph-like picture: float32 HxWx3 RGB in [0, 1], smooth with some grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (0.2 * height) ** 2))
    grey = 0.25 + 0.3 * blob + 0.2 * np.sin(x / rng.uniform(6, 14)) * np.cos(y / 9)
    grey += rng.normal(0, 0.01, grey.shape)
    return np.repeat(np.clip(grey, 0, 1).astype(np.float32)[..., None], 3, axis=2)


def stored(image: NDArray[np.float32]) -> str:
    """Keep a picture as a working file with its derivatives; gives the sha256."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.tif"
        pictures.save(image, path)
        sha256 = storage.digest(path)
        storage.put_file(storage.working_key(sha256), path)
        derivatives.make(path, sha256)
    return sha256


def photo(
    of: Collection,
    *,
    image: NDArray[np.float32] | None = None,
    bytes_too: bool = False,
    **fields: Any,
) -> Photo:
    """A ready photo; with `bytes_too` (or an image) its files are really stored."""
    number = next(_count)
    if image is None and bytes_too:
        image = picture(number)
    working = stored(image) if image is not None else hashlib.sha256(b"w%d" % number).hexdigest()
    height, width = image.shape[:2] if image is not None else (96, 128)
    sha256 = hashlib.sha256(b"original %d" % number).hexdigest()
    original = Original.objects.create(
        sha256=sha256,
        size=1000,
        media_type="image/jpeg",
        width=width,
        height=height,
        bits=8,
        bands=3,
        interpretation="srgb",
        stored_at=NOW,
    )
    if bytes_too or image is not None:
        storage.put_bytes(storage.original_key(sha256), b"original %d" % number)
    defaults: dict[str, Any] = {
        "state": PhotoState.READY,
        "sha256": sha256,
        "original": original,
        "working_sha256": working,
        "width": width,
        "height": height,
        "title_en": f"The opening ceremony {number}",
        "title_zh": f"开幕式 {number}",
        "added_at": NOW,
    }
    return Photo.objects.create(collection=of, **(defaults | fields))


def claim(of: Photo, by: User) -> Claim:
    """An open claim, through the verb."""
    return claim_photo(photo=of, by=by, now=NOW)


def version(
    of: Photo,
    by: User,
    *,
    parent: Version | None = None,
    image: NDArray[np.float32] | None = None,
    **fields: Any,
) -> Version:
    """A machine's draft, child of the scan unless told; stored only when an image is given."""
    root = parent or scan_version(photo=of, now=NOW)
    number = Version.objects.filter(photo=of).count()
    sha256 = (
        stored(image) if image is not None else hashlib.sha256(b"v%d" % next(_count)).hexdigest()
    )
    defaults: dict[str, Any] = {
        "number": number,
        "parent": root,
        "kind": VersionKind.MACHINE,
        "made_by": by,
        "made_at": NOW,
        "sha256": sha256,
        "width": of.width,
        "height": of.height,
        "frame": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        "records": [
            {"step": "tone", "backend": "embedded", "settings": {"strength": 0.5}, "seconds": 0.1}
        ],
        "meters": {"guard": {"verdict": "pass"}},
    }
    return Version.objects.create(photo=of, **(defaults | fields))


def submitted(of: Photo, by: User, **fields: Any) -> Version:
    """A version in review."""
    made = version(of, by, **fields)
    submit_version(version=made, by=by, note="See the left edge.", now=NOW)
    return made


def accepted(of: Photo, by: User, reviewer: User, **fields: Any) -> tuple[Version, Review]:
    """A version that a curator has accepted, and the review."""
    made = submitted(of, by, **fields)
    review = open_review(version=made, by=reviewer, now=NOW)
    accept_version(review=review, by=reviewer, now=NOW)
    made.refresh_from_db()
    return made, review


def room(of: Collection, **fields: Any) -> Room:
    """A room in an open exhibit of the collection."""
    number = next(_count)
    exhibit = Exhibit.objects.create(
        slug=f"exhibit-{number}",
        collection=of,
        title_en="The first Games",
        title_zh="第一次亚运会",
        is_open=True,
        **fields,
    )
    return Room.objects.create(exhibit=exhibit, title_en="Opening", title_zh="开幕")
