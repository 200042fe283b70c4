"""Rows made ready for public pages: pictures with their sizes, figures, cards, what a file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from archive.languages import TAGS, both, said
from archive.models import Collection, Photo
from archive.sizes import FULL, FULL_SIDE, SIDES
from exhibit import nameless, wording, xmp
from exhibit.models import Placement, Publication
from restoration import guarding
from restoration.lifecycle import VersionKind
from restoration.models import Version
from restoration.views import pictures as work

ORIGINAL, RESTORED = "original", "restored"
STAGE = 1600
# What a hand wrote beside a step, as its settings keep it: never the name of a file, and of a
# hidden account nothing (packing.PLAN_WORDS says the same of plans).
FILE_WORDS = ("filename",)
STEP_WORDS = (*FILE_WORDS, "note")
# Where a model read words, its step notes them in the record itself (generation.record_of); what
# it was told to leave out is ours and stays.
RECORD_WORDS = ("prompt", "prompt_fields", "prompt_left_out")


def extent(publication: Publication, side: str) -> tuple[int, int]:
    """Width and height of all the pixels of one side."""
    if side == ORIGINAL:
        return publication.photo.width, publication.photo.height
    return publication.version.width, publication.version.height


def address(publication: Publication, side: str, size: object) -> str:
    """Where a size of one side is found."""
    return reverse("exhibit:picture", args=[publication.pk, side, str(size)])


def picture(publication: Publication, side: str) -> dict[str, Any]:
    """One side for an <img>: src, srcset, width, height."""
    width, height = extent(publication, side)
    return {
        "src": address(publication, side, STAGE),
        "srcset": ", ".join(
            f"{address(publication, side, each)} {_width(width, height, each)}w"
            for each in _sides(max(width, height))
        ),
        "width": width,
        "height": height,
    }


def _sides(long: int) -> list[int]:
    """The sizes worth offering: those smaller than the picture, and the first that holds it all."""
    smaller = [side for side in SIDES if side < long]
    return [*smaller, *[side for side in SIDES if side >= long][:1]]


def _width(width: int, height: int, side: int) -> int:
    return max(1, round(width * min(1.0, side / max(width, height, 1))))


def title(placement: Placement) -> str:
    """The photo's title in plain words."""
    return called(placement.photo)


def called(photo: Photo) -> str:
    """What the public reads as a photo's title, in plain words."""
    return said(photo, "title").text or wording.untitled(photo)


def figure(placement: Placement, *, layer: str = "") -> dict[str, Any]:
    """The one comparison of the page: original and restored, with the notice on it."""
    publication, name = placement.publication, title(placement)
    deeds = wording.deeds(publication.made)
    return {
        "left": picture(publication, ORIGINAL)
        | {
            "label": wording.SIDES[ORIGINAL],
            "alt": wording.original_alternative(name),
            "sizes": "100vw",
        },
        "right": picture(publication, RESTORED)
        | {
            "label": wording.SIDES[RESTORED],
            "alt": wording.alternative(name, deeds),
            "sizes": "100vw",
        },
        "label": name,
        "notice": wording.notices(deeds, placement.photo.collection),
        **_map(publication, guarding.layer(layers(publication), layer), layer),
    }


def account(publication: Publication) -> dict[str, Any]:
    """How it was made, as the public may read it.

    Without the names that people gave their own files; without the words of a hidden account, and
    without the names of people who do not want theirs there.
    """
    return nameless.without_names(_told(publication), nameless.of(publication))


def _told(publication: Publication) -> dict[str, Any]:
    made = dict(publication.made)
    if publication.words_hidden_at is None:
        return made | {"versions": _without(made, FILE_WORDS)}
    hidden = {"by": str(wording.SOMEBODY), "prompt": None}
    versions = [each | hidden for each in _without(made, STEP_WORDS, RECORD_WORDS)]
    credits = [
        row if row["role"] == "reviewed" else row | {"name": str(wording.SOMEBODY)}
        for row in made.get("credits", [])
    ]
    return made | {"versions": versions, "credits": credits}


