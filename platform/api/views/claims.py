"""Claims and drafts."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from api import drafts
from api.asking import Asked, claim_of, claims_for, given, new, photo_in_hand, photo_of
from api.schema import tells
from api.serializers.work import (
    ClaimSerializer,
    DraftSerializer,
    SaveSerializer,
    WishesSerializer,
)
from archive.models import Collection
from restoration import drafting
from restoration.actions.claims import (
    beat_claim,
    claim_photo,
    extend_claim,
    release_claim,
    revoke_claim,
)
from restoration.actions.drafts import save_draft
from restoration.actions.giving import give_photo
from restoration.models import Claim, Draft


class ClaimPhotoView(APIView):
    """Where a photo is taken."""

    @tells(
        _("Claim a photo"),
        gives=ClaimSerializer,
        state=201,
        also=200,
        description=_(
            "Exclusive and expiring. Whoever holds it already gets the same claim again (200)."
        ),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo, now = photo_of(request, ref), timezone.now()
        claim = claim_photo(photo=photo, by=request.user, now=now)
        return Response(ClaimSerializer(claim).data, status=new(claim.opened_at, now))


class ClaimsView(generics.ListAPIView[Claim]):
    """Who holds what."""

    request: Asked
    serializer_class = ClaimSerializer
    queryset = Claim.objects.none()
    filterset_fields = ("state",)

    def get_queryset(self) -> QuerySet[Claim]:
        return claims_for(self.request).order_by("-pk")

    @tells(
        _("Claims"),
        gives=ClaimSerializer(many=True),
        description=_("One's own, and those on photos one curates; newest first."),
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)

    @tells(
        _("Give me one"),
        takes=WishesSerializer,
        gives=ClaimSerializer,
        state=201,
        description=_(
            "Claims a photo that waits and fits the wishes; an unknown collection is no wish. "
            "409 `nothing-waits` when there is none."
        ),
    )
    def post(self, request: Asked) -> Response:
        told = given(WishesSerializer, request)
        reach = Collection.objects.visible_to(request.user)
        box = reach.filter(slug=told.pop("collection", "")).first()
        wishes = {name: wish for name, wish in told.items() if wish}
        wishes |= {"collection": box.pk} if box else {}
        claim = give_photo(by=request.user, wishes=wishes, now=timezone.now())
        return Response(ClaimSerializer(claim).data, status=201)


class ClaimView(APIView):
    """One claim."""

    @tells(_("One claim"), gives=ClaimSerializer, description=_("Its clocks."))
    def get(self, request: Asked, pk: int) -> Response:
        return Response(ClaimSerializer(claim_of(request, pk)).data)


class BeatClaimView(APIView):
    """The claim's heart."""

    @tells(
        _("Keep a claim alive"),
        gives=ClaimSerializer,
        description=_("At least every thirty minutes, while no run of one's own is live."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        claim = claim_of(request, pk)
        beat_claim(claim=claim, by=request.user, now=timezone.now())
        return Response(ClaimSerializer(claim_of(request, pk)).data)


class ExtendClaimView(APIView):
    """More time."""

    @tells(_("Extend a claim"), gives=ClaimSerializer, description=_("Once, by a day."))
    def post(self, request: Asked, pk: int) -> Response:
        claim = claim_of(request, pk)
        extend_claim(claim=claim, by=request.user, now=timezone.now())
        return Response(ClaimSerializer(claim_of(request, pk)).data)


class ReleaseClaimView(APIView):
    """The way back to the wall."""

    @tells(
        _("Release a claim"), gives=ClaimSerializer, description=_("Draft and versions are kept.")
    )
    def post(self, request: Asked, pk: int) -> Response:
        claim = claim_of(request, pk)
        release_claim(claim=claim, by=request.user, now=timezone.now())
        return Response(ClaimSerializer(claim).data)


class RevokeClaimView(APIView):
    """A curator's way to free a photo."""

    @tells(
        _("Revoke a claim"),
        gives=ClaimSerializer,
        description=_("For curators; the holder's draft and versions are kept."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        claim = claim_of(request, pk)
        revoke_claim(claim=claim, by=request.user, now=timezone.now())
        return Response(ClaimSerializer(claim).data)


class DraftView(APIView):
    """One's unfinished work on a photo."""

    @tells(_("My draft"), gives=DraftSerializer, description=_("It outlives every claim."))
    def get(self, request: Asked, ref: str) -> Response:
        rows = Draft.objects.filter(photo__ref=ref, volunteer=request.user)
        return Response(DraftSerializer(get_object_or_404(rows.select_related("photo"))).data)

    @tells(
        _("Save my draft"),
        takes=SaveSerializer,
        gives=DraftSerializer,
        description=_(
            "Refused with the saved one (409, `draft-moved`) when another tab was quicker, and "
            "with a pointer to each where it has parts that nobody reads (422, `unknown-field`)."
        ),
    )
    def put(self, request: Asked, ref: str) -> Response:
        photo, told = photo_in_hand(request, ref), given(SaveSerializer, request)
        drafts.check(told["body"])
        draft = save_draft(
            photo=photo,
            by=request.user,
            rev=told["rev"],
            body=drafting.cleaned(told["body"]),
            fence=told["claim"],
            now=timezone.now(),
        )
        return Response(DraftSerializer(draft).data)
