"""Who may arrange and publish."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PhotoState
from archive.models import Alarm
from archive.policy import Refused, check_curate
from restoration.lifecycle import PublicationState, VersionState
from restoration.models import Review, Version

if TYPE_CHECKING:
    from accounts.models import User
    from exhibit.models import Exhibit, Publication


def check_arrange(user: User, exhibit: Exhibit) -> None:
    """A curator of the collection that hosts the exhibit."""
    check_curate(user, exhibit.collection)


def check_publish(user: User, version: Version, exhibit: Exhibit, review: Review | None) -> Review:
    """An accepted version of a ready photo, by a curator; a second one where two are asked for."""
    check_curate(user, version.photo.collection)
    check_arrange(user, exhibit)
    if version.state != VersionState.ACCEPTED or review is None:
        raise Refused(
            "not-accepted", _("Only an accepted version can be published."), conflict=True
        )
    if review.file_sha256 != version.sha256:
        raise Refused(
            "other-file", _("The decision is about another file than this version."), conflict=True
        )
    if version.photo.state != PhotoState.READY:
        raise Refused("photo-not-ready", _("This photo is on hold or withdrawn."), conflict=True)
    _check_bytes(version.photo_id)
    if needs_second(user, version, review):
        raise Refused(
            "second-person",
            _("This collection asks for two people: who accepted a version may not publish it."),
        )
    return review


def check_again(version: Version, latest: Publication | None, *, although_retracted: bool) -> None:
    """Not what is public already, nor while the photo is hidden; what was taken down on purpose."""
    if latest is None:
        return
    facts = {"publication": latest.pk, "ended_at": _iso(latest.ended_at), "reason": latest.reason}
    if latest.state == PublicationState.LIVE and latest.version_id == version.pk:
        raise Refused("already-live", _("This version is already public."), conflict=True)
    if latest.state == PublicationState.SUSPENDED:
        told = _(
            "This picture has been hidden since %(date)s. Show it again or take it down first."
        )
        raise Refused("suspended", told % _when(latest), conflict=True, facts=facts)
    if latest.state == PublicationState.RETRACTED and not although_retracted:
        told = _("This picture was taken down on %(date)s. The reason given was: %(reason)s")
        said = told % {**_when(latest), "reason": latest.reason}
        raise Refused("was-retracted", said, conflict=True, facts=facts)


def _when(ended: Publication) -> dict[str, str]:
    return {"date": date_format(localtime(ended.ended_at, get_default_timezone()), "DATE_FORMAT")}


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def needs_second(user: User, version: Version, review: Review | None) -> bool:
    """Whether the collection asks for another person than this one, who accepted the version."""
    two = version.photo.collection.two_person
    return two and review is not None and review.reviewer_id == user.pk


def check_resume(user: User, publication: Publication) -> None:
    """A curator, and nobody while the bytes of the photo are in doubt."""
    check_curate(user, publication.photo.collection)
    _check_bytes(publication.photo_id)


def bytes_in_doubt(photo_id: int) -> bool:
    """Whether a check found a file of the photo missing or altered, and none has found it right."""
    return Alarm.objects.standing().filter(photo=photo_id).exists()


def _check_bytes(photo_id: int) -> None:
    if bytes_in_doubt(photo_id):
        raise Refused(
            "bytes-in-doubt",
            _(
                "A file of this photo is missing or altered. It can be published when the file has"
                " been brought back and a check has found it right."
            ),
            conflict=True,
        )
