"""What stands in the way of a file inside a ZIP is named for what it is."""

from __future__ import annotations

import io
import zipfile
from typing import IO, cast

import pytest

from archive.places import StorageAway
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


@pytest.mark.parametrize("way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_entry_costs_itself_only_in_whatever_way_it_is_packed(way: int) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", way) as archive:
        archive.writestr("one.png", bytes(range(256)) * 400)
    content = bytearray(written.getvalue())
    content[60:90] = b"\xff" * 30
    with pytest.raises(Unreachable) as refused:
        b"".join(Zipped(io.BytesIO(content)).chunks("one.png"))
    assert (refused.value.code, refused.value.whole) == ("zip-damaged", False)


def test_a_storage_that_is_away_is_no_damage_of_a_file() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("one.png", b"bytes of a scan")
    source = Zipped(io.BytesIO(written.getvalue()))

    class Away(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise StorageAway("the storage does not answer")

    source.archive.fp = cast("IO[bytes]", Away(written.getvalue()))
    with pytest.raises(StorageAway):
        b"".join(source.chunks("one.png"))
    with pytest.raises(StorageAway):
        Zipped(Away(written.getvalue()))


def test_a_western_table_is_not_read_as_chinese() -> None:
    for words in ("Die Müller in Zürich", "St John’s in May"):
        with pytest.raises(BadTable, match="table-not-utf8"):
            read_table(f"filename,title_en\na.jpg,{words}\n".encode("cp1252"))


def test_a_chinese_table_that_is_not_utf8_is_read_and_says_so() -> None:
    rows = "filename,title_zh\na.jpg,北京BJ二厂B型车前的VIP客户A和T恤XL\n"
    table = read_table(rows.encode("gb18030"))
    assert table.rows["a.jpg"]["title_zh"] == "北京BJ二厂B型车前的VIP客户A和T恤XL"
    assert [code for code, _facts in table.oddities] == ["table-in-gb18030"]
    assert not read_table(rows.encode()).oddities


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows() -> None:
    for before in ("", 'c.jpg,"Big" team\n'):
        rows = f'filename,title_en\n{before}a.jpg,"The opening\nb.jpg,Football\n'
        with pytest.raises(BadTable, match="table-broken"):
            read_table(rows.encode())


def test_other_strange_quotation_marks_cost_nothing() -> None:
    rows = 'filename,title_en\na.jpg,"Big" team\nb.jpg,The "B" team\nc.jpg,"Two\nlines"\n'
    table = read_table(rows.encode())
    titles = [row["title_en"] for row in table.rows.values()]
    assert titles == ["Big team", 'The "B" team', "Two\nlines"]
