"""Everything the site keeps of one person, as they may take it along: JSON, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet

from accounts.models import User
from archive.models import Curatorship, Event
from restoration.models import Claim, Draft, Job, Review, Sheet, Version
from restoration.purses import Entry, Guest

AT_ONCE = 500
ACCOUNT = (
    "username", "display_name", "email", "language", "date_joined", "last_login", "is_steward",
    "trust", "regular_until", "name_hidden_at",
)  # fmt: skip
Rows = QuerySet[Any, dict[str, Any]]


def _tables(person: User) -> Mapping[str, Rows]:
    """Each list by its name: the person's own rows, in the columns that tell something."""
    made = Version.objects.filter(made_by=person)
    photo = "photo__ref"
    return {
        "email_addresses": EmailAddress.objects.filter(user=person).values(
            "email", "verified", "primary"
        ),
        "offices": Curatorship.objects.filter(user=person).values("collection__slug"),
        "claims": Claim.objects.filter(volunteer=person).values(
            photo, "state", "opened_at", "seen_at", "ends_at", "extended", "closed_at"
        ),
        "drafts": Draft.objects.filter(volunteer=person).values(photo, "rev", "body", "saved_at"),
        "masks": Sheet.objects.filter(kept_by=person).values(photo, "sha256", "kept_at"),
        # The plan holds the prompt, in the words it was asked for with.
        "runs": Job.objects.filter(requested_by=person).values(
            photo, "kind", "plan", "state", "requested_at", "started_at", "ended_at", "error_code"
        ),
        "versions": made.values(
            photo, "number", "kind", "state", "made_at", "submitted_at", "sha256", "width",
            "height", "records", "meters", "notes", "note",
        ),
        "answers_of_reviewers": Review.objects.filter(version__in=made).values(
            photo, "version__number", "state", "decided_at", "reason", "advice"
        ),
        "reviews": Review.objects.filter(reviewer=person).values(
            photo, "version__number", "state", "opened_at", "decided_at", "reason", "advice"
        ),
        "workshops": Guest.objects.filter(person=person).values(
            "workshop__title", "joined_at", "until"
        ),
        "machine_time": Entry.objects.filter(purse__person=person).values(
            "purse__resource", "kind", "seconds", "balance", "at"
        ),
        "what_you_did": Event.objects.filter(actor=person).values(
            "verb", "at", photo, "collection__slug", "facts"
        ),
        # Without whoever did it, and without what stewards write to each other.
        "what_was_done_about_you": Event.objects.filter(
            ~Q(actor=person), facts__person=person.pk
        ).values("verb", "at"),
    }  # fmt: skip


def lines(person: User) -> Iterator[str]:
    """One JSON object, in pieces that never hold more than AT_ONCE rows."""
    account = User.objects.filter(pk=person.pk).values(*ACCOUNT).get()
    yield f'{{"account": {_json(account)}'
    for name, rows in _tables(person).items():
        yield f',\n"{name}": ['
        for place, row in enumerate(rows.order_by("pk").iterator(AT_ONCE)):
            yield f"{',' if place else ''}\n {_json(row)}"
        yield "]"
    yield "}\n"


def _json(row: Mapping[str, Any]) -> str:
    told = {name.replace("__", "_"): value for name, value in row.items()}
    return json.dumps(told, ensure_ascii=False, cls=DjangoJSONEncoder)
