"""A small museum: one collection, one open exhibit with a room, one picture in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches

from archive import storage
from archive.models import Collection, Photo
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement, Publication, Room
from restoration.lifecycle import JobState
from restoration.models import Job, Version
from tests import factories
from tests.people import Cast, appoint, cast

LATER = factories.NOW + timedelta(hours=1)


@dataclass
class Museum:
    """Vera restored, Cora accepted, Sten published."""

    people: Cast
    collection: Collection
    room: Room
    photo: Photo
    version: Version
    publication: Publication

    @property
    def exhibit(self) -> Exhibit:
        return self.room.exhibit

    @property
    def placement(self) -> Placement:
        return Placement.objects.get(photo=self.photo)

    @property
    def url(self) -> str:
        return f"/exhibits/{self.exhibit.slug}/{self.photo.ref}/"


def hang(museum: Museum, *, words: Words | None = None, **fields: object) -> Publication:
    """One more accepted picture in the room, without bytes."""
    photo = factories.photo(museum.collection)
    version, _review = factories.accepted(photo, museum.people.vera, museum.people.cora, **fields)
    return publish_version(
        version=version,
        room=museum.room,
        words=words or Words(caption_en="Another one"),
        by=museum.people.sten,
        now=LATER,
    )


def stored_sheet() -> str:
    """A stored map; gives the sha256."""
    png = b"\x89PNG not a real one"
    sha256 = hashlib.sha256(png).hexdigest()
    storage.put_bytes(storage.sheet_key(sha256), png)
    return sha256


@pytest.fixture
def pages_kept(settings: Any) -> Iterator[None]:
    """Public pages are kept, as on a site, and none that another test has seen."""
    settings.PAGES_KEPT_SECONDS = 60
    caches["pages"].clear()
    yield
    caches["pages"].clear()


@pytest.fixture
def museum(db: None) -> Museum:
    """The museum with really stored pictures."""
    people, collection = cast(), factories.collection(two_person=True)
    appoint(people.cora, collection)
    photo = factories.photo(
        collection,
        bytes_too=True,
        title_en="The first gold medal",
        title_zh="",
        date_edtf="1974-09",
        place_en="Tehran",
        people_en="Su Zhibo",
        identifier="A-17",
    )
    records = [
        {"step": "repair", "backend": "embedded", "settings": {"sensitivity": 0.4}, "seconds": 1},
        {"step": "colourise", "backend": "embedded", "settings": {"strength": 0.9}, "seconds": 2},
        {"step": "guard", "backend": "embedded", "settings": {}, "seconds": 1},
    ]
    guard = {
        "verdict": "review",
        "reasons": ["erased"],
        "changed_area": 2.4,
        "filled_area": 1.8,
        "erased": 3.1,
        "faces": [],
        "coloured_guess_area": 0.34,
    }
    version, _review = factories.accepted(
        photo,
        people.vera,
        people.cora,
        image=factories.picture(7),
        records=records,
        meters={"guard": guard},
        maps={"coloured_guess": stored_sheet()},
    )
    Job.objects.create(
        photo=photo,
        version=version,
        state=JobState.SUCCEEDED,
        requested_at=factories.NOW,
        plan={
            "prompt": {"period": "1974", "facts": ["jacket: red <the museum has it>"], "words": ""},
            "seed": 5,
        },
    )
    room = factories.room(collection)
    words = Words(
        caption_en="Shooting, pistol",
        story_en="She had trained for a year.\n\nNobody expected it.",
        story_zh="她训练了一年。",
    )
    publication = publish_version(
        version=version, room=room, words=words, by=people.sten, now=LATER
    )
    return Museum(people, collection, room, photo, version, publication)
