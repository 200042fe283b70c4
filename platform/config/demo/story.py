"""Plays the work of a few days in the demonstration museum: claim, run, retouch, review, publish.

Every move is the verb a person would have pressed, and every picture is really made by the engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from archive import storage
from archive.models import Collection, Photo
from config.demo.museum import People
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Exhibit, Room
from restoration import runner
from restoration.actions.claims import claim_photo
from restoration.actions.drafts import keep_mask
from restoration.actions.jobs import request_job, request_retouch
from restoration.actions.reviews import accept_version, open_review, return_version
from restoration.actions.versions import scan_version, submit_version
from restoration.engine import image as pictures
from restoration.engine.plan import Plan
from restoration.models import Assessment, Claim, Job, Version

# What the colour print tells: the colour of a thing, and where on the picture it is seen.
SUIT, SKIN, HAIR, WALL, FLAG, WHITE, BLACK, PATCH = (
    [226, 110, 72],
    [222, 186, 164],
    [120, 98, 62],
    [204, 195, 190],
    [110, 12, 27],
    [226, 224, 226],
    [6, 4, 4],
    [90, 62, 138],
)
SEEN = (
    (SUIT, (0.15, 0.72), (0.33, 0.62), (0.64, 0.63), (0.2, 0.86), (0.44, 0.56), (0.1, 0.6)),
    (SUIT, (0.33, 0.92), (0.57, 0.58), (0.42, 0.88), (0.24, 0.57), (0.08, 0.82)),
    (SUIT, (0.13, 0.89), (0.21, 0.96), (0.66, 0.69), (0.06, 0.7), (0.27, 0.68)),
    (SKIN, (0.44, 0.18), (0.41, 0.26), (0.485, 0.26), (0.44, 0.31), (0.365, 0.235)),
    (HAIR, (0.36, 0.1), (0.55, 0.12), (0.33, 0.19), (0.45, 0.06), (0.53, 0.22)),
    (WALL, (0.62, 0.1), (0.25, 0.05), (0.65, 0.4), (0.92, 0.2), (0.93, 0.45), (0.22, 0.3)),
    (WALL, (0.73, 0.2), (0.17, 0.12), (0.97, 0.05), (0.25, 0.22)),
    (FLAG, (0.1, 0.3), (0.13, 0.42)),
    (WHITE, (0.77, 0.3), (0.86, 0.25), (0.7, 0.87), (0.49, 0.7), (0.89, 0.75), (0.72, 0.42)),
    (BLACK, (0.04, 0.04), (0.44, 0.4), (0.88, 0.65), (0.97, 0.8), (0.62, 0.95), (0.8, 0.78)),
    (PATCH, (0.35, 0.79), (0.29, 0.75)),
)
ASTRONAUT_COLOURS = [
    {"x": x, "y": y, "rgb": colour, "radius": 0.01} for colour, *places in SEEN for x, y in places
]


def run(
    photo: Photo, by: User, *, parent: Version | None = None, painted: bytes = b"", **extra: Any
) -> tuple[Claim, Version]:
    """Claim, run the suggested recipe (and `extra`) on the scan or a parent, and wait for it."""
    now = timezone.now()
    claim = claim_photo(photo=photo, by=by, now=now)
    source = parent or scan_version(photo=photo, now=now)
    if painted:
        extra["mask_sha256"] = keep_mask(photo=photo, by=by, content=painted, now=now)
    job = request_job(source=source, by=by, fence=claim.pk, plan=_plan(photo, **extra), now=now)
    return claim, _finished(job)


def _plan(photo: Photo, *, steps: list[dict[str, Any]] | None = None, **extra: Any) -> Plan:
    chosen = _suggested(photo) if steps is None else steps
    if "mask_sha256" in extra and not any(step["name"] == "repair" for step in chosen):
        chosen = [*chosen, {"name": "repair", "settings": {}}]
    return Plan.from_json({"steps": chosen, "seed": 1, **extra})


def _suggested(photo: Photo) -> list[dict[str, Any]]:
    found = Assessment.objects.get(photo=photo).suggestions
    steps = [{"name": each["step"], "settings": each["settings"]} for each in found]
    return steps or [{"name": "tone", "settings": {}}]


def _finished(job: Job) -> Version:
    runner.run(job_id=job.pk, worker="demonstration")
    job.refresh_from_db()
    if job.version is None:
        raise RuntimeError(f"the demonstration's job {job.pk} ended as {job.error_code}")
    return job.version


def _retouched(photo: Photo, parent: Version, by: User) -> Version:
    """A hand at work elsewhere: a little more contrast in the working file, sent back in."""
    claim = claim_photo(photo=photo, by=by, now=timezone.now())
    with storage.local(storage.working_key(parent.sha256)) as path:
        image = pictures.load(path)
    image = (image + 0.12 * image * (1 - image) * (image - 0.5)).clip(0, 1)
    with tempfile.TemporaryDirectory(prefix="rekindle-demo-") as folder:
        file = Path(folder) / "retouched.tif"
        pictures.save(image, file)
        sha256 = storage.digest(file)
        storage.put_file(storage.incoming_key(sha256), file)
    job = request_retouch(
        parent=parent,
        by=by,
        fence=claim.pk,
        upload_sha256=sha256,
        filename="retouched.tif",
        now=timezone.now(),
    )
    return _finished(job)


def _submit(version: Version, by: User, note: str) -> Version:
    submit_version(version=version, by=by, note=note, now=timezone.now())
    version.refresh_from_db()
    return version


def waiting(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Nobody has taken it yet."""


