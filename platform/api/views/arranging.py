"""Exhibits as their curators arrange them: doors, rooms, and the order and words of pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api.asking import (
    Asked,
    exhibit_of,
    given,
    placement_of,
    placements_for,
    room_of,
    room_to_arrange,
)
from api.conditions import only_of, tag
from api.schema import ETAG, IF_MATCH, tells
from api.serializers.arranging import (
    BareRoomSerializer,
    HeadlineSerializer,
    HungSerializer,
    MoveSerializer,
    OrderSerializer,
    WordsSerializer,
)
from api.serializers.public import ExhibitSerializer
from exhibit.arranging import (
    HEADLINE,
    PLACE,
    Headline,
    Words,
    add_room,
    arrange,
    close_exhibit,
    edit_room,
    edit_words,
    move_room,
    open_exhibit,
    remove_room,
)
from exhibit.models import Exhibit, Placement, Room


def headline(request: Asked, of: Exhibit | Room) -> Headline:
    """What is to be written over it: what was sent."""
    return Headline(**given(HeadlineSerializer, request, of=of))


class OpenExhibitView(APIView):
    """The public is let in."""

    @tells(
        _("Open an exhibit"),
        gives=ExhibitSerializer,
        description=_("For its curators: from now on everybody may enter."),
    )
    def post(self, request: Asked, slug: str) -> Response:
        exhibit = exhibit_of(request, slug)
        open_exhibit(exhibit=exhibit, by=request.user, now=timezone.now())
        return Response(ExhibitSerializer(exhibit_of(request, slug)).data)


class CloseExhibitView(APIView):
    """The doors are closed."""

    @tells(
        _("Close an exhibit"),
        gives=ExhibitSerializer,
        description=_("For its curators; everything stays where it hangs."),
    )
    def post(self, request: Asked, slug: str) -> Response:
        exhibit = exhibit_of(request, slug)
        close_exhibit(exhibit=exhibit, by=request.user, now=timezone.now())
        return Response(ExhibitSerializer(exhibit_of(request, slug)).data)


class RoomsView(APIView):
    """Where rooms are added."""

    @tells(
        _("Add a room"),
        takes=HeadlineSerializer,
        gives=BareRoomSerializer,
        state=201,
        description=_("For the exhibit's curators; at the end of the walk."),
    )
    def post(self, request: Asked, slug: str) -> Response:
        exhibit, told = exhibit_of(request, slug), given(HeadlineSerializer, request)
        made = add_room(exhibit=exhibit, headline=Headline(**told), by=request.user)
        return Response(BareRoomSerializer(made).data, status=201)


class RoomView(APIView):
    """One room."""

    @tells(
        _("One room"),
        gives=BareRoomSerializer,
        parameters=(ETAG,),
        description=_("Its place and its words; the exhibit tells what hangs there."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return _told_of_room(request, pk)

    @tells(
        _("Change a room"),
        takes=HeadlineSerializer,
        gives=BareRoomSerializer,
        parameters=(IF_MATCH, ETAG),
        description=_("For the exhibit's curators; what is left out stays."),
    )
    def patch(self, request: Asked, pk: int) -> Response:
        room = room_of(request, pk)
        told = headline(request, room)
        edit_room(room=room, headline=told, by=request.user, only_of=only_of(request))
        return _told_of_room(request, pk)

    @tells(
        _("Take a room away"),
        description=_("For the exhibit's curators; an empty one (409, `room-not-empty`)."),
    )
    def delete(self, request: Asked, pk: int) -> Response:
        remove_room(room=room_of(request, pk), by=request.user)
        return Response(status=204)


def _told_of_room(request: Asked, pk: int) -> Response:
    room = room_of(request, pk)
    return Response(BareRoomSerializer(room).data, headers={"ETag": tag(room, HEADLINE)})


class MoveRoomView(APIView):
    """One place up or down."""

    @tells(
        _("Move a room"),
        takes=MoveSerializer,
        gives=BareRoomSerializer,
        description=_(
            "For the exhibit's curators: it changes places with the one beside it. When it was"
            " taken away meanwhile it is refused (409, `other-order`)."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        room, up = room_of(request, pk), given(MoveSerializer, request)["up"]
        move_room(room=room, by=request.user, up=up)
        return Response(BareRoomSerializer(room_of(request, pk)).data)


class HungView(generics.ListAPIView[Placement]):
    """What hangs in a room."""

    request: Asked
    serializer_class = HungSerializer
    queryset = Placement.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Placement]:
        return _hung(self.request, self.kwargs["pk"])

    @tells(
        _("What hangs in a room"),
        gives=HungSerializer(many=True),
        description=_("For the exhibit's curators, in order; also what the public does not see."),
    )
    def get(self, request: Asked, pk: int) -> Response:  # type: ignore[override]
        room_to_arrange(request, pk)
        return self.list(request)


class ArrangeView(APIView):
    """The pictures of a room in another order."""

    @tells(
        _("Order the pictures of a room"),
        takes=OrderSerializer,
        gives=HungSerializer(many=True),
        description=_(
            "For the exhibit's curators. All of them are named; when other ones hang there by now"
            " it is refused (409, `other-order`)."
        ),
    )
    def post(self, request: Asked, pk: int) -> Response:
        room, told = room_to_arrange(request, pk), given(OrderSerializer, request)
        arrange(room=room, order=told["order"], by=request.user)
        return Response(HungSerializer(_hung(request, pk), many=True).data)


def _hung(request: Asked, pk: int) -> QuerySet[Placement]:
    return placements_for(request).filter(room=pk).order_by("position", "pk")


class PlacementView(APIView):
    """One picture that hangs."""

    @tells(
        _("One picture that hangs"),
        gives=HungSerializer,
        parameters=(ETAG,),
        description=_("For the exhibit's curators."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return _told_of_hung(request, pk)

    @tells(
        _("Hang a picture elsewhere, or change its words"),
        takes=WordsSerializer,
        gives=HungSerializer,
        parameters=(IF_MATCH, ETAG),
        description=_(
            "For the exhibit's curators; what is left out stays, empty words are taken away."
        ),
    )
    def patch(self, request: Asked, pk: int) -> Response:
        hung, told = placement_of(request, pk), given(WordsSerializer, request)
        edit_words(
            placement=hung,
            room=_room(request, told),
            words=Words(**told),
            by=request.user,
            only_of=only_of(request),
        )
        return _told_of_hung(request, pk)


def _told_of_hung(request: Asked, pk: int) -> Response:
    hung = placement_of(request, pk)
    return Response(HungSerializer(hung).data, headers={"ETag": tag(hung, PLACE)})


def _room(request: Asked, told: dict[str, Any]) -> Room | None:
    """Where it is to hang, if that was said; it is taken out of what was sent."""
    wanted = told.pop("room", None)
    return None if wanted is None else room_of(request, wanted)
