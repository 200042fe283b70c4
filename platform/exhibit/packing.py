"""The evidence pack of a publication: a bag (BagIt, RFC 8493) in a ZIP, for archives and courts.

In it: the scan as it came and the published file, masks and maps, the plan and the account of how
it was made, events after PREMIS 3 (https://www.loc.gov/standards/premis/), credits, rights, what
the guard measured, models with licences and digests, and a summary for people in both languages.

1. The same publication gives the same bytes: no clock, no order of a set, no name of a machine.
2. Of people it has the credits as the public reads them, and nothing more: events say "person-1".
3. Every file is hashed while it is copied, and the finished bag is read once more by the library.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bagit
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from archive import storage
from archive.languages import TAGS, both
from archive.models import Event
from exhibit import showing, wording
from exhibit.models import Publication
from restoration.models import Job, Version, ancestry

# What an event may tell beside who, what and when: nothing that somebody wrote in their own words.
FACTS = ("id", "sha256", "size", "pages", "kind", "outcome", "seen_sha256", "file_sha256", "code")
# Chapters of the photo's life that say when people sat at their desks, and of packs like this one.
UNTOLD = ("claim.", "draft.", "evidence.")
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/jp2": ".jp2",
}
VIEW = "1600.jpg"
READABLE = 0o644 << 16
UNIX = 3
PLAN_OWN_WORDS = ("filename", "note")
PLAN_WORDS = (*PLAN_OWN_WORDS, "prompt", "recipe")


class Altered(Exception):  # noqa: N818 - says what happened
    """A stored file is not what its name says."""


@dataclass(frozen=True)
class _Made:
    """A publication with what it was made of: its versions from the scan's child on, and jobs."""

    publication: Publication
    line: list[Version]
    jobs: dict[int, Job]


def name_of(publication: Publication) -> str:
    """What the pack is called."""
    return f"{publication.photo.ref}-publication-{publication.pk}"


def keep(publication_id: int) -> tuple[str, int]:
    """Make the pack and store it; gives its sha256 and size.

    FileNotFoundError or Altered when a file of the publication is not what it was.
    """
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        path = make(publication_id, Path(folder))
        sha256 = storage.digest(path)
        storage.put_file(storage.evidence_key(sha256), path)
        return sha256, path.stat().st_size


def make(publication_id: int, folder: Path) -> Path:
    """Make the pack as a ZIP in the folder; gives its path."""
    made = _gather(publication_id)
    name = name_of(made.publication)
    bag = folder / name
    bag.mkdir()
    copied = dict(_copy_files(made, bag))
    for path, content in _documents(made, copied):
        _write(bag / path, content)
    _seal(bag, made.publication)
    target = folder / f"{name}.zip"
    _zip(bag, target, made.publication)
    return target


def _gather(publication_id: int) -> _Made:
    rows = Publication.objects.select_related("photo__collection", "photo__original", "version")
    publication = rows.get(pk=publication_id)
    every = Version.objects.filter(photo=publication.photo_id).in_bulk()
    line = [
        each for each in reversed(ancestry(every, every[publication.version_id])) if each.parent_id
    ]
    jobs = Job.objects.filter(version__in=line)
    return _Made(publication, line, {job.version_id: job for job in jobs if job.version_id})


# --- files ---------------------------------------------------------------------------------------
def _files(made: _Made) -> Iterator[tuple[str, str, str]]:
    """Each stored file: its name in the pack, its key, its digest ("" for one that is remade)."""
    publication = made.publication
    original = publication.photo.original
    ending = ENDINGS.get(original.media_type, "") if original else ""
    sha256 = publication.original_sha256
    yield f"original{ending}", storage.original_key(sha256), sha256
    sha256 = publication.version_sha256
    yield "published.tif", storage.working_key(sha256), sha256
    for version in made.line:
        for name, sheet in sorted(version.maps.items()):
            yield f"maps/version-{version.number}-{name}.png", storage.sheet_key(sheet), sheet
        mask = made.jobs[version.pk].plan.get("mask_sha256") if version.pk in made.jobs else None
        if mask:
            yield f"masks/version-{version.number}.png", storage.sheet_key(mask), mask
    yield "views/original.jpg", storage.derivative_key(publication.working_sha256, VIEW), ""
    yield "views/published.jpg", storage.derivative_key(publication.version_sha256, VIEW), ""


