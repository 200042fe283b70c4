"""Tiles from a bucket of a real S3 service: the list of them once, then one ranged GET each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import pyvips
from django.core.files.storage import default_storage

from archive import derivatives, storage, tiles
from archive.sizes import PIPELINE, tiles_name
from tests.archive.test_tiles import grainy, kept

pytestmark = pytest.mark.usefixtures("bytes_in_s3")


def asked() -> list[tuple[str, str]]:
    """Method and range of every request that is sent from now on."""
    found: list[tuple[str, str]] = []
    client = cast(Any, default_storage).bucket.meta.client

    def note(request: Any, **_facts: Any) -> None:
        spanned = request.headers.get("Range", b"")
        found.append((request.method, spanned.decode() if spanned else ""))

    client.meta.events.register("before-send.s3", note)
    return found


def test_a_tile_is_one_ranged_request(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, grainy(700, 600))
    key = storage.derivative_key(sha256, tiles_name(PIPELINE))
    sent = asked()
    names = list(tiles.directory(key))
    sent.clear()
    for name in names:
        entry = tiles.find(key, name)
        assert entry is not None
        assert pyvips.Image.new_from_buffer(tiles.read(key, name), "").width
        asked_now = [each for each in sent if each[1]]
        assert asked_now == [("GET", f"bytes={entry.start}-{entry.start + entry.size - 1}")]
        sent.clear()


def test_newer_sizes_take_the_place_of_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = kept(tmp_path, grainy(600, 500))
    key = storage.derivative_key(sha256, "400.jpg")
    before = storage.open_key(key).read()
    monkeypatch.setattr(derivatives, "QUALITY", 30)
    with storage.local(storage.working_key(sha256)) as path:
        derivatives.make(path, sha256, again=True)
    assert len(storage.open_key(key).read()) < len(before)
