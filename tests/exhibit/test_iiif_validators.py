"""Others judge what we offer to viewers: the validator of IIIF and models made of its schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from archive import rendering, renditions
from exhibit.actions import publish_version
from exhibit.arranging import Words
from tests import factories
from tests.exhibit.conftest import LATER, Museum
from tests.people import appoint, cast
from tests.services.need import iiif_python, need

pytestmark = pytest.mark.slow
# The picture that the validator knows by heart: ten times ten squares of a hundred pixels.
COLOURS = """
import json
from iiif_validator.validator import ValidationInfo
print(json.dumps(ValidationInfo().colorInfo))
"""
MODELS = """
import json, sys
import iiif_prezi3.skeleton
told = json.load(sys.stdin)
getattr(iiif_prezi3.skeleton, told["type"])(**told)
"""


@pytest.fixture
def ask() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program of the validators' own environment."""
    need("iiif")

    def run(*words: str, told: object = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(iiif_python()), *words],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def squares(ask: Callable[..., subprocess.CompletedProcess[str]]) -> Any:
    colours = np.array(
        json.loads(ask("-c", COLOURS).stdout.splitlines()[-1]), np.float32
    )  # by x, then y
    return np.ascontiguousarray(colours.transpose(1, 0, 2).repeat(100, 0).repeat(100, 1)) / 255


def tiled(*found: str) -> None:
    for sha256 in found:
        renditions.note(sha256, now=timezone.now())
        rendering.render(sha256=sha256)


@pytest.mark.usefixtures("emptied")
@pytest.mark.django_db(transaction=True)
def test_the_validator_of_iiif_passes_all_of_level_0(
    ask: Callable[..., subprocess.CompletedProcess[str]],
    live_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.SITE_URL = live_server.url
    monkeypatch.setattr("archive.tasks.ring_for_rendition", lambda *, sha256: None)
    museum = museum_of(squares(ask))
    script = str(iiif_python().with_name("iiif-validate.py"))
    where = f"published/{museum.publication.pk}/iiif"
    words = ("-s", urlsplit(live_server.url).netloc, "-p", where, "-i", "restored-1")
    done = ask(script, *words, "--version=3.0", "--level", "0", "-v")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert (said.count(" PASS"), said.count(" FAIL")) == (5, 0), said


def museum_of(image: Any) -> Museum:
    """One published picture with its tiles."""
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    photo = factories.photo(box, image=image)
    version, _review = factories.accepted(photo, people.vera, people.cora, image=image)
    room = factories.room(box)
    publication = publish_version(
        version=version, room=room, words=Words(), by=people.sten, now=LATER
    )
    tiled(version.sha256)
    return Museum(people, box, room, photo, version, publication)


def test_manifest_and_collection_are_what_the_schema_says(
    ask: Callable[..., subprocess.CompletedProcess[str]], client: Client, museum: Museum
) -> None:
    tiled(museum.version.sha256, museum.photo.working_sha256)
    manifest = client.get(f"/published/{museum.publication.pk}/manifest.json").json()
    collection = client.get(f"/exhibits/{museum.exhibit.slug}/collection.json").json()
    for told in (manifest, collection):
        judged = ask("-c", MODELS, told=told)
        assert judged.returncode == 0, judged.stderr
    for name, wrong in (("label", {"en": "no list"}), ("rights", "ours"), ("id", "a name")):
        assert ask("-c", MODELS, told=manifest | {name: wrong}).returncode != 0, name
