"""A IIIF manifest or collection on the web, and single files named by a web address."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.conf import settings

from archive.sources import iiif, web
from archive.sources.source import Found, Unreachable

MOST_OF_A_DOCUMENT, SECONDS_FOR_A_DOCUMENT = 32 * 1024**2, 60
SECONDS_FOR_A_FILE = 900
# The two ways in which image services have called their largest picture.
FULL, MAX = "/full/full/0/default.jpg", "/full/max/0/default.jpg"


class Manifest:
    """The pictures of a manifest; the members of a collection are lists of more."""

    near = False

    def __init__(self, url: str) -> None:
        self.url = url

    def find(self, place: str = "") -> Iterator[Found]:
        """What the document at `place` names, or that of the whole source."""
        try:
            found = iiif.read(_document(place or self.url))
        except Unreachable as error:
            raise Unreachable(error.code, whole=not place, **error.facts) from None
        if found is None:
            raise Unreachable("not-a-manifest", whole=not place)
        yield from found

    def chunks(self, place: str) -> Iterator[bytes]:
        """The bytes of one picture, by whichever word its service understands."""
        try:
            yield from picture(place)
        except Unreachable as error:
            other = _other_word(place)
            if error.code != "web-refused" or not other:
                raise
            yield from picture(other)

    def head(self, place: str) -> bytes | None:
        """Nothing: a service may have to make the picture for it."""
        return None


def picture(url: str) -> Iterator[bytes]:
    """The bytes of a picture on the web."""
    return web.chunks(url, limit=settings.MAX_UPLOAD_BYTES, seconds=SECONDS_FOR_A_FILE)


def _other_word(place: str) -> str:
    for word, other in ((FULL, MAX), (MAX, FULL)):
        if place.endswith(word):
            return place.removesuffix(word) + other
    return ""


def _document(url: str) -> object:
    blocks = web.chunks(url, limit=MOST_OF_A_DOCUMENT, seconds=SECONDS_FOR_A_DOCUMENT)
    try:
        return json.loads(b"".join(blocks))
    except (ValueError, RecursionError):
        raise Unreachable("not-a-manifest") from None
