"""Every digest that any row of any table names: the bytes behind it are wanted by somebody.

Asked of all models there are, so that a new table protects its bytes from its first row on, whether
or not anybody remembered to say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import models

from config import rows

DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
LENGTH = 64
AT_ONCE = 2000


def named() -> set[bytes]:
    """The digests, as 32 bytes each; read in one snapshot."""
    with rows.snapshot():
        return {bytes.fromhex(each) for model in rows.tables() for each in _of(model)}


def digest_in(key: str) -> str:
    """The digest that a stored file is called by; nothing when its name has none."""
    found = DIGEST.search(key)
    return found.group() if found else ""


def _of(model: rows.Model) -> Iterator[str]:
    columns = [field.attname for field in model._meta.local_concrete_fields if _may_name(field)]
    if not columns:
        return
    values = model._base_manager.order_by().values_list(*columns)
    for row in values.iterator(AT_ONCE):
        for value in row:
            yield from DIGEST.findall(_text(value))


def _may_name(field: Any) -> bool:
    real = field.target_field if field.remote_field else field
    if isinstance(real, models.JSONField | models.TextField):
        return True
    return isinstance(real, models.CharField) and (real.max_length or LENGTH) >= LENGTH


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if value else ""
