"""How long lists come: in pages that cannot be asked to be endless."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

# What a database counts with.
FARTHEST = 2**31 - 1


class Pages(LimitOffsetPagination):
    """What is no number, or beyond what there can be, is refused and not guessed at."""

    default_limit = 50
    max_limit = 200

    def get_limit(self, request: Request) -> int:
        return _whole(request, "limit", least=1, most=self.max_limit, otherwise=self.default_limit)

    def get_offset(self, request: Request) -> int:
        return _whole(request, "offset", least=0, most=FARTHEST, otherwise=0)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit, offset = super().get_schema_operation_parameters(view)
        limit["schema"] |= {"minimum": 1, "maximum": self.max_limit, "default": self.default_limit}
        offset["schema"] |= {"minimum": 0, "maximum": FARTHEST, "default": 0}
        return [limit, offset]


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
