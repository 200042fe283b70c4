"""Who may arrange and publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PhotoState
from archive.models import Alarm
from archive.policy import Refused, check_curate
from restoration.lifecycle import VersionState
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
