"""A table that comes after its scans: what it says is offered, told, and written down."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.models import Batch, Collection
from tests import factories
from tests.archive.batch_pages import page, take, worked
from tests.archive.scans import scan, zipped
from tests.people import appoint, person, signed_in

pytestmark = pytest.mark.usefixtures("no_bells")

BUTTON = "Take these in"


def looked(client: Client, box: Collection, scans: range, rows: str = "") -> Batch:
    """A ZIP of scans, with a table in it when there are rows, looked through."""
    files = {f"{number}.jpg": scan(number) for number in scans}
    if rows:
        files["metadata.csv"] = f"filename,title_en\n{rows}".encode()
    sent = {"kind": "zip", "file": SimpleUploadedFile("box.zip", zipped(files))}
    client.post(reverse("archive:batch-new", args=[box.slug]), sent)
    batch = Batch.objects.latest("pk")
    worked(batch)
    return batch


@pytest.fixture
def curated() -> Collection:
    """In whatever database the test has chosen."""
    box = factories.collection()
    appoint(person("cora"), box)
    return box


@pytest.fixture
def curator(curated: Collection) -> Client:
    return signed_in(curated.curatorships.get().user)


def titled(numbers: range) -> str:
    return "".join(f"{number}.jpg,Title {number}\n" for number in numbers)


@pytest.mark.parametrize("database", ["db", "on_postgres"])
def test_a_table_that_comes_after_its_scans_is_offered_and_written_down(
    database: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(database)
    box, client = request.getfixturevalue("curated"), request.getfixturevalue("curator")
    take(client, looked(client, box, range(3)))
    batch = looked(client, box, range(3), titled(range(2)))
    told = page(client, batch)
    assert "No scan in it is new." in told
    assert "2 photos that are here already lack words that came along" in told
    assert BUTTON in told.partition('id="batch-take"')[2][:1000]
    take(client, batch)
    titles = set(box.photos.values_list("filename", "title_en"))
    assert titles == {("0.jpg", "Title 0"), ("1.jpg", "Title 1"), ("2.jpg", "")}
    told = page(client, looked(client, box, range(3), titled(range(2))))
    assert "Nothing in it is new." in told
    assert BUTTON not in told


@pytest.mark.django_db
def test_beside_new_scans_it_says_of_how_many_others_words_are_written_down(
    curator: Client, curated: Collection
) -> None:
    take(curator, looked(curator, curated, range(1)))
    told = page(curator, looked(curator, curated, range(2), titled(range(2))))
    assert "Nothing has been taken in yet." in told
    assert "1 photo that is here already lacks words that came along" in told


@pytest.mark.django_db
def test_what_is_only_said_otherwise_offers_nothing(curator: Client, curated: Collection) -> None:
    take(curator, looked(curator, curated, range(1), titled(range(1))))
    told = page(curator, looked(curator, curated, range(1), "0.jpg,Another title\n"))
    assert "there “Another title”" in told
    assert "Nothing in it is new." in told
    assert BUTTON not in told


@pytest.mark.django_db
def test_the_page_asks_as_often_for_many_such_files_as_for_few(
    curator: Client, curated: Collection
) -> None:
    take(curator, looked(curator, curated, range(8)))
    counts = []
    for numbers in (range(2), range(8)):
        batch = looked(curator, curated, numbers, titled(numbers))
        with CaptureQueriesContext(connection) as seen:
            assert f"{len(numbers)} photos that are here already" in page(curator, batch)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12
