"""The log of events: searched by a steward, page by page, and taken home as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive import auditing, wording
from archive.models import Event
from tests import factories
from tests.people import Cast, cast, signed_in

pytestmark = pytest.mark.django_db
NOW = factories.NOW


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def sten(people: Cast) -> Client:
    return signed_in(people.sten)


def event(verb: str = "claim.open", *, minutes: int = 0, **fields: Any) -> Event:
    return Event.objects.create(verb=verb, at=NOW + timedelta(minutes=minutes), **fields)


def found(client: Client, **wishes: str) -> list[Event]:
    answer = client.get(reverse("archive:audit"), wishes)
    assert answer.status_code == 200, answer.context["form"].errors
    return list(answer.context["shown"].events)


def test_it_is_searched_by_person_photo_collection_verb_time_and_words(
    people: Cast, sten: Client
) -> None:
    box, other = factories.collection(), factories.collection()
    photo = factories.photo(box)
    by = event(actor=people.vera)
    about = event("trust.limited", minutes=1, actor=people.sten, facts={"person": people.vera.pk})
    on = event("photo.held", minutes=2, photo=photo, facts={"reason": "A wish of the family"})
    at = event("collection.changed", minutes=3, collection=box)
    event("collection.changed", minutes=4, collection=other)
    long_ago = event("job.failed", minutes=-60 * 24 * 90, facts={"code": "family"})
    assert found(sten, person="vera") == [about, by]
    assert found(sten, photo=photo.ref) == [on]
    assert found(sten, collection=box.slug) == [at, on]
    assert found(sten, verb="photo.held") == [on]
    day = timezone.localdate(NOW).isoformat()
    assert found(sten, since=day, until=day, verb="photo.held") == [on]
    assert found(sten, until="2026-10-01") == [long_ago]
    wanted = auditing.search({"words": "family"}, now=NOW)
    assert list(wanted) == [on]  # thirty days back
    assert found(sten, words="family", since="2026-01-01") == [on, long_ago]


def test_a_wrong_wish_is_said_and_finds_nothing(sten: Client) -> None:
    answer = sten.get(reverse("archive:audit"), {"person": "nobody-here", "since": "soon"})
    assert answer.status_code == 422
    assert "Nobody signs in so." in answer.text
    assert answer.context["shown"] is None


def test_pages_follow_each_other_without_a_gap_even_at_one_moment(sten: Client) -> None:
    for _ in range(120):
        event(minutes=5)
    seen: list[int] = []
    after = ""
    for _page in range(3):
        shown = sten.get(reverse("archive:audit"), {"after": after}).context["shown"]
        seen += [each.pk for each in shown.events]
        after = shown.after
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 120
    assert after == ""


@pytest.mark.parametrize("mark", ["", "x", "2026-01-01_1", "2026-01-01T00:00:00+00:00_-5", "_"])
def test_a_mark_that_nobody_gave_is_the_first_page(sten: Client, mark: str) -> None:
    one = event()
    assert found(sten, after=mark) == [one]


def test_a_page_asks_as_much_for_a_hundred_events_as_for_one(people: Cast, sten: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            sten.get(reverse("archive:audit"))
        return len(queries)

    photo = factories.photo(factories.collection())
    event(actor=people.vera, photo=photo)
    few = asked()
    for number in range(100):
        event(actor=people.cora, photo=photo, minutes=number)
    assert asked() == few <= 5


def test_the_file_runs_no_formula(people: Cast, sten: Client) -> None:
    people.vera.username = "=HYPERLINK(1)"
    people.vera.save()
    event("photo.held", actor=people.vera, facts={"reason": "=1+1"})
    event("-verb", minutes=1)
    answer = sten.get(reverse("archive:audit-file"))
    assert answer["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["at", "verb", "actor", "photo", "collection", "facts"]
    assert rows[1][1] == "'-verb"
    assert rows[2][2] == "'=HYPERLINK(1)"
    assert not [cell for row in rows for cell in row if cell.startswith(wording.FORMULA)]


def test_only_stewards_read_it(people: Cast) -> None:
    client = Client()
    client.force_login(people.cora)
    assert client.get(reverse("archive:audit")).status_code == 403
    assert client.get(reverse("archive:audit-file")).status_code == 403


ROWS = 200_000
FILL = """
INSERT INTO archive_event (verb, at, facts, actor_id, photo_id, collection_id)
SELECT (ARRAY['claim.open', 'job.running', 'job.succeeded', 'version.made'])[1 + n %% 4],
       %(now)s::timestamptz - n * interval '40 seconds',
       jsonb_build_object('id', n) || CASE WHEN n %% 5000 = 0
         THEN jsonb_build_object('person', %(vera)s) ELSE '{}' END,
       CASE WHEN n %% 997 = 0 THEN %(vera)s ELSE %(cora)s END,
       CASE WHEN n %% 1999 = 0 THEN %(rare)s ELSE %(photo)s END, NULL
FROM generate_series(1, %(rows)s) AS n
"""


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
@pytest.mark.django_db(transaction=False)
def test_two_hundred_thousand_events_are_searched_by_index_alone() -> None:
    people, box = cast(), factories.collection()
    photo, rare = factories.photo(box), factories.photo(factories.collection())
    names = {"now": NOW, "vera": people.vera.pk, "cora": people.cora.pk, "rows": ROWS}
    with connection.cursor() as cursor:
        cursor.execute(FILL, names | {"photo": photo.pk, "rare": rare.pk})
        cursor.execute("ANALYZE archive_event")
    late = auditing._mark(Event.objects.order_by("at", "pk")[100])
    wishes: dict[str, dict[str, Any]] = {
        "all": {},
        "person": {"person": people.vera},
        "photo": {"photo": rare},
        "collection": {"collection": box},
        "verb": {"verb": "job.running"},
        "time": {"since": NOW - timedelta(days=3), "until": NOW - timedelta(days=2)},
        "words": {"words": "4321"},
    }
    for name, wish in wishes.items():
        for after in ("", late):
            found = auditing._below(auditing.search(wish, now=NOW), after)
            plan = found[:51].explain()
            assert "Seq Scan on archive_event" not in plan, f"{name}\n{plan}"
            assert "event_" in plan, f"{name}\n{plan}"
