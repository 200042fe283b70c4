"""When a page for strangers may have changed, the database turns to a new edition. Pure.

The statements are the database's own, so nothing that changes a public row can forget to say so:
no verb, no console, no admin page.
"""

from __future__ import annotations

from archive.triggers import Reaction

TURN = (
    "INSERT INTO exhibit_edition (id, number) SELECT 1, {any} WHERE {holds} "
    "ON CONFLICT (id) DO UPDATE SET number = excluded.number"
)
ALWAYS = TURN.replace("{holds}", "1 = 1")
IF_HUNG = TURN.replace(
    "{holds}", "EXISTS (SELECT 1 FROM exhibit_placement WHERE photo_id = NEW.id)"
)
# What a public page says of a photo; reading one, or ringing for it, changes none of that.
SAID = (
    "state, title_en, title_zh, date_edtf, place_en, place_zh, people_en, people_zh, "
    "description_en, description_zh, identifier, collection_id"
)

REACTIONS = [
    *(
        Reaction("edition", f"exhibit_{table}", event, ALWAYS)
        for table in ("exhibit", "room", "placement", "publication")
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
    Reaction("edition", "archive_collection", "UPDATE", ALWAYS),
    Reaction("edition", "archive_photo", f"UPDATE OF {SAID}", IF_HUNG),
    # Whether what somebody published says their name.
    Reaction(
        "edition",
        "accounts_user",
        "UPDATE OF name_hidden_at",
        ALWAYS,
        "(NEW.name_hidden_at IS NULL) <> (OLD.name_hidden_at IS NULL)",
    ),
]
