"""What a IIIF Presentation 2 or 3 document names: its pictures, or further documents. Pure.

Written by strangers: whatever is not as the standard says is passed over, never trusted.
https://iiif.io/api/presentation/2.1/ and /3.0/, https://iiif.io/api/image/2.1/ and /3.0/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from archive.sources.source import Found

LONGEST_WORD = 200
CHINESE = re.compile(r"[\u3400-\u9fff]")
MARKUP = re.compile(r"<[^>]*>")
NO_LANGUAGE = frozenset({"", "none", "@none", "und"})
MANIFESTS, COLLECTIONS = {"Manifest", "sc:Manifest"}, {"Collection", "sc:Collection"}


def read(document: Any) -> Iterator[Found] | None:
    """The pictures of a manifest, the members of a collection; None when it is neither."""
    if not isinstance(document, dict):
        return None
    kind = _kind(document)
    if kind in COLLECTIONS:
        return _members(document)
    if kind in MANIFESTS:
        return _pictures(document)
    return None


def _kind(node: dict[str, Any]) -> str:
    return str(node.get("type") or node.get("@type") or "")


def _id(node: Any) -> str:
    """The address that names a thing, when it is one of the web."""
    found = str(node.get("id") or node.get("@id") or "") if isinstance(node, dict) else ""
    return found if found.startswith(("https://", "http://")) else ""


def _nodes(node: Any, *names: str) -> Iterator[dict[str, Any]]:
    """The objects in a list below any of the names; the standard often allows one bare object."""
    for name in names:
        found = node.get(name) if isinstance(node, dict) else None
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield each


# --- collections ---------------------------------------------------------------------------------
def _members(document: dict[str, Any]) -> Iterator[Found]:
    for each in _nodes(document, "items", "manifests", "collections", "members"):
        if _id(each) and _kind(each) in MANIFESTS | COLLECTIONS:
            yield Found(_id(each), _last(_id(each)), is_list=True)


# --- manifests -----------------------------------------------------------------------------------
def _pictures(manifest: dict[str, Any]) -> Iterator[Found]:
    whole = words(manifest.get("label"))
    canvases = list(_nodes(manifest, "items"))
    for sequence in _nodes(manifest, "sequences"):
        canvases += _nodes(sequence, "canvases")
    for canvas in canvases:
        address = _picture(canvas)
        if address:
            own = words(canvas.get("label")) if len(canvases) > 1 else {}
            yield Found(address, _filename(address), described=_described(whole, own, canvas))


def _described(
    whole: dict[str, str], own: dict[str, str], canvas: dict[str, Any]
) -> dict[str, str]:
    told = {}
    for name in ("title_en", "title_zh"):
        title = ", ".join(text for text in (whole.get(name), own.get(name)) if text)
        if title:
            told[name] = title[:LONGEST_WORD]
    if 0 < len(_id(canvas)) <= LONGEST_WORD:
        told["identifier"] = _id(canvas)
    return told


def _picture(canvas: dict[str, Any]) -> str:
    """Where the largest picture painted on a canvas is: by its image service, else as it stands."""
    for body in _painted(canvas):
        # Of a choice the first is the one to be shown when nobody chooses.
        chosen = next(_nodes(body, "items", "default"), body) if _is_choice(body) else body
        if not _kind(chosen) or _kind(chosen) in ("Image", "dctypes:Image"):
            address = _by_service(chosen) or _id(chosen)
            if address:
                return address
    return ""


def _is_choice(body: dict[str, Any]) -> bool:
    return _kind(body) in ("Choice", "oa:Choice")


def _painted(canvas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for page in _nodes(canvas, "items"):
        for annotation in _nodes(page, "items"):
            if annotation.get("motivation") in ("painting", ["painting"]):
                yield from _nodes(annotation, "body")
    for annotation in _nodes(canvas, "images"):
        yield from _nodes(annotation, "resource")


def _by_service(body: dict[str, Any]) -> str:
    for service in _nodes(body, "service"):
        told = f"{_kind(service)} {service.get('@context', '')} {service.get('profile', '')}"
        if _id(service) and re.search(r"ImageService3|/image/3/", told):
            return _id(service).rstrip("/") + "/full/max/0/default.jpg"
        if _id(service) and re.search(r"ImageService2|/image/2/", told):
            return _id(service).rstrip("/") + "/full/full/0/default.jpg"
    return ""


def _filename(address: str) -> str:
    """A name for the file: of an image service the part that names the picture."""
    found = re.match(r"(.+)/(?:full|max)/[^/]+/\d+/default\.jpg$", address)
    name = _last(found[1]) if found else _last(address)
    return name if re.search(r"\.\w{3,4}$", name) else f"{name}.jpg"


def _last(address: str) -> str:
    path = unquote(urlsplit(address).path).rstrip("/")
    return path.rpartition("/")[2][:120] or "iiif"


# --- words ---------------------------------------------------------------------------------------
def words(label: Any) -> dict[str, str]:
    """A label of either version as title_en and title_zh, as far as it is English or Chinese.

    What has no language counts as Chinese when it is written so, and as English otherwise; of
    other languages the first stands for English, so that a photo is not left without a title.
    """
    told: dict[str, str] = {}
    others: list[str] = []
    for language, text in _texts(label):
        tag = language.lower()
        is_chinese = tag.startswith("zh") or (tag in NO_LANGUAGE and bool(CHINESE.search(text)))
        if is_chinese:
            told.setdefault("title_zh", text)
        elif tag in NO_LANGUAGE or tag.startswith("en"):
            told.setdefault("title_en", text)
        else:
            others.append(text)
    if others and not told:
        told["title_en"] = others[0]
    return told


def _texts(label: Any) -> Iterator[tuple[str, str]]:
    if isinstance(label, dict) and "@value" in label:
        yield str(label.get("@language") or ""), _plain(label["@value"])
    elif isinstance(label, dict):
        for language, texts in label.items():
            found = texts if isinstance(texts, list) else [texts]
            yield str(language), _plain(" ".join(str(each) for each in found))
    elif isinstance(label, list):
        for each in label:
            yield from _texts(each)
    elif isinstance(label, str):
        yield "", _plain(label)


def _plain(text: Any) -> str:
    return " ".join(MARKUP.sub(" ", str(text)).split())
