"""An evidence pack: whole, checked, the same each time, and silent about people."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import bagit
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import storage
from archive.models import Event
from exhibit import packing, tasks
from exhibit.actions import ask_for_evidence, publish_version
from exhibit.arranging import Words
from exhibit.hiding import hide_everything
from exhibit.models import Evidence
from restoration.models import Job, Version
from tests import factories
from tests.exhibit.conftest import LATER, Museum


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids that a worker was called for."""
    calls: list[int] = []
    monkeypatch.setattr(tasks, "_send", calls.append)
    return calls


def packed(museum: Museum, folder: Path) -> Path:
    """The unpacked bag."""
    folder.mkdir()
    path = packing.make(museum.publication.pk, folder)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "out")
    [bag] = (folder / "out").iterdir()
    return bag


def read(bag: Path, name: str) -> Any:
    return json.loads((bag / "data" / name).read_text(encoding="utf-8"))


def with_a_mask(museum: Museum) -> str:
    content = b"\x89PNG painted"
    mask = hashlib.sha256(content).hexdigest()
    storage.put_bytes(storage.sheet_key(mask), content)
    job = Job.objects.get(version=museum.version)
    Job.objects.filter(pk=job.pk).update(
        plan=job.plan | {"mask_sha256": mask, "filename": "vera.tif"}
    )
    return mask


# --- what is in it -------------------------------------------------------------------------------
def test_it_is_a_valid_bag_with_all_that_shows_how_the_picture_was_made(
    museum: Museum, tmp_path: Path
) -> None:
    with_a_mask(museum)
    bag = packed(museum, tmp_path / "a")
    checked = bagit.Bag(str(bag))
    checked.validate()
    assert checked.version_info == (0, 97) or checked.version_info == (1, 0)
    assert checked.info["External-Identifier"].endswith(f"/published/{museum.publication.pk}/")
    assert "运动会博物馆" in checked.info["Source-Organization"]
    names = {path.relative_to(bag / "data").as_posix() for path in bag.rglob("data/**/*.*")}
    number = museum.version.number
    assert names == {
        "original.jpg", "published.tif", "views/original.jpg", "views/published.jpg",
        f"maps/version-{number}-coloured_guess.png", f"masks/version-{number}.png",
        f"plans/version-{number}.json", "account.json", "credits.json", "description.json",
        "events.json", "guard.json", "models.json", "rights.json",
        "summary.en.html", "summary.zh-Hans.html",
    }  # fmt: skip
    assert storage.digest(bag / "data" / "published.tif") == museum.version.sha256
    assert storage.digest(bag / "data" / "original.jpg") == museum.photo.sha256
    assert read(bag, "guard.json")["changed_area"] == 2.4
    assert read(bag, "credits.json")[0] == {"role": "restored", "name": "Vera"}
    assert read(bag, "rights.json")["statement"] == museum.collection.rights_uri
    assert read(bag, f"plans/version-{number}.json")["plan"]["seed"] == 5


def test_its_models_are_told_with_licence_and_digests(museum: Museum, tmp_path: Path) -> None:
    model = {"name": "sd15", "label": "SD", "licence": "X", "weights_sha256": "a" * 64}
    step = {"step": "redraw", "backend": "generative", "settings": {}, "seconds": 9, "model": model}
    people = museum.people
    version, _review = factories.accepted(
        museum.photo, people.victor, people.cora, image=factories.picture(5), records=[step, step]
    )
    museum.publication = publish_version(
        version=version, room=museum.room, words=Words(), by=people.sten, now=LATER
    )
    assert read(packed(museum, tmp_path / "a"), "models.json") == [model]


