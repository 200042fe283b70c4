"""What a program may send, by name. Anything else is a mistake, and it learns of it here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework.fields import Field
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from api.filters import Filters

# A form of a page proves with it that it is ours, and it is read before any view.
OF_THE_HOUSE = "csrfmiddlewaretoken"
JSON = "application/json"
MOST_TOLD = 20
SAFE = ("GET", "HEAD")


def pointer(*way: object) -> str:
    """The way to a part of a body, as RFC 6901 writes it."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in way)


class UnknownNames(Exception):  # noqa: N818 - a refusal, answered as a problem detail
    """Something was sent under names that nobody reads."""

    code = "unknown-field"

    def __init__(self, names: Iterable[str], known: Iterable[str], where: str) -> None:
        self.names = sorted(names)[:MOST_TOLD]
        self.known = sorted(known)
        self.where = where
        super().__init__(f"unknown in {where}: {', '.join(self.names)}")

    @property
    def facts(self) -> dict[str, Any]:
        return {"in": self.where, "fields": self.names, "known": self.known}

    def told(self, name: str) -> str:
        """What is wrong with one of the names."""
        if not self.known:
            return _("“%(name)s” is not known here; nothing is.") % {"name": name}
        words = {"name": name, "known": ", ".join(self.known)}
        return _("“%(name)s” is not known here. These are: %(known)s.") % words


def check_body(sent: Any, fields: Mapping[str, Field[Any, Any, Any, Any]]) -> None:
    """UnknownNames when a body has more than the fields that can be written."""
    known = [name for name, field in fields.items() if not field.read_only]
    _check(sent, known, "body", also=(OF_THE_HOUSE,))


def check_no_body(request: Request) -> None:
    """The same where nothing is taken; what is no JSON is not looked at."""
    if (request.content_type or "").startswith(JSON):
        _check(request.data, (), "body")


def check_query(view: APIView, request: Request, named: Iterable[str]) -> None:
    """The same of the address: what the method names, and the filters and pages of a list."""
    known = [*named, *(_of_lists(view) if request.method in SAFE else ())]
    _check(dict(request.query_params.lists()), known, "query")


def _of_lists(view: APIView) -> list[str]:
    if not isinstance(view, GenericAPIView):
        return []
    found = []
    rows: Any = vars(type(view)).get("queryset")
    for backend in view.filter_backends:
        filters = cast(Filters, backend()).get_filterset_class(view, rows)
        found += list(filters.base_filters) if filters else []
    pages: Any = view.paginator
    return found + ([pages.limit_query_param, pages.offset_query_param] if pages else [])


def _check(sent: Any, known: Iterable[str], where: str, also: Iterable[str] = ()) -> None:
    if not isinstance(sent, Mapping):
        return
    strangers = {str(name) for name in sent} - {*known, *also}
    if strangers:
        raise UnknownNames(strangers, known, where)
