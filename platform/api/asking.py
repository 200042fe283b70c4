"""What every view here starts from: who asks, when, and the rows they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from archive.models import Collection, Photo
from exhibit.models import Publication
from restoration import policy
from restoration.models import Claim, Job, Review, Version
from restoration.queries.bench import in_hand, jobs_seen_by

if TYPE_CHECKING:
    from accounts.models import User

    class Asked(Request):
        """A request of somebody signed in: the permissions closed the door to others."""

        user: User
else:
    Asked = Request


def given(serializer: type[BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    """What was sent, checked; a problem detail tells what is wrong with it."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def collection_of(request: Asked, slug: str) -> Collection:
    return get_object_or_404(Collection.objects.visible_to(request.user), slug=slug)


def photo_of(request: Asked, ref: str) -> Photo:
    photos = Photo.objects.visible_to(request.user).select_related("collection", "assessment")
    return photos.filter(ref=ref).first() or _away(request, Photo.objects.filter(ref=ref))


def photo_in_hand(request: Asked, ref: str) -> Photo:
    """As photo_of, and also one that went on hold under the hands of whoever holds it."""
    return in_hand(ref, request.user) or photo_of(request, ref)


def _away(request: Asked, photos: QuerySet[Photo]) -> NoReturn:
    """Refused with the reason where it was in this person's hands; else it is not there."""
    policy.check_away(request.user, photos)
    raise Http404


def versions_for(request: Asked) -> QuerySet[Version]:
    rows = Version.objects.visible_to(request.user)
    return rows.select_related("photo__collection", "made_by")


def version_of(request: Asked, pk: int) -> Version:
    here = Photo.objects.filter(pk__in=Version.objects.filter(pk=pk).values("photo"))
    return versions_for(request).filter(pk=pk).first() or _away(request, here)


def claims_for(request: Asked) -> QuerySet[Claim]:
    """One's own claims, and those on photos one curates."""
    near = Q(volunteer=request.user) | Q(photo__collection__in=_curated(request))
    return Claim.objects.filter(near).select_related("photo__collection", "volunteer")


def claim_of(request: Asked, pk: int) -> Claim:
    return get_object_or_404(claims_for(request), pk=pk)


def job_of(request: Asked, pk: int) -> Job:
    return get_object_or_404(jobs_seen_by(request.user), pk=pk)


def review_of(request: Asked, pk: int) -> Review:
    """A review in a collection one curates."""
    rows = Review.objects.filter(photo__collection__in=_curated(request))
    rows = rows.select_related("version__photo__collection", "reviewer")
    return get_object_or_404(rows, pk=pk)


def publication_of(request: Asked, pk: int) -> Publication:
    """A publication of a collection one curates."""
    rows = Publication.objects.filter(photo__collection__in=_curated(request))
    return get_object_or_404(rows.select_related("photo__collection", "version"), pk=pk)


def _curated(request: Asked) -> QuerySet[Collection]:
    return Collection.objects.curated_by(request.user)
