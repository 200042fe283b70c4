"""Versions: list, look, take, bring back retouched, submit, withdraw."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework as django_filters
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, given, photo_of, picture_name, version_of, versions_for
from api.filters import After, ChangedAfter, Exactly, YesOrNo
from api.schema import SIZE, bytes_of, tells
from api.serializers.work import (
    JobSerializer,
    RetouchSerializer,
    SubmitSerializer,
    VersionSerializer,
)
from archive import pictures, storage
from restoration.actions.jobs import bring_retouch
from restoration.actions.versions import scan_version, submit_version, withdraw_version
from restoration.engine.errors import BadInput
from restoration.models import Version
from restoration.queries import changes

JPEG, PNG, TIFF = "image/jpeg", "image/png", "image/tiff"


class VersionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which versions."""

    photo = Exactly("photo__ref", label=_("A photo's reference."))
    mine = YesOrNo(method="made_by_me", label=_("Whether you made it."))
    changed_after = ChangedAfter(changes.versions_since)
    after = After("pk")

    class Meta:
        model = Version
        fields = ("photo", "state", "kind", "mine", "changed_after", "after")

    def made_by_me(self, rows: QuerySet[Version], name: str, value: Any) -> QuerySet[Version]:
        mine = Q(made_by=self.request.user)
        return rows.filter(mine if value else ~mine | Q(made_by=None))


class VersionsView(generics.ListAPIView[Version]):
    """All trees in reach."""

    request: Asked
    serializer_class = VersionSerializer
    queryset = Version.objects.none()
    filterset_class = VersionFilter

    def get_queryset(self) -> QuerySet[Version]:
        return versions_for(self.request).order_by("-pk")

    @tells(
        _("Versions"),
        gives=VersionSerializer(many=True),
        description=_(
            "The scans in reach, one's own, and what was submitted to collections one curates;"
            " newest first."
        ),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)


class PhotoVersionsView(generics.ListAPIView[Version]):
    """The tree of one photo."""

    request: Asked
    serializer_class = VersionSerializer
    queryset = Version.objects.none()
    filterset_fields = ("state", "kind")

    def get_queryset(self) -> QuerySet[Version]:
        rows = versions_for(self.request).filter(photo__ref=self.kwargs["ref"])
        return rows.order_by("number")

    @tells(
        _("Versions of a photo"),
        gives=VersionSerializer(many=True),
        description=_("The scan, one's own, and what was submitted to collections one curates."),
    )
    def get(self, request: Asked, ref: str) -> Response:  # type: ignore[override]
        photo = photo_of(request, ref)
        if photo.working_sha256:  # as on the bench: who looks at the tree finds its root
            scan_version(photo=photo, now=timezone.now())
        return self.list(request)


class VersionView(APIView):
    """One version."""

    @tells(
        _("One version"),
        gives=VersionSerializer,
        description=_("What made it and what was measured."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return Response(VersionSerializer(version_of(request, pk)).data)


class DownloadView(APIView):
    """The working file."""

    @tells(
        _("Download a version"),
        gives=bytes_of(TIFF),
        description=_("The full-size TIFF, to be retouched anywhere."),
    )
    def get(self, request: Asked, pk: int) -> HttpResponseBase:
        version = version_of(request, pk)
        name = f"{version.photo.ref}-v{version.number}.tif"
        key = storage.working_key(version.sha256)
        return pictures.respond(
            key, content_type=TIFF, public=False, filename=name, request=request._request
        )


class PictureView(APIView):
    """A version, to look at."""

    @tells(
        _("A picture of a version"),
        gives=bytes_of(JPEG),
        parameters=(SIZE,),
        description=_(
            "A JPEG; its long side is 400, 800, 1600 or 2560 pixels, or as long as it gets: `full`."
        ),
    )
    def get(self, request: Asked, pk: int, name: str) -> HttpResponseBase:
        size = picture_name(name)
        key = storage.derivative_key(version_of(request, pk).sha256, size)
        return pictures.respond(key, content_type=JPEG, public=False, request=request._request)


class RetouchView(APIView):
    """A hand retouch comes in."""

    parser_classes = (MultiPartParser,)

    @tells(
        _("Bring a retouch back"),
        takes=RetouchSerializer,
        gives=JobSerializer,
        state=201,
        description=_("A worker checks that it belongs to this version and keeps it as its child."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        parent, told = version_of(request, pk), given(RetouchSerializer, request)
        try:
            job = bring_retouch(
                parent=parent,
                by=request.user,
                fence=told["claim"],
                chunks=told["file"].chunks(),
                filename=told["file"].name or "",
                note=told["note"],
                now=timezone.now(),
            )
        except storage.TooLarge:
            most = {"most": settings.MAX_UPLOAD_BYTES // 1024**2}
            raise BadInput("file-too-large", most) from None
        return Response(JobSerializer(job).data, status=201)


class MapView(APIView):
    """Where a version was repaired, changed, coloured."""

    @tells(
        _("A map of a version"),
        gives=bytes_of(PNG),
        description=_("A grey PNG; `maps` of the version names them."),
    )
    def get(self, request: Asked, pk: int, name: str) -> HttpResponseBase:
        sha256 = version_of(request, pk).maps.get(name)
        if not sha256:
            raise Http404
        key = storage.sheet_key(sha256)
        return pictures.respond(key, content_type=PNG, public=False, request=request._request)


class SubmitView(APIView):
    """To the desk."""

    @tells(
        _("Submit a version"),
        takes=SubmitSerializer,
        gives=VersionSerializer,
        description=_(
            "The claim is fulfilled; after its end the version is kept as an alternative."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        version, told = version_of(request, pk), given(SubmitSerializer, request)
        submit_version(version=version, by=request.user, note=told["note"], now=timezone.now())
        return Response(VersionSerializer(version_of(request, pk)).data)


class WithdrawView(APIView):
    """Back from the desk."""

    @tells(
        _("Withdraw a version"),
        gives=VersionSerializer,
        description=_("While nobody has decided; its pixels stay in the tree."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        version = version_of(request, pk)
        withdraw_version(version=version, by=request.user, now=timezone.now())
        return Response(VersionSerializer(version_of(request, pk)).data)
