"""Collections, and the scans that are added to them."""

from __future__ import annotations

import django_filters.rest_framework as django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, collection_of, collections_for, given, photo_to_read
from api.conditions import only_of, tag
from api.filters import After, ChangedAfter
from api.schema import ETAG, IF_MATCH, tells
from api.serializers.archive import (
    CollectionChangeSerializer,
    CollectionSerializer,
    PhotoSerializer,
    ScanSerializer,
)
from archive.actions import COLLECTION, change_collection, create_collection, receive_scan
from archive.models import Collection
from restoration.queries import changes


class CollectionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which collections."""

    changed_after = ChangedAfter(changes.collections_since)
    after = After("slug")

    class Meta:
        model = Collection
        fields = ("changed_after", "after")


class CollectionsView(generics.ListAPIView[Collection]):
    """All collections in reach."""

    request: Asked
    serializer_class = CollectionSerializer
    queryset = Collection.objects.none()
    filterset_class = CollectionFilter

    def get_queryset(self) -> QuerySet[Collection]:
        return collections_for(self.request).order_by("slug")

    @tells(
        _("Collections"),
        gives=CollectionSerializer(many=True),
        description=_("Those whose photos one may see at work."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)

    @tells(
        _("Open a collection"),
        takes=CollectionSerializer,
        gives=CollectionSerializer,
        state=201,
        description=_("For stewards."),
    )
    def post(self, request: Asked) -> Response:
        fields = given(CollectionSerializer, request)
        made = create_collection(by=request.user, fields=fields, now=timezone.now())
        told = collection_of(request, made.slug)
        return Response(CollectionSerializer(told).data, status=201)


class CollectionView(APIView):
    """One collection."""

    @tells(
        _("One collection"),
        gives=CollectionSerializer,
        parameters=(ETAG,),
        description=_("Its words, rights and rules."),
    )
    def get(self, request: Asked, slug: str) -> Response:
        return _told(request, slug)

    @tells(
        _("Change a collection"),
        takes=CollectionChangeSerializer,
        gives=CollectionSerializer,
        parameters=(IF_MATCH, ETAG),
        description=_("For its curators; what is left out stays."),
    )
    def patch(self, request: Asked, slug: str) -> Response:
        collection = collection_of(request, slug)
        fields = given(CollectionChangeSerializer, request, of=collection)
        change_collection(
            collection=collection,
            by=request.user,
            fields=fields,
            now=timezone.now(),
            only_of=only_of(request),
        )
        return _told(request, slug)


def _told(request: Asked, slug: str) -> Response:
    box = collection_of(request, slug)
    return Response(CollectionSerializer(box).data, headers={"ETag": tag(box, COLLECTION)})


class ScansView(APIView):
    """The scans of one collection come in here."""

    parser_classes = (MultiPartParser,)

    @tells(
        _("Add a scan"),
        takes=ScanSerializer,
        gives=PhotoSerializer,
        state=201,
        also=200,
        description=_(
            "For curators. A worker reads it next; the same file again is the same photo (200)."
            " What is said of it may come along, and is checked as in a description: both are kept,"
            " or neither. A photo that is here already keeps what is said of it."
        ),
    )
    def post(self, request: Asked, slug: str) -> Response:
        collection = collection_of(request, slug)
        told = given(ScanSerializer, request)
        file, pages = told.pop("file"), told.pop("pages", "")
        photo, new = receive_scan(
            collection=collection,
            chunks=file.chunks(),
            filename=file.name or "",
            pages=pages,
            describe=told,
            by=request.user,
            now=timezone.now(),
        )
        told_of = photo_to_read(request, photo.ref)
        return Response(PhotoSerializer(told_of).data, status=201 if new else 200)
