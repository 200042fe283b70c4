"""What stands in the way of a file inside a ZIP is named for what it is."""

from __future__ import annotations

import io
import zipfile

import pytest

from archive.sources.source import Unreachable
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
