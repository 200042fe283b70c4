"""A batch whose table says something that cannot be kept: what is to be corrected, and how."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from archive import batch as worker
from archive.models import Batch, Collection, Photo
from tests.archive.scans import scan, zipped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_bells")]


def slices(batch: Batch) -> None:
    while worker.work_for_a_while(batch_id=batch.pk):
        pass


def page(client: Client, batch: Batch) -> str:
    return client.get(reverse("archive:batch", args=[batch.collection.slug, batch.pk])).text


CORRECT = "Correct the table and send it with the ZIP as a new batch"


def with_table(client: Client, box: Collection, rows: str, **files: bytes) -> Batch:
    """A ZIP and a table, looked through and taken in."""
    sent = {
        "kind": "zip",
        "file": SimpleUploadedFile("box 12.zip", zipped(files)),
        "table": SimpleUploadedFile("t.csv", f"filename,date_edtf\n{rows}".encode()),
    }
    client.post(reverse("archive:batch-new", args=[box.slug]), sent)
    batch = Batch.objects.latest("pk")
    slices(batch)
    client.post(reverse("archive:batch-move", args=[box.slug, batch.pk, "take"]))
    slices(batch)
    return batch


def test_where_only_the_tables_words_are_wrong_they_are_what_is_to_be_corrected(
    cora: Client, box: Collection
) -> None:
    batch = with_table(cora, box, "a,harvest 1890\nb,summer 1890\n", a=scan(1), b=scan(2))
    told = page(cora, batch)
    assert "“harvest 1890” cannot be read as a date." in told
    assert CORRECT in told
    assert "Try once more" not in told
    assert Photo.objects.get().date_edtf == "1890-22"
    batch = with_table(cora, box, "a,1890\nb,1890-22\n", a=scan(1), b=scan(2))
    assert CORRECT not in page(cora, batch)
    assert sorted(box.photos.values_list("date_edtf", flat=True)) == ["1890", "1890-22"]


def test_where_other_things_were_not_taken_too_they_are_tried_once_more(
    cora: Client, box: Collection
) -> None:
    told = page(cora, with_table(cora, box, "a,harvest 1890\n", a=scan(1), b=b"no picture"))
    assert CORRECT in told
    assert "Try once more" in told


def test_what_the_table_names_in_vain_is_not_tried_once_more(cora: Client, box: Collection) -> None:
    told = page(cora, with_table(cora, box, "a,1890\ngone,1891\n", a=scan(1)))
    assert "The table names this file, but it is not in the source." in told
    assert "Try once more" not in told
