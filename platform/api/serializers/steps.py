"""The steps of a plan, as the catalogue has them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.plans import VALUE
from restoration.drafting import STEPS

KINDS = ("float", "int", "choice", "bool")


@extend_schema_field(VALUE)
class Value(serializers.JSONField):
    """A number, a word, or true or false."""


class SettingSerializer(serializers.Serializer[Any]):
    """One knob of a step."""

    name = serializers.CharField(help_text=_("As a plan names it."))
    title = serializers.CharField(help_text=_("As the page names it, in your language."))
    kind = serializers.ChoiceField(choices=KINDS)
    default = Value(help_text=_("What it is when a plan leaves it out."))
    low = serializers.FloatField(allow_null=True, help_text=_("The least it may be."))
    high = serializers.FloatField(allow_null=True, help_text=_("The most it may be."))
    step = serializers.FloatField(allow_null=True, help_text=_("How far the page's slider moves."))
    choices = serializers.ListField(
        child=serializers.CharField(), help_text=_("What a choice is among.")
    )
    backend = serializers.CharField(
        allow_null=True, help_text=_("The only backend that reads it, if any.")
    )
    models = serializers.ListField(
        child=serializers.CharField(), help_text=_("The only models that go by it, if any.")
    )


class StepSerializer(serializers.Serializer[Any]):
    """One step that a plan may have."""

    name = serializers.ChoiceField(
        choices=[spec.name for spec in STEPS], help_text=_("As a plan names it.")
    )
    title = serializers.CharField(help_text=_("As the page names it, in your language."))
    meaning = serializers.CharField(help_text=_("What it does."))
    backends = serializers.ListField(
        child=serializers.CharField(), help_text=_("What can run it: embedded, generative.")
    )
    can_run = serializers.BooleanField(help_text=_("Whether a run may be asked for now."))
    models = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("The generative models that a machine offers for it now."),
    )
    needs_words = serializers.BooleanField(help_text=_("Whether a plan must have a prompt for it."))
    scale = serializers.IntegerField(help_text=_("How many times wider and higher it makes it."))
    settings = SettingSerializer(many=True)
