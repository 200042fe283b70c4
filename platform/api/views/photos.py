"""Photos at work, and what is kept beside them."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework as django_filters
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, given, photo_of, photo_to_read, photos_for, picture_name
from api.conditions import only_of, tag
from api.filters import After, ChangedAfter, Exactly, YesOrNo
from api.schema import ETAG, IF_MATCH, SIZE, bytes_of, tells
from api.serializers.archive import (
    DescriptionSerializer,
    PagesSerializer,
    PhotoSerializer,
    ReasonSerializer,
)
from archive import pictures, storage
from archive.actions import (
    answer_pages,
    describe_photo,
    hold_photo,
    release_photo_hold,
    withdraw_photo,
)
from archive.lifecycle import PhotoState
from archive.models import DESCRIPTION, Photo
from archive.queries import looked_after_by
from restoration.queries import changes
from restoration.queries import wall as the_wall

JPEG = "image/jpeg"
ANY_FILE = "application/octet-stream"


class PhotoFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Wishes at the wall; each may be left out."""

    collection = django_filters.CharFilter("collection__slug", label=_("A collection's address."))
    state = django_filters.ChoiceFilter(choices=PhotoState.choices)
    wall = django_filters.ChoiceFilter(
        choices=the_wall.STATES, method="on_the_wall", label=_("What goes on around a ready photo.")
    )
    damage = django_filters.ChoiceFilter("assessment__damage", choices=the_wall.DAMAGE)
    faces = YesOrNo(method="with_faces", label=_("Whether faces are on it."))
    words = django_filters.CharFilter(method="saying", label=_("Words in its description."))
    identifier = Exactly(label=_("Its identifier at the source, letter by letter."))
    sha256 = Exactly(method="of_file", label=_("The sha256 of the file that came in."))
    changed_after = ChangedAfter(changes.photos_since)
    after = After("ref")

    class Meta:
        model = Photo
        fields = (
            "collection", "state", "wall", "damage", "faces", "words", "identifier", "sha256",
            "changed_after", "after",
        )  # fmt: skip

    def of_file(self, photos: QuerySet[Photo], name: str, value: str) -> QuerySet[Photo]:
        return photos.filter(sha256=value.lower())

    def on_the_wall(self, photos: QuerySet[Photo], name: str, value: str) -> QuerySet[Photo]:
        found = the_wall.fitting(
            the_wall.at_work(the_wall.reach_of(self.request.user)), {"state": value}
        )
        return photos.filter(pk__in=found.order_by().values("pk"))

    def with_faces(self, photos: QuerySet[Photo], name: str, value: Any) -> QuerySet[Photo]:
        many = {"assessment__faces__gt": 0} if value else {"assessment__faces": 0}
        return photos.filter(**many)

    def saying(self, photos: QuerySet[Photo], name: str, value: str) -> QuerySet[Photo]:
        return the_wall.fitting(photos, {"words": value, "state": the_wall.ANY})


class PhotosView(generics.ListAPIView[Photo]):
    """The wall, for programs."""

    request: Asked
    serializer_class = PhotoSerializer
    queryset = Photo.objects.none()
    filterset_class = PhotoFilter

    def get_queryset(self) -> QuerySet[Photo]:
        return photos_for(self.request).order_by("added_at", "pk")

    @tells(
        _("Photos"),
        gives=PhotoSerializer(many=True),
        description=_("Those in reach, oldest first."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)


class PhotoView(APIView):
    """One photo."""

    @tells(
        _("One photo"),
        gives=PhotoSerializer,
        parameters=(ETAG,),
        description=_(
            "Its state, what is said about it, and what the engine saw. The `ETag` is that of the"
            " description alone."
        ),
    )
    def get(self, request: Asked, ref: str) -> Response:
        return _told(request, ref)

    @tells(
        _("Describe a photo"),
        takes=DescriptionSerializer,
        gives=PhotoSerializer,
        parameters=(IF_MATCH, ETAG),
        description=_(
            "For curators; what is left out stays. With `If-Match`, and the `ETag` that came with"
            " the photo, it is refused (412, `description-moved`) when somebody else has described"
            " it in between; the refusal tells how it is described now."
        ),
    )
    def patch(self, request: Asked, ref: str) -> Response:
        describe_photo(
            photo=photo_of(request, ref),
            by=request.user,
            fields=given(DescriptionSerializer, request),
            now=timezone.now(),
            only_of=only_of(request),
        )
        return _told(request, ref)


def _told(request: Asked, ref: str) -> Response:
    photo = photo_to_read(request, ref)
    return Response(PhotoSerializer(photo).data, headers={"ETag": tag(photo, DESCRIPTION)})


class OriginalView(APIView):
    """The file as it came."""

    @tells(
        _("The untouched original"),
        gives=bytes_of(ANY_FILE),
        description=_(
            "For those who look after the photo: the very bytes that came in, under their own name;"
            " a part of them is given too (`Range`)."
        ),
    )
    def get(self, request: Asked, ref: str) -> HttpResponseBase:
        photo = get_object_or_404(looked_after_by(request.user), ref=ref)
        if photo.original_id is None:
            raise Http404
        return pictures.respond(
            storage.original_key(photo.sha256),
            content_type=ANY_FILE,
            public=False,
            filename=photo.filename or photo.ref,
            request=request._request,
        )


class PagesView(APIView):
    """What several pages of one file are."""

    @tells(
        _("Say what the pages are"),
        takes=PagesSerializer,
        gives=PhotoSerializer,
        description=_("For curators, of a file that waits with `several-pages`."),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo, said = photo_of(request, ref), given(PagesSerializer, request)["pages"]
        answer_pages(photo=photo, pages=said, by=request.user, now=timezone.now())
        return _told(request, ref)


class HoldView(APIView):
    """Off the wall for a while."""

    @tells(
        _("Take a photo off the wall"),
        takes=ReasonSerializer,
        gives=PhotoSerializer,
        description=_("For curators: a wish of the family, a doubt about its rights."),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo, reason = photo_of(request, ref), given(ReasonSerializer, request)["reason"]
        hold_photo(photo=photo, by=request.user, reason=reason, now=timezone.now())
        return _told(request, ref)


class UnholdView(APIView):
    """Back on the wall."""

    @tells(_("Put a photo back on the wall"), gives=PhotoSerializer, description=_("For curators."))
    def post(self, request: Asked, ref: str) -> Response:
        photo = photo_of(request, ref)
        release_photo_hold(photo=photo, by=request.user, now=timezone.now())
        return _told(request, ref)


class WithdrawPhotoView(APIView):
    """Out of the work for good."""

    @tells(
        _("Withdraw a photo"),
        takes=ReasonSerializer,
        gives=PhotoSerializer,
        description=_("For curators. There is no way back; its history stays."),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo, reason = photo_of(request, ref), given(ReasonSerializer, request)["reason"]
        withdraw_photo(photo=photo, by=request.user, reason=reason, now=timezone.now())
        return _told(request, ref)


class ScanPictureView(APIView):
    """The scan, to look at."""

    @tells(
        _("A picture of the scan"),
        gives=bytes_of(JPEG),
        parameters=(SIZE,),
        description=_(
            "A JPEG; its long side is 400, 800, 1600 or 2560 pixels, or as long as it gets: `full`."
        ),
    )
    def get(self, request: Asked, ref: str, name: str) -> HttpResponseBase:
        photo, size = photo_of(request, ref), picture_name(name)
        if not photo.working_sha256:
            raise Http404
        key = storage.derivative_key(photo.working_sha256, size)
        return pictures.respond(key, content_type=JPEG, public=False, request=request._request)
