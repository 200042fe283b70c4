"""What stands in the way of a file inside a ZIP is named for what it is."""

from __future__ import annotations

import io
import zipfile

import pytest

from archive.sources import zipped
from archive.sources.source import Unreachable
from archive.sources.table import LARGEST, BadTable, read_table
from archive.sources.zipped import Zipped

UNKNOWN_WAY = 97  # of packing


def test_a_file_packed_in_an_unknown_way_is_not_called_damaged() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("one.png", b"bytes of a scan")
    source = Zipped(io.BytesIO(written.getvalue()))
    source.entries["one.png"].compress_type = UNKNOWN_WAY
    with pytest.raises(Unreachable) as refused:
        b"".join(source.chunks("one.png"))
    assert refused.value.code == "zip-packed"


def test_of_a_table_that_is_too_large_only_the_beginning_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    block, most = b"x" * zipped.BLOCK, LARGEST // zipped.BLOCK + 8
    written = io.BytesIO()
    with (
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("in/metadata.csv", "w") as table,
    ):
        for number in range(most):
            table.write(number.to_bytes(2) + block[2:])
    source = Zipped(io.BytesIO(written.getvalue()))
    monkeypatch.setattr(zipped, "BOMB_BYTES", 1024**3)
    read, real = [], Zipped.chunks

    def counted(self: Zipped, place: str) -> object:
        for chunk in real(self, place):
            read.append(len(chunk))
            yield chunk

    monkeypatch.setattr(Zipped, "chunks", counted)
    content = source.table()
    assert content is not None
    assert len(content) == LARGEST + 1
    assert sum(read) == LARGEST + zipped.BLOCK
    with pytest.raises(BadTable, match="too-large"):
        read_table(content)
