"""What an account may do depends on the trust in it, and never on where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive import storage
from archive.models import Collection, Photo
from archive.policy import Refused
from archive.trust import LIMITS, Trust, level
from restoration import policy
from restoration.actions.jobs import bring_retouch
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job, Sheet, Version
from tests import factories
from tests.people import Cast, person

from .conftest import Desk, recipe

IP = {"REMOTE_ADDR": "203.0.113.7"}


def asked(user: User, *, many: int, at: datetime, kind: str = JobKind.RESTORE) -> None:
    """Runs of the past, as rows."""
    photo = factories.photo(factories.collection())
    Job.objects.bulk_create(
        Job(
            photo=photo,
            kind=kind,
            requested_by=user,
            requested_at=at + timedelta(seconds=number),
            state=JobState.FAILED,
        )
        for number in range(many)
    )


def test_every_level_has_its_limits_and_more_trust_never_means_less() -> None:
    assert set(LIMITS) == set(Trust.values)
    order = (Trust.SUSPENDED, Trust.LIMITED, Trust.NEW, Trust.REGULAR, Trust.TRUSTED)
    for lower, higher in pairwise(order):
        pairs = zip(vars(LIMITS[lower]).values(), vars(LIMITS[higher]).values(), strict=True)
        assert all(less < more for less, more in pairs)


@pytest.mark.parametrize("trust", [Trust.LIMITED, Trust.NEW, Trust.REGULAR])
def test_so_many_photos_at_once(box: Collection, trust: str) -> None:
    user, most = person("vera", trust=trust), LIMITS[trust].claims
    for _ in range(most):
        factories.claim(factories.photo(box), user)
    with pytest.raises(Refused, match="too-many-claims"):
        factories.claim(factories.photo(box), user)


def another(rev: int) -> dict[str, str]:
    """A run that is not one of those before: the same one again would be that run."""
    return recipe(rev=rev) | {"seed": str(rev)}


def test_so_many_runs_at_once_and_the_draft_is_kept(vera: Desk) -> None:
    for rev in range(3):
        vera.post("run", data=another(rev))
    form = another(3) | {"prompt-place": "Tehran"}
    answer = vera.post("run", data=form)
    assert (answer.status_code, answer["Retry-After"]) == (429, "30")
    assert "3 runs of yours are waiting or running." in answer.text
    assert 'value="Tehran"' in answer.text
    assert "sessionid" in vera.client.cookies  # nobody is signed out


def test_htmx_shows_the_sentence_where_the_run_would_be(vera: Desk) -> None:
    for rev in range(3):
        vera.post("run", data=another(rev))
    answer = vera.htmx("run", data=another(3))
    assert answer.status_code == 429
    assert answer.templates[0].name == "restoration/_job.html"
    assert "Wait for one, or cancel one." in answer.text
    page = vera.get("bench").text
    assert '{"code": "429", "swap": true}' in page


def test_so_many_runs_in_an_hour_and_then_when_to_go_on(vera: Desk, now: datetime) -> None:
    asked(vera.user, many=LIMITS[Trust.REGULAR].jobs, at=now - timedelta(minutes=50))
    url = reverse("api:photo-jobs", args=[vera.photo.ref])
    told = {"claim": vera.claim.pk, "plan": {"steps": [{"name": "tone"}]}}
    answer = vera.client.post(url, told, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-jobs-an-hour")
    assert 540 < int(answer["Retry-After"]) <= 600
    assert "Go on in 10 minutes." in answer.json()["detail"]


def test_an_hour_later_it_goes_on(vera: Desk, now: datetime) -> None:
    asked(vera.user, many=LIMITS[Trust.REGULAR].jobs, at=now - timedelta(minutes=62))
    vera.post("run", data=recipe())
    assert Job.objects.filter(state=JobState.QUEUED).count() == 1


def test_so_many_retouches_in_an_hour_refused_before_the_file_is_kept(
    vera: Desk, now: datetime
) -> None:
    asked(vera.user, many=30, at=now - timedelta(minutes=5), kind=JobKind.RETOUCH)
    file = SimpleUploadedFile("retouch.png", b"not read at all")
    answer = vera.post("retouch", 0, data={"file": file})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "You have sent 30 files in the last hour" in answer.text
    assert "Back" in answer.text


def came_in(content: bytes) -> bool:
    """Whether a file lies where it came in."""
    return storage.exists(storage.incoming_key(hashlib.sha256(content).hexdigest()))


@pytest.mark.slow
@pytest.mark.parametrize("by_program", [False, True])
@pytest.mark.parametrize("limit", ["runs at once", "files an hour", "machine time"])
def test_a_retouch_that_is_refused_leaves_no_file_behind(
    vera: Desk, now: datetime, by_program: bool, limit: str, settings: Any
) -> None:
    if limit == "runs at once":
        for rev in range(3):
            vera.post("run", data=another(rev))
    elif limit == "files an hour":
        asked(vera.user, many=30, at=now - timedelta(minutes=5), kind=JobKind.RETOUCH)
    else:
        settings.ALLOWANCE_PERCENT = 0.01
    before = Job.objects.count()
    sent: dict[str, Any] = {"file": SimpleUploadedFile("retouch.tif", b"never kept")}
    if by_program:
        url = reverse("api:version-retouch", args=[Version.objects.get().pk])
        answer = vera.client.post(url, sent | {"claim": vera.claim.pk})
    else:
        answer = vera.post("retouch", 0, data=sent, headers={"accept": "application/json"})
    assert answer.status_code in (409, 429)
    assert Job.objects.count() == before
    assert not came_in(b"never kept")


class TestALimitThatIsReachedWhileTheFileComesIn:
    """Asked again where it counts; what is refused then is let go."""

    def bring(self, desk: Desk, now: datetime) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"a retouch"
            asked(desk.user, many=30, at=now - timedelta(minutes=5), kind=JobKind.RETOUCH)

        with pytest.raises(Refused, match="too-many-uploads"):
            bring_retouch(
                parent=Version.objects.get(),
                by=desk.user,
                fence=desk.claim.pk if desk.claim else 0,
                chunks=chunks(),
                filename="a.tif",
                now=now,
            )

    def test_the_file_is_let_go(self, vera: Desk, now: datetime) -> None:
        self.bring(vera, now)
        assert not came_in(b"a retouch")

    def test_but_not_when_it_lay_there_before(self, vera: Desk, now: datetime) -> None:
        sha256 = hashlib.sha256(b"a retouch").hexdigest()
        storage.put_bytes(storage.incoming_key(sha256), b"a retouch")
        self.bring(vera, now)
        assert came_in(b"a retouch")

    def test_nor_when_a_scan_waits_with_the_same_bytes(self, vera: Desk, now: datetime) -> None:
        sha256 = hashlib.sha256(b"a retouch").hexdigest()
        Photo.objects.create(
            collection=vera.photo.collection, sha256=sha256, added_by=vera.user, added_at=now
        )
        self.bring(vera, now)
        assert came_in(b"a retouch")


def test_so_many_masks_in_an_hour(vera: Desk, now: datetime) -> None:
    Sheet.objects.bulk_create(
        Sheet(photo=vera.photo, kept_by=vera.user, sha256=f"{number:064d}", kept_at=now)
        for number in range(LIMITS[Trust.REGULAR].masks)
    )
    with pytest.raises(Refused, match="too-many-masks"):
        policy.check_mask(vera.user, now=now)


def test_counting_the_hour_reads_one_row_whatever_was_done(vera: Desk, now: datetime) -> None:
    def reads() -> int:
        with CaptureQueriesContext(connection) as queries:
            policy.check_pace(vera.user, now=now)
        return len(queries)

    few = reads()
    asked(vera.user, many=2000, at=now - timedelta(days=30))
    assert reads() == few == 2


def test_a_guest_counts_as_regular_until_the_day_is_over(people: Cast, now: datetime) -> None:
    guest = person("guest", trust=Trust.NEW, regular_until=now + timedelta(hours=1))
    assert level(guest, now=now) == Trust.REGULAR
    assert level(guest, now=now + timedelta(hours=2)) == Trust.NEW
    guest.trust = Trust.LIMITED
    assert level(guest, now=now) == Trust.LIMITED


def test_forty_people_on_one_address_sign_up_in_a_minute_and_none_is_refused(db: None) -> None:
    for number in range(40):
        words = {"username": f"pupil{number}", "email": ""}
        words |= dict.fromkeys(("password1", "password2"), "a-long-enough-pass-phrase")
        answer = Client().post(reverse("account_signup"), words, **IP)
        assert answer.status_code == 302, number
    assert User.objects.count() == 40


@pytest.mark.slow
def test_forty_people_on_one_address_get_their_tokens(db: None) -> None:
    for number in range(40):
        person(f"pupil{number}")
        words = {"name": f"pupil{number}", "password": "a-long-enough-pass-phrase"}
        answer = Client().post(reverse("api:token"), words, "application/json", **IP)
        assert answer.status_code == 200, number


def test_guesses_at_one_account_are_slowed_wherever_they_come_from(db: None) -> None:
    person("vera")
    states = [
        Client()
        .post(
            reverse("api:token"),
            {"name": "vera", "password": f"guess {number}"},
            "application/json",
            REMOTE_ADDR=f"203.0.113.{number}",
        )
        .status_code
        for number in range(31)
    ]
    assert (states[0], states[-1]) == (401, 429)


@pytest.mark.slow
def test_forty_people_on_one_address_claim_and_run(
    box: Collection, sit: Callable[..., Desk], worker_on: None
) -> None:
    for number in range(40):
        desk = sit(person(f"pupil{number}", trust=Trust.NEW), factories.photo(box))
        answer = desk.post("run", data=recipe(), **IP)
        assert answer.status_code == 302, number
    assert Job.objects.count() == 40


def test_what_i_may_do_is_told_in_plain_words(vera: Desk, settings: Any) -> None:
    page = vera.client.get(reverse("people:standing"))
    assert "Your account is “regular”." in page.text
    assert "20 accepted versions and 14 days here" in page.text
    assert "Left today: 2 h." in page.text
    settings.ALLOWANCE_PERCENT = 0
    page = vera.client.get(reverse("people:standing"))
    assert "Nobody" in page.text
