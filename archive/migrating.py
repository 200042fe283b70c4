"""Changes of large tables that nobody waits for. Used by migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import migrations


class AddIndexQuietly(migrations.AddIndex):
    """An index that PostgreSQL builds while others write; its migration says `atomic = False`."""

    def database_forwards(self, app_label: str, schema_editor: Any, old: Any, new: Any) -> None:
        model = new.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.add_index(model, self.index, concurrently=True)
        else:
            schema_editor.add_index(model, self.index)

    def database_backwards(self, app_label: str, schema_editor: Any, old: Any, new: Any) -> None:
        model = old.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.remove_index(model, self.index, concurrently=True)
        else:
            schema_editor.remove_index(model, self.index)


@contextmanager
def _triggers_kept(schema_editor: Any, table: str) -> Iterator[None]:
    """SQLite changes a table by making it anew, and Django forgets the triggers that were on it."""
    if schema_editor.connection.vendor != "sqlite":
        yield
        return
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    with schema_editor.connection.cursor() as cursor:
        before = dict(cursor.execute(query, [table]).fetchall())
        yield
        after = dict(cursor.execute(query, [table]).fetchall())
        for name in before.keys() - after.keys():
            cursor.execute(before[name])


class _KeepsTriggers:
    """For operations on a table that is guarded by triggers, forwards and backwards."""

    model_name: str

    def database_forwards(self, app_label: str, schema_editor: Any, old: Any, new: Any) -> None:
        table = old.apps.get_model(app_label, self.model_name)._meta.db_table
        with _triggers_kept(schema_editor, table):
            super().database_forwards(app_label, schema_editor, old, new)  # type: ignore[misc]

    def database_backwards(self, app_label: str, schema_editor: Any, old: Any, new: Any) -> None:
        table = old.apps.get_model(app_label, self.model_name)._meta.db_table
        with _triggers_kept(schema_editor, table):
            super().database_backwards(app_label, schema_editor, old, new)  # type: ignore[misc]


class AddGuardedField(_KeepsTriggers, migrations.AddField):
    """A further column of a table with triggers."""


class AddGuardedConstraint(_KeepsTriggers, migrations.AddConstraint):
    """A further constraint of a table with triggers."""


class RemoveGuardedConstraint(_KeepsTriggers, migrations.RemoveConstraint):
    """A constraint less on a table with triggers."""
