"""Everything the site keeps of one person, as they may take it along: JSON, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from rest_framework.authtoken.models import Token

from accounts.models import User
from archive.intake import Batch
from archive.models import Curatorship, Event, Photo, Upload
from archive.twins import Pair
from restoration.models import Claim, Draft, Job, Review, Sheet, Version
from restoration.purses import Entry, Guest, Workshop

AT_ONCE = 500
ACCOUNT = (
    "username", "display_name", "email", "language", "date_joined", "last_login", "is_steward",
    "trust", "trust_before", "regular_until", "name_hidden_at",
)  # fmt: skip
PHOTO = "photo__ref"
Rows = QuerySet[Any, Any]


def _tables(person: User) -> Mapping[str, Rows]:
    """Each list by its name: the person's own rows, in the columns that tell something."""
    return {**_account(person), **_work(person), **_in_office(person), **_log(person)}


def _account(person: User) -> Mapping[str, Rows]:
    return {
        "email_addresses": EmailAddress.objects.filter(user=person).values(
            "email", "verified", "primary"
        ),
        # The word itself signs programs in, so it is in no file.
        "token": Token.objects.filter(user=person).values("created"),
        "offices": Curatorship.objects.filter(user=person).values("collection__slug"),
        "workshops": Guest.objects.filter(person=person).values(
            "workshop__title", "joined_at", "until"
        ),
        "machine_time": Entry.objects.filter(purse__person=person).values(
            "purse__resource", "kind", "seconds", "balance", "at"
        ),
    }


def _work(person: User) -> Mapping[str, Rows]:
    made = Version.objects.filter(made_by=person)
    return {
        "claims": Claim.objects.filter(volunteer=person).values(
            PHOTO, "state", "opened_at", "seen_at", "ends_at", "extended", "closed_at"
        ),
        "drafts": Draft.objects.filter(volunteer=person).values(PHOTO, "rev", "body", "saved_at"),
        "masks": Sheet.objects.filter(kept_by=person).values(PHOTO, "sha256", "kept_at"),
        # The plan holds the prompt, in the words it was asked for with.
        "runs": Job.objects.filter(requested_by=person).values(
            PHOTO, "kind", "plan", "state", "requested_at", "started_at", "ended_at", "error_code"
        ),
        "versions": made.values(
            PHOTO, "number", "kind", "state", "made_at", "submitted_at", "sha256", "width",
            "height", "records", "meters", "notes", "note",
        ),
        "answers_of_reviewers": Review.objects.filter(version__in=made).values(
            PHOTO, "version__number", "state", "decided_at", "reason", "advice"
        ),
    }  # fmt: skip


def _in_office(person: User) -> Mapping[str, Rows]:
    """What a curator or a steward took in, reviewed, showed and opened.

    The exhibits are beside this part: their rows are reached from the versions they show.
    """
    made_public = Version.objects.filter(publications__published_by=person)
    asked_for = Version.objects.filter(publications__evidence__asked_by=person)
    return {
        "reviews": Review.objects.filter(reviewer=person).values(
            PHOTO, "version__number", "state", "opened_at", "decided_at", "reason", "advice"
        ),
        "publications": made_public.values(
            PHOTO, "number", "publications__state", "publications__published_at",
            "publications__ended_at",
        ),
        "evidence": asked_for.values(
            PHOTO, "number", "publications__evidence__asked_at", "publications__evidence__made_at",
            "publications__evidence__sha256",
        ),
        **_taken_in(person),
        "workshops_you_opened": Workshop.objects.filter(made_by=person).values(
            "collection__slug", "title", "code", "made_at", "open_until", "seats"
        ),
    }  # fmt: skip


def _taken_in(person: User) -> Mapping[str, Rows]:
    return {
        "uploads": Upload.objects.filter(by=person).values(
            "collection__slug", "filename", "size", "state", "sha256", "began_at", "expires_at"
        ),
        "photos_you_added": Photo.objects.filter(added_by=person).values(
            "ref", "collection__slug", "added_at"
        ),
        "folders_you_took_in": Batch.objects.filter(begun_by=person).values(
            "collection__slug", "kind", "label", "state", "begun_at", "ended_at"
        ),
        "pairs_you_decided": Pair.objects.filter(decided_by=person).values(
            "collection__slug", "first__ref", "second__ref", "state", "decided_at"
        ),
    }


def _log(person: User) -> Mapping[str, Rows]:
    return {
        "what_you_did": Event.objects.filter(actor=person).values(
            "verb", "at", PHOTO, "collection__slug", "facts"
        ),
        # Without whoever did it, and without what stewards write to each other.
        "what_was_done_about_you": Event.objects.filter(
            ~Q(actor=person), facts__person=person.pk
        ).values("verb", "at"),
    }


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


def _column(name: str) -> str:
    return name.removeprefix("publications__").replace("__", "_")


def _json(row: Mapping[str, Any]) -> str:
    told = {_column(name): value for name, value in row.items()}
    return json.dumps(told, ensure_ascii=False, cls=DjangoJSONEncoder)
