"""The log of events as a steward searches it: what, of whom, where, when; page by page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from archive import wording
from archive.models import Event, Photo

A_PAGE = 50
# A page of a list can be asked for without end; a file cannot.
MOST_LINES = 100_000
# Words in the facts have no index: unless somebody says from when, only so far back.
WORDS_REACH = timedelta(days=30)
HEADER = ("at", "verb", "actor", "photo", "collection", "facts")


@dataclass(frozen=True)
class Page:
    """Some events, newest first, and where the next older ones begin."""

    events: list[Event]
    after: str
    people: dict[int, str]

    def lines(self) -> Iterator[tuple[Event, list[tuple[str, Any, str]]]]:
        """Each event with its facts: a name, a value, and who that is where it is somebody."""
        for event in self.events:
            yield event, [(*fact, self._who(*fact)) for fact in event.facts.items()]

    def _who(self, name: str, value: Any) -> str:
        return self.people.get(value, "") if name == "person" and type(value) is int else ""


def search(wishes: Mapping[str, Any], *, now: datetime) -> QuerySet[Event]:
    """The events that fit the cleaned wishes of an AuditForm, newest first."""
    found = Event.objects.select_related("actor", "photo", "collection")
    if wishes.get("person"):
        person = wishes["person"]
        found = found.filter(Q(actor=person) | Q(facts__person=person.pk))
    if wishes.get("photo"):
        found = found.filter(photo=wishes["photo"])
    if wishes.get("collection"):
        within = Photo.objects.filter(collection=wishes["collection"]).values("pk")
        found = found.filter(Q(collection=wishes["collection"]) | Q(photo__in=within))
    if wishes.get("verb"):
        found = found.filter(verb=wishes["verb"])
    return _in_time(found, wishes, now).order_by("-at", "-pk")


def _in_time(found: QuerySet[Event], wishes: Mapping[str, Any], now: datetime) -> QuerySet[Event]:
    since, until, words = wishes.get("since"), wishes.get("until"), wishes.get("words")
    if words:
        found = found.annotate(told=Cast("facts", TextField())).filter(told__icontains=words)
        since = since or (until or now) - WORDS_REACH
    if since:
        found = found.filter(at__gte=since)
    return found.filter(at__lt=until) if until else found


def page(found: QuerySet[Event], after: str) -> Page:
    """The events below `after`, the mark of the page before; the last as quick as the first.

    A mark that nobody gave out is the first page.
    """
    rows = list(_below(found, after)[: A_PAGE + 1])
    more = len(rows) > A_PAGE
    events = rows[:A_PAGE]
    return Page(events, _mark(rows[A_PAGE - 1]) if more else "", _people(events))


def _people(events: list[Event]) -> dict[int, str]:
    """The user names of those whom these events are about: a number says nothing to a reader."""
    told = {each.facts.get("person") for each in events}
    people = get_user_model().objects.filter(pk__in=[each for each in told if type(each) is int])
    return dict(people.values_list("pk", "username"))


def _mark(event: Event) -> str:
    return f"{event.at.isoformat()}_{event.pk}"


def _below(found: QuerySet[Event], after: str) -> QuerySet[Event]:
    stamp, _sep, key = after.partition("_")
    try:
        at, pk = datetime.fromisoformat(stamp.replace(" ", "+")), int(key)
    except ValueError:
        return found
    if at.tzinfo is None or not 0 <= pk < 2**63:
        return found
    # The first condition alone lets the index begin at the mark.
    return found.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=pk))


def lines(found: QuerySet[Event]) -> Iterator[str]:
    """The same as a CSV file, piece by piece."""
    out = csv.writer(_Echo())
    yield out.writerow(HEADER)
    for event in found[:MOST_LINES].iterator(1000):
        yield out.writerow([wording.harmless(cell) for cell in _cells(event)])


class _Echo:
    """What csv writes to: gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _cells(event: Event) -> tuple[str, ...]:
    return (
        event.at.isoformat(),
        event.verb,
        event.actor.get_username() if event.actor else "",
        event.photo.ref if event.photo else "",
        event.collection.slug if event.collection else "",
        json.dumps(event.facts, ensure_ascii=False, sort_keys=True),
    )
