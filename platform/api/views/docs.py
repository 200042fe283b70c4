"""The description of the API: for programs as OpenAPI, for people as a page."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.reading import Group, groups


class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as YAML or JSON."""

    permission_classes = (AllowAny,)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every address, what it takes and what it gives, in the reader's language."""
    return render(request, "api/docs.html", {"groups": _described(get_language() or "en")})


@cache
def _described(language: str) -> list[Group]:
    """Generated once for each language: code does not change while it runs."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return groups(schema)


class NothingView(APIView):
    """Where no address is."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(exclude=True)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Never reached."""
        raise Http404
