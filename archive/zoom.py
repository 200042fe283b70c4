"""Tiles as answers over HTTP. The caller has asked the policy; nothing here has.

What is public may be kept for ever by whoever has seen it, and for an hour by caches on the way:
what is retracted must go from those. What is not public is kept by nobody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import patch_vary_headers

from archive import pictures, renditions, storage, tiles
from archive.sizes import tiles_name

logger = logging.getLogger(__name__)

PUBLIC = "public, max-age=31536000, s-maxage=3600, immutable"
# The rights in it may be corrected.
PUBLIC_INFO = "public, max-age=3600"
PRIVATE = "private, no-store"
JSON, LD = "application/json", "application/ld+json"


@dataclass(frozen=True)
class Service:
    """One picture with its tiles: the working file, its pixels, who may see it, and where it is.

    `address` gives the address of the service without its host, for a pipeline.
    """

    sha256: str
    width: int
    height: int
    public: bool
    address: Callable[[int], str]
    rights: str = ""

    def key(self, pipeline: int) -> str:
        """Where the tiles of a pipeline are stored."""
        return storage.derivative_key(self.sha256, tiles_name(pipeline))


def source(service: Service, pipeline: int) -> str:
    """What OpenSeadragon is given on a page of ours: info.json with an address of this host."""
    told = tiles.info(service.address(pipeline), service.width, service.height)
    return json.dumps(told, separators=(",", ":"))


def info(request: HttpRequest, service: Service, pipeline: int, site: str) -> HttpResponseBase:
    """info.json; `site` is the address of the site that the service is known by."""
    try:
        tiles.directory(service.key(pipeline))
    except FileNotFoundError:
        return _elsewhere(service, pipeline, "info.json")
    told = tiles.info(
        site + service.address(pipeline), service.width, service.height, rights=service.rights
    )
    response = linked(request, told, tiles.CONTEXT)
    response["Cache-Control"] = PUBLIC_INFO if service.public else PRIVATE
    return response


def linked(request: HttpRequest, told: object, context: str) -> HttpResponse:
    """JSON, called JSON-LD for those who ask for that by name."""
    wants_linked = LD in request.headers.get("Accept", "")
    body = json.dumps(told, ensure_ascii=False, indent=1)
    response = HttpResponse(
        body, content_type=f'{LD};profile="{context}"' if wants_linked else JSON
    )
    patch_vary_headers(response, ("Accept",))
    return response


def picture(request: HttpRequest, service: Service, pipeline: int, wanted: str) -> HttpResponseBase:
    """A tile or a whole picture, the part of it that is asked for, or that it has not changed."""
    key = service.key(pipeline)
    name = tiles.canonical(wanted, service.width, service.height)
    try:
        entry = tiles.find(key, name)
        if entry is None:
            raise Http404
        etag = f'"{service.sha256[:16]}-{pipeline}-{entry.crc:08x}"'
        response = pictures.unchanged(request, etag) or pictures.whole_or_part(
            request, tiles.read(key, name), etag, content_type="image/jpeg"
        )
    except FileNotFoundError:
        return _elsewhere(service, pipeline, wanted)
    response["ETag"] = etag
    pictures.kept_for(response, PUBLIC if service.public else PRIVATE)
    return pictures.closed(response)


def _elsewhere(service: Service, pipeline: int, wanted: str) -> HttpResponseBase:
    """To the tiles that another pipeline has made meanwhile; those that are lost are made again."""
    now = renditions.tiled([service.sha256]).get(service.sha256, 0)
    if now == pipeline:
        logger.error("the tiles of %s are lost and will be made again", service.sha256)
        renditions.lost(service.sha256, pipeline)
    if now in (0, pipeline):
        raise Http404
    response = HttpResponseRedirect(f"{service.address(now)}/{wanted}")
    response["Cache-Control"] = PRIVATE
    return response