def claimed(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Victor holds it and has run it once."""
    run(photo, cast.victor)


def in_review(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Vera has submitted it; it waits on the desk."""
    _, version = run(photo, cast.vera, painted=painted)
    _submit(version, cast.vera, "I painted the long scratches by hand; dust is out too.")


def returned(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Cora wants one thing changed."""
    _, version = run(photo, cast.vera)
    review = open_review(
        version=_submit(version, cast.vera, "First try."), by=cast.cora, now=timezone.now()
    )
    return_version(
        review=review,
        by=cast.cora,
        reason="too-smooth",
        advice="Lovely. Clean it half as strongly, so that the fur keeps its grain.",
        now=timezone.now(),
    )


def published(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Accepted and shown once, then superseded by a version with colours from evidence."""
    neutral = [
        {"name": "tone", "settings": {"strength": 0.6, "cast": 1.0}},
        {"name": "repair", "settings": {}},
        {"name": "denoise", "settings": {"strength": 0.5}},
    ]
    _, first = run(photo, cast.vera, painted=painted, steps=neutral)
    _accept(_submit(first, cast.vera, "Repaired and cleaned."), cast.cora)
    publish_version(version=first, room=room, words=ASTRONAUT, by=cast.cora, now=timezone.now())
    _, second = run(
        photo,
        cast.victor,
        parent=first,
        steps=[{"name": "colourise", "settings": {}}],
        dabs=ASTRONAUT_COLOURS,
        prompt={"facts": ["The launch suit is orange.", "The wall behind her is light grey."]},
    )
    _accept(_submit(second, cast.victor, "Colours from the colour print."), cast.ada)
    publish_version(version=second, room=room, words=ASTRONAUT, by=cast.cora, now=timezone.now())


def retouched(photo: Photo, painted: bytes, cast: People, room: Room) -> None:
    """Machine, then a hand, then the public."""
    _, machine = run(photo, cast.vera, painted=painted)
    version = _retouched(photo, machine, cast.vera)
    _accept(_submit(version, cast.vera, "A little more contrast by hand."), cast.cora)
    publish_version(version=version, room=room, words=CAMERA, by=cast.ada, now=timezone.now())


def _accept(version: Version, by: User) -> None:
    review = open_review(version=version, by=by, now=timezone.now())
    accept_version(review=review, by=by, now=timezone.now())
    version.refresh_from_db()


def open_room(collection: Collection) -> Room:
    """The one exhibit of the demonstration, with one room."""
    exhibit, _ = Exhibit.objects.get_or_create(
        slug="aged-on-purpose",
        defaults={
            "collection": collection,
            "title_en": "Aged on purpose",
            "title_zh": "特意做旧",
            "intro_en": "Two pictures that this program first aged and then restored. Move the "
            "curtain to see what was done.",
            "intro_zh": "本程序先把两张照片做旧，再修复它们。移动分界线，看看改变了什么。",
            "is_open": True,
        },
    )
    room, _ = Room.objects.get_or_create(
        exhibit=exhibit, position=1, defaults={"title_en": "First room", "title_zh": "第一展室"}
    )
    return room


ASTRONAUT = Words(
    caption_en="The commander, before her flight",
    caption_zh="出征前的指令长",
    story_en="The portrait was aged by this program: it faded, gathered dust and was scratched. "
    "Volunteers repaired it, and coloured it by what the colour print tells.",
    story_zh="这张肖像由本程序做旧：褪色、落尘、划伤。志愿者修复了它，并依照彩色原照上色。",
)
CAMERA = Words(
    caption_en="A photographer at work",
    caption_zh="工作中的摄影师",
    story_en="Repaired by machine, finished by hand.",
    story_zh="先由机器修补，再由人手完成。",
)

STAGES: Mapping[str, Callable[[Photo, bytes, People, Room], None]] = {
    "waiting": waiting,
    "claimed": claimed,
    "in-review": in_review,
    "returned": returned,
    "published": published,
    "retouched": retouched,
}
