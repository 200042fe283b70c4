"""One steward hides everything while another brings it back: nothing is left that nobody can."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from archive.policy import Refused
from exhibit import hiding
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import HiddenThing, Hiding, Publication
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from restoration.lifecycle import ClaimState, PublicationState, VersionState
from restoration.models import Claim, Version
from tests import factories
from tests.people import appoint, cast, person
from tests.races.together import together

PLAN = Plan.from_json({"steps": [{"name": "tone"}]})


def busy(vera: User, sten: User, cora: User) -> None:
    """Vera has a run, two versions in review and two pictures in public."""
    now, box = timezone.now(), factories.collection()
    appoint(cora, box)
    photo = factories.photo(box)
    claim = claim_photo(photo=photo, by=vera, now=now)
    request_job(
        source=scan_version(photo=photo, now=now), by=vera, fence=claim.pk, plan=PLAN, now=now
    )
    room = factories.room(box)
    for _ in range(2):
        factories.submitted(factories.photo(box), vera)
        shown = factories.photo(box)
        version, _review = factories.accepted(shown, vera, cora)
        publish_version(version=version, room=room, words=Words(), by=sten, now=now)


def counts(vera: User) -> tuple[int, int, int]:
    """Of what is under way or to be seen."""
    return (
        Claim.objects.filter(volunteer=vera, state=ClaimState.OPEN).count(),
        Version.objects.filter(made_by=vera, state=VersionState.SUBMITTED).count(),
        Publication.objects.filter(state=PublicationState.LIVE).count(),
    )


def nothing_is_left_behind(vera: User) -> None:
    """What an undone hiding hid has come back; and the next pair of presses brings all back."""
    assert not HiddenThing.objects.filter(hiding__undone_at__isnull=False, outcome="").exists()
    if not Hiding.objects.filter(person=vera, undone_at=None).exists():
        assert counts(vera) == (1, 2, 2)


Press = Callable[..., Any]


def press(verb: Press, vera: User, by: User, **more: Any) -> Any:
    """As a view does: the person read anew, a refusal an answer."""
    try:
        return verb(person=User.objects.get(pk=vera.pk), by=by, now=timezone.now(), **more)
    except Refused as refused:
        return refused.code


def between(monkeypatch: pytest.MonkeyPatch, name: str, which: int, act: Callable[[], Any]) -> None:
    """Another steward presses just after one thing was done."""
    real, done = getattr(hiding, name), []

    def slow(*args: Any) -> None:
        real(*args)
        done.append(args)
        if len(done) == which:
            act()

    monkeypatch.setattr(hiding, name, slow)


def slowed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """So that both are at work for a while."""
    real = getattr(hiding, name)

    def slow(*args: Any) -> None:
        real(*args)
        time.sleep(random.uniform(0.0, 0.03))

    monkeypatch.setattr(hiding, name, slow)


@pytest.mark.django_db
@pytest.mark.parametrize("which", [1, 2, 3, 4, 5])
def test_everything_is_brought_back_while_it_is_still_being_hidden(
    monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    people, olga = cast(), person("olga", is_steward=True)
    busy(people.vera, people.sten, people.cora)
    undo = partial(press, hiding.undo_hiding, people.vera, olga)
    between(monkeypatch, "_hide_one", which, undo)
    said = press(hiding.hide_everything, people.vera, people.sten, reason="Spam")
    assert not Hiding.objects.filter(undone_at=None).exists()
    nothing_is_left_behind(people.vera)
    assert said == "brought-back"


@pytest.mark.django_db
@pytest.mark.parametrize("which", [1, 2, 3, 5, 7])
def test_everything_is_hidden_while_it_is_still_being_brought_back(
    monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    people, olga = cast(), person("olga", is_steward=True)
    busy(people.vera, people.sten, people.cora)
    press(hiding.hide_everything, people.vera, people.sten, reason="Spam")
    hide = partial(press, hiding.hide_everything, people.vera, olga, reason="More spam")
    between(monkeypatch, "_bring_back", which, hide)
    press(hiding.undo_hiding, people.vera, people.sten)
    nothing_is_left_behind(people.vera)
    assert press(hiding.undo_hiding, people.vera, people.sten) == "not-hidden"


def a_little_later(act: Callable[[], Any]) -> Any:
    time.sleep(random.uniform(0.0, 0.25))
    return act()


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("first", ["hide", "undo"])
def test_in_one_moment_too(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    for name in ("_hide_one", "_bring_back"):
        slowed(monkeypatch, name)
    people, olga = cast(), person("olga", is_steward=True)
    vera, sten = people.vera, people.sten
    busy(vera, sten, people.cora)
    hide = partial(press, hiding.hide_everything, vera, sten, reason="Spam")
    undo = partial(press, hiding.undo_hiding, vera, olga)
    for _ in range(8):
        if first == "undo":
            hide()
        late = hide if first == "undo" else undo
        early = undo if first == "undo" else hide
        answers = together([early, partial(a_little_later, late), partial(a_little_later, undo)])
        assert [each for each in answers if isinstance(each, Exception)] == []
        nothing_is_left_behind(vera)
        undo()
        assert counts(vera) == (1, 2, 2)
