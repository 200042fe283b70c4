"""All that is said of a collection's photos as a table: taken home, put right, brought again."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive import batch as worker
from archive import reports
from archive.models import Batch, Collection, Photo
from archive.sources.table import COLUMNS
from tests import factories
from tests.archive.scans import scan, zipped
from tests.people import Cast, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_bells")]


def table(client: Client, box: Collection) -> bytes:
    answer = client.get(reverse("archive:descriptions", args=[box.slug]))
    assert answer["Content-Disposition"] == f'attachment; filename="{box.slug}.csv"'
    assert "no-store" in answer["Cache-Control"]
    content: bytes = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return content


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def bring(client: Client, box: Collection, rows: bytes, **files: bytes) -> str:
    """Scans with a table beside them, taken in; what the batch's page says then."""
    sent = {
        "kind": "zip",
        "file": SimpleUploadedFile("box.zip", zipped(files)),
        "table": SimpleUploadedFile("t.csv", rows),
    }
    client.post(reverse("archive:batch-new", args=[box.slug]), sent)
    batch = Batch.objects.latest("pk")
    slices(batch)
    client.post(reverse("archive:batch-move", args=[box.slug, batch.pk, "take"]))
    slices(batch)
    return client.get(reverse("archive:batch", args=[box.slug, batch.pk])).text


def slices(batch: Batch) -> None:
    while worker.work_for_a_while(batch_id=batch.pk):
        pass


def test_the_collections_page_leads_to_a_table_that_a_spreadsheet_opens(
    cora: Client, box: Collection
) -> None:
    told = {"title_zh": "开幕式", "description_en": "One; “two”,\nthree", "identifier": "A-17"}
    photo = factories.photo(box, filename="a.jpg", **told)
    address = reverse("archive:descriptions", args=[box.slug])
    page = cora.get(reverse("archive:collection", args=[box.slug])).text
    assert f'href="{address}" download' in page
    content = table(cora, box)
    assert content.startswith(b"\xef\xbb\xbffilename,sha256,title_en,title_zh,date_edtf,")
    (row,) = rows(content)
    assert row == {name: getattr(photo, name) for name in row}
    assert row | told == row
    assert set(row) == set(COLUMNS) - {"url"}


def test_neither_what_was_withdrawn_nor_what_others_have_stands_in_it(
    cora: Client, box: Collection
) -> None:
    factories.photo(box, filename="a.jpg")
    factories.photo(factories.collection(), filename="b.jpg")
    gone = factories.photo(box, filename="c.jpg")
    cora.post(reverse("archive:withdraw", args=[gone.ref]), {"reason": "The wrong file"})
    assert [row["filename"] for row in rows(table(cora, box))] == ["a.jpg"]


def test_no_cell_of_it_is_calculated(cora: Client, box: Collection) -> None:
    names = ["=1+1", "+1", "-1", "@now", "'=1", "1"]
    for name in names:
        factories.photo(box, title_en=name)
    titles = [row["title_en"] for row in rows(table(cora, box))]
    assert titles == ["'=1+1", "'+1", "'-1", "'@now", "''=1", "1"]


def test_what_was_put_right_in_it_is_brought_again(cora: Client, box: Collection) -> None:
    said = "filename,title_en,people_en\na.jpg,-17 degrees,'=\nb.jpg,,\n"
    scans = {"a.jpg": scan(1), "b.jpg": scan(2)}
    bring(cora, box, said.encode(), **scans)
    found = rows(table(cora, box))
    found[1]["title_en"] = "Football"
    out = io.StringIO()
    writer = csv.DictWriter(out, found[0])
    writer.writeheader()
    writer.writerows(found)
    told = bring(cora, box, out.getvalue().encode(), **scans)
    assert "Written down now, because nothing was there yet: title (English)." in told
    assert "says otherwise" not in told
    assert "What is odd about the table" not in told
    titles = box.photos.order_by("filename").values_list("title_en", flat=True)
    assert list(titles) == ["-17 degrees", "Football"]


def test_it_is_asked_for_page_by_page(
    cora: Client, box: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "A_PAGE", 3)
    for _number in range(7):
        factories.photo(box)

    def asked() -> list[Any]:
        answer = cora.get(reverse("archive:descriptions", args=[box.slug]))
        with CaptureQueriesContext(connection) as seen:
            lines = list(answer.streaming_content)  # type: ignore[attr-defined]
        assert len(lines) == 2 + Photo.objects.count()  # the mark, the headings
        return seen.captured_queries

    assert len(asked()) == 4
    factories.photo(box)
    assert len(asked()) == 4


def test_only_who_looks_after_the_collection_gets_it(box: Collection, people: Cast) -> None:
    address = reverse("archive:descriptions", args=[box.slug])
    assert Client().get(address).status_code in (302, 401)
    for other in (people.vera, people.clive):
        assert signed_in(other).get(address).status_code == 404
    assert signed_in(people.sten).get(address).status_code == 200
