"""What a camera, a phone or an archive wrote into a file never reaches a public one.

A scan and a hand retouch that hold a place, a maker's notes, names and a small picture of their own
go in by the ordinary way; then every public door is opened by a stranger, and the bytes are read.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from archive import ingest, rendering, renditions, storage
from archive.actions import receive_scan
from archive.models import Photo
from archive.sizes import NAMES, PIPELINE
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Publication, Room
from restoration import runner
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_retouch
from restoration.actions.reviews import accept_version, open_review
from restoration.actions.versions import scan_version, submit_version
from restoration.lifecycle import JobState
from restoration.models import Job, Version
from tests import factories
from tests.people import Cast, appoint, cast
from tests.restoration.test_retouch import SCAN, retouched

# Words that nothing of ours would ever write, one for each place where files keep such things.
SECRETS = {
    "maker's note": b"MAKER-SECRET-0451",
    "camera": b"CAMERA-SECRET-0451",
    "serial number": b"SERIAL-SECRET-0451",
    "place in EXIF": b"AREA-SECRET-0451",
    "place in XMP": b"XMP-SECRET-0451",
    "place in IPTC": b"IPTC-SECRET-0451",
    "small picture": b"THUMB-SECRET-0451",
    "comment": b"TEXT-SECRET-0451",
}
# 35 41 2.1234567 N as EXIF packs it: found by its digits even where no word is beside it.
LATITUDE = struct.pack("<6I", 35, 1, 41, 1, 21234567, 10_000_000)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" rdf:about="" '
    b'exif:GPSLatitude="35,41.5N" exif:GPSAreaInformation="XMP-SECRET-0451"/></rdf:RDF></x:xmpmeta>'
)


def exif() -> bytes:
    """A camera's data with a place, a note of its maker and, behind it, a small picture."""
    told = Image.Exif()
    told.endian = "<"
    told[0x0110] = SECRETS["camera"].decode()
    told.get_ifd(0x8769).update(
        {0x927C: SECRETS["maker's note"], 0xA431: SECRETS["serial number"].decode()}
    )
    degrees = [TiffImagePlugin.IFDRational(*pair) for pair in ((35, 1), (41, 1), (21234567, 10**7))]
    told.get_ifd(0x8825).update(
        {1: "N", 2: tuple(degrees), 28: b"ASCII\0\0\0" + SECRETS["place in EXIF"]}
    )
    return told.tobytes() + SECRETS["small picture"]


def iptc() -> bytes:
    """A city, in the block that Photoshop keeps."""
    city = SECRETS["place in IPTC"]
    record = b"\x1c\x02\x5a" + struct.pack(">H", len(city)) + city
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)


def as_jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, exif=exif(), xmp=XMP, comment=SECRETS["comment"])
    block = b"Photoshop 3.0\0" + iptc()
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    return stream.getvalue()[:2] + segment + stream.getvalue()[2:]


def as_png(picture: Image.Image) -> bytes:
    stream, told = io.BytesIO(), PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRETS["comment"].decode())
    told.add_text("Raw profile type iptc", iptc().hex() + SECRETS["place in IPTC"].decode())
    told.add_itxt("XML:com.adobe.xmp", XMP.decode())
    picture.save(stream, "PNG", exif=exif(), pnginfo=told)
    return stream.getvalue()


def as_tiff(picture: Image.Image) -> bytes:
    stream, told = io.BytesIO(), TiffImagePlugin.ImageFileDirectory_v2()
    told[270] = SECRETS["comment"].decode()
    told[272] = SECRETS["camera"].decode()
    for tag, content in ((700, XMP), (33723, iptc()), (34377, iptc()), (37500, exif())):
        told[tag] = content
        told.tagtype[tag] = 7
    picture.save(stream, "TIFF", tiffinfo=told)
    return stream.getvalue()


def as_webp(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=95, exif=exif(), xmp=XMP)
    return stream.getvalue()


def as_jp2(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG2000", comment=SECRETS["comment"])
    boxes = [(b"xml ", XMP), (b"uuid", b"JpgTiffExif->JP2" + exif())]
    tail = b"".join(struct.pack(">I4s", len(body) + 8, kind) + body for kind, body in boxes)
    at = stream.getvalue().index(b"jp2c") - 4
    return stream.getvalue()[:at] + tail + stream.getvalue()[at:]


LADEN: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": as_jpeg, "png": as_png, "tiff": as_tiff, "webp": as_webp, "jp2": as_jp2,
}  # fmt: skip


def told_in(content: bytes) -> set[str]:
    """Which of it can be read in these bytes; the digits of the place count as one."""
    found = {name for name, word in SECRETS.items() if word in content}
    return found | ({"the place's digits"} if LATITUDE in content else set())


