"""Tokens, and who one is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle
from rest_framework.views import APIView

from accounts.actions import end_token, give_token
from accounts.models import User
from accounts.passwords import tidy
from api.asking import Asked, given
from api.schema import tells
from api.serializers.people import PersonSerializer, SignInSerializer, TokenSerializer


class SignInThrottle(SimpleRateThrottle):
    """Tokens are asked for seldom; guesses are made often. By name, for an address may be that of
    a class, and by address, or anybody could keep somebody out by asking."""

    scope = "token"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        sent = request.data.get("name", "") if isinstance(request.data, Mapping) else ""
        name = hashlib.sha256(tidy(str(sent)).casefold().encode()).hexdigest()
        return f"sign-in-{name}-{self.get_ident(request)}"


class TokenView(APIView):
    """Signing in for programs."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self._signs_in() else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        # Nobody is asked who they are while they say it, yet a wrong password is a 401.
        return "Token"

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self._signs_in() else [IsAuthenticated()]

    def get_throttles(self) -> list[BaseThrottle]:
        return [SignInThrottle()] if self._signs_in() else []

    def _signs_in(self) -> bool:
        # What is neither is answered as not allowed, to everybody.
        return self.request is not None and self.request.method != "DELETE"

    @tells(
        _("Sign in and get a token"),
        takes=SignInSerializer,
        gives=TokenSerializer,
        auth=[],
        description=_(
            "The same token every time, until it is given up or the password is changed. After five"
            " wrong passwords the name has to wait, five minutes at most (429, `Retry-After`)."
        ),
    )
    def post(self, request: Request) -> Response:
        words = given(SignInSerializer, request)
        # As the page takes it: with one space, and one form of every letter.
        person = _authenticated(request._request, tidy(words["name"]), words["password"])
        token = give_token(person=person)
        if token is None:
            raise _wrong()
        return Response({"token": token})

    @tells(_("Give the token up"), description=_("Programs that hold it are signed out at once."))
    def delete(self, request: Asked) -> Response:
        end_token(person=request.user)
        return Response(status=204)


def _authenticated(request: HttpRequest, name: str, password: str) -> User:
    """The person, or a refusal; wrong guesses count together with those made on the page."""
    names = {"username": name} | ({"email": name} if "@" in name else {})
    try:
        person = get_adapter(request).authenticate(request, **names, password=password)
    except ValidationError as refused:
        raise _guessed_too_often(refused) from None
    if not isinstance(person, User) or not person.is_active:
        raise _wrong()
    return person


def _guessed_too_often(refused: ValidationError) -> exceptions.Throttled:
    """In the page's words."""
    error = exceptions.Throttled(wait=60 * refused.params["n"])  # type: ignore[index]
    error.detail = exceptions.ErrorDetail(refused.messages[0], code="throttled")
    return error


def _wrong() -> exceptions.AuthenticationFailed:
    return exceptions.AuthenticationFailed(_("This name and password do not belong together."))


class MeView(APIView):
    """The person who asks."""

    @tells(
        _("Who I am"),
        gives=PersonSerializer,
        description=_(
            "One's names, language and offices, and what one's account may still do today."
        ),
    )
    def get(self, request: Asked) -> Response:
        return Response(PersonSerializer(request.user, context={"now": timezone.now()}).data)