def test_its_summary_is_read_in_both_languages_and_escapes_what_people_wrote(
    museum: Museum, tmp_path: Path
) -> None:
    bag = packed(museum, tmp_path / "a")
    english = (bag / "data" / "summary.en.html").read_text(encoding="utf-8")
    chinese = (bag / "data" / "summary.zh-Hans.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hans">' in chinese
    assert "The first gold medal" in english
    assert "证据包" in chinese
    assert "<strong>Received</strong>" in english
    assert "Scanned" not in english
    for page in (english, chinese):
        assert "Vera" in page
        assert museum.version.sha256 in page
        assert "<script" not in page
        assert "http://testserver" not in page


def test_of_people_it_has_the_credits_and_nothing_more(museum: Museum, tmp_path: Path) -> None:
    with_a_mask(museum)
    museum.photo.record("described", by=museum.people.cora, at=LATER, facts={"was": "secret words"})
    Event.objects.create(
        photo=museum.photo, actor=museum.people.vera, verb="claim.open", at=LATER, facts={}
    )
    bag = packed(museum, tmp_path / "a")
    whole = b"".join(
        p.read_bytes() for p in sorted(bag.rglob("*")) if p.suffix in (".json", ".html")
    )
    for person in (museum.people.vera, museum.people.cora, museum.people.sten):
        assert person.email.encode() not in whole
        assert f'"{person.username}"'.encode() not in whole
    for words in (b"secret words", b"claim.open", b"vera.tif", b"See the left edge"):
        assert words not in whole
    told = read(bag, "events.json")
    assert {event["linkingAgentIdentifier"]["value"] for event in told["events"]} >= {"person-1"}
    assert [event["eventDateTime"] for event in told["events"]] == sorted(
        event["eventDateTime"] for event in told["events"]
    )


def test_of_a_hidden_account_it_has_neither_name_nor_words(
    client: Client, museum: Museum, tmp_path: Path
) -> None:
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    tasks.make_evidence(evidence_id=asked.pk)
    hide_everything(
        person=museum.people.vera, by=museum.people.sten, reason="Spam.", now=timezone.now()
    )
    museum.publication.refresh_from_db()
    bag = packed(museum, tmp_path / "a")
    whole = b"".join(p.read_bytes() for p in bag.rglob("*") if p.suffix in (".json", ".html"))
    assert b"Vera" not in whole
    assert b"the museum has it" not in whole
    assert read(bag, "credits.json")[0] == {"role": "restored", "name": "a volunteer"}
    chinese = (bag / "data" / "summary.zh-Hans.html").read_text(encoding="utf-8")
    assert "a volunteer" not in chinese
    client.force_login(museum.people.cora)
    url = reverse("exhibit:evidence-pack", args=[museum.publication.pk])
    assert "ask for it once more" in client.get(url, follow=True).text
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    tasks.make_evidence(evidence_id=asked.pk)
    assert client.get(url).status_code == 200


def test_nor_what_a_model_noted_of_the_words(museum: Museum, tmp_path: Path) -> None:
    people = museum.people
    said = {"prompt": "a photograph, call 555", "prompt_fields": {"who": "call 555"}}
    step = {"step": "redraw", "backend": "generative", "settings": {}, "seconds": 9, "seed": 5}
    version, _review = factories.accepted(
        museum.photo, people.vera, people.cora, image=factories.picture(5), records=[step | said]
    )
    museum.publication = publish_version(
        version=version, room=museum.room, words=Words(), by=people.sten, now=LATER
    )
    assert read(packed(museum, tmp_path / "a"), "account.json")["versions"][0]["records"] == [
        step | said
    ]
    hide_everything(person=people.vera, by=people.sten, reason="Spam.", now=timezone.now())
    bag = packed(museum, tmp_path / "b")
    assert read(bag, "account.json")["versions"][0]["records"] == [step]
    whole = b"".join(p.read_bytes() for p in bag.rglob("*") if p.suffix in (".json", ".html"))
    assert b"call 555" not in whole


def test_nor_what_was_typed_for_a_colour_or_as_the_name_of_a_recipe(
    museum: Museum, tmp_path: Path
) -> None:
    job = Job.objects.get(version=museum.version)
    outline = {"points": [[0, 0], [1, 0], [1, 1]], "word": "call 555", "rgb": [1, 2, 3]}
    typed = {"regions": [outline], "recipe": "call 555"}
    Job.objects.filter(pk=job.pk).update(plan=job.plan | typed)
    name = f"plans/version-{museum.version.number}.json"
    assert read(packed(museum, tmp_path / "a"), name)["plan"]["regions"] == [outline]
    hide_everything(
        person=museum.people.vera, by=museum.people.sten, reason="Spam.", now=timezone.now()
    )
    museum.publication.refresh_from_db()
    planned = read(packed(museum, tmp_path / "b"), name)["plan"]
    assert planned["regions"] == [outline | {"word": None}]
    assert "call 555" not in json.dumps(planned)


def test_the_same_publication_gives_the_same_bytes(museum: Museum, tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        digests.add(storage.digest(packing.make(museum.publication.pk, tmp_path / name)))
    assert len(digests) == 1


# --- asked for in the browser --------------------------------------------------------------------
def test_a_curator_asks_a_worker_makes_it_and_the_curator_takes_it(
    client: Client, museum: Museum, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(museum.people.cora)
    url = reverse("exhibit:evidence", args=[museum.publication.pk])
    assert "Make the pack" in client.get(url).text
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url)
    [asked] = Evidence.objects.all()
    assert rung == [asked.pk]
    assert "is being made" in client.get(url).text
    tasks.make_evidence(evidence_id=asked.pk)
    assert "Download the pack" in client.get(url).text
    answer = client.get(reverse("exhibit:evidence-pack", args=[museum.publication.pk]))
    content = b"".join(answer)
    asked.refresh_from_db()
    assert hashlib.sha256(content).hexdigest() == asked.sha256
    assert answer["Content-Type"] == "application/zip"
    name = f"{museum.photo.ref}-publication-{museum.publication.pk}.zip"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "private" in answer["Cache-Control"]


def test_two_who_press_at_once_wait_for_the_same_pack(museum: Museum) -> None:
    told = {"publication": museum.publication, "now": LATER}
    first = ask_for_evidence(by=museum.people.cora, **told)
    assert ask_for_evidence(by=museum.people.sten, **told) == first
    tasks.make_evidence(evidence_id=first.pk)
    assert ask_for_evidence(by=museum.people.cora, **told) != first


def test_nobody_else_gets_it(client: Client, museum: Museum) -> None:
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    tasks.make_evidence(evidence_id=asked.pk)
    for name in ("exhibit:evidence", "exhibit:evidence-pack"):
        url = reverse(name, args=[museum.publication.pk])
        assert Client().get(url).status_code == 302
        for person in (museum.people.vera, museum.people.clive):
            client.force_login(person)
            assert client.get(url).status_code == 404


def test_a_worker_that_died_is_followed_by_another_when_somebody_looks(
    client: Client, museum: Museum, rung: list[int]
) -> None:
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    rung.clear()
    client.force_login(museum.people.cora)
    url = reverse("exhibit:evidence", args=[museum.publication.pk])
    now = timezone.now()
    Evidence.objects.update(started_at=now, rung_at=now - timedelta(minutes=5))
    client.get(url)
    assert rung == []
    Evidence.objects.update(started_at=now - tasks.LEASE - timedelta(minutes=1))
    client.get(url)
    client.get(url)
    assert rung == [asked.pk]
    tasks.make_evidence(evidence_id=asked.pk)
    tasks.make_evidence(evidence_id=asked.pk)
    asked.refresh_from_db()
    assert asked.made_at is not None


@pytest.mark.parametrize("what", ["missing", "altered"])
def test_a_file_that_is_missing_or_altered_makes_no_pack_and_it_is_said(
    client: Client, museum: Museum, what: str
) -> None:
    key = storage.original_key(museum.photo.sha256)
    default_storage.delete(key)
    if what == "altered":
        storage.put_bytes(key, b"something else")
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    tasks.make_evidence(evidence_id=asked.pk)
    client.force_login(museum.people.cora)
    page = client.get(reverse("exhibit:evidence", args=[museum.publication.pk])).text
    assert "missing or altered" in page
    assert "Make the pack" in page
    with pytest.raises(CommandError, match="fixity --restore"):
        call_command("evidence", museum.publication.pk)


def test_a_pack_that_is_gone_is_asked_for_once_more(client: Client, museum: Museum) -> None:
    asked = ask_for_evidence(publication=museum.publication, by=museum.people.cora, now=LATER)
    tasks.make_evidence(evidence_id=asked.pk)
    asked.refresh_from_db()
    storage.delete(storage.evidence_key(asked.sha256))
    client.force_login(museum.people.cora)
    url = reverse("exhibit:evidence-pack", args=[museum.publication.pk])
    assert "ask for it once more" in client.get(url, follow=True).text


# --- asked for at the terminal -------------------------------------------------------------------
def test_the_command_leaves_the_pack_in_a_folder(museum: Museum, tmp_path: Path) -> None:
    out = StringIO()
    call_command("evidence", museum.publication.pk, to=tmp_path, stdout=out)
    [path] = tmp_path.iterdir()
    assert storage.digest(path) in out.getvalue()
    with pytest.raises(CommandError, match="no publication 999"):
        call_command("evidence", 999, to=tmp_path)
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("evidence", museum.publication.pk, to=tmp_path / "nowhere")
    assert Version.objects.filter(pk=museum.version.pk).exists()