def _copy_files(made: _Made, bag: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    for name, key, sha256 in _files(made):
        target = bag / name
        target.parent.mkdir(exist_ok=True)
        seen, size = _copy(key, target)
        if sha256 and seen != sha256:
            raise Altered(key)
        yield name, (seen, size)


def _copy(key: str, target: Path) -> tuple[str, int]:
    seen, size = hashlib.sha256(), 0
    with storage.open_key(key) as source, target.open("wb") as out:
        while block := source.read(storage.BLOCK):
            seen.update(block)
            size += len(block)
            out.write(block)
    return seen.hexdigest(), size


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


# --- documents -----------------------------------------------------------------------------------
def _documents(made: _Made, files: dict[str, tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """What is written for the pack, by its name in it."""
    publication = made.publication
    # In one language, whatever the worker's is: the same publication gives the same bytes.
    with translation.override(settings.LANGUAGE_CODE):
        account = showing.account(publication)
    yield "account.json", _json(account)
    yield "credits.json", _json(account.get("credits", []))
    yield "guard.json", _json(account.get("guard", {}))
    yield "models.json", _json(_models(account))
    yield "rights.json", _json(_rights(publication))
    yield "description.json", _json(_description(publication))
    yield "events.json", _json(_premis(publication, files))
    for version in made.line:
        if version.pk in made.jobs:
            plan = _plan(made.jobs[version.pk], publication)
            yield f"plans/version-{version.number}.json", _json(plan)
    for code, _name in settings.LANGUAGES:
        tag = TAGS["zh"] if code.startswith("zh") else TAGS["en"]
        with translation.override(code):
            yield f"summary.{tag}.html", _summary(publication, files, tag)


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _models(account: dict[str, Any]) -> list[Any]:
    """Each model that had a part, with licence, commit and the digests of its files."""
    records = [r for version in account.get("versions", []) for r in version.get("records", [])]
    found = {_json(r["model"]): r["model"] for r in records if isinstance(r.get("model"), dict)}
    return [found[each] for each in sorted(found)]


def _rights(publication: Publication) -> dict[str, Any]:
    collection = publication.photo.collection
    return {
        "statement": collection.rights_uri,
        "said": showing.rights(collection),
        "institution": both(collection, "institution"),
        "notice": both(collection, "notice"),
        "source_type": publication.made.get("source_type", ""),
    }


def _description(publication: Publication) -> dict[str, Any]:
    photo = publication.photo
    words = ("title", "place", "people", "description")
    return {
        "reference": photo.ref,
        "identifier": photo.identifier,
        "date_edtf": photo.date_edtf,
        "collection": both(photo.collection, "title"),
        "publication": showing.permalink(publication),
        "published_at": publication.published_at.isoformat(),
        **{name: both(photo, name) for name in words},
    }


def _plan(job: Job, publication: Publication) -> dict[str, Any]:
    is_hidden = publication.words_hidden_at is not None
    untold = PLAN_WORDS if is_hidden else PLAN_OWN_WORDS
    told = {name: value for name, value in job.plan.items() if name not in untold}
    if is_hidden and "regions" in told:  # the word for a colour is somebody's too
        told["regions"] = [each | {"word": None} for each in told["regions"]]
    return {"kind": job.kind, "plan": told, "plan_sha256": job.plan_sha256}


def _premis(publication: Publication, files: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """Objects, events and agents, named as the data dictionary of PREMIS names them."""
    rows = Event.objects.filter(photo=publication.photo_id).order_by("at", "pk")
    told = [each for each in rows if not each.verb.startswith(UNTOLD)]
    people: dict[int, str] = {}
    events = [_event(each, people) for each in told]
    return {
        "premis": "3.0",
        "objects": [
            {
                "objectIdentifier": {"type": "file", "value": f"data/{name}"},
                "fixity": {"messageDigestAlgorithm": "SHA-256", "messageDigest": sha256},
                "size": size,
            }
            for name, (sha256, size) in sorted(files.items())
        ],
        "events": events,
        "agents": [
            {"agentIdentifier": {"type": "local", "value": name}, "agentType": "person"}
            for name in people.values()
        ]
        + [{"agentIdentifier": {"type": "local", "value": "rekindle"}, "agentType": "software"}],
    }


def _event(event: Event, people: dict[int, str]) -> dict[str, Any]:
    agent = "rekindle"
    if event.actor_id is not None:
        agent = people.setdefault(event.actor_id, f"person-{len(people) + 1}")
    return {
        "eventIdentifier": {"type": "local", "value": str(event.pk)},
        "eventType": event.verb,
        "eventDateTime": event.at.isoformat(),
        "eventOutcomeDetail": {k: v for k, v in event.facts.items() if k in FACTS},
        "linkingAgentIdentifier": {"type": "local", "value": agent},
    }


def _summary(publication: Publication, files: dict[str, tuple[str, int]], tag: str) -> str:
    """A page that opens without a network, from within the unpacked pack."""
    account = showing.account(publication)
    listed = [(name, sha256, size) for name, (sha256, size) in sorted(files.items())]
    context = {
        "publication": publication,
        "photo": publication.photo,
        "account": wording.account(account),
        "notice": wording.notice(wording.deeds(account)),
        "rights": showing.rights(publication.photo.collection)[tag],
        "permalink": showing.permalink(publication),
        "files": listed,
        "tag": tag,
    }
    return render_to_string("exhibit/evidence_summary.html", context)


# --- bag and ZIP ---------------------------------------------------------------------------------
def _seal(bag: Path, publication: Publication) -> None:
    """Make it a bag, then let the library read every byte of it once more.

    The library changes the folder of this process for a moment; a worker does one task at a time.
    """
    institution = both(publication.photo.collection, "institution")
    told = {
        "Bag-Software-Agent": f"Rekindle {importlib.metadata.version('rekindle')}",
        "Bagging-Date": publication.published_at.date().isoformat(),
        "External-Identifier": showing.permalink(publication),
        "Internal-Sender-Identifier": publication.photo.ref,
        "Source-Organization": ", ".join(institution.values()),
    }
    bagit.make_bag(str(bag), told, checksums=["sha256"])
    bagit.Bag(str(bag)).validate()


def _zip(bag: Path, target: Path, publication: Publication) -> None:
    """Stored in order, with one date: the same bag is the same ZIP."""
    when = publication.published_at.timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(each for each in bag.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(f"{bag.name}/{path.relative_to(bag).as_posix()}", when)
            entry.external_attr, entry.create_system = READABLE, UNIX
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as out:
                while block := source.read(storage.BLOCK):
                    out.write(block)