def _without(
    made: Mapping[str, Any], settings: tuple[str, ...], noted: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The versions without what stands in a step's settings, or its record, under these names."""
    return [
        each | {"records": [_wordless(row, settings, noted) for row in each.get("records", [])]}
        for each in made.get("versions", [])
    ]


def _wordless(
    record: Mapping[str, Any], settings: tuple[str, ...], noted: tuple[str, ...]
) -> dict[str, Any]:
    given = record.get("settings") or {}
    kept = {name: value for name, value in given.items() if name not in settings}
    told = {name: value for name, value in record.items() if name not in noted}
    return {**told, "settings": kept}


def layers(publication: Publication) -> list[guarding.Layer]:
    """The maps over the published version that show something, the one that covers most first."""
    versions = publication.made.get("versions") or [{}]
    found = guarding.layers(publication.version.maps, versions[-1].get("meters", {}))
    return guarding.covering(found)


def _map(publication: Publication, shown: guarding.Layer | None, asked: str) -> dict[str, Any]:
    if shown is None:
        return {}
    address = reverse("exhibit:changed", args=[publication.pk])
    return {
        "changed_src": f"{address}?{urlencode({'map': shown.name})}",
        "changed_label": shown.label,
        "changed_alt": wording.map_alternative(shown),
        "begins_with_map": shown.name == asked,
    }


def before_publishing(version: Version) -> dict[str, Any]:
    """The same comparison for the curator, before anything of it is public."""
    photo = version.photo
    name = said(photo, "title").text or photo.ref
    scan = Version.objects.select_related("photo").get(photo=photo, kind=VersionKind.SCAN)
    shown = guarding.layer(guarding.covering(guarding.layers(version.maps, version.meters)), "")
    return {
        "left": work.stage(scan, str(wording.SIDES[ORIGINAL]), wording.original_alternative(name)),
        "right": work.stage(version, str(wording.SIDES[RESTORED]), name),
        "label": name,
        "changed_label": shown.label if shown else "",
        "changed_src": reverse("restoration:map", args=[photo.ref, version.number, shown.name])
        if shown
        else "",
        "caption": guarding.caption(version.meters or {}),
        "zoomable": True,
    }


def card(placement: Placement) -> dict[str, Any]:
    """A picture on an exhibit's page."""
    publication, name = placement.publication, title(placement)
    deeds = wording.deeds(publication.made)
    return picture(publication, RESTORED) | {
        "placement": placement,
        "url": page_url(placement),
        "alt": wording.alternative(name, deeds),
        "notice": wording.notices(deeds, placement.photo.collection),
        "thumb": address(publication, RESTORED, SIDES[0]),
    }


def page_url(placement: Placement) -> str:
    """The public page of a picture in its exhibit."""
    return reverse("exhibit:photo", args=[placement.room.exhibit.slug, placement.photo.ref])


def made_url(placement: Placement) -> str:
    """The account of how it was made, for programs."""
    return reverse("exhibit:made", args=[placement.room.exhibit.slug, placement.photo.ref])


def download_url(publication: Publication) -> str:
    """The restored picture with all its pixels, as a file that says what it is."""
    return settings.SITE_URL + reverse("exhibit:download", args=[publication.pk, FULL])


def pyramid(publication: Publication, side: str) -> dict[str, Any]:
    """What the deep zoom needs: every size as a level of one pyramid."""
    width, height = extent(publication, side)
    long = max(width, height)
    names: list[tuple[str, int]] = [(str(each), each) for each in SIDES if each < long]
    names.append((FULL, FULL_SIDE))
    return {
        "type": "legacy-image-pyramid",
        "levels": [
            {
                "url": address(publication, side, name),
                "width": _width(width, height, each),
                "height": _width(height, width, each),
            }
            for name, each in names
        ],
    }


def rights(collection: Collection) -> dict[str, str]:
    """The rights statement in every language, by tag."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            tag = TAGS["zh"] if code.startswith("zh") else TAGS["en"]
            found[tag] = str(collection.get_rights_uri_display())
    return found


def file_words(publication: Publication, placement: Placement | None) -> str:
    """The XMP packet of a downloaded picture."""
    photo, made = publication.photo, account(publication)
    credits = [str(row["name"]) for row in made.get("credits", [])]
    models = ", ".join(str(each["name"]) for each in made.get("models", []))
    titles = both(photo, "title") or {"en": photo.identifier or photo.ref}
    return xmp.packet(
        xmp.Facts(
            title=titles,
            description=_description(publication, placement),
            rights=rights(photo.collection),
            rights_uri=photo.collection.rights_uri,
            credit=", ".join(both(photo.collection, "institution").values()),
            contributors=list(dict.fromkeys(credits)),
            identifier=permalink(publication),
            source=" ".join(filter(None, (photo.identifier, f"sha256:{photo.sha256}"))),
            source_type=made.get("source_type", ""),
            systems=models,
        )
    )


def _description(publication: Publication, placement: Placement | None) -> Mapping[str, str]:
    """The notice and the caption, in each language."""
    captions = both(placement, "caption") if placement else {}
    found = {}
    for code, _name in settings.LANGUAGES:
        tag = TAGS["zh"] if code.startswith("zh") else TAGS["en"]
        with translation.override(code):
            own = both(publication.photo.collection, "notice").get(tag, "")
            notice = wording.notice(wording.deeds(publication.made))
        found[tag] = " ".join(f"{part}." for part in (notice, own) if part)
        found[tag] = f"{found[tag]} {captions.get(tag, '')}".strip()
    return found


def permalink(publication: Publication) -> str:
    """The address that stays, also when a newer publication has taken the place."""
    return settings.SITE_URL + reverse("exhibit:permalink", args=[publication.pk])
