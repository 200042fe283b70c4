"""What the database keeps of each photo's standing while claims and versions come and go. Pure.

In the transaction of the row itself, by the database: no verb, console or tool can forget it.
Every statement adds or takes away, so that two transactions at once are both counted; none touches
a row that all of them share, so that nobody waits for another's photo. On PostgreSQL a standing is
written last of all, when the transaction ends: locked earlier, a submit and a release of one photo
could wait for each other for ever. Sums are made from the changes by the sweep
(restoration.counting), and a recount compares all of it with the rows themselves.
"""

from __future__ import annotations

from archive.triggers import Reaction

# The measure of a collection, and when a photo counts in it.
STANDS = {
    "ready": "{row}.ready",
    "waits": "{row}.waits",
    "held": "{row}.held > 0",
    "review": "{row}.in_review > 0",
    "returned": "{row}.returned > 0",
    "done": "{row}.accepted > 0",
}
# The column that counts versions in a state.
OF_STATE = {"submitted": "in_review", "accepted": "accepted", "returned": "returned"}
COLLECTION, PERSON = "collection", "person"
INTO = "INSERT INTO restoration_change (about, subject, measure, change)"


def _counts(condition: str, row: str) -> str:
    return f"CASE WHEN {condition.replace('{row}', row)} THEN 1 ELSE 0 END"


def _change(before: str, after: str) -> str:
    """One row for each measure that is another one than before; '' is a row that is not there."""
    measures = []
    for name, condition in STANDS.items():
        now = _counts(condition, after) if after else "0"
        was = _counts(condition, before) if before else "0"
        measures.append(f"SELECT '{name}' AS measure, {now} - {was} AS change")
    now, was = (f"{row}.in_review" if row else "0" for row in (after, before))
    measures.append(f"SELECT 'queue', {now} - {was}")
    return (
        f"{INTO} SELECT '{COLLECTION}', {after or before}.collection_id, each.measure, "  # noqa: S608
        f"each.change "
        f"FROM ({' UNION ALL '.join(measures)}) AS each WHERE each.change <> 0"
    )


def _stand(column: str, by: int, row: str) -> str:
    grown = f"SET {column} = {column} + {by}"
    return f"UPDATE restoration_standing {grown} WHERE photo_id = {row}.photo_id"


def _made(row: str, by: int) -> str:
    """A person's versions by state; the scan is nobody's."""
    return f"{INTO} SELECT '{PERSON}', {row}.made_by_id, {row}.state, {by}"


OWN = "{row}.made_by_id IS NOT NULL AND {row}.kind <> 'scan'"
IS_READY = "CASE WHEN NEW.state = 'ready' THEN {yes} ELSE {no} END"

PHOTOS = [
    Reaction(
        "stands",
        "archive_photo",
        "INSERT",
        "INSERT INTO restoration_standing (photo_id, collection_id, added_at, ready, slots, held, "
        "in_review, accepted, returned) SELECT NEW.id, NEW.collection_id, NEW.added_at, "
        "NEW.state = 'ready', NEW.slots, 0, 0, 0, 0",
    ),
    Reaction(
        "stands",
        "archive_photo",
        "UPDATE OF state, slots, collection_id, added_at",
        "UPDATE restoration_standing SET ready = (NEW.state = 'ready'), slots = NEW.slots, "
        "collection_id = NEW.collection_id, added_at = NEW.added_at WHERE photo_id = NEW.id",
        late=True,
    ),
]
CLAIMS = [
    Reaction(
        "stands",
        "restoration_claim",
        "INSERT",
        _stand("held", 1, "NEW"),
        "NEW.state = 'open'",
        late=True,
    ),
    Reaction(
        "opens",
        "restoration_claim",
        "UPDATE OF state",
        _stand("held", 1, "NEW"),
        "NEW.state = 'open' AND OLD.state <> 'open'",
        late=True,
    ),
    Reaction(
        "closes",
        "restoration_claim",
        "UPDATE OF state",
        _stand("held", -1, "NEW"),
        "OLD.state = 'open' AND NEW.state <> 'open'",
        late=True,
    ),
    Reaction(
        "stands",
        "restoration_claim",
        "DELETE",
        _stand("held", -1, "OLD"),
        "OLD.state = 'open'",
        late=True,
    ),
]
VERSIONS = [
    reaction
    for state, column in OF_STATE.items()
    for reaction in (
        Reaction(
            f"is_{state}",
            "restoration_version",
            "INSERT",
            _stand(column, 1, "NEW"),
            f"NEW.state = '{state}'",
            late=True,
        ),
        Reaction(
            f"is_{state}",
            "restoration_version",
            "UPDATE OF state",
            _stand(column, 1, "NEW"),
            f"NEW.state = '{state}' AND OLD.state <> '{state}'",
            late=True,
        ),
        Reaction(
            f"was_{state}",
            "restoration_version",
            "UPDATE OF state",
            _stand(column, -1, "NEW"),
            f"OLD.state = '{state}' AND NEW.state <> '{state}'",
            late=True,
        ),
        Reaction(
            f"was_{state}",
            "restoration_version",
            "DELETE",
            _stand(column, -1, "OLD"),
            f"OLD.state = '{state}'",
            late=True,
        ),
    )
]
PEOPLE = [
    Reaction("made", "restoration_version", "INSERT", _made("NEW", 1), OWN.replace("{row}", "NEW")),
    Reaction(
        "made",
        "restoration_version",
        "UPDATE OF state",
        f"{_made('NEW', 1)} UNION ALL SELECT '{PERSON}', OLD.made_by_id, OLD.state, -1",
        OWN.replace("{row}", "NEW") + " AND NEW.state <> OLD.state",
    ),
    Reaction(
        "made", "restoration_version", "DELETE", _made("OLD", -1), OWN.replace("{row}", "OLD")
    ),
]
SUMS = [
    Reaction("counts", "restoration_standing", "INSERT", _change("", "NEW")),
    Reaction("counts", "restoration_standing", "UPDATE", _change("OLD", "NEW")),
    Reaction("counts", "restoration_standing", "DELETE", _change("OLD", "")),
]
REACTIONS = [*PHOTOS, *CLAIMS, *VERSIONS, *PEOPLE, *SUMS]
