"""How long lists come: in pages that cannot be asked to be endless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from archive.policy import Refused

# What a database counts with.
FARTHEST = 2**31 - 1
# How a list of changes is asked for, and to go on behind which row.
CHANGED_AFTER, AFTER = "changed_after", "after"


class Pages(LimitOffsetPagination):
    """What is no number, or beyond what there can be, is refused and not guessed at.

    A list of changes goes on behind its last row instead of at a number: what changes while it is
    read moves to its end, and would pull another row over the edge of a page.
    """

    default_limit = 50
    max_limit = 200
    is_of_changes = False
    goes_on: str | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        self.is_of_changes = CHANGED_AFTER in request.query_params
        if not self.is_of_changes:
            return super().paginate_queryset(queryset, request, view)
        self.request, self.limit, self.offset = request, self.get_limit(request), 0
        if self.get_offset(request):
            told = _("A list of changes has no offset; follow `next`.")
            raise Refused("no-offset", told, invalid=True, facts={"field": "offset"})
        self.count = self.get_count(queryset)
        rows = list(queryset[: self.limit + 1])
        if len(rows) > self.limit:
            called = view.filterset_class.base_filters[AFTER].field_name
            self.goes_on = _behind(request, rows[self.limit - 1], called)
        return rows[: self.limit]

    def get_next_link(self) -> str | None:
        return self.goes_on if self.is_of_changes else super().get_next_link()

    def get_limit(self, request: Request) -> int:
        return _whole(request, "limit", least=1, most=self.max_limit, otherwise=self.default_limit)

    def get_offset(self, request: Request) -> int:
        return _whole(request, "offset", least=0, most=FARTHEST, otherwise=0)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit, offset = super().get_schema_operation_parameters(view)
        limit["schema"] |= {"minimum": 1, "maximum": self.max_limit, "default": self.default_limit}
        offset["schema"] |= {"minimum": 0, "maximum": FARTHEST, "default": 0}
        return [limit, offset]


def _behind(request: Request, row: Any, called: str) -> str:
    """The address of what comes behind this row."""
    moment = row.changed_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    url = replace_query_param(request.build_absolute_uri(), CHANGED_AFTER, moment)
    return replace_query_param(url, AFTER, getattr(row, called))


def _whole(request: Request, name: str, *, least: int, most: int, otherwise: int) -> int:
    """The last one said counts, as everywhere in an address."""
    said = request.query_params.get(name)
    if said is None:
        return otherwise
    number = int(said) if said.isascii() and said.isdigit() and len(said) <= len(str(most)) else -1
    if not least <= number <= most:
        told = _("A whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise exceptions.ValidationError({name: told})
    return number
