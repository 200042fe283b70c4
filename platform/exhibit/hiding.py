"""Hide and take back everything by an account, with a look at it before, and the way back.

Each thing is changed in a transaction of its own together with the row that remembers it, so a
hiding that was cut off is simply called again, and an undo brings back exactly what was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Case, QuerySet, When
from django.utils.translation import gettext_lazy as _

from archive.models import Event
from archive.policy import Refused, check_steward
from archive.stateful import IllegalMove
from archive.trust import Trust
from exhibit.actions import hide_words, resume_publication
from exhibit.models import HiddenKind, HiddenThing, Hiding, Publication
from restoration.actions.claims import claim_photo, revoke_claim
from restoration.actions.jobs import cancel_job, request_job, request_retouch
from restoration.actions.standing import restore_person, suspend_person
from restoration.engine.errors import BadInput
from restoration.engine.plan import Plan
from restoration.lifecycle import LIVE_JOBS, ClaimState, JobKind, PublicationState, VersionState
from restoration.models import Claim, Job, Version, ancestry

if TYPE_CHECKING:
    from accounts.models import User

# Whoever was in the middle of a click when the account was suspended is found by the next round.
ROUNDS = 3
# In which an undo brings back what a hiding changed.
TURN = Case(*(When(kind=kind, then=turn) for turn, kind in enumerate(HiddenKind)))


@dataclass(frozen=True)
class Found:
    """What hiding an account would change now."""

    claims: list[Claim]
    jobs: list[Job]
    versions: list[Version]
    publications: list[Publication]

    def __bool__(self) -> bool:
        return bool(self.claims or self.jobs or self.versions or self.publications)


def look(person: User) -> Found:
    """Everything of an account that is under way or to be seen; in a fixed number of queries."""
    mine = Version.objects.filter(made_by=person)
    claims = Claim.objects.filter(volunteer=person, state=ClaimState.OPEN)
    jobs = Job.objects.filter(requested_by=person, state__in=LIVE_JOBS)
    submitted = mine.filter(state=VersionState.SUBMITTED)
    return Found(
        claims=list(claims.select_related("photo__collection").order_by("pk")),
        jobs=list(jobs.select_related("photo__collection", "source").order_by("pk")),
        versions=list(submitted.select_related("photo__collection").order_by("pk")),
        publications=_built_on(person, Publication.objects.filter(state=PublicationState.LIVE)),
    )


def _built_on(person: User, pictures: QuerySet[Publication]) -> list[Publication]:
    """Those of the pictures that have a version of this account anywhere in their line."""
    photos = Version.objects.filter(made_by=person).values("photo")
    found = pictures.filter(photo__in=photos).select_related("photo__collection", "version")
    shown = list(found.order_by("pk"))
    line = Version.objects.filter(photo__in=[each.photo_id for each in shown])
    every = line.only("pk", "parent", "made_by").in_bulk()
    return [
        each
        for each in shown
        if any(one.made_by_id == person.pk for one in ancestry(every, every[each.version_id]))
    ]


# --- hide ----------------------------------------------------------------------------------------
def hide_everything(*, person: User, by: User, reason: str, now: datetime) -> Hiding:
    """Suspend an account and take back all that is under way or to be seen of it.

    Claims are revoked, runs cancelled, versions withdrawn from review, publications suspended, and
    of those that are hidden already the words taken away; nothing is deleted. Called again, it goes
    on where it was cut off.
    """
    check_steward(by)
    if not reason.strip():
        raise Refused("no-reason", _("Say why; the next steward will read it."), invalid=True)
    hiding = _begin(person, by, reason.strip()[:1000], now)
    for _round in range(ROUNDS):
        found = look(person)
        if not found:
            break
        for kind, rows in _parts(found):
            for row in rows:
                _hide_one(hiding, kind, row, by, now)
    _hide_words(hiding, now)
    Hiding.objects.filter(pk=hiding.pk, done_at=None).update(done_at=now)
    hiding.refresh_from_db()
    return hiding


def _hold(**which: Any) -> Hiding | None:
    """The hiding, if it stands. Until the transaction ends nobody else hides a thing under it,
    brings one back, or ends it.

    Held before a person, a picture or a thing is, by whoever takes both; and as publish_version
    does, so that what is written down beside it keeps nobody waiting.
    """
    return Hiding.objects.select_for_update(no_key=True).filter(undone_at=None, **which).first()


def _brought_back() -> Refused:
    words = _("Another steward brought everything back a moment ago. Look again.")
    return Refused("brought-back", words, conflict=True)


def _parts(found: Found) -> Iterable[tuple[HiddenKind, list[Any]]]:
    # Runs before claims: a claim is held while its run is live.
    yield HiddenKind.JOB, found.jobs
    yield HiddenKind.CLAIM, found.claims
    yield HiddenKind.VERSION, found.versions
    yield HiddenKind.PUBLICATION, found.publications


def _begin(person: User, by: User, reason: str, now: datetime) -> Hiding:
    """Together: a hiding of an account that may not be suspended would stand for nothing."""
    with transaction.atomic():
        hiding = _standing(person, by, reason, now)
        # Of who joins in too: the next steward reads the reasons of both.
        facts = {"person": person.pk, "hiding": hiding.pk, "reason": reason}
        Event.objects.create(actor=by, verb="person.hidden", at=now, facts=facts)
        row = get_user_model().objects.select_for_update().get(pk=person.pk)
        was = row.trust
        if was != Trust.SUSPENDED:
            suspend_person(person=row, by=by, reason=reason, now=now)
            _remember(hiding, HiddenKind.TRUST, person.pk, was)
    return hiding


def _standing(person: User, by: User, reason: str, now: datetime) -> Hiding:
    """The hiding that stands, held, or a new one; there is one of a person at a time."""
    try:
        with transaction.atomic():
            return Hiding.objects.create(person=person, by=by, reason=reason, at=now)
    except IntegrityError:
        if (found := _hold(person=person)) is None:
            raise _brought_back() from None
        return found


def _remember(hiding: Hiding, kind: HiddenKind, key: int, was: str = "") -> None:
    """Also what had moved on, and is hidden once more."""
    HiddenThing.objects.update_or_create(
        hiding=hiding, kind=kind, key=key, defaults={"outcome": ""}, create_defaults={"was": was}
    )


def _hide_one(hiding: Hiding, kind: HiddenKind, row: Any, by: User, now: datetime) -> None:
    with transaction.atomic():
        if _hold(pk=hiding.pk) is None:
            raise _brought_back()
        # What ended by itself meanwhile is left as it is.
        with suppress(Refused, IllegalMove), transaction.atomic():
            HIDE[kind](row, by, now)
            _remember(hiding, kind, row.pk)


def _hide_version(version: Version, by: User, now: datetime) -> None:
    version.move(
        VersionState.WITHDRAWN,
        by=by,
        at=now,
        where={"state": VersionState.SUBMITTED},
        facts={"sha256": version.sha256},
    )


def _hide_publication(publication: Publication, by: User, now: datetime) -> None:
    # Only what is public: what another hand hid first an undo must not show again.
    publication.move(
        PublicationState.SUSPENDED,
        by=by,
        at=now,
        set_={"reason": "", "ended_at": now, "ended_by": by, "words_hidden_at": now},
        facts={"reason": ""},
    )


def _hide_words(hiding: Hiding, now: datetime) -> None:
    """Of what another hand hid first too: who shows that again shows it without them."""
    known = hiding.things.filter(kind=HiddenKind.PUBLICATION).values("key")
    standing = (PublicationState.LIVE, PublicationState.SUSPENDED)
    pictures = Publication.objects.filter(state__in=standing).exclude(pk__in=known)
    for each in _built_on(hiding.person, pictures):
        with transaction.atomic():
            if _hold(pk=hiding.pk) is None:
                raise _brought_back()
            hide_words(publication=each, hiding=hiding, now=now)


HIDE: dict[HiddenKind, Callable[[Any, User, datetime], None]] = {
    HiddenKind.CLAIM: lambda row, by, now: revoke_claim(claim=row, by=by, now=now),
    HiddenKind.JOB: lambda row, by, now: cancel_job(job=row, by=by, now=now),
    HiddenKind.VERSION: _hide_version,
    HiddenKind.PUBLICATION: _hide_publication,
}


# --- and back ------------------------------------------------------------------------------------
def undo_hiding(*, person: User, by: User, now: datetime) -> dict[str, int]:
    """Bring back exactly what the hiding changed; gives how many things came back, by outcome.

    What somebody else has changed since stays as they left it, and is counted as "moved-on"; a
    picture of which only the words were hidden as "words".
    Called again, it goes on where it was cut off.
    """
    check_steward(by)
    hiding = Hiding.objects.filter(person=person, undone_at=None).first()
    if hiding is None:
        raise Refused("not-hidden", _("Nothing of this account is hidden."), conflict=True)
    _bring_all_back(hiding, by, now)
    outcomes = list(hiding.things.values_list("outcome", flat=True))
    return {each: outcomes.count(each) for each in sorted(set(outcomes))}


def _bring_all_back(hiding: Hiding, by: User, now: datetime) -> None:
    """One thing at a time, until none is left: somebody may go on hiding meanwhile.

    Which is the next is asked while the hiding is held, so that the trust comes before what needs
    it, and nothing is hidden under a hiding that has ended.
    """
    handed_over: set[int] = set()
    while True:
        with transaction.atomic():
            if _hold(pk=hiding.pk) is None:
                return  # another hand brought the last one back
            thing = hiding.things.filter(outcome="").order_by(TURN, "pk").first()
            if thing is None:
                _end(hiding, by, now)
                return
            if thing.kind != HiddenKind.PUBLICATION or thing.key in handed_over:
                _bring_back(thing, hiding, by, now)
                continue
        handed_over |= _hand_over(hiding)


def _end(hiding: Hiding, by: User, now: datetime) -> None:
    Hiding.objects.filter(pk=hiding.pk).update(undone_at=now, undone_by=by)
    # Now that nothing is published under it any more (actions.publish_version).
    _bring_words_back(hiding)
    facts = {"person": hiding.person_id, "hiding": hiding.pk}
    Event.objects.create(actor=by, verb="person.shown", at=now, facts=facts)


def _bring_words_back(hiding: Hiding) -> None:
    """In any case; about the picture somebody may have decided since."""
    pictures = hiding.things.filter(kind=HiddenKind.PUBLICATION).values("key")
    theirs = _things_of_others(hiding).values("key")
    words = Publication.objects.filter(pk__in=pictures).exclude(pk__in=theirs)
    words.update(words_hidden_at=None)


def _things_of_others(hiding: Hiding) -> QuerySet[HiddenThing]:
    """The pictures that other hidden accounts keep hidden."""
    things = HiddenThing.objects.filter(kind=HiddenKind.PUBLICATION, hiding__undone_at=None)
    return things.exclude(hiding=hiding)


def _hand_over(hiding: Hiding) -> set[int]:
    """What stands on the work of another account that is hidden too stays hidden, for that one:
    it was hidden already when that one's turn came, and is not among what that one hid. Gives the
    keys of the pictures that were looked at."""
    things = {each.key: each for each in hiding.things.filter(kind=HiddenKind.PUBLICATION)}
    pictures = Publication.objects.filter(pk__in=things)
    others = Hiding.objects.filter(undone_at=None).exclude(pk=hiding.pk)
    for other in others.select_related("person"):
        for each in _built_on(other.person, pictures):
            with transaction.atomic():
                _hand_one_over(things[each.pk], other)
    return set(things)


def _hand_one_over(thing: HiddenThing, other: Hiding) -> None:
    # Locked, as where a curator hides it on purpose: that wish comes wholly before or after.
    Publication.objects.select_for_update().get(pk=thing.key)
    thing.refresh_from_db(fields=["outcome"])
    told: dict[str, Any] = {"kind": HiddenKind.PUBLICATION, "key": thing.key}
    if thing.outcome:
        other.things.get_or_create(**told, defaults={"outcome": thing.outcome})
        return
    # Also where that one had hidden the words alone: now it brings the picture back.
    other.things.update_or_create(**told, defaults={"outcome": ""})
    HiddenThing.objects.filter(pk=thing.pk, outcome="").update(outcome="moved-on")


def restore_account(
    *, person: User, by: User, now: datetime, to: str = "", shown: str = ""
) -> None:
    """Give an account its trust back, or another level; not while everything by it is hidden, nor
    from another level than was `shown` to who asks, where that is said."""
    check_steward(by)
    with transaction.atomic():
        # Locked: no hiding of this account begins between the question and the answer.
        get_user_model().objects.select_for_update().get(pk=person.pk)
        if Hiding.objects.filter(person=person, undone_at=None).exists():
            words = _(
                "Everything by this account is hidden. Bring that back; its trust comes along."
            )
            raise Refused("is-hidden", words, conflict=True)
        restore_person(person=person, by=by, now=now, to=to, shown=shown)


def _bring_back(thing: HiddenThing, hiding: Hiding, by: User, now: datetime) -> None:
    # Read anew: an earlier step may have given the trust back.
    person = get_user_model().objects.get(pk=hiding.person_id)
    try:
        with transaction.atomic():
            if thing.kind == HiddenKind.TRUST:
                restore_person(person=person, by=by, now=now, to=thing.was)
            else:
                BACK[HiddenKind(thing.kind)](thing.key, person, by, now)
            # Not what somebody hides on purpose in this moment.
            if not HiddenThing.objects.filter(pk=thing.pk, outcome="").update(outcome="back"):
                raise IllegalMove(f"{thing} is in other hands")
    except (Refused, IllegalMove, BadInput):
        HiddenThing.objects.filter(pk=thing.pk, outcome="").update(outcome="moved-on")


def _claim_back(key: int, person: User, by: User, now: datetime) -> None:
    """Where the photo is still free: a new claim, because a closed one never opens again."""
    if not person.is_active:
        raise Refused("switched-off", _("This account is switched off."), conflict=True)
    claim_photo(photo=Claim.objects.get(pk=key).photo, by=person, now=now)


def _job_back(key: int, person: User, by: User, now: datetime) -> None:
    """The same frozen plan in a new run, under the claim that came back."""
    job = Job.objects.select_related("photo__collection", "source__photo__collection").get(pk=key)
    claim = Claim.objects.filter(
        photo=job.photo_id, volunteer=person, state=ClaimState.OPEN
    ).first()
    if claim is None or job.source is None:
        raise Refused("no-claim", _("The photo is in other hands."), conflict=True)
    asked: dict[str, Any] = {"by": person, "fence": claim.pk, "now": now}
    if job.kind == JobKind.RETOUCH:
        request_retouch(parent=job.source, **asked, **job.plan)
    else:
        request_job(source=job.source, plan=Plan.from_json(job.plan), **asked)


def _version_back(key: int, person: User, by: User, now: datetime) -> None:
    version = Version.objects.get(pk=key)
    version.move(
        VersionState.SUBMITTED,
        by=by,
        at=now,
        where={"state": VersionState.WITHDRAWN},
        facts={"sha256": version.sha256},
    )


def _publication_back(key: int, person: User, by: User, now: datetime) -> None:
    publication = Publication.objects.select_related("photo__collection").get(pk=key)
    if publication.state == PublicationState.SUSPENDED:
        resume_publication(publication=publication, by=by, now=now)


BACK: dict[HiddenKind, Callable[[int, User, User, datetime], None]] = {
    HiddenKind.CLAIM: _claim_back,
    HiddenKind.JOB: _job_back,
    HiddenKind.VERSION: _version_back,
    HiddenKind.PUBLICATION: _publication_back,
}
