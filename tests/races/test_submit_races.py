"""A volunteer submits in the moment in which their claim ends: nothing of it is lost."""

from __future__ import annotations

import contextlib
import threading
import time
from functools import partial
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections

from archive.models import Photo
from restoration.actions.claims import claim_photo, expire_due, release_claim
from restoration.actions.versions import submit_version
from restoration.lifecycle import CLAIM_IDLE, ClaimState, VersionState
from restoration.models import Claim, Version
from tests import factories
from tests.factories import NOW
from tests.people import person
from tests.races.together import together

LATE = NOW + 2 * CLAIM_IDLE
ENDS = "UPDATE restoration_claim SET state = %s, closed_at = now() WHERE id = %s"


def somebody_waits() -> None:
    """Until a statement of ours stands before a row that another link holds."""
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone():
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.slow
@pytest.mark.parametrize("ended", ["expired", "revoked", "fulfilled"])
def test_a_submit_that_waits_for_the_end_of_its_claim_is_sent_when_that_is_written(
    on_postgres: str, ended: str
) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    claim, draft = factories.claim(photo, vera), factories.version(photo, vera)
    failed: list[Exception] = []

    def submit() -> None:
        try:
            submit_version(version=draft, by=vera, note="", now=NOW)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            failed.append(error)
        finally:
            connections.close_all()

    sending = threading.Thread(target=submit)
    with contextlib.closing(psycopg2.connect(on_postgres)) as link:
        with link.cursor() as cursor:
            cursor.execute(ENDS, [ended, claim.pk])
            sending.start()
            somebody_waits()
        link.commit()
    sending.join(30)
    assert failed == []
    assert Version.objects.get(pk=draft.pk).state == VersionState.SUBMITTED
    assert Claim.objects.get().state == ended


def taken(photo: Photo, number: int) -> Any:
    return claim_photo(photo=photo, by=person(f"victor{number}"), now=LATE)


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_a_submit_meets_the_sweep_the_giving_back_and_the_next_hand_and_is_never_lost() -> None:
    box, vera = factories.collection(), person("vera")
    for number in range(30):
        photo = factories.photo(box)
        claim, draft = factories.claim(photo, vera), factories.version(photo, vera)
        results = together(
            [
                partial(submit_version, version=draft, by=vera, note="", now=LATE),
                partial(expire_due, now=LATE),
                partial(release_claim, claim=claim, by=vera, now=LATE),
                partial(taken, photo, number),
            ]
        )
        assert results[0] is None, results
        assert Version.objects.get(pk=draft.pk).state == VersionState.SUBMITTED
        assert Claim.objects.get(pk=claim.pk).state != ClaimState.OPEN


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_two_tabs_that_send_two_drafts_at_once_send_both() -> None:
    box, vera = factories.collection(), person("vera")
    for _ in range(10):
        photo = factories.photo(box)
        claim = factories.claim(photo, vera)
        drafts = [factories.version(photo, vera) for _ in range(2)]
        results = together(
            [partial(submit_version, version=each, by=vera, note="", now=NOW) for each in drafts]
        )
        assert results == [None, None]
        sent = Version.objects.filter(photo=photo, state=VersionState.SUBMITTED)
        assert set(sent) == set(drafts)
        assert not sent.filter(is_alternative=True).exists()
        assert Claim.objects.get(pk=claim.pk).state == ClaimState.FULFILLED
