"""A museum with something in every state, and the bodies that are sent at its doors."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from PIL import Image
from rest_framework.authtoken.models import Token

from archive import rendering, renditions, storage
from archive.batches import Origin, begin_batch
from archive.lifecycle import BatchState, PairState, PhotoState, SourceKind, UploadState
from archive.models import Batch, Collection, Pair, Photo, Upload
from exhibit.actions import publish_version, retract_publication, suspend_publication
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement, Publication, Room
from restoration.actions.budgets import open_workshop
from restoration.actions.claims import claim_photo, release_claim
from restoration.actions.drafts import keep_mask, save_draft
from restoration.actions.jobs import request_job
from restoration.actions.reviews import decline_version, open_review, return_version
from restoration.actions.versions import withdraw_version
from restoration.engine.plan import Plan
from restoration.lifecycle import VersionKind
from restoration.models import Assessment, Claim, Job, Preview, Review, Version, Workshop
from tests import factories
from tests.people import Cast, appoint, cast

TONE = {"steps": [{"name": "tone"}]}


@dataclass
class World:
    """Rows by the words that the table calls them by. Vera made all versions, Cora curates."""

    people: Cast
    collections: dict[str, Collection] = field(default_factory=dict)
    photos: dict[str, Photo] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    exhibits: dict[str, Exhibit] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    publications: dict[str, Publication] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    workshops: dict[str, Workshop] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    sheets: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    png: bytes = b""

    def body(self) -> dict[str, Any]:
        """All that any form asks for: a door must say no for who one is, not for a blank field."""
        return {
            "note": "Look at the left edge.",
            "reason": "damage",
            "advice": "The crease is still there.",
            "claim": self.claims["open"].pk,
            "rev": 1,
            "up": True,
            "order": list(self.rooms["open"].placements.values_list("pk", flat=True)),
            "body": {"seed": 5},
            "plan": TONE,
            "version": self.versions["accepted"].pk,
            "room": self.rooms["open"].pk,
            "collection": self.collections["open"].pk,
            "slug": "a-new-address",
            "institution_en": "Museum",
            "title_en": "A new title",
            "rights_uri": self.collections["open"].rights_uri,
            "display_name": "Somebody",
            "language": "en",
            "name": "nobody",
            "decision": "different",
            "pages": "photos",
            "password": "not-the-right-one",
        }


def build() -> World:
    """Everything, through the verbs."""
    world = World(cast(), png=_png(200))
    _collections(world)
    _photos(world)
    _batches(world)
    _pairs(world)
    _held(world)
    _versions(world)
    _published(world)
    world.workshops["open"] = open_workshop(
        collection=world.collections["open"],
        title="A class",
        seats=5,
        days=1,
        cpu_minutes=10,
        gpu_minutes=0,
        by=world.people.cora,
        now=timezone.now(),
    )
    _tiles()
    _uploads(world)
    for person in vars(world.people).values():
        Token.objects.create(user=person)
    return world


def _tiles() -> None:
    """The tiles of every picture that has bytes: there are only a few different ones."""
    for sha256 in set(Version.objects.values_list("sha256", flat=True)):
        if storage.exists(storage.working_key(sha256)):
            renditions.note(sha256, now=timezone.now())
            rendering.render(sha256=sha256)


def _collections(world: World) -> None:
    world.collections = {
        "open": factories.collection(slug="open"),
        "closed": factories.collection(slug="closed", is_open=False),
        "other": factories.collection(slug="other"),
    }
    appoint(world.people.cora, world.collections["open"])
    appoint(world.people.cora, world.collections["closed"])
    appoint(world.people.clive, world.collections["other"])


def _photos(world: World) -> None:
    box = world.collections["open"]
    image = factories.picture(1)
    for word, state in (
        ("ready", PhotoState.READY),
        ("being read", PhotoState.READING),
        ("in quarantine", PhotoState.QUARANTINED),
        ("on hold", PhotoState.ON_HOLD),
        ("withdrawn", PhotoState.WITHDRAWN),
    ):
        world.photos[word] = factories.photo(box, image=image, state=state)
    unread = [world.photos[word].pk for word in ("being read", "in quarantine")]
    Photo.objects.filter(pk__in=unread).update(original=None, working_sha256="", width=0, height=0)
    world.photos["of a closed collection"] = factories.photo(
        world.collections["closed"], image=image
    )


def _pairs(world: World) -> None:
    """Two photos that look alike, waiting, and two that were decided about."""
    box = world.collections["open"]
    for word, state in (("waiting", PairState.WAITING), ("decided", PairState.DIFFERENT)):
        first, second = (factories.photo(box, image=factories.picture(2)) for _ in range(2))
        world.pairs[word] = Pair.objects.create(
            collection=box, first=first, second=second, state=state, found_at=timezone.now()
        )


def _batches(world: World) -> None:
    """One that was looked through, and one under way, of a place nobody can reach."""
    box, now = world.collections["open"], timezone.now()
    for word, look in (("looked", True), ("taking", False)):
        origin = Origin(SourceKind.FOLDER, word, word)
        world.batches[word] = begin_batch(
            collection=box, origin=origin, by=world.people.cora, now=now, look=look
        )
    Batch.objects.filter(pk=world.batches["looked"].pk).update(state=BatchState.LOOKED)


def _held(world: World) -> None:
    """A photo in Vera's hands, with a draft, a painted mask, a run and a version of hers."""
    people, now = world.people, timezone.now()
    photo = factories.photo(world.collections["open"], image=factories.picture(2))
    claim = claim_photo(photo=photo, by=people.vera, now=now)
    world.photos["held by the volunteer"] = photo
    world.claims["open"] = claim
    painted = keep_mask(photo=photo, by=people.vera, content=_png(2), now=now)
    world.sheets = {"found": _sheet(1), "painted": painted, "of a version": _sheet(3)}
    Assessment.objects.create(photo=photo, mask_sha256=world.sheets["found"], made_at=now)
    mask = {"mask": world.sheets["painted"]}
    save_draft(photo=photo, by=people.vera, rev=0, body=mask, fence=claim.pk, now=now)
    draft = _made(world, photo)
    world.versions |= {"draft": draft, "scan": photo.versions.get(kind=VersionKind.SCAN)}
    plan = Plan.from_json(TONE)
    world.jobs["waiting"] = request_job(
        source=draft, by=people.vera, fence=claim.pk, plan=plan, now=now
    )
    shown = {"picture": b"half-finished", "width": 1, "height": 1}
    Preview.objects.create(job=world.jobs["waiting"], made_at=now, **shown)
    ended = claim_photo(photo=world.photos["ready"], by=people.vera, now=now)
    release_claim(claim=ended, by=people.vera, now=now)
    world.claims["released"] = ended


