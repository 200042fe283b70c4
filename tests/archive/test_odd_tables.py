"""What is odd about a table is told on the page of its batch, and costs no scan."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from archive.models import Batch, Collection, Photo
from archive.sources.table import MOST_ODDITIES, read_table
from tests.archive.batch_pages import page, take, worked
from tests.archive.scans import scan, zipped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_bells")]

HEAD = "filename,people_en,place_en"
TOO_LONG = "Row {row} has more cells than there are headings, so its words were left out."


def look(client: Client, box: Collection, rows: str, *scans: int) -> Batch:
    """A ZIP of scans, and a table beside it, looked through."""
    files = {f"{number}.jpg": scan(number) for number in scans or (1, 2)}
    sent = {
        "kind": "zip",
        "file": SimpleUploadedFile("box.zip", zipped(files)),
        "table": SimpleUploadedFile("t.csv", rows.encode()),
    }
    answer = client.post(reverse("archive:batch-new", args=[box.slug]), sent)
    assert answer.status_code == 302, answer.text
    batch = Batch.objects.latest("pk")
    worked(batch)
    return batch


# --- cells that have slipped ---------------------------------------------------------------------
@pytest.mark.parametrize("empty", ["", ",,"])
def test_a_comma_without_quotation_marks_shifts_no_words_and_costs_no_scan(
    cora: Client, box: Collection, empty: str
) -> None:
    """Not even where Excel left empty headings above the columns into which they would slip."""
    rows = f"{HEAD}{empty}\n1.jpg,Li Wei, Zhang San,Tehran\n2.jpg,Su Zhibo,Xi'an\n"
    batch = look(cora, box, rows)
    told = page(cora, batch)
    assert TOO_LONG.format(row=2) in told
    assert TOO_LONG.format(row=3) not in told
    assert "Put quotation marks around words that have a comma" in told
    take(cora, batch)
    words = set(box.photos.values_list("filename", "people_en", "place_en"))
    assert words == {("1.jpg", "", ""), ("2.jpg", "Su Zhibo", "Xi'an")}


def test_empty_cells_at_the_end_of_a_row_are_nothing_odd(cora: Client, box: Collection) -> None:
    told = page(cora, look(cora, box, f"{HEAD}\n1.jpg,Li Wei,Tehran,,\n2.jpg,,,, \n"))
    assert "What is odd about the table" not in told


@pytest.mark.parametrize(("promised", "kept"), [("F" * 64, "f" * 64), ("Zhang San", "")])
def test_of_a_row_that_is_too_long_only_a_digest_is_still_verified(
    promised: str, kept: str
) -> None:
    rows = f"filename,sha256,title_en\n1.jpg,{promised},One,two\n"
    table = read_table(rows.encode())
    assert table.rows["1.jpg"].get("sha256", "").lower() == kept
    assert "title_en" not in table.rows["1.jpg"]


def test_of_very_many_odd_rows_the_rest_is_counted(cora: Client, box: Collection) -> None:
    rows = "".join(f"{number}.jpg,a,b,c\n" for number in range(MOST_ODDITIES + 7))
    told = page(cora, look(cora, box, f"{HEAD}\n{rows}"))
    assert told.count("has more cells than there are headings") == MOST_ODDITIES
    assert "7 more oddities of these kinds are not listed." in told


def test_a_heading_that_stands_twice_is_told(cora: Client, box: Collection) -> None:
    rows = "filename,title_en,Title_EN,notes,notes\n1.jpg,One,Two,,\n"
    batch = look(cora, box, rows)
    told = page(cora, batch)
    assert "These headings stand more than once: title_en. Of each the last column counts." in told
    take(cora, batch)
    assert box.photos.get(filename="1.jpg").title_en == "Two"


# --- identifiers ---------------------------------------------------------------------------------
SEVERAL, ALREADY = "Several rows have the same identifier", "have these identifiers already"


def test_rows_that_share_an_identifier_are_named_once_and_taken(
    cora: Client, box: Collection
) -> None:
    rows = "filename,identifier\n1.jpg,A-17\n2.jpg,A-17\n3.jpg,A-18\n4.jpg,A-18\n5.jpg,\n6.jpg,\n"
    batch = look(cora, box, rows, 1, 2, 3, 4, 5, 6)
    told = page(cora, batch)
    assert told.count(SEVERAL) == 1
    assert "that is meant: A-17 (2, 3); A-18 (4, 5)." in told
    take(cora, batch)
    assert ALREADY not in page(cora, batch)
    numbers = box.photos.order_by("filename").values_list("identifier", flat=True)
    assert list(numbers) == ["A-17", "A-17", "A-18", "A-18", "", ""]


def test_an_identifier_that_another_photo_has_is_told_before_and_after(
    cora: Client, box: Collection
) -> None:
    take(cora, look(cora, box, "filename,identifier\n1.jpg,A-17\n", 1))
    batch = look(cora, box, "filename,identifier\n2.jpg,A-17\n3.jpg,A-18\n", 2, 3)
    told = page(cora, batch)
    assert f"Other photos of this collection {ALREADY}" in told
    assert "that is meant: A-17 (2.jpg)." in told
    take(cora, batch)
    assert page(cora, batch).count(ALREADY) == 1
    assert box.photos.filter(identifier="A-17").count() == 2


def test_the_same_scan_sent_again_is_no_other_photo(cora: Client, box: Collection) -> None:
    rows = "filename,identifier\n1.jpg,A-17\n"
    take(cora, look(cora, box, rows, 1))
    again = look(cora, box, rows, 1, 2)
    take(cora, again)
    assert "What is odd about the table" not in page(cora, again)


def test_neither_another_collection_nor_what_was_withdrawn_has_an_identifier_already(
    cora: Client, box: Collection
) -> None:
    take(cora, look(cora, box, "filename,identifier\n1.jpg,A-17\n", 1))
    gone = Photo.objects.get()
    cora.post(reverse("archive:withdraw", args=[gone.ref]), {"reason": "The wrong file"})
    assert ALREADY not in page(cora, look(cora, box, "filename,identifier\n2.jpg,A-17\n", 2))


# --- what parts the cells ------------------------------------------------------------------------
@pytest.mark.parametrize("first", ["sep=;\r\n", '"SEP=;"\r\n', "\ufeffsep=;;;\n"])
def test_the_line_by_which_excel_names_its_separator_is_read_past(
    cora: Client, box: Collection, first: str
) -> None:
    batch = look(cora, box, f"{first}filename;people_en\r\n1.jpg;Li Wei, Zhang San\r\n")
    assert "What is odd about the table" not in page(cora, batch)
    take(cora, batch)
    assert box.photos.get(filename="1.jpg").people_en == "Li Wei, Zhang San"


@pytest.mark.parametrize("sign", ["|", "\t"])
def test_any_sign_that_the_line_names_parts_the_cells(sign: str) -> None:
    rows = f"sep={sign}\nfilename{sign}title_en\n1.jpg{sign}One, two; three\n"
    assert read_table(rows.encode()).rows["1.jpg"]["title_en"] == "One, two; three"


def test_a_table_of_that_line_alone_is_empty(cora: Client, box: Collection) -> None:
    sent = {
        "kind": "zip",
        "file": SimpleUploadedFile("box.zip", zipped({"1.jpg": scan(1)})),
        "table": SimpleUploadedFile("t.csv", b"sep=;\r\n"),
    }
    answer = cora.post(reverse("archive:batch-new", args=[box.slug]), sent)
    assert answer.status_code == 422
    assert "The table is empty." in answer.text
