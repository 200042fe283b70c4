"""Fields that take what the description says and nothing that is merely like it.

The framework would write the number 0 into a title as "0", and take "yes" for true: a program that
sends such a thing has a mistake in it, and learns of it here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

LARGEST_KEY = 2**63 - 1


class Text(serializers.CharField):
    """Words; no number."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Slug(serializers.SlugField):
    """A word for an address; no number."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false, and neither a word nor a number for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number; no text with digits in it."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int | float) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


def changed_at() -> serializers.DateTimeField:
    """As the rows come that a list or an answer is made of."""
    told = _("When it last changed; the filter `changed_after` goes by it.")
    return serializers.DateTimeField(read_only=True, help_text=told)


class FreeForm(serializers.DictField):
    """Whatever an object holds, as far as a database can keep it.

    `described_as` names the schema of the document that tells what that is.
    """

    described_as = ""
    default_error_messages = {
        "unstorable": _("Numbers must be finite and text free of zero bytes and half characters.")
    }

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if not _storable([found]):
            self.fail("unstorable")
        return found


class PlanForm(FreeForm):
    """A plan; the engine says what is wrong with it."""

    described_as = "Plan"


class DraftForm(FreeForm):
    """What lies on a bench."""

    described_as = "DraftBody"


def _storable(parts: Iterable[Any]) -> bool:
    """Looks at one level after the other: a body may be nested deeper than calls may."""
    left = list(parts)
    while left:
        match left.pop():
            case dict() as inner:
                left += [*inner, *inner.values()]
            case list() as inner:
                left += inner
            case str() as text if not _is_text(text):
                return False
            case float() as number if not math.isfinite(number):
                return False
    return True


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


class StrictModelSerializer(serializers.ModelSerializer[Any]):
    """A row's fields, as strict."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: Text,
        models.TextField: Text,
        models.SlugField: Slug,
        models.BooleanField: Flag,
    }
