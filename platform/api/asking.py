"""What every view here starts from: who asks, when, and the rows they may see."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from api.known import check_body
from archive import queries as archived
from archive.models import Collection, Photo
from archive.sizes import FULL, NAMES, SIDES
from exhibit import queries as shown
from exhibit.models import Exhibit, Placement, Publication, Room
from restoration import policy
from restoration.models import Claim, Job, Review, Version
from restoration.queries import changes
from restoration.queries.bench import DECIDED, in_hand, jobs_seen_by

if TYPE_CHECKING:
    from accounts.models import User

    class Asked(Request):
        """A request of somebody signed in: the permissions closed the door to others."""

        user: User
else:
    Asked = Request


def given(serializer: type[Serializer[Any]], request: Request, *, of: Any = None) -> dict[str, Any]:
    """What was sent, checked; a problem detail tells what is wrong with it.

    With `of`, a row, it is a change of it: what is left out stays.
    """
    checked = serializer(of, data=request.data, partial=of is not None)
    check_body(request.data, checked.fields)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def new(made_at: datetime, now: datetime) -> int:
    """201 for what this request made; 200 for what an earlier one had made already."""
    return 201 if made_at == now else 200


def collections_for(request: Asked) -> QuerySet[Collection]:
    """Those in reach, each with when it changed."""
    return changes.collections(Collection.objects.visible_to(request.user))


def collection_of(request: Asked, slug: str) -> Collection:
    return get_object_or_404(collections_for(request), slug=slug)


def photos_for(request: Asked) -> QuerySet[Photo]:
    """Those in reach, each with all that its answer tells."""
    photos = Photo.objects.visible_to(request.user)
    rows = photos.select_related("collection", "assessment", "standing")
    return changes.photos(archived.with_rests(rows, request.user))


def photo_to_read(request: Asked, ref: str) -> Photo:
    """As photo_of, with all that its answer tells; after a verb it is read anew."""
    return photos_for(request).filter(ref=ref).first() or _away(
        request, Photo.objects.filter(ref=ref)
    )


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


def decisions() -> QuerySet[Review]:
    """Closed reviews with who decided, newest first."""
    return (
        Review.objects.filter(state__in=DECIDED).select_related("reviewer").order_by("-decided_at")
    )


def versions_for(request: Asked) -> QuerySet[Version]:
    """Those this person may see, each with what was decided about it."""
    rows = Version.objects.visible_to(request.user).select_related("photo__collection", "made_by")
    told = rows.prefetch_related(Prefetch("reviews", queryset=decisions(), to_attr="decided"))
    return changes.versions(told)


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


def reviews_for(request: Asked) -> QuerySet[Review]:
    """Those of collections one curates, and what was decided about one's own versions."""
    own = Q(version__made_by=request.user, state__in=DECIDED)
    rows = Review.objects.filter(own | Q(photo__collection__in=_curated(request)))
    return rows.select_related("photo", "reviewer")


def review_to_read(request: Asked, pk: int) -> Review:
    return get_object_or_404(reviews_for(request), pk=pk)


def publications_for(request: Asked) -> QuerySet[Publication]:
    """Those of collections one curates, each with when it changed."""
    rows = Publication.objects.filter(photo__collection__in=_curated(request))
    told = rows.select_related("photo__collection", "version", "published_by")
    return shown.with_changes(told)


def publication_of(request: Asked, pk: int) -> Publication:
    return get_object_or_404(publications_for(request), pk=pk)


def exhibit_of(request: Asked, slug: str) -> Exhibit:
    """An exhibit that one may see; the verbs say who arranges it."""
    rows = Exhibit.objects.visible_to(request.user).select_related("collection")
    return get_object_or_404(rows, slug=slug)


def room_of(request: Asked, pk: int) -> Room:
    rows = Room.objects.filter(exhibit__in=Exhibit.objects.visible_to(request.user))
    return get_object_or_404(rows.select_related("exhibit__collection"), pk=pk)


def room_to_arrange(request: Asked, pk: int) -> Room:
    mine = Exhibit.objects.arranged_by(request.user)
    rows = Room.objects.filter(exhibit__in=mine).select_related("exhibit__collection")
    return get_object_or_404(rows, pk=pk)


def placements_for(request: Asked) -> QuerySet[Placement]:
    """What hangs in exhibits that one arranges, also what the public does not see."""
    mine = Exhibit.objects.arranged_by(request.user)
    rows = Placement.objects.filter(room__exhibit__in=mine)
    return rows.select_related("room__exhibit__collection", "photo", "publication")


def placement_of(request: Asked, pk: int) -> Placement:
    return get_object_or_404(placements_for(request), pk=pk)


# How a picture may be asked for: by its long side alone, and as the file is called.
PICTURES = (*map(str, SIDES), FULL, *NAMES)


def picture_name(asked: str) -> str:
    """The file of the size that is asked for."""
    if asked not in PICTURES:
        raise Http404
    return asked if asked in NAMES else f"{asked}.jpg"


def _curated(request: Asked) -> QuerySet[Collection]:
    return Collection.objects.curated_by(request.user)
