"""Publish, retract, suspend, resume."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from archive import renditions
from archive.actions import describe_photo
from archive.models import Photo
from archive.policy import Refused, check_curate
from archive.saying import changed
from archive.stateful import IllegalMove
from exhibit import policy, queries, tasks
from exhibit.arranging import WORDS, Words, last_position
from exhibit.credits import how_it_was_made
from exhibit.models import (
    Evidence,
    HiddenKind,
    HiddenThing,
    Hiding,
    Placement,
    Publication,
    Room,
)
from restoration.lifecycle import PublicationState, ReviewState, VersionKind
from restoration.models import Review, Version, ancestry

if TYPE_CHECKING:
    from accounts.models import User

# What becomes of a publication, and by whom.
STANDING = ("state", "reason", "ended_at", "ended_by")


def publish_version(
    *,
    version: Version,
    room: Room,
    words: Words,
    by: User,
    now: datetime,
    titles: Mapping[str, str] | None = None,
    although_retracted: bool = False,
    only_of: Container[str] | None = None,
) -> Publication:
    """Make an accepted version its photo's public face and hang it in a room.

    1. The decision, the bytes and the person are checked, and what became of the photo before.
    2. The live publication of the photo, if any, becomes superseded.
    3. The new one pins both sha256 and freezes the account of how it was made.
    4. Every place the photo already has shows the new one from now on.
    5. The photo is called what the publisher calls it, where it had no title.
    6. While an account that had a part in it is hidden, its words are hidden here too.

    From another room of the same exhibit the photo is moved. Words that are left out stay as they
    hang; WordsMoved when those beside it stand at none of the revisions of `only_of`, where they
    are given. A photo that is hidden is not published; one that was taken down only when whoever
    publishes says so.
    """
    review = policy.check_publish(by, version, room.exhibit, _acceptance(version))
    try:
        with transaction.atomic():
            _take_places(room, version.photo)
            if titles:
                describe_photo(photo=version.photo, by=by, fields=titles, now=now)
            hidings = _locked_hidings(version)
            _supersede(version, by, now, although_retracted=although_retracted)
            publication = _pin(version, review, by, now)
            for hiding in hidings:
                hide_words(publication=publication, hiding=hiding, now=now)
            Placement.objects.filter(photo=version.photo_id).update(publication=publication)
            _hang(publication, room, words, only_of)
            # What the public looks at closely comes before what waits at the bench.
            for sha256 in (publication.working_sha256, publication.version_sha256):
                renditions.note(sha256, now=now, hurry=True)
    except (IntegrityError, IllegalMove):
        raise Refused(
            "published-meanwhile",
            _("Somebody else published, hid or took down this picture a moment ago. Look again."),
            conflict=True,
        ) from None
    return publication


def _take_places(room: Room, photo: Photo) -> None:
    """Before anything is written: each write on a public page waits for the edition, and whoever
    arranges has rooms and places in hand by then."""
    Room.objects.select_for_update().filter(pk=room.pk).first()
    list(Placement.objects.select_for_update().filter(photo=photo).order_by("pk"))


def _acceptance(version: Version) -> Review | None:
    rows = Review.objects.select_related("reviewer")
    return rows.filter(version=version, state=ReviewState.ACCEPTED).first()


def _supersede(version: Version, by: User, now: datetime, *, although_retracted: bool) -> None:
    latest = queries.latest(version.photo)
    policy.check_again(version, latest, although_retracted=although_retracted)
    if latest is not None and latest.state == PublicationState.LIVE:
        # Refused when another hand hides it in this moment.
        ended = {"ended_at": now, "ended_by": by}
        latest.move(PublicationState.SUPERSEDED, by=by, at=now, set_=ended)


def _pin(version: Version, review: Review, by: User, now: datetime) -> Publication:
    photo = version.photo
    publication = Publication.objects.create(
        photo=photo,
        version=version,
        review=review,
        version_sha256=version.sha256,
        original_sha256=photo.sha256,
        working_sha256=photo.working_sha256,
        published_by=by,
        published_at=now,
        made=_account(version, review, by, now),
    )
    publication.record("live", by=by, at=now, facts={"sha256": version.sha256})
    return publication


def _locked_hidings(version: Version) -> list[Hiding]:
    """None of them is undone before what it has to bring back is written down.

    Locked before any picture, as an undo does; and so that one that is still at work is not kept
    waiting, which holds pictures by then.
    """
    found = queries.standing_hidings(version).order_by("pk")
    return list(found.select_for_update(no_key=True))


def hide_words(*, publication: Publication, hiding: Hiding, now: datetime) -> None:
    """Show neither names nor words with a picture until the hiding is undone, whatever becomes of
    the picture itself."""
    with transaction.atomic():
        hiding.things.get_or_create(
            kind=HiddenKind.PUBLICATION,
            key=publication.pk,
            defaults={"outcome": HiddenThing.WORDS},
        )
        # Those that another hiding has hidden are hidden since then.
        spoken = Publication.objects.filter(pk=publication.pk, words_hidden_at=None)
        if spoken.update(words_hidden_at=now):
            publication.words_hidden_at = now


def _hang(
    publication: Publication, room: Room, words: Words, only_of: Container[str] | None
) -> None:
    _bring(publication.photo, room)
    there = Placement.objects.select_for_update().filter(room=room, photo=publication.photo)
    if (before := there.first()) is not None:
        there.update(publication=publication, **changed(before, words.said(), WORDS, only_of))
        return
    Placement.objects.create(
        room=room,
        photo=publication.photo,
        publication=publication,
        position=last_position(room) + 1,
        **words.said(),
    )


def _bring(photo: Photo, room: Room) -> None:
    """From another room of the exhibit: who walks through it would meet a second one again."""
    there = Placement.objects.filter(photo=photo, room__exhibit=room.exhibit_id).in_order()
    hung = dict(there.values_list("room", "pk"))
    if hung and room.pk not in hung:
        first = Placement.objects.filter(pk=next(iter(hung.values())))
        first.update(room=room, position=last_position(room) + 1)


def _account(version: Version, review: Review, by: User, now: datetime) -> dict[str, Any]:
    photo = version.photo
    every = Version.objects.filter(photo=photo).select_related("made_by", "job").in_bulk()
    line = list(reversed(ancestry(every, every[version.pk])))
    return how_it_was_made(
        scan={
            "original_sha256": photo.sha256,
            "working_sha256": photo.working_sha256,
            "at": photo.added_at.isoformat(),
        },
        line=[_told(each) for each in line if each.kind != VersionKind.SCAN],
        review={
            "by": str(review.reviewer),
            "at": review.decided_at.isoformat() if review.decided_at else "",
            "file_sha256": review.file_sha256,
        },
        publication={"by": str(by), "at": now.isoformat()},
    )


def _told(version: Version) -> dict[str, Any]:
    job = getattr(version, "job", None)
    return {
        "number": version.number,
        "kind": version.kind,
        "by": str(version.made_by) if version.made_by else "",
        "at": version.made_at.isoformat(),
        "sha256": version.sha256,
        "records": version.records,
        "meters": version.meters,
        "prompt": job.plan.get("prompt") if job else None,
        "seed": job.plan.get("seed") if job else None,
        "plan_sha256": job.plan_sha256 if job else "",
    }


def ask_for_evidence(*, publication: Publication, by: User, now: datetime) -> Evidence:
    """Call a worker for an evidence pack; one that is in the making already is as good."""
    check_curate(by, publication.photo.collection)
    asked = Evidence(publication=publication, asked_by=by, asked_at=now)
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
            tasks.ring(evidence=asked, now=now)
    except IntegrityError:
        waiting = Evidence.objects.filter(publication=publication, made_at=None, failed="")
        return waiting.first() or asked
    return asked


def retract_publication(*, publication: Publication, by: User, reason: str, now: datetime) -> None:
    """Take a picture down for good; its page becomes a tombstone that says when and why."""
    check_curate(by, publication.photo.collection)
    if not reason.strip():
        raise Refused("no-reason", _("Say why; the page will show it."), invalid=True)
    _end(publication, PublicationState.RETRACTED, by, reason, now)


def suspend_publication(*, publication: Publication, by: User, reason: str, now: datetime) -> bool:
    """Hide a picture while something is being looked into; False when the same person hid it for
    the same reason already.

    What somebody else hid is hidden by this person too from now on, and for their reason; and what
    the hiding of an account hid is not shown again by undoing that.
    """
    check_curate(by, publication.photo.collection)
    with transaction.atomic():
        locked = Publication.objects.select_for_update()
        publication.refresh_from_db(fields=STANDING, from_queryset=locked)
        is_freed = _free_of_hidings(publication)
        if publication.state != PublicationState.SUSPENDED:
            _end(publication, PublicationState.SUSPENDED, by, reason, now)
            return True
        return _hide_too(publication, by, reason or publication.reason, now, is_freed)


def _free_of_hidings(publication: Publication) -> bool:
    """What a person hides on purpose no undo brings back; whether one would have."""
    things = HiddenThing.objects.filter(hiding__undone_at=None, kind=HiddenKind.PUBLICATION)
    return things.filter(key=publication.pk, outcome="").update(outcome="moved-on") > 0


def _hide_too(
    publication: Publication, by: User, reason: str, now: datetime, is_freed: bool
) -> bool:
    """Keep one more wish that a picture be hidden; False for one that is kept already, for an
    answer that is lost is asked for again."""
    if not is_freed and (publication.ended_by_id, publication.reason) == (by.pk, reason):
        return False
    publication.ended_by, publication.reason = by, reason
    publication.save(update_fields=["ended_by", "reason"])
    publication.record("suspended-again", by=by, at=now, facts={"reason": reason})
    return True


def resume_publication(*, publication: Publication, by: User, now: datetime) -> bool:
    """Show a suspended picture again; not while a file of its photo is missing or altered. False
    when it was shown already, for an answer that is lost is asked for again."""
    policy.check_resume(by, publication)
    try:
        _end(publication, PublicationState.LIVE, by, "", now)
    except Refused:
        publication.refresh_from_db(fields=STANDING)
        if publication.state != PublicationState.LIVE:
            raise
        return False
    return True


def _end(publication: Publication, to: str, by: User, reason: str, now: datetime) -> None:
    live = to == PublicationState.LIVE
    change = {
        "reason": reason,
        "ended_at": None if live else now,
        "ended_by": None if live else by,
    }
    try:
        publication.move(to, by=by, at=now, set_=change, facts={"reason": reason})
    except IllegalMove:
        raise Refused(
            "not-public", _("This picture is not public any more."), conflict=True
        ) from None
