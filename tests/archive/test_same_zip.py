"""The same ZIP sent again: it lies in the storage once, and stays while any batch needs it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import batch as worker
from archive import batches, storage
from archive.batches import Origin
from archive.lifecycle import BatchState, FileOutcome, SourceKind
from archive.models import Batch, Collection
from tests import factories
from tests.archive.scans import scan, zipped
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.usefixtures("no_bells")


@pytest.fixture
def people(on_sqlite_file: str) -> Cast:
    """Rows that are really committed: a file is let go of at that moment, not before."""
    return cast()


@pytest.fixture
def boxes(people: Cast) -> list[Collection]:
    made = [factories.collection(), factories.collection()]
    for box in made:
        appoint(people.cora, box)
    return made


WHOLE = zipped({"a.jpg": scan(1), "b.jpg": scan(2)})
WITH_A_BAD_ONE = zipped({"a.jpg": scan(1), "b.jpg": b"GIF89a" + b"x" * 100})


def worked(batch: Batch) -> Batch:
    while worker.work_for_a_while(batch_id=batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def taken(box: Collection, content: bytes, people: Cast) -> Batch:
    origin = Origin(SourceKind.ZIP, batches.keep_source(chunks=[content], suffix=".zip"), "box.zip")
    begun = batches.begin_batch(
        collection=box, origin=origin, by=people.cora, now=timezone.now(), look=False
    )
    return worked(begun)


@pytest.mark.parametrize("table", ["", "filename,title_en\na.jpg,Opening"])
def test_it_is_looked_through_once_more_and_with_another_table_too(
    client: Client, boxes: list[Collection], people: Cast, table: str
) -> None:
    client.force_login(people.cora)
    address = reverse("archive:batch-new", args=[boxes[0].slug])
    for said in ("", table, table):
        fields: dict[str, Any] = {"kind": "zip", "file": SimpleUploadedFile("box.zip", WHOLE)}
        if said:
            fields["table"] = SimpleUploadedFile("t.csv", said.encode())
        assert client.post(address, fields).status_code == 302
        made = worked(Batch.objects.latest("pk"))
        assert (made.state, made.code) == (BatchState.LOOKED, "")
        assert storage.exists(made.place)
        assert not made.table or storage.exists(made.table)
    states = Batch.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [BatchState.CLOSED, BatchState.CLOSED, BatchState.LOOKED]


def test_it_stays_for_a_batch_that_may_try_again_what_was_refused(
    boxes: list[Collection], people: Cast
) -> None:
    first, second = (taken(box, WITH_A_BAD_ONE, people) for box in boxes)
    assert (first.state, second.state) == (BatchState.DONE, BatchState.DONE)
    batches.close_batch(batch=second, by=people.cora, now=timezone.now())
    batches.retry_batch(batch=first, by=people.cora, now=timezone.now())
    again = worked(first)
    assert (again.state, again.code) == (BatchState.DONE, "")
    assert again.files.get(outcome=FileOutcome.REFUSED).code == "kind-not-allowed"
    batches.close_batch(batch=first, by=people.cora, now=timezone.now())
    assert not storage.exists(first.place)


@pytest.mark.slow
def test_what_two_batches_have_taken_in_whole_is_kept_for_neither(
    boxes: list[Collection], people: Cast
) -> None:
    for box in boxes:
        done = taken(box, WHOLE, people)
        assert done.state == BatchState.DONE
        assert not storage.exists(done.place)
