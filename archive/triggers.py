"""Database triggers: those that refuse to change what must never change, and those that keep count.

An UPDATE is refused by the database itself, whoever sends it: an `if` in our code would not stop
a console, an admin page or a later mistake. Deletion is left to foreign keys (PROTECT).

For the same reason counts that follow from rows are kept by the database, in the transaction of
the row. These are put in place after every `migrate` and not by a migration: SQLite drops a table's
triggers silently when a later migration makes the table anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, migrations, transaction


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


def refuse(name: str, table: str, event: str, when: str, why: str) -> migrations.RunPython:
    """Refuse what `when`, an SQL condition on NEW, says; `event` is INSERT or UPDATE OF column.

    The condition may ask other tables. Reversible.
    """
    words = why.replace("'", "''")
    create = {
        "sqlite": f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{words}'); END",
        "postgresql": f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {when} THEN RAISE EXCEPTION '{words}' "
        f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; "
        f"END $$ LANGUAGE plpgsql; "
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()",
    }
    drop = {
        "sqlite": f"DROP TRIGGER {name}",
        "postgresql": f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}()",
    }
    return migrations.RunPython(_run(create.get), _run(drop.get))


def freeze(table: str, columns: Sequence[str] = ()) -> migrations.RunPython:
    """Refuse every UPDATE of the table, or of the named columns; reversible."""
    create = {"sqlite": _sqlite(table, columns), "postgresql": _postgres(table, columns)}
    drop = {
        "sqlite": f"DROP TRIGGER {table}_frozen",
        "postgresql": f"DROP TRIGGER {table}_frozen ON {table}; DROP FUNCTION {table}_frozen()",
    }
    return migrations.RunPython(_run(create.get), _run(drop.get))


@dataclass(frozen=True)
class Reaction:
    """What the database does after a row of `table` was written, in the same transaction.

    `event` is INSERT, DELETE, UPDATE or "UPDATE OF a, b"; `when` a condition and `do` one statement
    over NEW and OLD, in words that SQLite and PostgreSQL both know; {any} is any whole number. What
    is `late` PostgreSQL does when the transaction ends: its locks come after all others.
    """

    name: str
    table: str
    event: str
    do: str
    when: str = ""
    late: bool = False

    def title(self) -> str:
        """Its name in the database."""
        return f"{self.table}_{self.name}_{self.event.split()[0].lower()}"

    def sqlite(self) -> list[str]:
        """The statements that put it in place."""
        when = f"WHEN {self.when} " if self.when else ""
        return [
            f"DROP TRIGGER IF EXISTS {self.title()}",
            f"CREATE TRIGGER {self.title()} AFTER {self.event} ON {self.table} FOR EACH ROW "
            f"{when}BEGIN {self.do.replace('{any}', 'random()')}; END",
        ]

    def postgresql(self) -> list[str]:
        """The statements that put it in place; the second locks the table for an instant."""
        when = f"WHEN ({self.when}) " if self.when else ""
        do = self.do.replace("{any}", "(random() * 9e15)::bigint")
        body = f"FOR EACH ROW {when}EXECUTE FUNCTION {self.title()}()"
        function = (
            f"CREATE OR REPLACE FUNCTION {self.title()}() RETURNS trigger AS $$ BEGIN {do}; "
            f"RETURN NULL; END $$ LANGUAGE plpgsql"
        )
        if not self.late:
            after = f"AFTER {self.event} ON {self.table}"
            return [function, f"CREATE OR REPLACE TRIGGER {self.title()} {after} {body}"]
        after = f"AFTER {self.event} ON {self.table} DEFERRABLE INITIALLY DEFERRED"
        return [
            function,
            f"DROP TRIGGER IF EXISTS {self.title()} ON {self.table}",
            f"CREATE CONSTRAINT TRIGGER {self.title()} {after} {body}",
        ]


def react(reactions: Sequence[Reaction], *, using: str) -> None:
    """Put the reactions in place, as they are now, whatever was there before."""
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for reaction in reactions:
            if reaction.table in tables:
                for statement in getattr(reaction, connection.vendor)():
                    cursor.execute(statement)
