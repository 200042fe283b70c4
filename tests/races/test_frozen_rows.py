"""The database itself refuses to change what must never change."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from archive.models import Event, Original
from restoration.models import Version
from tests import factories
from tests.people import person

pytestmark = pytest.mark.django_db


def refused(change: object) -> None:
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change()  # type: ignore[operator]


def test_an_original_is_never_rewritten() -> None:
    factories.photo(factories.collection())
    refused(lambda: Original.objects.update(size=1))


def test_an_event_is_never_rewritten() -> None:
    factories.claim(factories.photo(factories.collection()), person("vera"))
    refused(lambda: Event.objects.update(verb="claim.nothing"))


def test_a_version_keeps_its_pixels_and_its_parent_but_may_change_state() -> None:
    made = factories.version(factories.photo(factories.collection()), person("vera"))
    rows = Version.objects.filter(pk=made.pk)
    refused(lambda: rows.update(sha256="b" * 64))
    refused(lambda: rows.update(parent=None))
    refused(lambda: rows.update(meters={}))
    assert rows.update(note="See the left edge.") == 1


def test_a_publication_stays_what_it_was_published_as() -> None:
    from exhibit.actions import publish_version
    from exhibit.arranging import Words
    from exhibit.models import Publication
    from tests.people import appoint

    collection = factories.collection()
    cora = person("cora")
    appoint(cora, collection)
    version, _ = factories.accepted(factories.photo(collection), person("vera"), cora)
    room = factories.room(collection)
    publish_version(version=version, room=room, words=Words(), by=cora, now=factories.NOW)
    refused(lambda: Publication.objects.update(version_sha256="c" * 64))
    refused(lambda: Publication.objects.update(made={}))
