"""What the tests of the work share: the cast, an open collection, and a worker in the next room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from archive.models import Collection, Photo
from restoration import presence, runner
from restoration.actions.claims import claim_photo
from restoration.actions.versions import scan_version
from restoration.lifecycle import JobState
from restoration.models import Claim, Job, Version
from tests import factories
from tests.people import Cast, cast


@dataclass(frozen=True)
class Desk:
    """One person's browser with one photo."""

    client: Client
    user: User
    photo: Photo
    claim: Claim | None = None

    def url(self, name: str, *args: object) -> str:
        fence = f"?claim={self.claim.pk}" if self.claim else ""
        return reverse(f"restoration:{name}", args=[self.photo.ref, *args]) + fence

    def get(self, name: str, *args: object, **data: Any) -> Any:
        return self.client.get(reverse(f"restoration:{name}", args=[self.photo.ref, *args]), data)

    def post(self, name: str, *args: object, data: Any = None, **more: Any) -> Any:
        return self.client.post(self.url(name, *args), data or {}, **more)

    def htmx(self, name: str, *args: object, data: Any = None) -> Any:
        return self.post(name, *args, data=data, headers={"HX-Request": "true"})


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


@pytest.fixture
def box(db: None) -> Collection:
    return factories.collection()


@pytest.fixture
def now(db: None) -> datetime:
    return timezone.now()


@pytest.fixture
def photo(box: Collection) -> Photo:
    """A photo with real pixels: small, grey, with some grain."""
    return factories.photo(box, bytes_too=True)


@pytest.fixture
def sit() -> Callable[..., Desk]:
    """Seat somebody before a photo: signed in, and holding it unless told."""

    def seat(user: User, photo: Photo, *, holding: bool = True) -> Desk:
        client = Client()
        client.force_login(user)
        claim = claim_photo(photo=photo, by=user, now=timezone.now()) if holding else None
        scan_version(photo=photo, now=timezone.now())
        return Desk(client, user, photo, claim)

    return seat


@pytest.fixture
def vera(people: Cast, photo: Photo, sit: Callable[..., Desk]) -> Desk:
    """Vera at her bench."""
    return sit(people.vera, photo)


@pytest.fixture
def victor(people: Cast, photo: Photo, sit: Callable[..., Desk]) -> Desk:
    """Victor, who does not hold the photo."""
    return sit(people.victor, photo, holding=False)


@pytest.fixture
def worker_on(now: datetime) -> None:
    """A CPU worker that said it is alive."""
    presence.announce(name="cpu@here", queues=["cpu"], offers=["embedded"], models=[], now=now)


@pytest.fixture
def work() -> Callable[[], list[Job]]:
    """Do what is queued, as a worker would; gives the jobs as they ended."""

    def through() -> list[Job]:
        waiting = list(Job.objects.filter(state=JobState.QUEUED).values_list("pk", flat=True))
        for number in waiting:
            runner.run(job_id=number, worker="test")
        return list(Job.objects.filter(pk__in=waiting))

    return through


def recipe(*, base: int = 0, rev: int = 0, **fields: str) -> dict[str, str]:
    """A posted bench: tone alone, unless told."""
    form = {"base": str(base), "rev": str(rev), "mask": "", "dabs": "[]", "regions": "[]"}
    return form | (fields or {"step-tone": "on", "tone-strength": "0.5"})


def newest(photo: Photo) -> Version:
    """The version that was made last."""
    return Version.objects.filter(photo=photo).latest("number")
