"""Whose name is not shown with what they published: asked anew each time, nothing is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from exhibit import wording
from exhibit.credits import credits
from exhibit.models import Publication

MAKER, REVIEWER, PUBLISHER = (
    "photo__versions__made_by__name_hidden_at",
    "review__reviewer__name_hidden_at",
    "published_by__name_hidden_at",
)


@dataclass
class Quiet:
    """The parts of one publication whose people are not named, and since when at the latest."""

    versions: set[int] = field(default_factory=set)
    reviewer: bool = False
    publisher: bool = False
    since: datetime | None = None

    def __bool__(self) -> bool:
        return self.since is not None

    def take(self, number: int | None, *hidden: datetime | None) -> None:
        """One version, and when its maker, the reviewer and the publisher asked for it."""
        maker, reviewer, publisher = hidden
        if maker is not None and number is not None:
            self.versions.add(number)
        self.reviewer |= reviewer is not None
        self.publisher |= publisher is not None
        self.since = max(filter(None, (self.since, *hidden)), default=None)


def prepare(publications: Iterable[Publication]) -> None:
    """Ask for many at once, in one query; `of` then asks nothing."""
    rows = list(publications)
    found = {each.pk: Quiet() for each in rows}
    asked = Publication.objects.filter(
        Q(**{f"{MAKER}__isnull": False})
        | Q(**{f"{REVIEWER}__isnull": False})
        | Q(**{f"{PUBLISHER}__isnull": False}),
        pk__in=found,
    )
    told = asked.annotate(number=F("photo__versions__number"))
    for key, *one in told.values_list("pk", "number", MAKER, REVIEWER, PUBLISHER):
        found[key].take(*one)
    for row in rows:
        row.__dict__["_quiet"] = found[row.pk]


def of(publication: Publication) -> Quiet:
    """Who of this publication is not named."""
    if "_quiet" not in publication.__dict__:
        prepare([publication])
    quiet: Quiet = publication.__dict__["_quiet"]
    return quiet


def without_names(made: Mapping[str, Any], quiet: Quiet) -> dict[str, Any]:
    """The account of how a picture was made, with "a volunteer" where a name is not shown."""
    if not quiet:
        return dict(made)
    somebody = {"by": str(wording.SOMEBODY)}
    versions = [
        each | somebody if each.get("number") in quiet.versions else each
        for each in made.get("versions", [])
    ]
    decided = {"by": str(wording.A_CURATOR)}
    review = dict(made.get("review", {})) | (decided if quiet.reviewer else {})
    published = dict(made.get("publication", {})) | (decided if quiet.publisher else {})
    told = {"versions": versions, "review": review, "publication": published}
    return {**made, **told, "credits": credits(versions, review)}
