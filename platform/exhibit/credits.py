"""How a picture was made, and who is to be thanked: provenance in, plain facts out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def how_it_was_made(
    *,
    scan: Mapping[str, Any],
    line: Sequence[Mapping[str, Any]],
    review: Mapping[str, Any],
    publication: Mapping[str, Any],
) -> dict[str, Any]:
    """The frozen account of one publication, oldest first.

    `scan` has original_sha256, working_sha256, at; each of `line` has number, kind, by, at,
    sha256, records, meters, prompt; `review` has by, at, file_sha256; `publication` has by, at.
    """
    return {
        "scan": dict(scan),
        "versions": [dict(version) for version in line],
        "review": dict(review),
        "publication": dict(publication),
        "credits": credits(line, review),
        "models": models_used(line),
        "uses_ai": uses_ai(line),
    }


def credits(line: Sequence[Mapping[str, Any]], review: Mapping[str, Any]) -> list[dict[str, str]]:
    """One line a person and a role, in the order of the work, nobody twice in a role."""
    rows: list[dict[str, str]] = []
    for version in line:
        role = "retouched" if version["kind"] == "retouch" else "restored"
        row = {"role": role, "name": version["by"]}
        if version["by"] and row not in rows:
            rows.append(row)
    return [*rows, {"role": "reviewed", "name": str(review["by"])}]


def models_used(line: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Each generative model once, with its licence."""
    seen: dict[str, dict[str, str]] = {}
    for version in line:
        for record in version["records"]:
            if record.get("model"):
                name = str(record["model"])
                seen.setdefault(name, {"name": name, "licence": str(record.get("licence", ""))})
    return list(seen.values())


def uses_ai(line: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any version was made by machine at all."""
    return any(version["kind"] == "machine" for version in line)
