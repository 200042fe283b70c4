"""Filters of lists: one that is left empty is a mistake, not a wish for everything."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django_filters.rest_framework import (
    CharFilter,
    ChoiceFilter,
    DjangoFilterBackend,
    TypedChoiceFilter,
)
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.request import Request

CHOICES = (ChoiceFilter, TypedChoiceFilter)


class Exactly(CharFilter):  # type: ignore[misc]
    """What one thing is called; an empty cell of a table is not the name of them all."""

    def __init__(self, *args: Any, label: Promise, **kwargs: Any) -> None:
        super().__init__(*args, label=label, **kwargs)
        extend_schema_field({"type": "string", "minLength": 1, "description": label})(self)


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
            if isinstance(each, Exactly):
                raise exceptions.ValidationError({name: _("Say which, or leave it out.")})
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found
