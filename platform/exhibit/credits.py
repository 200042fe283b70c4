"""How a picture was made, and who is to be thanked: provenance in, plain facts out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from restoration import telling

Line = Sequence[Mapping[str, Any]]

GENERATIVE = "generative"
# https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def how_it_was_made(
    *,
    scan: Mapping[str, Any],
    line: Line,
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
        "deeds": deeds(line),
        "source_type": source_type(deeds(line)),
        "guard": guard(line),
        "uses_ai": uses_ai(line),
    }


def credits(line: Line, review: Mapping[str, Any]) -> list[dict[str, str]]:
    """One line a person and a role, in the order of the work, nobody twice in a role."""
    rows: list[dict[str, str]] = []
    for version in line:
        role = "retouched" if version["kind"] == "retouch" else "restored"
        row = {"role": role, "name": version["by"]}
        if version["by"] and row not in rows:
            rows.append(row)
    return [*rows, {"role": "reviewed", "name": str(review["by"])}]


def models_used(line: Line) -> list[dict[str, str]]:
    """Each generative model once, with its licence."""
    seen: dict[str, dict[str, str]] = {}
    for record in _records(line):
        name = telling.model(record)
        if name:
            seen.setdefault(name, {"name": name, "licence": telling.licence(record)})
    return list(seen.values())


def deeds(line: Line) -> list[str]:
    """What kinds of work the picture went through, out of: machine, generative, colour, hand, and
    hand-colour where a retouch brought colour to a picture without any."""
    records = list(_records(line))
    done = {
        "machine": any(version["kind"] == "machine" for version in line),
        "generative": any(_is_generative(record) for record in records),
        "colour": any(record.get("step") == "colourise" for record in records),
        "hand": any(version["kind"] == "retouch" for version in line),
        "hand-colour": any(record.get("coloured") for record in records),
    }
    return [deed for deed, was_done in done.items() if was_done]


def source_type(done: Sequence[str]) -> str:
    """The IPTC digital source type: the strongest class in the chain names the whole."""
    if "generative" in done:
        return SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
    if "machine" in done:
        return SOURCE_TYPES + "algorithmicallyEnhanced"
    return SOURCE_TYPES + "humanEdits"


def guard(line: Line) -> dict[str, Any]:
    """What was measured on the last version: it is judged against the scan, ancestors included."""
    return dict(line[-1]["meters"].get("guard") or {}) if line else {}


def uses_ai(line: Line) -> bool:
    """Whether any version was made by machine at all."""
    return any(version["kind"] == "machine" for version in line)


def _records(line: Line) -> Iterator[Mapping[str, Any]]:
    for version in line:
        yield from version["records"]


def _is_generative(record: Mapping[str, Any]) -> bool:
    return record.get("backend") == GENERATIVE or bool(record.get("model"))
