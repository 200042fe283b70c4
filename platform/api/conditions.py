"""A change that is meant for what its asker has read: `ETag` and `If-Match` (RFC 9110, 13.1.1).

The tag is of what is said of a row alone: nothing else that happens to it stands in the way.
"""

from __future__ import annotations

from collections.abc import Container

from django.db.models import Model
from django.utils.http import parse_etags
from rest_framework.request import Request

from archive.saying import revision


def tag(row: Model, names: tuple[str, ...]) -> str:
    """The `ETag` of what is said of the row in those fields."""
    return f'"{revision(row, names)}"'


def only_of(request: Request) -> Container[str] | None:
    """The revisions that a change is meant for; None where the asker does not mind.

    Who packs the answers on their way makes a weak tag of ours, of the same words.
    """
    said = request.headers.get("If-Match")
    tags = parse_etags(said) if said is not None else ["*"]
    return None if tags == ["*"] else {each.removeprefix("W/").strip('"') for each in tags}
