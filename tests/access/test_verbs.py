"""Every verb as everybody: it asks for itself who may, whatever door called it. Closed by default.

A verb that is not in the table fails the first test. What a verb did is taken back before the next.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

import restoration.actions
from accounts import actions as offices
from accounts import crediting
from accounts.models import User
from archive import actions as archive
from archive import batches, pairing, uploading
from archive.actions import SEVERAL_PAGES
from archive.batches import Origin
from archive.lifecycle import BatchState, SourceKind, UploadState
from archive.policy import Refused
from archive.trust import Trust
from exhibit import actions as publishing
from exhibit import arranging, hiding
from exhibit.arranging import Headline, Words
from restoration.actions import budgets, claims, drafts, giving, jobs, reviews, standing, versions
from restoration.engine.plan import Plan
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job
from tests.access import world
from tests.access.world import TONE, World
from tests.people import person

MODULES = (archive, pairing, uploading, batches, publishing, arranging, hiding, offices, crediting)
# Parts of verbs: whoever calls them has asked.
PARTS = {"archive.actions.unfold"}
# Who lacks the row that would let them is told so as a circumstance.
NOT_THEIRS = ("no-claim", "not-yours", "not-extendable", "review-closed")
Call = Callable[[World, User], Any]


@dataclass(frozen=True)
class Verb:
    """Who may, by first name; and whether one of them may still who is suspended."""

    may: str
    call: Call
    even_suspended: bool = False


CURATORS, STEWARDS, EVERYBODY = "cora sten", "sten", "vera victor cora clive sten"


def of(verb: Callable[..., Any], **rows: Callable[[World], Any]) -> Call:
    """The verb with rows of the world; `now` where it takes one."""
    takes_now = "now" in inspect.signature(verb).parameters

    def call(world: World, by: User) -> Any:
        found = {name: row(world) for name, row in rows.items()}
        return verb(by=by, **found, **({"now": timezone.now()} if takes_now else {}))

    return call


def a(table: str, word: str) -> Callable[[World], Any]:
    """A row of the world, read anew."""

    def found(world: World) -> Any:
        row = getattr(world, table)[word]
        return type(row)._base_manager.get(pk=row.pk)

    return found


def the(value: Any) -> Callable[[World], Any]:
    return lambda world: value


def fence(world: World) -> int:
    """The claim that Vera works under."""
    return world.claims["open"].pk


def somebody(name: str) -> Callable[[World], Any]:
    return lambda world: User.objects.get(username=name)


BOX, READY, HELD = (
    a("collections", "open"),
    a("photos", "ready"),
    a("photos", "held by the volunteer"),
)
PLAN, DRAFT, CLAIM = the(Plan.from_json(TONE)), a("versions", "draft"), a("claims", "open")
SCAN, WHY, HEAD = a("versions", "scan"), the("A wish of the family."), the(Headline("A", "甲"))
FOLDER = the(Origin(SourceKind.FOLDER, "elsewhere", "elsewhere"))


def lost_look(world: World) -> Job:
    """At a photo on which nothing was seen."""
    return Job.objects.create(
        photo=world.photos["ready"],
        kind=JobKind.ASSESS,
        state=JobState.FAILED,
        requested_at=timezone.now(),
        ended_at=timezone.now(),
        error_code="worker-lost",
    )


HANGS, ROOM = a("placements", "live"), a("rooms", "open")
SIZE = {"seats": the(3), "days": the(1), "cpu_minutes": the(1), "gpu_minutes": the(0)}
CHUNKS = the([b"a new file"])


def verb(
    may: str, of_what: Callable[..., Any], *, even_suspended: bool = False, **rows: Any
) -> Any:
    name = f"{of_what.__module__}.{of_what.__name__}"
    return name, Verb(may, of(of_what, **rows), even_suspended)


def only(state: str, table: str, word: str, **more: Any) -> Callable[[World], Any]:
    """The row after it was brought to a state."""

    def found(world: World) -> Any:
        row = a(table, word)(world)
        type(row)._base_manager.filter(pk=row.pk).update(state=state, **more)
        row.refresh_from_db()
        return row

    return found


TABLE: dict[str, Verb] = dict(
    [
        # Scans and what is said of them.
        verb(CURATORS, archive.receive_scan, collection=BOX, chunks=CHUNKS, filename=the("a.tif")),
        verb(
            CURATORS,
            archive.adopt_scan,
            collection=BOX,
            sha256=the("a" * 64),
            size=the(1),
            filename=the("a.tif"),
        ),
        verb(CURATORS, archive.read_again, photo=a("photos", "in quarantine")),
        verb(
            CURATORS,
            archive.answer_pages,
            photo=only("quarantined", "photos", "in quarantine", quarantine_code=SEVERAL_PAGES),
            pages=the("photos"),
        ),
        verb(
            CURATORS, archive.answer_all_pages, collection=BOX, photos=the([]), pages=the("sides")
        ),
        verb(CURATORS, archive.hold_photo, photo=READY, reason=WHY),
        verb(CURATORS, archive.release_photo_hold, photo=a("photos", "on hold")),
        verb(CURATORS, archive.withdraw_photo, photo=READY, reason=WHY),
        verb(CURATORS, archive.describe_photo, photo=READY, fields=the({"title_en": "New"})),
        verb(STEWARDS, archive.create_collection, fields=the({"slug": "new", "title_en": "New"})),
        verb(CURATORS, archive.change_collection, collection=BOX, fields=the({"title_en": "New"})),
        verb(CURATORS, pairing.decide_pair, pair=a("pairs", "waiting"), to=the("different")),
        verb(CURATORS, pairing.take_back_pair, pair=a("pairs", "decided")),
        verb(CURATORS, uploading.begin_upload, collection=BOX, filename=the("a"), size=the(9)),
        verb(
            "cora",
            uploading.end_upload,
            upload=a("uploads", UploadState.ARRIVING.label),
            even_suspended=True,
        ),
        verb(CURATORS, batches.begin_batch, collection=BOX, origin=FOLDER),
        verb(CURATORS, batches.take_batch, batch=a("batches", "looked")),
        verb(
            CURATORS, batches.answer_batch_pages, batch=a("batches", "looked"), pages=the("sides")
        ),
        verb(CURATORS, batches.complete_description, photo=READY, told=the({"place_en": "Tehran"})),
        verb(CURATORS, batches.stop_batch, batch=a("batches", "taking")),
        verb(CURATORS, batches.retry_batch, batch=only(BatchState.FAILED, "batches", "taking")),
        verb(CURATORS, batches.close_batch, batch=a("batches", "looked")),
        # The exhibit.
        verb(
            CURATORS,
            publishing.publish_version,
            version=a("versions", "accepted"),
            room=ROOM,
            words=the(Words("Caption")),
        ),
        verb(CURATORS, publishing.ask_for_evidence, publication=a("publications", "live")),
        verb(
            CURATORS,
            publishing.retract_publication,
            publication=a("publications", "live"),
            reason=WHY,
        ),
        verb(
            CURATORS,
            publishing.suspend_publication,
            publication=a("publications", "live"),
            reason=WHY,
        ),
        verb(CURATORS, publishing.resume_publication, publication=a("publications", "suspended")),
        verb(CURATORS, arranging.create_exhibit, collection=BOX, slug=the("newest"), headline=HEAD),
        verb(CURATORS, arranging.edit_exhibit, exhibit=a("exhibits", "open"), headline=HEAD),
        verb(CURATORS, arranging.open_exhibit, exhibit=a("exhibits", "closed")),
        verb(CURATORS, arranging.close_exhibit, exhibit=a("exhibits", "open")),
        verb(CURATORS, arranging.add_room, exhibit=a("exhibits", "open"), headline=HEAD),
        verb(CURATORS, arranging.edit_room, room=ROOM, headline=HEAD),
        verb(
            CURATORS,
            arranging.remove_room,
            room=lambda world: world.exhibits["open"].rooms.create(position=9),
        ),
        verb(CURATORS, arranging.move_room, room=ROOM, up=the(True)),
        verb(CURATORS, arranging.move_placement, placement=HANGS, up=the(True)),
        verb(
            CURATORS,
            arranging.arrange,
            room=ROOM,
            order=lambda world: list(world.rooms["open"].placements.values_list("pk", flat=True)),
        ),
        verb(CURATORS, arranging.edit_words, placement=HANGS, room=ROOM, words=the(Words("New"))),
        verb(STEWARDS, hiding.hide_everything, person=somebody("stan"), reason=WHY),
        verb(STEWARDS, hiding.undo_hiding, person=somebody("hidden")),
        verb(STEWARDS, hiding.restore_account, person=somebody("slow")),
        # Offices and trust.
        verb(STEWARDS, offices.make_steward, person=somebody("stan")),
        verb(STEWARDS, offices.unmake_steward, person=somebody("stella")),
        verb(STEWARDS, offices.appoint_curator, person=somebody("stan"), collection=BOX),
        verb(STEWARDS, offices.dismiss_curator, person=somebody("clive"), collection=BOX),
        verb(STEWARDS, offices.switch_off, person=somebody("stan")),
        verb(STEWARDS, offices.switch_on, person=somebody("stan")),
        # Of somebody else; everybody may for themselves.
        verb(STEWARDS, crediting.hide_name, person=somebody("stan")),
        verb(STEWARDS, crediting.show_name, person=somebody("stan")),
        verb(STEWARDS, offices.send_password_link, person=somebody("stan")),
        verb(STEWARDS, offices.give_sign_in_link, person=somebody("stan")),
        verb(
            STEWARDS,
            offices.correct_address,
            person=somebody("stan"),
            address=the("stan@example.com"),
        ),
        verb(STEWARDS, standing.limit_person, person=somebody("stan"), reason=WHY),
        verb(STEWARDS, standing.suspend_person, person=somebody("stan"), reason=WHY),
        verb(STEWARDS, standing.restore_person, person=somebody("hidden")),
        # Machine time.
        verb(
            STEWARDS,
            budgets.grant_collection,
            collection=BOX,
            resource=the("cpu"),
            minutes=the(5),
        ),
        verb(STEWARDS, budgets.lift_budget, collection=BOX, resource=the("cpu")),
        verb(
            STEWARDS,
            budgets.grant_person,
            person=somebody("stan"),
            resource=the("cpu"),
            minutes=the(5),
        ),
        verb(CURATORS, budgets.open_workshop, collection=BOX, title=the("A class"), **SIZE),
        verb(CURATORS, budgets.close_workshop, workshop=a("workshops", "open")),
        verb(EVERYBODY, budgets.join_workshop, code=lambda world: world.workshops["open"].code),
        # The work on a photo; Vera has it in hand.
        verb(EVERYBODY, claims.claim_photo, photo=READY),
        verb(EVERYBODY, claims.take_slot, photo=READY),
        verb(EVERYBODY, giving.give_photo, wishes=the({})),
        verb("vera", claims.beat_claim, claim=CLAIM),
        verb("vera", claims.extend_claim, claim=CLAIM),
        verb("vera", claims.release_claim, claim=CLAIM, even_suspended=True),
        verb(CURATORS, claims.revoke_claim, claim=CLAIM),
        verb(
            "vera",
            drafts.save_draft,
            photo=HELD,
            rev=the(1),
            body=the({"seed": 5}),
            fence=fence,
            even_suspended=True,
        ),
        verb("vera", drafts.keep_mask, photo=HELD, content=lambda world: world.png, fence=fence),
        verb("vera", jobs.request_job, source=DRAFT, fence=fence, plan=PLAN),
        verb(
            "vera",
            jobs.request_retouch,
            parent=DRAFT,
            fence=fence,
            upload_sha256=the("a" * 64),
            filename=the("a.tif"),
        ),
        verb(
            "vera",
            jobs.bring_retouch,
            parent=DRAFT,
            fence=fence,
            chunks=CHUNKS,
            filename=the("a.tif"),
        ),
        verb("vera sten", jobs.cancel_job, job=a("jobs", "waiting"), even_suspended=True),
        verb(STEWARDS, jobs.look_again, job=lost_look),
        verb("vera", versions.submit_version, version=DRAFT, note=the("")),
        verb("vera", versions.withdraw_version, version=DRAFT, even_suspended=True),
        # Reviews; Cora has one open, and who has one open only ends it.
        verb(CURATORS, reviews.open_review, version=a("versions", "submitted")),
        verb("cora", reviews.beat_review, review=a("reviews", "open"), even_suspended=True),
        verb("cora", reviews.release_review, review=a("reviews", "open"), even_suspended=True),
        verb("cora", reviews.accept_version, review=a("reviews", "open")),
        verb(
            "cora",
            reviews.return_version,
            review=a("reviews", "open"),
            reason=the("damage"),
            advice=the("The crease."),
        ),
        verb(
            "cora",
            reviews.decline_version,
            review=a("reviews", "open"),
            reason=the("damage"),
            advice=the("The crease."),
        ),
    ]
)


def verbs() -> Iterator[str]:
    """Every function that somebody does something by."""
    parts = pkgutil.iter_modules(restoration.actions.__path__, "restoration.actions.")
    for module in (*MODULES, *(importlib.import_module(each.name) for each in parts)):
        for name, found in vars(module).items():
            is_own = inspect.isfunction(found) and found.__module__ == module.__name__
            if is_own and name[0] != "_" and "by" in inspect.signature(found).parameters:
                yield f"{module.__name__}.{name}"


def test_every_verb_says_who_may() -> None:
    assert set(verbs()) - PARTS == set(TABLE)


@pytest.fixture
def here(db: None, bytes_in_folder: Any) -> World:
    """The world, with somebody to raise, somebody to lower, and somebody who is hidden."""
    made = world.build()
    person("stan")
    person("stella", is_steward=True)
    person("slow", trust=Trust.LIMITED)
    hiding.hide_everything(
        person=person("hidden"), by=made.people.sten, reason="Spam.", now=timezone.now()
    )
    return made


def outcome(deed: Callable[[], Any]) -> str:
    """How a verb ended, and everything as it was before."""
    with transaction.atomic():
        try:
            deed()
            found = "done"
        except Refused as refused:
            found = "not now" if refused.conflict or refused.invalid else "may not"
            found = "may not" if refused.code in NOT_THEIRS else found
        transaction.set_rollback(True)
    return found


def test_a_verb_is_done_for_those_who_may_and_for_nobody_else(here: World) -> None:
    for name, asked in TABLE.items():
        found = {
            who: outcome(partial(asked.call, here, user)) for who, user in vars(here.people).items()
        }
        assert {who for who in found if found[who] == "done"} == set(asked.may.split()), name
        assert set(found.values()) <= {"done", "may not"}, name


def test_who_is_suspended_does_nothing_new(here: World) -> None:
    User.objects.filter(username__in=vars(here.people)).update(trust=Trust.SUSPENDED)
    for user in vars(here.people).values():
        user.refresh_from_db()
    for name, asked in TABLE.items():
        for who in asked.may.split():
            wanted = "done" if asked.even_suspended else "may not"
            assert outcome(partial(asked.call, here, getattr(here.people, who))) == wanted, name
