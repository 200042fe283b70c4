"""What the public sees, and how it comes there."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, given, publication_of, version_of
from api.schema import tells
from api.serializers.public import (
    ExhibitDetailSerializer,
    ExhibitSerializer,
    PublicationSerializer,
    PublishSerializer,
    RetractSerializer,
)
from exhibit import nameless
from exhibit.actions import publish_version, retract_publication
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement, Room


class ExhibitsView(generics.ListAPIView[Exhibit]):
    """The exhibits."""

    request: Asked
    permission_classes = (AllowAny,)
    serializer_class = ExhibitSerializer
    queryset = Exhibit.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Exhibit]:
        rows = Exhibit.objects.visible_to(self.request.user)
        return rows.select_related("collection").order_by("-created_at", "pk")

    @tells(
        _("Exhibits"),
        gives=ExhibitSerializer(many=True),
        description=_(
            "Open ones for everybody; closed ones for their curators. Without a sign-in the answer"
            " may be kept for a minute and read by scripts on other sites; If-None-Match is heeded."
        ),
    )
    def get(self, request: Asked) -> HttpResponseBase:  # type: ignore[override]
        return _for_a_while(request, self.list(request).data)


class ExhibitView(APIView):
    """One exhibit."""

    permission_classes = (AllowAny,)

    @tells(
        _("One exhibit"),
        gives=ExhibitDetailSerializer,
        description=_(
            "Its rooms, and what hangs there now: the words, the account of how it was made, and"
            " the addresses of its page, pictures and IIIF manifest. When a newer version is"
            " published, the addresses of the one before lead on to it; of a picture that was taken"
            " down they answer 410 with the reason."
        ),
    )
    def get(self, request: Asked, slug: str) -> HttpResponseBase:
        shown = Placement.objects.shown().select_related("photo__collection", "publication")
        hanging = shown.order_by("position", "pk")
        rooms = Room.objects.order_by("position", "pk").prefetch_related(
            Prefetch("placements", queryset=hanging)
        )
        rows = Exhibit.objects.visible_to(request.user).select_related("collection")
        found = get_object_or_404(rows.prefetch_related(Prefetch("rooms", rooms)), slug=slug)
        hung = (each for room in found.rooms.all() for each in room.placements.all())
        nameless.prepare(each.publication for each in hung)
        return _for_a_while(request, ExhibitDetailSerializer(found).data)


def _for_a_while(request: Request, told: Any) -> HttpResponseBase:
    """What strangers get is the same for all of them, so it may be kept, and asked for by its tag.

    Whoever is signed in may see more than they do.
    """
    if request.user.is_authenticated:
        return Response(told, headers={"Cache-Control": "private, no-store"})
    body = JSONRenderer().render(told)
    # A weak one: it is sent packed too.
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    unchanged = get_conditional_response(request._request, etag=etag)
    response = unchanged or HttpResponse(body, content_type=JSONRenderer.media_type)
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=60"
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return response


class PublicationsView(APIView):
    """Where an accepted version becomes public."""

    @tells(
        _("Publish"),
        takes=PublishSerializer,
        gives=PublicationSerializer,
        state=201,
        description=_(
            "For curators; a second one where the collection asks for two people. Words that are"
            " left out stay as they hang in that room. While the photo's picture is hidden it is"
            " refused (suspended); after it was taken down, unless `although_retracted` is true"
            " (was-retracted)."
        ),
    )
    def post(self, request: Asked) -> Response:
        told = given(PublishSerializer, request)
        version = version_of(request, told.pop("version"))
        rooms = Room.objects.filter(exhibit__in=Exhibit.objects.visible_to(request.user))
        room = get_object_or_404(rooms.select_related("exhibit__collection"), pk=told.pop("room"))
        made = publish_version(
            version=version,
            room=room,
            although_retracted=told.pop("although_retracted", False),
            words=Words(**told),
            by=request.user,
            now=timezone.now(),
        )
        return Response(PublicationSerializer(made).data, status=201)


class PublicationView(APIView):
    """One publication."""

    @tells(
        _("One publication"),
        gives=PublicationSerializer,
        description=_("For curators of its collection; the public reads exhibits."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return Response(PublicationSerializer(publication_of(request, pk)).data)


class RetractView(APIView):
    """A picture is taken down."""

    @tells(
        _("Retract"),
        takes=RetractSerializer,
        gives=PublicationSerializer,
        description=_("For good; its page says when and why, and its addresses answer 410."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        publication, told = publication_of(request, pk), given(RetractSerializer, request)
        retract_publication(publication=publication, by=request.user, now=timezone.now(), **told)
        return Response(PublicationSerializer(publication).data)
