"""What the public sees, and how it comes there."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.permissions import AllowAny
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
        description=_("Open ones for everybody; closed ones for their curators."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)


class ExhibitView(APIView):
    """One exhibit."""

    permission_classes = (AllowAny,)

    @tells(
        _("One exhibit"),
        gives=ExhibitDetailSerializer,
        description=_("Its rooms, and what hangs there now with the account of how it was made."),
    )
    def get(self, request: Asked, slug: str) -> Response:
        shown = Placement.objects.shown().select_related("photo", "publication")
        hanging = shown.order_by("position", "pk")
        rooms = Room.objects.order_by("position", "pk").prefetch_related(
            Prefetch("placements", queryset=hanging)
        )
        rows = Exhibit.objects.visible_to(request.user).select_related("collection")
        found = get_object_or_404(rows.prefetch_related(Prefetch("rooms", rooms)), slug=slug)
        return Response(ExhibitDetailSerializer(found).data)


class PublicationsView(APIView):
    """Where an accepted version becomes public."""

    @tells(
        _("Publish"),
        takes=PublishSerializer,
        gives=PublicationSerializer,
        state=201,
        description=_("For curators; a second one where the collection asks for two people."),
    )
    def post(self, request: Asked) -> Response:
        told = given(PublishSerializer, request)
        version = version_of(request, told.pop("version"))
        rooms = Room.objects.filter(exhibit__in=Exhibit.objects.visible_to(request.user))
        room = get_object_or_404(rooms.select_related("exhibit__collection"), pk=told.pop("room"))
        made = publish_version(
            version=version, room=room, words=Words(**told), by=request.user, now=timezone.now()
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
        description=_("For good; its page says when and why."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        publication, told = publication_of(request, pk), given(RetractSerializer, request)
        retract_publication(publication=publication, by=request.user, now=timezone.now(), **told)
        return Response(PublicationSerializer(publication).data)
