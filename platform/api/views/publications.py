"""What is public, for those who make it so: publish, hide, show again, take down."""

from __future__ import annotations

import django_filters.rest_framework as django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, given, publication_of, publications_for, room_of, version_of
from api.filters import After, ChangedAfter, Exactly
from api.schema import tells
from api.serializers.public import (
    PublicationSerializer,
    PublishSerializer,
    RetractSerializer,
    SuspendSerializer,
)
from exhibit import queries
from exhibit.actions import (
    publish_version,
    resume_publication,
    retract_publication,
    suspend_publication,
)
from exhibit.arranging import Words
from exhibit.models import Publication
from restoration.lifecycle import PublicationState


class PublicationFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which publications."""

    state = django_filters.ChoiceFilter(choices=PublicationState.choices)
    photo = Exactly("photo__ref", label=_("A photo's reference."))
    collection = Exactly("photo__collection__slug", label=_("A collection's address."))
    changed_after = ChangedAfter(queries.changed_since)
    after = After("pk")

    class Meta:
        model = Publication
        fields = ("state", "photo", "collection", "changed_after", "after")


class PublicationsView(generics.ListAPIView[Publication]):
    """Where an accepted version becomes public."""

    request: Asked
    serializer_class = PublicationSerializer
    queryset = Publication.objects.none()
    filterset_class = PublicationFilter

    def get_queryset(self) -> QuerySet[Publication]:
        return publications_for(self.request).order_by("-pk")

    @tells(
        _("Publications"),
        gives=PublicationSerializer(many=True),
        description=_("Those of the collections one curates, newest first."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)

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
        made = publish_version(
            version=version,
            room=room_of(request, told.pop("room")),
            although_retracted=told.pop("although_retracted", False),
            words=Words(**told),
            by=request.user,
            now=timezone.now(),
        )
        return _told(request, made.pk, status=201)


class PublicationView(APIView):
    """One publication."""

    @tells(
        _("One publication"),
        gives=PublicationSerializer,
        description=_("For curators of its collection; the public reads exhibits."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return _told(request, pk)


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
        return _told(request, pk)


class SuspendView(APIView):
    """A picture is hidden."""

    @tells(
        _("Hide for now"),
        takes=SuspendSerializer,
        gives=PublicationSerializer,
        description=_(
            "While something is looked into: the public does not see it until it is shown again."
            " What somebody else has hidden is hidden by you too from now on, and for your reason;"
            " undoing what hid it does not show it. The same once more changes nothing (200)."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        publication, told = publication_of(request, pk), given(SuspendSerializer, request)
        suspend_publication(publication=publication, by=request.user, now=timezone.now(), **told)
        return _told(request, pk)


class ResumeView(APIView):
    """A hidden picture is shown again."""

    @tells(
        _("Show again"),
        gives=PublicationSerializer,
        description=_(
            "What is shown already stays so (200). Refused while a file of the photo is missing or"
            " altered (bytes-in-doubt)."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        publication = publication_of(request, pk)
        resume_publication(publication=publication, by=request.user, now=timezone.now())
        return _told(request, pk)


def _told(request: Asked, pk: int, status: int = 200) -> Response:
    return Response(PublicationSerializer(publication_of(request, pk)).data, status=status)
