"""Tokens, and who one is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from api.serializers.strict import Text
from restoration import allowing, ledger
from restoration.purses import Resource


class SignInSerializer(serializers.Serializer[Any]):
    """A name (or e-mail address) and a password."""

    name = Text(max_length=254, help_text=_("Your name here, or your e-mail address."))
    password = Text(max_length=1000, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    """Send it as `Authorization: Token <token>`."""

    token = serializers.CharField(help_text=_("For the header: `Authorization: Token …`."))


class DaySerializer(serializers.Serializer[Any]):
    """The machine time of a day, of one kind; null where nobody's time is counted."""

    resource = serializers.ChoiceField(choices=Resource.choices)
    a_day = serializers.IntegerField(
        allow_null=True, help_text=_("Seconds that one gets every day.")
    )
    left = serializers.IntegerField(allow_null=True, help_text=_("Seconds that are left today."))


class HandsSerializer(serializers.Serializer[Any]):
    """How many photos one may claim."""

    held = serializers.IntegerField(help_text=_("In hand now; one on hold is in nobody's way."))
    most = serializers.IntegerField(help_text=_("At once."))
    left = serializers.IntegerField(help_text=_("How many more can be claimed now."))


class PersonSerializer(serializers.ModelSerializer[User]):
    """Who one is and what one may do."""

    curates = serializers.SerializerMethodField(
        help_text=_("The addresses of the collections this person decides for.")
    )

    machine_time = serializers.SerializerMethodField()
    full_at = serializers.SerializerMethodField(
        help_text=_("When the day's machine time comes again: the next midnight of the house.")
    )
    hands = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = (
            "username", "display_name", "language", "is_steward", "curates",
            "machine_time", "full_at", "hands",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(DaySerializer(many=True, help_text=_("What is left of it, by kind.")))
    def get_machine_time(self, person: User) -> Any:
        days = allowing.today(person, now=self.context["now"])
        return DaySerializer(days, many=True).data

    def get_full_at(self, person: User) -> datetime:
        return timezone.localtime(ledger.midnight(self.context["now"]))

    @extend_schema_field(HandsSerializer(help_text=_("The photos in hand.")))
    def get_hands(self, person: User) -> Any:
        return HandsSerializer(allowing.hands(person, now=self.context["now"])).data

    def get_curates(self, person: User) -> list[str]:
        return list(person.curatorships.values_list("collection__slug", flat=True))
