"""Sends one file by one door, has it read as a worker would, and looks at all that came of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from rest_framework.authtoken.models import Token

from archive import decode, ingest, pictures, wording
from archive.actions import READING_ATTEMPTS
from archive.lifecycle import PhotoState
from archive.models import Photo
from tests.archive.leaving import left_behind
from tests.factories import collection
from tests.people import appoint, person

DOORS = ("form", "api", "command")
MOST_BYTES, MOST_SECONDS = 512 * 1024**2, 20
LANGUAGES = ("en", "zh-hans")
# Reasons that would be ours, not the file's.
OURS = ("our-fault", "worker-lost", "lost-bytes", "took-too-long")
# What a library says and a person should not have to read.
RAW = re.compile(
    r"vips|libtiff|libjpeg|libpng|tiff2|webp:|errno|traceback|exception|\bNone\b|0x|\{|\}|_", re.I
)


@dataclass
class Sent:
    """What became of one file at one door, and whatever is wrong with that."""

    name: str
    door: str
    outcome: str = ""
    seconds: float = 0
    cpu: float = 0
    peak: int = 0
    died: int = 0
    wrong: list[str] = field(default_factory=list)


class Gate:
    """The three doors, with a curator before them and a collection behind each."""

    def __init__(self) -> None:
        self.cora = person("hostile-cora")
        self.boxes = {door: collection() for door in DOORS}
        for box in self.boxes.values():
            appoint(self.cora, box)
        self.client = Client(raise_request_exception=False)
        self.client.force_login(self.cora)
        token = Token.objects.create(user=self.cora).key
        self.program = Client(
            raise_request_exception=False, headers={"Authorization": f"Token {token}"}
        )

    def send(self, name: str, content: bytes, door: str, *, pages: bool) -> Sent:
        """Send the file and look; with `pages` the curator's pages are opened in both languages."""
        sent, costs, began = Sent(name, door), [], time.monotonic()
        with _counted(costs):
            refusal = getattr(self, f"_by_{door}")(name, content, sent)
            photo = self._settled(door, content, sent)
        sent.seconds = time.monotonic() - began
        sent.peak = max((each.peak for each in costs), default=0)
        sent.died = sum(each.code != 0 for each in costs)
        sent.cpu = max((each.cpu for each in costs), default=0)
        if sent.peak > MOST_BYTES:
            sent.wrong.append(f"took {sent.peak / 1024**2:.0f} MiB")
        # Work is what a file costs; how long that takes is the machine's business. One that was
        # ended by the clock counts as hanging.
        if sent.cpu > MOST_SECONDS + 1:
            sent.wrong.append(f"took {sent.cpu:.0f} s of the processor")
        self._judge(photo, refusal, content, sent, pages=pages)
        return sent

    # --- the doors -------------------------------------------------------------------------------
    def _by_form(self, name: str, content: bytes, sent: Sent) -> str:
        file = SimpleUploadedFile(name, content)
        address = reverse("archive:receive", args=[self.boxes["form"].slug])
        answer = self.client.post(
            address, {"files": [file]}, headers={"accept": "application/json"}
        )
        if answer.status_code != 202:
            sent.wrong.append(f"the form answered {answer.status_code}")
            return ""
        (item,) = answer.json()["items"]
        return str(item["message"]) if item["state"] == "failed" else ""

    def _by_api(self, name: str, content: bytes, sent: Sent) -> str:
        address = reverse("api:scans", args=[self.boxes["api"].slug])
        answer = self.program.post(address, {"file": SimpleUploadedFile(name, content)})
        if answer.status_code in (200, 201):
            return ""
        if answer.status_code not in (400, 403, 413, 422):
            sent.wrong.append(f"the API answered {answer.status_code}")
            return ""
        return str(answer.json().get("message") or answer.json())

    def _by_command(self, name: str, content: bytes, sent: Sent) -> str:
        said = io.StringIO()
        with tempfile.TemporaryDirectory() as folder:
            # The command leaves out tables by their names; bytes are what is tried here.
            path = Path(folder) / f"{hashlib.sha256(content).hexdigest()[:12]}.scan"
            path.write_bytes(content)
            words = {"collection": self.boxes["command"].slug, "by": self.cora.username}
            # Pages were read in both languages before.
            with translation.override("en"), left_behind():
                call_command("ingest", folder, wait=True, stdout=said, stderr=said, **words)
        refused = [line for line in said.getvalue().splitlines() if "not taken. " in line]
        return refused[0].partition("not taken. ")[2] if refused else ""

    # --- the looking -----------------------------------------------------------------------------
    def _settled(self, door: str, content: bytes, sent: Sent) -> Photo | None:
        sha256 = hashlib.sha256(content).hexdigest()
        photo = Photo.objects.filter(collection=self.boxes[door], sha256=sha256).first()
        for _ in range(READING_ATTEMPTS):
            if photo is None or photo.state != PhotoState.READING:
                break
            ingest.read_photo(photo_id=photo.pk)
            photo.refresh_from_db()
        return photo

    def _judge(
        self, photo: Photo | None, refusal: str, content: bytes, sent: Sent, *, pages: bool
    ) -> None:
        if photo is None:
            sent.outcome = "refused at the door"
            sent.wrong += _unclear(refusal)
        elif photo.state == PhotoState.QUARANTINED:
            sent.outcome = photo.quarantine_code
            sent.wrong += _sentences(photo)
        elif photo.state == PhotoState.READY:
            sent.outcome = "taken"
            sent.wrong += self._served(photo, content)
        else:
            sent.outcome = photo.state
            sent.wrong.append("nobody settled it")
        if photo is not None and pages:
            sent.wrong += self._pages(photo)

    def _pages(self, photo: Photo) -> Iterator[str]:
        """The curator's page of it opens and says the sentence, in both languages."""
        address = reverse("archive:describe", args=[photo.ref])
        for language in LANGUAGES:
            answer = self.client.get(address, headers={"accept-language": language})
            with translation.override(language):
                told = wording.sentence(photo.quarantine_code, photo.quarantine_facts)
            if answer.status_code != 200:
                yield f"its page answered {answer.status_code}"
            elif photo.quarantine_code and told not in answer.content.decode():
                yield f"its page in {language} does not say why"

    def _served(self, photo: Photo, content: bytes) -> Iterator[str]:
        """As uploaded only as a download that nothing can open here; to look at, made by us."""
        answer = self.client.get(reverse("archive:original", args=[photo.ref]))
        said = answer.headers
        if answer.status_code != 200 or b"".join(answer) != content:  # type: ignore[arg-type]
            yield "the original does not come back as it was"
        elif not (
            said["Content-Disposition"].startswith("attachment")
            and said["Content-Type"] == "application/octet-stream"
            and said["X-Content-Type-Options"] == "nosniff"
            and said["Content-Security-Policy"] == pictures.CELL
        ):
            yield "the original could be opened on the site"
        shown = self.client.get(reverse("archive:picture", args=[photo.ref, "800.jpg"]))
        jpeg = b"".join(shown)  # type: ignore[arg-type]
        if shown.status_code != 200 or not jpeg.startswith(b"\xff\xd8\xff") or jpeg == content:
            yield "what is shown is not made by us"


@dataclass(frozen=True)
class Cost:
    """What one process that opened the file took."""

    cpu: float
    peak: int
    code: int


@contextlib.contextmanager
def _counted(costs: list[Cost]) -> Iterator[None]:
    """Note what every process costs that is sent into the file."""
    really = decode.ask

    def counted(*words: Any) -> decode.Told:
        told = really(*words)
        costs.append(Cost(told.cpu, told.peak, told.code))
        return told

    decode.ask = counted
    try:
        yield
    finally:
        decode.ask = really


def _sentences(photo: Photo) -> Iterator[str]:
    """A known reason, said whole and in plain words in both languages."""
    code = photo.quarantine_code
    if code not in wording.SENTENCES or code in OURS:
        yield f"it is in quarantine for {code}"
    said = []
    for language in LANGUAGES:
        with translation.override(language):
            said.append(wording.sentence(code, photo.quarantine_facts))
        yield from _unclear(said[-1])
    if len(set(said)) != len(LANGUAGES):
        yield f"there is no translation for {code}"


def _unclear(sentence: str) -> Iterator[str]:
    if len(sentence) < 8 or RAW.search(sentence):
        yield f"this is no clear sentence: {sentence!r}"
