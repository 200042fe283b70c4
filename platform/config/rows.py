"""All rows of the site as lines of JSON, and back: the same on SQLite and on PostgreSQL.

Django's own dump rounds the clock to milliseconds, and its way back fires signals and sets dates
anew. Here a row comes back exactly as it was, by plain INSERTs that the triggers let pass: they
refuse changes, and none is made.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import decimal
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

Model = type[models.Model]
# Nobody needs to be signed in after a restore, and a session is a key to somebody's account.
# The others are kept by the database itself while the rows they follow from come back.
LEFT_OUT = {
    "sessions.Session",
    "exhibit.Edition",
    "exhibit.KeptPage",
    "restoration.Standing",
    "restoration.Turn",
    "restoration.Sum",
    "restoration.Change",
    # What is made for looking at is made again: what a row says of it would not be true.
    "archive.Rendition",
}
# A migration fills these; they are no sign that the site is in use.
MADE_BY_MIGRATING = {"contenttypes.ContentType", "auth.Permission"}
AT_ONCE = 500


def tables() -> list[Model]:
    """Every table whose rows are kept, those between two others included."""
    return [each for each in _every_table() if label(each) not in LEFT_OUT]


def _every_table() -> list[Model]:
    found = apps.get_models(include_auto_created=True)
    ours = [each for each in found if each._meta.managed and not each._meta.proxy]
    return sorted(ours, key=label)


def label(model: Model) -> str:
    """What a table is called in a backup."""
    return model._meta.label


def in_use() -> list[str]:
    """The tables that hold more than a migration puts there."""
    return [
        label(each)
        for each in tables()
        if label(each) not in MADE_BY_MIGRATING and each._base_manager.exists()
    ]


def place() -> str:
    """Where the rows are, as an operator knows it: a file, or a name at a host."""
    told = connection.settings_dict
    return f"{told['NAME']} at {told['HOST']}" if told["HOST"] else str(told["NAME"])


@contextlib.contextmanager
def snapshot() -> Iterator[None]:
    """Read all tables as they are at one moment, without keeping anybody from writing."""
    connection.ensure_connection()  # which sets the mode anew
    waiting = getattr(connection, "transaction_mode", None)
    try:
        if connection.vendor == "sqlite":
            connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.transaction_mode = waiting  # type: ignore[attr-defined]


# --- out -----------------------------------------------------------------------------------------
def dump(out: IO[str]) -> dict[str, int]:
    """Write every row; gives how many of each table. Call it within a snapshot."""
    return {label(model): _dump(model, out) for model in tables()}


def _dump(model: Model, out: IO[str]) -> int:
    names = [field.attname for field in _fields(model)]
    rows = model._base_manager.order_by("pk").values_list(*names)
    count = 0
    for row in rows.iterator(AT_ONCE):
        values = [_plain(value) for value in row]
        out.write(json.dumps([label(model), *values], ensure_ascii=False) + "\n")
        count += 1
    return count


def _fields(model: Model) -> list[Any]:
    return list(model._meta.local_concrete_fields)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    return value


# --- in ------------------------------------------------------------------------------------------
def load(lines: Iterable[str]) -> dict[str, int]:
    """Replace every row by those of a dump; gives how many of each table. Call it in a transaction.

    References are compared at the end of the transaction, so the order does not matter.
    """
    known = {label(model): model for model in tables()}
    with connection.cursor() as cursor:
        # The sessions too: a number in them may be another person's by now.
        for model in _every_table():
            cursor.execute(f"DELETE FROM {_quoted(model._meta.db_table)}")  # noqa: S608 our own names
    counts = dict.fromkeys(known, 0)
    read = (json.loads(line) for line in lines)
    for name, rows in itertools.groupby(read, key=lambda row: row[0]):
        for some in _handfuls(rows):
            _insert(known[name], some)
            counts[name] += len(some)
    _go_on_counting(list(known.values()))
    return counts


def _handfuls(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    rows = iter(rows)
    while some := list(itertools.islice(rows, AT_ONCE)):
        yield some


def _insert(model: Model, rows: list[list[Any]]) -> None:
    fields = _fields(model)
    columns = ", ".join(_quoted(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    table = _quoted(model._meta.db_table)
    values = [[_stored(*each) for each in zip(fields, row[1:], strict=True)] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608


def _stored(field: Any, value: Any) -> Any:
    """As this database keeps it. JSON is not read as text: it is JSON already."""
    real = field.target_field if field.remote_field else field
    if not isinstance(real, models.JSONField):
        value = real.to_python(value)
    return field.get_db_prep_save(value, connection)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _go_on_counting(found: list[Model]) -> None:
    """PostgreSQL numbers new rows from a counter that knows nothing of those inserted here."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), found):
            cursor.execute(statement)