def picture_of(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


def taken_in(people: Cast, content: bytes) -> Photo:
    box = factories.collection()
    appoint(people.cora, box)
    photo, _new = receive_scan(
        collection=box, chunks=[content], filename="scan", by=people.cora, now=timezone.now()
    )
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert photo.state == "ready", photo.quarantine_code
    return photo


def made_of(photo: Photo) -> Iterator[tuple[str, bytes]]:
    """Everything that is made of a scan to be worked on and looked at."""
    renditions.note(photo.working_sha256, now=timezone.now())
    rendering.render(sha256=photo.working_sha256)
    for key in (
        storage.working_key(photo.working_sha256),
        *(storage.derivative_key(photo.working_sha256, name) for name in NAMES),
        storage.derivative_key(photo.working_sha256, f"tiles-{PIPELINE}.zip"),
    ):
        if storage.exists(key):
            with storage.open_key(key) as stream:
                yield key, stream.read()


@pytest.mark.parametrize("kind", LADEN)
def test_nothing_of_it_is_in_what_is_made_of_a_scan(people: Cast, kind: str) -> None:
    content = LADEN[kind](picture_of(SCAN))
    assert len(told_in(content)) >= 3, "the file holds too little to be a test"
    photo = taken_in(people, content)
    with storage.open_key(storage.original_key(photo.sha256)) as stream:
        assert told_in(stream.read()) == told_in(content), "the original is kept as it came"
    made = dict(made_of(photo))
    assert len(made) >= len(NAMES)
    assert {key: told for key, body in made.items() if (told := told_in(body))} == {}


def brought_back(photo: Photo, people: Cast, content: bytes) -> Version:
    """A hand retouch, through the worker."""
    now = timezone.now()
    claim = claim_photo(photo=photo, by=people.vera, now=now)
    sha256 = hashlib.sha256(content).hexdigest()
    storage.put_bytes(storage.incoming_key(sha256), content)
    job = request_retouch(
        parent=scan_version(photo=photo, now=now),
        by=people.vera,
        fence=claim.pk,
        upload_sha256=sha256,
        filename="retouch.jpg",
        note="Dust by hand",
        now=now,
    )
    runner.run(job_id=job.pk, worker="test")
    done = Job.objects.get(pk=job.pk)
    assert done.state == JobState.SUCCEEDED, done.error_code
    assert done.version is not None
    return done.version


def hung(version: Version, people: Cast, room: Room) -> Publication:
    now = timezone.now()
    submit_version(version=version, by=people.vera, note="", now=now)
    review = open_review(version=version, by=people.cora, now=now)
    accept_version(review=review, by=people.cora, now=now)
    version.refresh_from_db()
    return publish_version(
        version=version, room=room, words=Words("Caption", "说明"), by=people.cora, now=now
    )


def public_doors(client: Client, publication: Publication, room: Room) -> Iterator[tuple[str, Any]]:
    """What a stranger may fetch of a publication: pages, pictures, tiles, descriptions, the API."""
    pk, here = publication.pk, [room.exhibit.slug, publication.photo.ref]
    yield from (
        (name, client.get(reverse(f"exhibit:{name}", args=args), follow=True))
        for name, args in (
            ("home", []),
            ("list", []),
            ("exhibit", here[:1]),
            ("collection", here[:1]),
            ("photo", here),
            ("zoom", here),
            ("made", here),
            ("permalink", [pk]),
            ("manifest", [pk]),
        )
    )
    for name in NAMES:
        size = name.removesuffix(".jpg")
        for side in ("original", "restored"):
            yield f"{side} {size}", client.get(reverse("exhibit:picture", args=[pk, side, size]))
    for size in ("2560", "full"):
        yield f"download {size}", client.get(reverse("exhibit:download", args=[pk, size]))
    for kind in publication.version.maps:
        yield f"map {kind}", client.get(reverse("exhibit:changed", args=[pk]), {"map": kind})
    yield from _tiles(client, pk)
    for path in ("exhibits", f"exhibits/{here[0]}"):
        yield path, client.get(f"/api/v1/{path}")


def _tiles(client: Client, pk: int) -> Iterator[tuple[str, Any]]:
    for side in ("original", "restored"):
        base = f"/published/{pk}/iiif/{side}-{PIPELINE}"
        info = client.get(f"{base}/info.json")
        yield f"info {side}", info
        for size in [{"width": "max"}, *info.json()["sizes"]]:
            wanted = f"{size['width']},{size['height']}" if "height" in size else "max"
            yield f"tile {side} {wanted}", client.get(f"{base}/full/{wanted}/0/default.jpg")


def test_nothing_of_it_comes_out_of_any_public_door(people: Cast, client: Client) -> None:
    photo = taken_in(people, as_jpeg(picture_of(SCAN)))
    version = brought_back(photo, people, as_tiff(picture_of(retouched())))
    room = factories.room(photo.collection)
    publication = hung(version, people, room)
    for sha256 in (photo.working_sha256, version.sha256):
        renditions.note(sha256, now=timezone.now())
        rendering.render(sha256=sha256)
    seen, telling, pictures = set(), {}, 0
    for door, answer in public_doors(client, publication, room):
        assert answer.status_code == 200, (door, answer.status_code)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        seen.add(door)
        if told := told_in(body):
            telling[door] = told
        if answer["Content-Type"] == "image/jpeg":
            pictures += 1
            with Image.open(io.BytesIO(body)) as shown:
                assert not shown.getexif(), door
                assert not {"photoshop", "comment", "exif"} & set(shown.info), door
    assert telling == {}
    assert len(seen) > 20
    assert pictures > 12


def test_the_words_of_a_retouch_stay_with_those_who_work(people: Cast, client: Client) -> None:
    """The name of a file and a note to the reviewer are nobody else's business."""
    photo = taken_in(people, as_jpeg(picture_of(SCAN)))
    Photo.objects.filter(pk=photo.pk).update(filename="IMG_35.69N_51.39E_grandmother.jpg")
    version = brought_back(photo, people, as_tiff(picture_of(retouched())))
    room = factories.room(photo.collection)
    publication = hung(version, people, room)
    here = [room.exhibit.slug, photo.ref]
    pages = [("home", []), ("exhibit", here[:1]), ("photo", here), ("zoom", here), ("made", here)]
    for name, args in (*pages, ("manifest", [publication.pk])):
        body = client.get(reverse(f"exhibit:{name}", args=args)).content
        assert b"grandmother" not in body
        assert b"retouch.jpg" not in body
    api = json.dumps(client.get(f"/api/v1/exhibits/{here[0]}").json())
    assert "grandmother" not in api
    assert "retouch.jpg" not in api
