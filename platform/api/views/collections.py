"""Collections, and the scans that are added to them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, collection_of, given
from api.schema import tells
from api.serializers.archive import (
    CollectionChangeSerializer,
    CollectionSerializer,
    PhotoSerializer,
    ScanSerializer,
)
from archive.actions import change_collection, create_collection, receive_scan
from archive.models import Collection


class CollectionsView(generics.ListAPIView[Collection]):
    """All collections in reach."""

    request: Asked
    serializer_class = CollectionSerializer
    queryset = Collection.objects.none()

    def get_queryset(self) -> QuerySet[Collection]:
        return Collection.objects.visible_to(self.request.user).order_by("slug")

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
        return Response(CollectionSerializer(made).data, status=201)


class CollectionView(APIView):
    """One collection."""

    @tells(
        _("One collection"),
        gives=CollectionSerializer,
        description=_("Its words, rights and rules."),
    )
    def get(self, request: Asked, slug: str) -> Response:
        return Response(CollectionSerializer(collection_of(request, slug)).data)

    @tells(
        _("Change a collection"),
        takes=CollectionChangeSerializer,
        gives=CollectionSerializer,
        description=_("For its curators; what is left out stays."),
    )
    def patch(self, request: Asked, slug: str) -> Response:
        collection = collection_of(request, slug)
        fields = given(CollectionChangeSerializer, request, of=collection)
        change_collection(collection=collection, by=request.user, fields=fields, now=timezone.now())
        return Response(CollectionSerializer(collection).data)


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
        ),
    )
    def post(self, request: Asked, slug: str) -> Response:
        collection = collection_of(request, slug)
        told = given(ScanSerializer, request)
        file = told["file"]
        photo, new = receive_scan(
            collection=collection,
            chunks=file.chunks(),
            filename=file.name or "",
            pages=told.get("pages", ""),
            by=request.user,
            now=timezone.now(),
        )
        return Response(PhotoSerializer(photo).data, status=201 if new else 200)
