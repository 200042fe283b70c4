"""Hold, release, withdraw, describe; and who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archive import actions
from archive.lifecycle import PhotoState
from archive.models import Event, Photo
from archive.policy import Refused
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    box = factories.collection()
    appoint(people.cora, box)
    appoint(people.clive, factories.collection())
    return factories.photo(box)


VERBS: dict[str, Callable[..., None]] = {
    "hold": lambda photo, by: actions.hold_photo(photo=photo, by=by, reason="a wish", now=NOW),
    "release": lambda photo, by: actions.release_photo_hold(photo=photo, by=by, now=NOW),
    "withdraw": lambda photo, by: actions.withdraw_photo(photo=photo, by=by, reason="", now=NOW),
    "read again": lambda photo, by: actions.read_again(photo=photo, by=by, now=NOW),
    "describe": lambda photo, by: actions.describe_photo(photo=photo, by=by, fields={}, now=NOW),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("who", ["vera", "clive"])
def test_nobody_but_a_curator_of_the_collection(
    verb: str, who: str, people: Cast, photo: Photo
) -> None:
    with pytest.raises(Refused) as refused:
        VERBS[verb](photo, getattr(people, who))
    assert refused.value.code == "not-curator"


def test_a_photo_is_held_and_put_back(people: Cast, photo: Photo) -> None:
    actions.hold_photo(photo=photo, by=people.cora, reason="The family asks.", now=NOW)
    assert photo.state == PhotoState.ON_HOLD
    actions.release_photo_hold(photo=photo, by=people.cora, now=NOW)
    assert photo.state == PhotoState.READY
    told = Event.objects.filter(photo=photo).order_by("pk").values_list("verb", "actor__username")
    assert list(told) == [("photo.on_hold", "cora"), ("photo.ready", "cora")]
    assert Event.objects.get(verb="photo.on_hold").facts["reason"] == "The family asks."


def test_what_is_withdrawn_stays_withdrawn(people: Cast, photo: Photo) -> None:
    actions.withdraw_photo(photo=photo, by=people.cora, reason="Not ours.", now=NOW)
    for verb in ("hold", "release", "withdraw", "read again"):
        with pytest.raises(Refused) as refused:
            VERBS[verb](photo, people.cora)
        assert (refused.value.code, refused.value.conflict) == ("photo-moved-on", True)


def test_the_slower_of_two_curators_is_told(people: Cast, photo: Photo) -> None:
    seen_by_the_slower = Photo.objects.get(pk=photo.pk)
    actions.hold_photo(photo=photo, by=people.cora, reason="", now=NOW)
    with pytest.raises(Refused) as refused:
        actions.hold_photo(photo=seen_by_the_slower, by=people.sten, reason="", now=NOW)
    assert refused.value.conflict


def test_a_quarantined_photo_cannot_slip_onto_the_wall_by_release(
    people: Cast, photo: Photo
) -> None:
    Photo.objects.filter(pk=photo.pk).update(state=PhotoState.READING)
    photo.refresh_from_db()
    with pytest.raises(Refused):
        actions.release_photo_hold(photo=photo, by=people.cora, now=NOW)


def test_a_description_changes_and_its_history_keeps_what_was_said(
    people: Cast, photo: Photo
) -> None:
    before = photo.title_en
    fields = {"title_en": " The opening ", "title_zh": photo.title_zh, "date_edtf": "1974-09-01"}
    actions.describe_photo(photo=photo, by=people.cora, fields=fields, now=NOW)
    photo.refresh_from_db()
    assert (photo.title_en, photo.date_edtf) == ("The opening", "1974-09-01")
    event = Event.objects.get(verb="photo.described")
    assert event.facts["was"] == {"title_en": before, "date_edtf": ""}
    assert event.facts["now"] == {"title_en": "The opening", "date_edtf": "1974-09-01"}


def test_a_date_is_kept_as_edtf_however_it_was_written(people: Cast, photo: Photo) -> None:
    fields = {"date_edtf": "about May 1904"}
    actions.describe_photo(photo=photo, by=people.cora, fields=fields, now=NOW)
    photo.refresh_from_db()
    assert photo.date_edtf == "1904-05~"
    assert Event.objects.get(verb="photo.described").facts["now"] == {"date_edtf": "1904-05~"}


def test_saying_the_same_again_says_nothing(people: Cast, photo: Photo) -> None:
    actions.describe_photo(
        photo=photo, by=people.cora, fields={"title_en": photo.title_en}, now=NOW
    )
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"date_edtf": "03/04/1905"}, "date-not-edtf"),
        ({"title_en": "x" * 201}, "field-not-valid"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(
    fields: dict[str, str], code: str, people: Cast, photo: Photo
) -> None:
    with pytest.raises(Refused) as refused:
        actions.describe_photo(photo=photo, by=people.cora, fields=fields, now=NOW)
    assert refused.value.code == code
    assert len(str(refused.value.message)) > 20


def test_a_description_is_only_a_description(people: Cast, photo: Photo) -> None:
    with pytest.raises(ValueError, match="state"):
        actions.describe_photo(photo=photo, by=people.cora, fields={"state": "ready"}, now=NOW)


# --- collections ---------------------------------------------------------------------------------
FIELDS: dict[str, Any] = {
    "slug": "games-1974",
    "institution_en": "Museum of the Games",
    "title_en": "Tehran 1974",
    "rights_uri": "http://rightsstatements.org/vocab/NKC/1.0/",
}


def test_a_steward_opens_a_collection_once(people: Cast) -> None:
    box = actions.create_collection(by=people.sten, fields=FIELDS, now=NOW)
    assert Event.objects.get(collection=box).verb == "collection.created"
    with pytest.raises(Refused) as refused:
        actions.create_collection(by=people.sten, fields=FIELDS, now=NOW)
    assert refused.value.code == "slug-taken"


@pytest.mark.parametrize("who", ["vera", "cora"])
def test_nobody_else_opens_one(who: str, people: Cast) -> None:
    with pytest.raises(Refused) as refused:
        actions.create_collection(by=getattr(people, who), fields=FIELDS, now=NOW)
    assert refused.value.code == "not-steward"


def test_its_curator_changes_it_but_not_its_address(people: Cast, photo: Photo) -> None:
    box = photo.collection
    change = {"do_not_colourise": True, "title_en": box.title_en}
    actions.change_collection(collection=box, by=people.cora, fields=change, now=NOW)
    box.refresh_from_db()
    assert box.do_not_colourise
    event = Event.objects.get(verb="collection.changed")
    assert event.facts["was"] == {"do_not_colourise": False}
    with pytest.raises(Refused) as refused:
        actions.change_collection(collection=box, by=people.cora, fields={"slug": "other"}, now=NOW)
    assert refused.value.code == "slug-stays"


@pytest.mark.parametrize("who", ["vera", "clive"])
def test_a_stranger_to_the_collection_does_not_change_it(
    who: str, people: Cast, photo: Photo
) -> None:
    with pytest.raises(Refused):
        actions.change_collection(
            collection=photo.collection, by=getattr(people, who), fields={}, now=NOW
        )
