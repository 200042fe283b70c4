"""The description of the API: for programs as OpenAPI, for people as a page."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.reading import Group, groups

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"
FORMAT = OpenApiParameter("format", str, enum=["json", "yaml"])


class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as YAML or JSON."""

    permission_classes = (AllowAny,)
    content_negotiation_class = DefaultContentNegotiation

    @extend_schema(
        summary=_("This description"),
        description=_("OpenAPI 3; `format` is `json` or `yaml`."),
        parameters=[FORMAT],
        responses={(200, JSON): OpenApiTypes.OBJECT, (200, YAML): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In the language of the reader."""
        if request.query_params.get("format") == "":
            raise Http404
        answer: Response = super().get(request)  # type: ignore[no-untyped-call]
        return answer

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal is a problem detail here too, and no YAML."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


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
