"""Filters of lists: one that is left empty is a mistake, not a wish for everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.validators import EMPTY_VALUES
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.rest_framework import (
    CharFilter,
    ChoiceFilter,
    DjangoFilterBackend,
    Filter,
    TypedChoiceFilter,
)
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.request import Request

from api.serializers.strict import LARGEST_KEY
from archive.policy import Refused

# How the rows are found that changed at a time or later.
Since = Callable[[QuerySet[Any], datetime], QuerySet[Any]]
CHOICES = (ChoiceFilter, TypedChoiceFilter)
YES_OR_NO = (("true", gettext_lazy("yes")), ("false", gettext_lazy("no")))
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


class Exactly(CharFilter):  # type: ignore[misc]
    """What one thing is called; an empty cell of a table is not the name of them all."""

    def __init__(self, *args: Any, label: Promise, **kwargs: Any) -> None:
        super().__init__(*args, label=label, **kwargs)
        extend_schema_field({"type": "string", "minLength": 1, "description": label})(self)


class Key(Filter):  # type: ignore[misc]
    """A row by its number."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, label: Promise, **kwargs: Any) -> None:
        super().__init__(*args, label=label, min_value=1, max_value=LARGEST_KEY, **kwargs)
        bounds = {"minimum": 1, "maximum": LARGEST_KEY}
        extend_schema_field({"type": "integer", **bounds, "description": label})(self)


class YesOrNo(TypedChoiceFilter):  # type: ignore[misc]
    """True or false, in words of JSON."""

    def __init__(self, *, label: Promise, **kwargs: Any) -> None:
        super().__init__(choices=YES_OR_NO, coerce="true".__eq__, label=label, **kwargs)


class Moment(forms.Field):
    """A time with its zone; one without would be guessed at."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return _moment(str(value).upper())
        except ValueError:
            raise forms.ValidationError(
                _("A time with its zone, such as 2026-11-20T12:00:00Z.")
            ) from None


class ChangedAfter(Filter):  # type: ignore[misc]
    """What changed then or later, in the order of change; the moment itself counts.

    Not what is written after it was asked for with an earlier time: a verb takes its time at its
    beginning, and a long one ends long after. Nor what only came into reach: it has not changed.
    """

    field_class = Moment

    def __init__(self, since: Since) -> None:
        label = gettext_lazy(
            "What changed at this time or later, in the order of `changed_at`. Follow `next` to its"
            " end: it goes on behind the last row, also where many changed in one moment, and"
            " `count` tells how many are left; there is no `offset`. Begin the next harvest some"
            " minutes before the greatest `changed_at`: what takes long is written late with the"
            " time it began at, and the same row twice does no harm. What came into your reach"
            " meanwhile (a collection was opened, you were given an office) is found by a full list"
            " only, without `changed_after`."
        )
        super().__init__("changed_at", label=label)
        self.since = since
        shape = {"type": "string", "format": "date-time", "description": label}
        extend_schema_field(shape)(self)

    def filter(self, rows: QuerySet[Any], value: datetime | None) -> QuerySet[Any]:
        return rows if value is None else self.since(rows, value).order_by("changed_at", "pk")


class After(Filter):  # type: ignore[misc]
    """Only what comes behind one row of the list of changes, which a `next` names.

    `called`: the field by which answers name their rows. A row that is out of reach by now is as
    unknown as one that never was.
    """

    def __init__(self, called: str) -> None:
        label = gettext_lazy(
            "With `changed_after`: only what comes behind this row, named as in the answer; `next`"
            " says it. When the row is not in reach any more (422, `unknown-row`), leave it out."
        )
        by_number = called == "pk"
        self.field_class = forms.IntegerField if by_number else forms.CharField
        bounds = {"min_value": 1, "max_value": LARGEST_KEY} if by_number else {"strip": False}
        super().__init__(called, label=label, **bounds)
        number = {"type": "integer", "minimum": 1, "maximum": LARGEST_KEY}
        shape = number if by_number else {"type": "string", "minLength": 1}
        extend_schema_field(shape | {"description": label})(self)

    def filter(self, rows: QuerySet[Any], value: str | int | None) -> QuerySet[Any]:
        if value in EMPTY_VALUES:
            return rows
        then = self.parent.form.cleaned_data.get("changed_after")
        if then is None:
            raise _not_after("no-time", _("`after` goes with `changed_after`."))
        # Among all in reach: it may not fit the other wishes any more.
        named = self.parent.queryset.filter(**{self.field_name: value}).order_by()
        last = named.values_list("pk", flat=True).first()
        if last is None:
            raise _not_after("unknown-row", _("There is no such row to go on from. Leave it out."))
        return rows.filter(Q(changed_at__gt=then) | Q(changed_at=then, pk__gt=last))


def _not_after(code: str, told: str) -> Refused:
    return Refused(code, told, invalid=True, facts={"field": "after"})


def _moment(text: str) -> datetime:
    """In UTC; ValueError for what is no time of RFC 3339."""
    if not RFC_3339.fullmatch(text):
        raise ValueError(text)
    # A leap second is taken for the one before it.
    moment = datetime.fromisoformat(re.sub(r"(?<=:\d\d:)60", "59", text))
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # before and after all times there is no other zone to go to
        return moment.replace(tzinfo=UTC)


# Of these an empty one asks for nothing at all.
NAMING = (Exactly, Key, ChangedAfter, After)


class Filters(DjangoFilterBackend):  # type: ignore[misc]
    """Those of the framework, except that `?state=` is refused."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        filters = self.get_filterset_class(view, queryset)
        for name, each in filters.base_filters.items() if filters else ():
            if request.query_params.get(name) != "":
                continue
            if isinstance(each, CHOICES):
                raise exceptions.ValidationError(
                    {name: _("One of the choices, or nothing at all.")}
                )
            if isinstance(each, NAMING):
                raise exceptions.ValidationError({name: _("Say which, or leave it out.")})
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found
