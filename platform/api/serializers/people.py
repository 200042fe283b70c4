"""Tokens, and who one is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from api.serializers.strict import Text


class SignInSerializer(serializers.Serializer[Any]):
    """A name (or e-mail address) and a password."""

    name = Text(max_length=254, help_text=_("Your name here, or your e-mail address."))
    password = Text(max_length=1000, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    """Send it as `Authorization: Token <token>`."""

    token = serializers.CharField(help_text=_("For the header: `Authorization: Token …`."))


class PersonSerializer(serializers.ModelSerializer[User]):
    """Who one is and what one may do."""

    curates = serializers.SerializerMethodField(
        help_text=_("The addresses of the collections this person decides for.")
    )

    class Meta:
        model = User
        fields = ("username", "display_name", "language", "is_steward", "curates")
        read_only_fields = fields

    def get_curates(self, person: User) -> list[str]:
        return list(person.curatorships.values_list("collection__slug", flat=True))
