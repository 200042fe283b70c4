"""Builds the demonstration museum: people, collection, scans, exhibit. Every row by a verb."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone
from scipy import ndimage
from skimage import data

from accounts.actions import appoint_curator
from accounts.models import User
from archive import ingest
from archive.actions import create_collection, receive_scan
from archive.models import Collection, Photo
from config.demo.pictures import PHOTOS, DemoPhoto
from restoration import runner
from restoration.actions.jobs import request_look
from restoration.engine import image as pictures
from restoration.training.ageing import age

PASSWORD = "rekindle-demo"  # noqa: S105 - printed at every start, for a site on this machine only


@dataclass(frozen=True)
class People:
    """Who works in the demonstration."""

    vera: User
    victor: User
    cora: User
    ada: User
    sten: User


ROLES = (
    ("vera", "Vera", "volunteer"),
    ("victor", "Victor", "another volunteer"),
    ("cora", "Cora", "curator"),
    ("ada", "Ada", "second curator"),
    ("sten", "Sten", "steward"),
)


def people() -> People:
    """The demonstration's accounts, made once."""
    return People(**{name: _person(name, shown) for name, shown, _ in ROLES})


def _person(name: str, shown: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is not None:
        return found
    # A steward also opens the console at /admin/, where Django asks for its own two marks.
    office = {"is_steward": True, "is_staff": True, "is_superuser": True}
    return User.objects.create_user(
        name, "", PASSWORD, display_name=shown, **(office if name == "sten" else {})
    )


def write_accounts() -> None:
    """Leave the accounts where `serve` finds and prints them."""
    lines = [f"  {name:<7} {PASSWORD}   {role}" for name, _, role in ROLES]
    text = "\n".join(["Demonstration accounts (name, password, role):", *lines]) + "\n"
    (settings.VAR_DIR / "demo-accounts.txt").write_text(text, encoding="utf-8")


def collection(cast: People) -> Collection:
    """The demonstration's collection, made once."""
    return _kept(AGED, cast)


def own_scans(cast: People) -> Collection:
    """The collection for one's own scans, made once: they were not aged on purpose, and nobody
    here knows their rights."""
    return _kept(OWN, cast)


def _kept(fields: dict[str, str], cast: People) -> Collection:
    found = Collection.objects.filter(slug=fields["slug"]).first()
    if found is not None:
        return found
    made = create_collection(by=cast.sten, now=timezone.now(), fields=fields)
    for curator in (cast.cora, cast.ada):
        appoint_curator(collection=made, person=curator, by=cast.sten, now=timezone.now())
    return made


AGED = {
    "slug": "demonstration",
    "institution_en": "The demonstration museum",
    "institution_zh": "示范博物馆",
    "title_en": "Ten pictures, aged on purpose",
    "title_zh": "十张特意做旧的照片",
    "description_en": "Free pictures that come with scikit-image, aged by this program so "
    "that there is something to restore. Nothing here is a historical document.",
    "description_zh": "随 scikit-image 提供的自由图片，由本程序做旧，以便练习修复。"
    "这里没有任何历史文献。",
    "instructions_en": "Keep every face as it is. Take out dust and scratches first; add "
    "colour only where you know it.",
    "instructions_zh": "请保持每一张脸的原样。先去除灰尘和划痕；只有在知道颜色时才上色。",
    "notice_en": "Aged on purpose for this demonstration",
    "notice_zh": "为本演示特意做旧",
    "rights_uri": "http://creativecommons.org/publicdomain/zero/1.0/",
}
OWN = {
    "slug": "your-scans",
    "institution_en": "Your institution",
    "institution_zh": "你的机构",
    "title_en": "Your own scans",
    "title_zh": "你自己的扫描件",
    "description_en": "For scans of your own, to try with. They stay on this machine.",
    "description_zh": "放你自己的扫描件，用来试一试。它们只留在这台机器上。",
    "rights_uri": "http://rightsstatements.org/vocab/CNE/1.0/",
}


def _clean(source: str) -> np.ndarray:
    """A picture of scikit-image as float32 RGB in [0, 1]."""
    found = data.stereo_motorcycle()[0] if source == "motorcycle" else getattr(data, source)()
    image = found.astype(np.float32) / 255
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def _aged_file(photo: DemoPhoto, folder: Path) -> tuple[Path, bytes]:
    """The aged picture as a file, and the mask that a patient hand would paint over its damage."""
    aged, damage = age(_clean(photo.source), seed=photo.seed, severity=photo.severity)
    path = folder / f"{photo.words['identifier']}-{photo.source}.tif"
    pictures.save(aged, path, bits=8)
    brushed = ndimage.binary_dilation(damage > 0, iterations=2)
    pictures.save_mask(brushed.astype(np.uint8) * 255, folder / "painted.png")
    return path, (folder / "painted.png").read_bytes()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            yield block


def scan_in(photo: DemoPhoto, into: Collection, cast: People) -> tuple[Photo, bytes]:
    """Age a picture, hand it in as a curator would, have it read and assessed."""
    with tempfile.TemporaryDirectory(prefix="rekindle-demo-") as folder:
        path, painted = _aged_file(photo, Path(folder))
        row, _ = receive_scan(
            collection=into,
            chunks=_chunks(path),
            filename=path.name,
            by=cast.cora,
            now=timezone.now(),
            describe=photo.words | {"identifier": f"{photo.words['identifier']} ({photo.licence})"},
        )
    ingest.read_photo(photo_id=row.pk)
    look = request_look(photo=row, now=timezone.now())
    if look is not None:
        runner.run(job_id=look.pk, worker="demonstration")
    row.refresh_from_db()
    return row, painted


def all_scans() -> tuple[DemoPhoto, ...]:
    """The demonstration's pictures in the order in which they are handed in."""
    return PHOTOS