def _made(world: World, photo: Photo) -> Version:
    maps = {"changed": world.sheets["of a version"]}
    return factories.version(photo, world.people.vera, image=factories.picture(9), maps=maps)


def _uploads(world: World) -> None:
    """Of the curator: half here, all here, and given up."""
    for word in UploadState:
        world.uploads[word.label] = Upload.objects.create(
            collection=world.collections["open"],
            by=world.people.cora,
            state=word,
            size=10,
            sha256="0" * 64,
            began_at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )


def _png(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (64, 48), shade).save(stream, "PNG")
    return stream.getvalue()


def _sheet(shade: int) -> str:
    content = _png(shade)
    sha256 = hashlib.sha256(content).hexdigest()
    storage.put_bytes(storage.sheet_key(sha256), content)
    return sha256


def _versions(world: World) -> None:
    """One photo with a version of Vera's in every state, and the reviews that led there."""
    people, now = world.people, timezone.now()
    photo = factories.photo(world.collections["open"], image=factories.picture(3))
    told = {"reason": "damage", "advice": "The crease is still there.", "now": now}

    def submitted() -> Version:
        return factories.submitted(photo, people.vera, image=factories.picture(9))

    for word, verb in (("returned", return_version), ("declined", decline_version)):
        world.versions[word] = submitted()
        review = open_review(version=world.versions[word], by=people.cora, now=now)
        verb(review=review, by=people.cora, **told)
        world.reviews[word] = review
    world.versions["taken back"] = submitted()
    withdraw_version(version=world.versions["taken back"], by=people.vera, now=now)
    world.versions["accepted"], world.reviews["accepted"] = factories.accepted(
        photo, people.vera, people.cora, image=factories.picture(9)
    )
    world.versions["submitted"] = submitted()
    world.versions["in review"] = submitted()
    world.reviews["open"] = open_review(
        version=world.versions["in review"], by=people.cora, now=now
    )
    world.photos["not published"] = photo
    for version in world.versions.values():
        version.refresh_from_db()


def _published(world: World) -> None:
    """An open exhibit with a picture in every state, and a closed one."""
    people, box, now = world.people, world.collections["open"], timezone.now()
    opened, closed = factories.room(box), factories.room(box)
    Exhibit.objects.filter(pk=closed.exhibit_id).update(is_open=False)
    world.rooms = {"open": opened, "closed": closed}
    world.exhibits = {"open": opened.exhibit, "closed": closed.exhibit}
    for word in ("live", "retracted", "suspended"):
        world.publications[word] = _publish(world, opened, word)
    world.publications["live in a closed exhibit"] = _publish(world, closed, "of a closed exhibit")
    maps = {"changed": world.sheets["of a version"]}
    again, _review = factories.accepted(
        world.photos["live"], people.vera, people.cora, image=factories.picture(9), maps=maps
    )
    world.publications["superseded"] = world.publications["live"]
    world.publications["live"] = publish_version(
        version=again, room=opened, words=Words("Caption"), by=people.cora, now=now
    )
    reason = "A wish of the family."
    retract_publication(
        publication=world.publications["retracted"], by=people.cora, reason=reason, now=now
    )
    suspend_publication(
        publication=world.publications["suspended"], by=people.cora, reason=reason, now=now
    )
    world.placements["live"] = Placement.objects.get(room=opened, photo=world.photos["live"])


def _publish(world: World, room: Room, word: str) -> Publication:
    people = world.people
    photo = factories.photo(world.collections["open"], image=factories.picture(4))
    maps = {"changed": world.sheets["of a version"]}
    version, _review = factories.accepted(
        photo, people.vera, people.cora, image=factories.picture(9), maps=maps
    )
    world.photos[word] = photo
    words = Words("Caption", "说明")
    return publish_version(
        version=version, room=room, words=words, by=people.cora, now=timezone.now()
    )
