"""Changes of large tables that nobody waits for. Used by migrations."""

from __future__ import annotations

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
