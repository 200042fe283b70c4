"""What is said of a row, so that two who write at once do not write over each other's words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.policy import Refused

Row = TypeVar("Row", bound=Model)


class WordsMoved(Refused):
    """Somebody else wrote other words in between; `row` as it is now, of which `names` are said."""

    code = "words-moved"
    told: str | Promise = _("Other words than you saw stand here by now. Look at them again.")

    def __init__(self, row: Model, names: tuple[str, ...]) -> None:
        super().__init__(self.code, self.told, conflict=True)
        self.row = row
        self.names = names

    def now(self) -> dict[str, Any]:
        """What is said now, by name."""
        return {name: getattr(self.row, name) for name in self.names}


def revision(row: Model, names: tuple[str, ...]) -> str:
    """A name of what is said in those fields: another one whenever anything else is said."""
    said = json.dumps([getattr(row, name) for name in names])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def changed(
    before: Row,
    told: Mapping[str, Any],
    names: tuple[str, ...],
    only_of: Container[str] | None,
    moved: type[WordsMoved] = WordsMoved,
) -> dict[str, Any]:
    """What of `told` is not what the row, which the caller has locked, says already.

    `moved` is raised when it stands at none of the revisions of `only_of`, where they are given.
    Not when it says all of this already: an answer that is lost is asked for again.
    """
    other = {name: value for name, value in told.items() if getattr(before, name) != value}
    if other and only_of is not None and revision(before, names) not in only_of:
        raise moved(before, names)
    return other
