"""Publications and exhibits as IIIF has them: image services, manifests, collections.

https://iiif.io/api/presentation/3.0/ says what each word means. Everything is told in every
language at once; a reader's own language is chosen by the viewer that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from archive import edtf, renditions
from archive.languages import TAGS, both, listed
from archive.sizes import FULL, FULL_SIDE, SIDES, fit
from archive.zoom import Service
from exhibit import queries, showing, wording
from exhibit.models import Exhibit, Placement, Publication

Json = dict[str, Any]
Words = dict[str, list[str]]

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
SIDES_SHOWN = (showing.ORIGINAL, showing.RESTORED)
# For values that are the same in every language, and for languages nobody has told.
NO_LANGUAGE = "none"


# --- image services ------------------------------------------------------------------------------
def service(publication: Publication, side: str, *, public: bool) -> Service:
    """One side of a publication with its tiles."""
    width, height = showing.extent(publication, side)
    return Service(
        sha256=_sha256(publication, side),
        width=width,
        height=height,
        public=public,
        address=lambda pipeline: reverse("exhibit:service", args=[publication.pk, side, pipeline]),
        rights=publication.photo.collection.rights_uri,
    )


def _sha256(publication: Publication, side: str) -> str:
    if side == showing.ORIGINAL:
        return publication.working_sha256
    return publication.version_sha256


def tiled(publications: Iterable[Publication]) -> dict[str, int]:
    """By the sha256 of each side that has tiles: the pipeline that made them."""
    return renditions.tiled(_sha256(each, side) for each in publications for side in SIDES_SHOWN)


# --- words ---------------------------------------------------------------------------------------
def in_every_language(say: Callable[[], str]) -> Words:
    """What `say` says in each language of the site, by tag; without words it is left out."""
    found: Words = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told = str(say())
        if told:
            found[TAGS["zh" if code.startswith("zh") else "en"]] = [told]
    return found


def _told(thing: Any, name: str) -> Words:
    return {tag: [text] for tag, text in both(thing, name).items()}


def _title(publication: Publication) -> Words:
    photo = publication.photo
    return _told(photo, "title") or {NO_LANGUAGE: [wording.untitled(photo)]}


def _pair(label: Callable[[], str], value: Words) -> list[Json]:
    return [{"label": in_every_language(label), "value": value}] if value else []


def _metadata(publication: Publication) -> list[Json]:
    photo = publication.photo
    identifier = {NO_LANGUAGE: [photo.identifier]} if photo.identifier else {}
    return [
        *_pair(lambda: _("Date"), in_every_language(lambda: edtf.wording(photo.date_edtf))),
        *_pair(lambda: _("Place"), _told(photo, "place")),
        *_pair(lambda: translation.pgettext("on a photo", "People"), _told(photo, "people")),
        *_pair(lambda: _("Identifier"), identifier),
        *_pair(lambda: _("Collection"), _told(photo.collection, "title")),
    ]


def _statement(publication: Publication) -> Json:
    """Whose it is, what was done to it and by what: to be shown wherever the picture is."""
    collection = publication.photo.collection
    owner, own = both(collection, "institution"), both(collection, "notice")
    value: Words = {}
    for code, _name in settings.LANGUAGES:
        tag = TAGS["zh" if code.startswith("zh") else "en"]
        with translation.override(code):
            lines = [
                owner.get(tag) or next(iter(owner.values()), ""),
                wording.notice(wording.deeds(publication.made)),
                own.get(tag) or next(iter(own.values()), ""),
                _machines(publication),
                *_credits(publication),
            ]
        value[tag] = [line for line in lines if line]
    return {
        "label": in_every_language(lambda: _("Attribution and how it was made")),
        "value": value,
    }


def _credits(publication: Publication) -> list[str]:
    told = wording.account(showing.account(publication))
    return [f"{each.role} {each.name}" for each in told.credits]


def _machines(publication: Publication) -> str:
    """What artificial intelligence did, in a sentence."""
    names = listed(each["name"] for each in publication.made.get("models", []))
    if names:
        return _("Parts of the restored picture were made by generative models: %(names)s.") % {
            "names": names
        }
    if publication.made.get("uses_ai"):
        return _("The picture was restored by machine; no generative model was used.")
    return _("No generative model was used.")


# --- manifests -----------------------------------------------------------------------------------
def manifest_url(publication: Publication) -> str:
    """The address of a publication's manifest."""
    return settings.SITE_URL + reverse("exhibit:manifest", args=[publication.pk])


def collection_url(exhibit: Exhibit) -> str:
    """The address of an exhibit's collection of manifests."""
    return settings.SITE_URL + reverse("exhibit:collection", args=[exhibit.slug])


