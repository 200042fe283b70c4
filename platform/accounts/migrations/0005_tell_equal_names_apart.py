"""Of several whose names differ in capitals alone nobody could sign in by name.

The first account keeps the name; the others get the next free number behind it. Whoever runs the
migration reads which, to let these people know. There is no way back to names that lock out.
"""

from typing import Any

from django.db import migrations
from django.db.models import Value
from django.db.models.functions import Lower

LONGEST = 150


def tell_apart(apps: Any, editor: Any) -> None:
    # As the database folds names: what it takes for equal the constraint would refuse.
    rows = apps.get_model("accounts", "User").objects.annotate(folded=Lower("username"))
    seen = set()
    for pk, name, folded in rows.order_by("pk").values_list("pk", "username", "folded"):
        if folded not in seen:
            seen.add(folded)
            continue
        other = _free(name, rows)
        rows.filter(pk=pk).update(username=other)
        print(f"\n  “{name}” is another's: account {pk} signs in as “{other}” from now on.", end="")


def _free(name: str, rows: Any) -> str:
    number = 2
    while True:
        end = f" {number}"
        other = name[: LONGEST - len(end)].rstrip() + end
        if not rows.filter(folded=Lower(Value(other))).exists():
            return other
        number += 1


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_let_people_leave'),
    ]

    operations = [
        migrations.RunPython(tell_apart, migrations.RunPython.noop),
    ]
