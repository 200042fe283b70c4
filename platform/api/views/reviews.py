"""The desk: what waits, and the decisions."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework as django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import (
    Asked,
    given,
    new,
    review_of,
    review_to_read,
    reviews_for,
    version_of,
)
from api.filters import Exactly, Key, YesOrNo
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
from restoration.models import Review, Version
from restoration.queries import changes, desk


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
            changes.versions(self.get_queryset().filter(pk__in=numbers)),
            request.user,
            now=timezone.now(),
        )
        return self.get_paginated_response(WaitingSerializer(found, many=True).data)


class ReviewFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which reviews."""

    photo = Exactly("photo__ref", label=_("A photo's reference."))
    version = Key(label=_("The id of a version."))
    mine = YesOrNo(method="by_me", label=_("Whether you are the reviewer."))

    class Meta:
        model = Review
        fields = ("photo", "version", "state", "mine")

    def by_me(self, rows: QuerySet[Review], name: str, value: Any) -> QuerySet[Review]:
        mine = Q(reviewer=self.request.user)
        return rows.filter(mine if value else ~mine)


class ReviewsView(generics.ListAPIView[Review]):
    """What was decided, and what is looked at."""

    request: Asked
    serializer_class = ReviewSerializer
    queryset = Review.objects.none()
    filterset_class = ReviewFilter

    def get_queryset(self) -> QuerySet[Review]:
        return reviews_for(self.request).order_by("-pk")

    @tells(
        _("Reviews"),
        gives=ReviewSerializer(many=True),
        description=_(
            "Those of collections one curates, and what was decided about one's own versions;"
            " newest first."
        ),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)


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
