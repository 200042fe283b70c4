"""The bench's list of faces: what was found, what the volunteer made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archive.models import Photo
from restoration import wording
from restoration.drafting import suggested_faces, with_found
from restoration.models import Assessment
from restoration.views.panel import Panel


def found(photo: Photo) -> list[dict[str, Any]] | None:
    """The faces that the machine saw, as a draft has them; None before it has looked."""
    seen: Assessment | None = getattr(photo, "assessment", None)
    return suggested_faces(seen.report.get("faces", [])) if seen else None


def listed(panel: Panel) -> dict[str, Any]:
    """The list of faces: one row a box, an empty one behind it, and what to make of it."""
    seen = found(panel.photo)
    draft = with_found(panel.draft or {"faces": None, "find_faces": False}, seen)
    rows = [_face_row(number, each) for number, each in enumerate(draft["faces"] or [])]
    return {
        "rows": rows,
        "blank": _face_row(len(rows), {}),
        "known": draft["faces"] is not None and not draft["find_faces"],
        "kinds": [{"value": kind, "label": words} for kind, words in wording.FACE_KINDS.items()],
    }


def _face_row(number: int, face: Mapping[str, Any]) -> dict[str, Any]:
    """A row of fields in percent."""
    percent = {
        name: f"{100 * face[name]:.1f}" if face else "" for name in ("x", "y", "width", "height")
    }
    return {"name": f"face-{number}", "number": number + 1, "kind": face.get("kind", "face")} | (
        percent
    )
