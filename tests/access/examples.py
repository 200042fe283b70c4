"""Which rows each address is tried with: by its name, else by the parameters it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps

from tests.access.addresses import Address
from tests.access.world import World

# What the table calls a row, and what is filled into the address.
Example = tuple[str, dict[str, Any]]
Examples = Callable[[World], Iterable[Example]]

PHOTOS = (
    "ready",
    "held by the volunteer",
    "being read",
    "in quarantine",
    "on hold",
    "withdrawn",
    "of a closed collection",
    "not published",
    "live",
)
FEW_PHOTOS = ("ready", "held by the volunteer", "of a closed collection")
VERSIONS = (
    "scan",
    "draft",
    "submitted",
    "in review",
    "accepted",
    "returned",
    "declined",
    "taken back",
)

TILE = "full/max/0/default.jpg"

# What is enough for a verb: before, during and after it.
MOVED = ("scan", "draft", "submitted", "accepted")
REVIEWS = ("open", "accepted")


def photos(words: Iterable[str], **more: Any) -> Examples:
    """Photos by their reference."""
    return lambda world: [(word, {"ref": world.photos[word].ref, **more}) for word in words]


def versions(words: Iterable[str] = VERSIONS, **more: Any) -> Examples:
    """Versions by photo and number."""
    return lambda world: [
        (
            word,
            {
                "ref": world.versions[word].photo.ref,
                "number": world.versions[word].number,
                **more,
            },
        )
        for word in words
    ]


def keys(table: str, words: Iterable[str] = (), *, key: str = "pk", **more: Any) -> Examples:
    """Rows of a part of the world by their key."""

    def found(world: World) -> list[Example]:
        rows = getattr(world, table)
        return [(word, {key: rows[word].pk, **more}) for word in words or rows]

    return found


def slugs(table: str, **more: Any) -> Examples:
    """Collections or exhibits by their address."""
    return lambda world: [
        (word, {"slug": row.slug, **more}) for word, row in getattr(world, table).items()
    ]


def hanging(world: World) -> list[Example]:
    """Photos on the page of an exhibit."""
    rows = [("live", "open"), ("retracted", "open"), ("suspended", "open"), ("ready", "open")]
    rows.append(("of a closed exhibit", "closed"))
    return [
        (word, {"slug": world.exhibits[where].slug, "ref": world.photos[word].ref})
        for word, where in rows
    ]


def sheets(world: World) -> list[Example]:
    """Masks asked for under the photo that the volunteer holds."""
    ref = world.photos["held by the volunteer"].ref
    return [(f"mask {word}", {"ref": ref, "sha256": sha}) for word, sha in world.sheets.items()]


def uploads(world: World) -> list[Example]:
    """Large files on their way in, of the curator."""
    return [(word, {"upload": row.ref}) for word, row in world.uploads.items()]


def persons(world: World) -> list[Example]:
    return [("the volunteer", {"pk": world.people.vera.pk})]


def moves(table: str) -> Examples:
    """A row and a way to move it."""
    return lambda world: [
        (word, {"pk": row.pk, "way": "up"}) for word, row in getattr(world, table).items()
    ]


def batches(**more: Any) -> Examples:
    """Batches of the open collection."""
    return lambda world: [
        (word, {"slug": row.collection.slug, "pk": row.pk, **more})
        for word, row in world.batches.items()
    ]


def pairs() -> Examples:
    """Pairs of the open collection."""
    return lambda world: [
        (word, {"slug": row.collection.slug, "pk": row.pk}) for word, row in world.pairs.items()
    ]


def sides(world: World) -> list[Example]:
    """Both sides of a publication in every state."""
    return [
        (f"{word}, {side}", {"pk": row.pk, "side": side, "size": "800"})
        for side in ("original", "restored")
        for word, row in world.publications.items()
    ]


def services(world: World) -> list[Example]:
    """The restored side of a publication in every state, as an image service."""
    return [
        (word, {"pk": row.pk, "side": "restored", "pipeline": 1})
        for word, row in world.publications.items()
    ]


def administered(address: Address) -> Example:
    """A row of the model that a page of the administration is about."""
    _admin, label, model = address.route.split("/")[:3]
    row = apps.get_model(label, model)._default_manager.order_by("pk").first()
    return "", {"object_id": row.pk if row else 0}


def fixed(**values: Any) -> Examples:
    return lambda _world: [("", values)]


BY_NAME: dict[str, Examples] = {
    # the people
    "account_confirm_email": fixed(key="no-such-key"),
    "account_reset_password_from_key": fixed(uidb36="1", key="no-key"),
    "people:person": persons,
    "people:make-steward": persons,
    "people:unmake-steward": persons,
    "people:appoint": persons,
    "people:dismiss": persons,
    "people:limit": persons,
    "people:suspend": persons,
    "people:grant": persons,
    "people:way-in": persons,
    "people:send-link": persons,
    "people:give-link": persons,
    "people:correct-address": persons,
    "people:switch-off": persons,
    "people:switch-on": persons,
    "people:hide-name": persons,
    "people:show-name": persons,
    "exhibit:hide": persons,
    "exhibit:unhide": persons,
    "exhibit:restore": persons,
    # the administration
    "admin:view_on_site": fixed(content_type_id=1, object_id=1),
    "admin:app_list": fixed(app_label="accounts"),
    # the work
    "restoration:bench": photos(PHOTOS),
    "restoration:scan": photos(PHOTOS, name="400.jpg"),
    "restoration:sheet": sheets,
    "restoration:map": versions(("draft",), name="changed"),
    "restoration:working": versions(kind="tif"),
    "restoration:info": versions(pipeline=1),
    "restoration:tile": versions(pipeline=1, wanted=TILE),
    "restoration:picture": versions(name="400.jpg"),
    "restoration:job": keys("jobs", key="number"),
    "restoration:cancel": keys("jobs", key="number"),
    "restoration:run-again": keys("jobs", key="number"),
    "restoration:preview": keys("jobs", key="number"),
    "restoration:look-again": keys("jobs", key="number"),
    "restoration:review-open": keys("versions", ("submitted", "in review", "draft")),
    "restoration:workshop": keys("workshops"),
    "restoration:workshop-close": keys("workshops"),
    "restoration:lift": lambda world: [
        ("open", {"slug": world.collections["open"].slug, "kind": "cpu"})
    ],
    # the archive
    "archive:picture": photos(PHOTOS, name="400.jpg"),
    "archive:original": photos(PHOTOS),
    "archive:pair-decide": pairs(),
    "archive:pair-again": pairs(),
    "archive:batch-move": batches(verb="close"),
    "archive:upload-one": uploads,
    "archive:upload-parts": uploads,
    "archive:upload-join": uploads,
    "archive:upload-give-up": uploads,
    # the exhibit
    "exhibit:photo": hanging,
    "exhibit:zoom": hanging,
    "exhibit:made": hanging,
    "exhibit:collection": slugs("exhibits"),
    "exhibit:service": services,
    "exhibit:info": services,
    "exhibit:tile": lambda world: [
        (word, values | {"wanted": TILE}) for word, values in services(world)
    ],
    "exhibit:download": keys("publications", size="2560"),
    "exhibit:picture": sides,
    "exhibit:room": keys("rooms"),
    "exhibit:remove-room": keys("rooms"),
    "exhibit:words": keys("placements"),
    "exhibit:move-room": moves("rooms"),
    "exhibit:move-placement": moves("placements"),
    "exhibit:publish": keys("versions", ("accepted", "submitted", "draft")),
    # for programs
    "api:photo": photos(PHOTOS),
    "api:photo-picture": photos(PHOTOS, name="400.jpg"),
    "api:photo-original": photos(PHOTOS),
    "api:photo-versions": photos(FEW_PHOTOS),
    "api:version": keys("versions"),
    "api:version-download": keys("versions"),
    "api:version-picture": keys("versions", name="400.jpg"),
    "api:version-map": keys("versions", ("draft",), name="changed"),
    "api:version-review": keys("versions", ("submitted", "in review", "draft")),
}
BY_PREFIX: tuple[tuple[str, frozenset[str], Examples], ...] = (
    ("restoration:review", frozenset({"pk"}), keys("reviews", REVIEWS)),
    ("restoration:", frozenset({"ref"}), photos(FEW_PHOTOS)),
    ("restoration:", frozenset({"ref", "number"}), versions(MOVED)),
    ("archive:", frozenset({"slug"}), slugs("collections")),
    ("archive:", frozenset({"slug", "pk"}), batches()),
    ("archive:", frozenset({"ref"}), photos(("ready", "in quarantine", "on hold"))),
    ("exhibit:", frozenset({"slug"}), slugs("exhibits")),
    ("exhibit:", frozenset({"pk"}), keys("publications")),
    ("api:claim", frozenset({"pk"}), keys("claims")),
    ("api:job", frozenset({"pk"}), keys("jobs")),
    ("api:version", frozenset({"pk"}), keys("versions", MOVED)),
    ("api:review", frozenset({"pk"}), keys("reviews", REVIEWS)),
    ("api:publication", frozenset({"pk"}), keys("publications")),
    ("api:retract", frozenset({"pk"}), keys("publications")),
    ("api:suspend", frozenset({"pk"}), keys("publications")),
    ("api:resume", frozenset({"pk"}), keys("publications")),
    ("api:room", frozenset({"pk"}), keys("rooms")),
    ("api:placement", frozenset({"pk"}), keys("placements")),
    ("api:exhibit", frozenset({"slug"}), slugs("exhibits")),
    ("api:", frozenset({"slug"}), slugs("collections")),
    ("api:", frozenset({"ref"}), photos(FEW_PHOTOS)),
    ("admin", frozenset({"url"}), fixed(url="no-such-page/")),
)


def examples(address: Address, world: World) -> list[Example]:
    """The rows to try an address with; none when nobody has thought of it yet."""
    if address.space == "admin" and address.parameters == {"object_id"}:
        return [administered(address)]
    if address.name in BY_NAME:
        return list(BY_NAME[address.name](world))
    if not address.parameters:
        return [("", {})]
    for prefix, parameters, found in BY_PREFIX:
        if address.name.startswith(prefix) and address.parameters == parameters:
            return list(found(world))
    return []
