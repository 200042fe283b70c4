"""The exhibits: what the public sees of them, and how one is made and named."""

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
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import Asked, collection_of, exhibit_of, given
from api.conditions import only_of, tag
from api.schema import ETAG, IF_MATCH, tells
from api.serializers.arranging import HeadlineSerializer, NewExhibitSerializer
from api.serializers.public import ExhibitDetailSerializer, ExhibitSerializer
from api.views.arranging import headline
from exhibit import nameless
from exhibit.arranging import HEADLINE, Headline, create_exhibit, edit_exhibit
from exhibit.models import Exhibit, Placement, Room


class ExhibitsView(generics.ListAPIView[Exhibit]):
    """The exhibits."""

    request: Asked
    permission_classes = (IsAuthenticatedOrReadOnly,)
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

    @tells(
        _("Make an exhibit"),
        takes=NewExhibitSerializer,
        gives=ExhibitSerializer,
        state=201,
        description=_(
            "For curators of the collection. It is closed until it is opened, and has one room."
        ),
    )
    def post(self, request: Asked) -> Response:
        told = given(NewExhibitSerializer, request)
        made = create_exhibit(
            collection=collection_of(request, told.pop("collection")),
            slug=told.pop("slug"),
            headline=Headline(**told),
            by=request.user,
            now=timezone.now(),
        )
        return Response(ExhibitSerializer(made).data, status=201)


class ExhibitView(APIView):
    """One exhibit."""

    permission_classes = (IsAuthenticatedOrReadOnly,)

    @tells(
        _("One exhibit"),
        gives=ExhibitDetailSerializer,
        parameters=(ETAG,),
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
        answer = _for_a_while(request, ExhibitDetailSerializer(found).data)
        if request.user.is_authenticated:
            answer["ETag"] = tag(found, HEADLINE)
        return answer

    @tells(
        _("Change an exhibit"),
        takes=HeadlineSerializer,
        gives=ExhibitSerializer,
        parameters=(IF_MATCH, ETAG),
        description=_(
            "For its curators; what is left out stays, and so does its address. The `ETag` is that"
            " which came with it when it was read signed in."
        ),
    )
    def patch(self, request: Asked, slug: str) -> Response:
        exhibit = exhibit_of(request, slug)
        told = headline(request, exhibit)
        edit_exhibit(exhibit=exhibit, headline=told, by=request.user, only_of=only_of(request))
        told_of = exhibit_of(request, slug)
        return Response(ExhibitSerializer(told_of).data, headers={"ETag": tag(told_of, HEADLINE)})


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
