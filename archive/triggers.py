"""Database triggers that refuse to change what must never change. Used by migrations.

An UPDATE is refused by the database itself, whoever sends it: an `if` in our code would not stop
a console, an admin page or a later mistake. Deletion is left to foreign keys (PROTECT).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import migrations


def _sqlite(table: str, columns: Sequence[str]) -> str:
    of = f"OF {', '.join(columns)} " if columns else ""
    return (
        f"CREATE TRIGGER {table}_frozen BEFORE UPDATE {of}ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
    )


def _postgres(table: str, columns: Sequence[str]) -> str:
    of = f"OF {', '.join(columns)} " if columns else ""
    return (
        f"CREATE FUNCTION {table}_frozen() RETURNS trigger AS $$ BEGIN "
        f"RAISE EXCEPTION '{table} is never changed' "
        f"USING ERRCODE = 'integrity_constraint_violation'; "
        f"END $$ LANGUAGE plpgsql; "
        f"CREATE TRIGGER {table}_frozen BEFORE UPDATE {of}ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_frozen()"
    )


def _run(statement: Callable[[str], str | None]) -> Callable[[Any, Any], None]:
    def forward(apps: Any, schema_editor: Any) -> None:
        sql = statement(schema_editor.connection.vendor)
        if sql is not None:
            schema_editor.execute(sql)

    return forward


def freeze(table: str, columns: Sequence[str] = ()) -> migrations.RunPython:
    """Refuse every UPDATE of the table, or of the named columns; reversible."""
    create = {"sqlite": _sqlite(table, columns), "postgresql": _postgres(table, columns)}
    drop = {
        "sqlite": f"DROP TRIGGER {table}_frozen",
        "postgresql": f"DROP TRIGGER {table}_frozen ON {table}; DROP FUNCTION {table}_frozen()",
    }
    return migrations.RunPython(_run(create.get), _run(drop.get))
