"""The description of the API: for programs as OpenAPI, for people as a page."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
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

from api import plans
from api.reading import Group, groups
from api.schema import tells

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"
FORMAT = OpenApiParameter("format", str, enum=["json", "yaml"])
LANGUAGE = OpenApiParameter("lang", str, enum=[code for code, _name in settings.LANGUAGES])
# Words in capitals are what the answer before has told.
EXAMPLE = """\
curl -H 'Content-Type: application/json' -d '{"name": "NAME", "password": "PASSWORD"}' \\
  %(api)s/token                             # "token": TOKEN
curl -H 'Authorization: Token TOKEN' -X POST %(api)s/claims
                                            # "id": CLAIM, "photo": PHOTO
curl -H 'Authorization: Token TOKEN' -H 'Content-Type: application/json' \\
  -d '%(body)s' \\
  %(api)s/photos/PHOTO/jobs                 # "id": JOB
curl -H 'Authorization: Token TOKEN' %(api)s/jobs/JOB
                                            # "state": "succeeded", "version": VERSION
curl -H 'Authorization: Token TOKEN' -L -o result.jpg %(api)s/versions/VERSION/pictures/full
curl -H 'Authorization: Token TOKEN' -X POST %(api)s/versions/VERSION/submit
"""


@cache
def _schema(language: str) -> dict[str, Any]:
    """Generated once for each language, a quarter of a second of work that anybody may ask for:
    code does not change while it runs."""
    found: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return found


class KeptGenerator(SchemaGenerator):
    """The schema that is kept, in the language of the moment."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, Any]:
        return _schema(get_language() or "en")


class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as YAML or JSON."""

    generator_class = KeptGenerator

    permission_classes = (AllowAny,)
    content_negotiation_class = DefaultContentNegotiation

    @tells(
        _("This description"),
        description=_("OpenAPI 3; `format` is `json` or `yaml`, `lang` the language of its words."),
        parameters=(FORMAT, LANGUAGE),
        gives={(200, JSON): OpenApiTypes.OBJECT, (200, YAML): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In the language of the reader."""
        languages = [code for code, _name in settings.LANGUAGES]
        asked = request.query_params.get("lang")
        if request.query_params.get("format") == "" or asked not in (None, *languages):
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
    shown = {"groups": _described(get_language() or "en"), "example": _example()}
    return render(request, "api/docs.html", shown)


def _example() -> str:
    """The whole way in a shell, with a plan that this site can run."""
    body = json.dumps({"claim": "CLAIM", "plan": plans.example()}).replace('"CLAIM"', "CLAIM")
    return EXAMPLE % {"api": f"{settings.SITE_URL}/api/v1", "body": body}


@cache
def _described(language: str) -> list[Group]:
    """Generated once for each language: code does not change while it runs."""
    return groups(_schema(language))


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
