"""The desk: what waits, and the decisions."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, given, new, review_of, review_to_read, version_of
from api.schema import tells
from api.serializers.work import (
    AcceptSerializer,
    DeclineSerializer,
    ReturnSerializer,
    ReviewSerializer,
    WaitingSerializer,
)
from restoration.actions.reviews import (
    accept_version,
    beat_review,
    decline_version,
    open_review,
    release_review,
    return_version,
)
from restoration.models import Version
from restoration.queries import desk


class DeskView(generics.ListAPIView[Version]):
    """What waits for review."""

    request: Asked
    serializer_class = WaitingSerializer
    queryset = Version.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Version]:
        return desk.waiting(self.request.user)

    @tells(
        _("The desk"),
        gives=WaitingSerializer(many=True),
        description=_("Submitted versions of the collections one curates, oldest first."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        page = self.paginate_queryset(self.get_queryset()) or []
        numbers = [version.pk for version in page]
        found = desk.rows(
            self.get_queryset().filter(pk__in=numbers), request.user, now=timezone.now()
        )
        return self.get_paginated_response(WaitingSerializer(found, many=True).data)


class OpenReviewView(APIView):
    """A version is taken from the desk."""

    @tells(
        _("Open a review"),
        gives=ReviewSerializer,
        state=201,
        also=200,
        description=_(
            "Leased for fifteen minutes; one's own is leased anew (200). Nobody reviews their own "
            "work."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        version, now = version_of(request, pk), timezone.now()
        review = open_review(version=version, by=request.user, now=now)
        return Response(ReviewSerializer(review).data, status=new(review.opened_at, now))


class ReviewView(APIView):
    """One review."""

    @tells(
        _("One review"),
        gives=ReviewSerializer,
        description=_(
            "Whose it is, until when, and how it ended. The maker of the version may read it once "
            "it is decided."
        ),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return Response(ReviewSerializer(review_to_read(request, pk)).data)


class BeatReviewView(APIView):
    """The lease goes on."""

    @tells(
        _("Keep a review"),
        gives=ReviewSerializer,
        description=_("Up to two hours from its opening."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        review = review_of(request, pk)
        beat_review(review=review, by=request.user, now=timezone.now())
        return Response(ReviewSerializer(review).data)


class ReleaseReviewView(APIView):
    """Back on the desk."""

    @tells(_("Release a review"), gives=ReviewSerializer, description=_("Without a decision."))
    def post(self, request: Asked, pk: int) -> Response:
        review = review_of(request, pk)
        release_review(review=review, by=request.user, now=timezone.now())
        return Response(ReviewSerializer(review).data)


class AcceptView(APIView):
    """Good enough to be published."""

    @tells(
        _("Accept"),
        takes=AcceptSerializer,
        gives=ReviewSerializer,
        description=_("The decision names the file's sha256. Accepting is not publishing."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        review, told = review_of(request, pk), given(AcceptSerializer, request)
        accept_version(review=review, by=request.user, advice=told["advice"], now=timezone.now())
        return Response(ReviewSerializer(review).data)


class ReturnView(APIView):
    """Back to its maker, with what would make it accepted."""

    @tells(
        _("Return with advice"),
        takes=ReturnSerializer,
        gives=ReviewSerializer,
        description=_("The maker answers with a child of this version."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        review, told = review_of(request, pk), given(ReturnSerializer, request)
        return_version(review=review, by=request.user, now=timezone.now(), **told)
        return Response(ReviewSerializer(review).data)


class DeclineView(APIView):
    """It will not be used."""

    @tells(
        _("Decline"),
        takes=DeclineSerializer,
        gives=ReviewSerializer,
        description=_("The maker reads the reason."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        review, told = review_of(request, pk), given(DeclineSerializer, request)
        decline_version(review=review, by=request.user, now=timezone.now(), **told)
        return Response(ReviewSerializer(review).data)
