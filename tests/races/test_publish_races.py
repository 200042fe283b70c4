"""Two versions of one photo are published in one moment: one face is public, never two."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from archive.policy import Refused
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Placement, Publication
from restoration.lifecycle import PublicationState
from restoration.models import Version
from tests import factories
from tests.people import appoint, person
from tests.races.together import together


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_many_publish_at_once_and_one_face_is_live() -> None:
    collection = factories.collection()
    room = factories.room(collection)
    vera, cora, sten = person("vera"), person("cora"), person("sten", is_steward=True)
    appoint(cora, collection)
    for _ in range(5):
        photo = factories.photo(collection)
        versions = [factories.accepted(photo, vera, cora)[0] for _ in range(4)]
        twins = Version.objects.select_related("photo__collection").in_bulk()
        results = together(
            [
                partial(
                    publish_version,
                    version=twins[version.pk],
                    room=room,
                    words=Words(),
                    by=sten,
                    now=factories.NOW + timedelta(hours=1),
                )
                for version in versions
            ]
        )
        assert all(isinstance(each, Publication | Refused) for each in results), results
        assert any(isinstance(each, Publication) for each in results)
        live = Publication.objects.get(photo=photo, state=PublicationState.LIVE)
        assert Placement.objects.get(photo=photo).publication == live
