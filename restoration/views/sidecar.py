"""The facts that go with a downloaded working file, so that it can find its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.languages import both
from restoration.models import Version


def sidecar(version: Version, absolute: Callable[[str], str]) -> dict[str, Any]:
    """What the file is, how it was made, how it lies on the scan, how it is brought back."""
    photo = version.photo
    return {
        "photo": photo.ref,
        "title": both(photo, "title"),
        "collection": photo.collection.slug,
        "rights": photo.collection.rights_uri,
        "version": version.number,
        "kind": version.kind,
        "sha256": version.sha256,
        "width": version.width,
        "height": version.height,
        "made_at": version.made_at.isoformat(),
        "frame": version.frame,
        "records": version.records,
        "meters": version.meters,
        "bench": absolute(reverse("restoration:bench", args=[photo.ref])),
        "bring_back": absolute(reverse("restoration:retouch", args=[photo.ref, version.number])),
        "how": _(
            "Work on the whole picture in any program. Do not crop, turn or mirror it; a larger"
            " size of the same proportions is welcome. Save it as TIFF or PNG with 16 bits and"
            " bring it back on the bench, under the version it was made from."
        ),
    }