def manifest(publication: Publication) -> Json:
    """A publication with both its sides on one canvas, for viewers anywhere."""
    address = manifest_url(publication)
    summary = _told(publication.photo, "description")
    return {
        "@context": CONTEXT,
        "id": address,
        "type": "Manifest",
        "label": _title(publication),
        **({"summary": summary} if summary else {}),
        "metadata": _metadata(publication),
        "rights": publication.photo.collection.rights_uri,
        "requiredStatement": _statement(publication),
        "provider": [_provider(publication.photo.collection)],
        "thumbnail": [_thumbnail(publication)],
        "homepage": [_page(showing.permalink(publication), _title(publication))],
        "rendering": [_download(publication)],
        **_account(publication),
        "items": [_canvas(publication, address)],
    }


def _provider(collection: Any) -> Json:
    name = _told(collection, "institution")
    site = f"{settings.SITE_URL}/"
    return {"id": site, "type": "Agent", "label": name, "homepage": [_page(site, name)]}


def _page(address: str, label: Words) -> Json:
    return {
        "id": address,
        "type": "Text",
        "label": label,
        "format": "text/html",
        "language": list(TAGS.values()),
    }


def _thumbnail(publication: Publication) -> Json:
    side = SIDES[0]
    width, height = fit(*showing.extent(publication, showing.RESTORED), side)
    address = showing.address(publication, showing.RESTORED, side)
    return {
        "id": settings.SITE_URL + address,
        "type": "Image",
        "format": "image/jpeg",
        "width": width,
        "height": height,
    }


def _download(publication: Publication) -> Json:
    return {
        "id": showing.download_url(publication),
        "type": "Image",
        "label": in_every_language(lambda: _("The restored picture, which says how it was made")),
        "format": "image/jpeg",
    }


def _account(publication: Publication) -> Json:
    """How it was made, for programs, where visitors see it."""
    placement = queries.in_public(publication)
    if placement is None:
        return {}
    told = {
        "id": settings.SITE_URL + showing.made_url(placement),
        "type": "Dataset",
        "label": in_every_language(lambda: _("How this picture was made")),
        "format": "application/json",
    }
    return {"seeAlso": [told]}


def _canvas(publication: Publication, address: str) -> Json:
    """One surface as large as the scan, painted with a choice: as it was scanned, or restored."""
    # Without a fragment: whoever cites a part of the canvas adds one.
    canvas = address.replace("manifest.json", "canvas")
    width, height = showing.extent(publication, showing.ORIGINAL)
    pipelines = tiled([publication])
    return {
        "id": canvas,
        "type": "Canvas",
        "label": _title(publication),
        "width": width,
        "height": height,
        "items": [
            {
                "id": f"{canvas}/page",
                "type": "AnnotationPage",
                "items": [
                    {
                        "id": f"{canvas}/page/painting",
                        "type": "Annotation",
                        "motivation": "painting",
                        "body": {
                            "type": "Choice",
                            "items": [_image(publication, s, pipelines) for s in SIDES_SHOWN],
                        },
                        "target": canvas,
                    }
                ],
            }
        ],
    }


def _image(publication: Publication, side: str, pipelines: dict[str, int]) -> Json:
    """One side: with its tiles where there are some, else as the largest file there is."""
    offered = service(publication, side, public=True)
    width, height = fit(offered.width, offered.height, FULL_SIDE)
    image: Json = {
        "id": settings.SITE_URL + showing.address(publication, side, FULL),
        "type": "Image",
        "label": in_every_language(lambda: str(wording.SIDES[side])),
        "format": "image/jpeg",
        "width": width,
        "height": height,
    }
    if offered.sha256 in pipelines:
        address = settings.SITE_URL + offered.address(pipelines[offered.sha256])
        image["id"] = f"{address}/full/max/0/default.jpg"
        image["service"] = [{"id": address, "type": "ImageService3", "profile": "level0"}]
    return image


# --- collections ---------------------------------------------------------------------------------
def collection(exhibit: Exhibit, walk: Iterable[Placement]) -> Json:
    """An exhibit: its manifests in the order in which a visitor walks, each once."""
    summary = _told(exhibit, "intro")
    publications = {each.publication_id: each.publication for each in walk}
    return {
        "@context": CONTEXT,
        "id": collection_url(exhibit),
        "type": "Collection",
        "label": _told(exhibit, "title"),
        **({"summary": summary} if summary else {}),
        "provider": [_provider(exhibit.collection)],
        "homepage": [_page(_exhibit_page(exhibit), _told(exhibit, "title"))],
        "items": [_item(each) for each in publications.values()],
    }


def _exhibit_page(exhibit: Exhibit) -> str:
    return settings.SITE_URL + reverse("exhibit:exhibit", args=[exhibit.slug])


def _item(publication: Publication) -> Json:
    return {
        "id": manifest_url(publication),
        "type": "Manifest",
        "label": _title(publication),
        "thumbnail": [_thumbnail(publication)],
    }
