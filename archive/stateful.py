"""The one way a state changes: compare-and-set, with its event, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models, transaction

from archive.lifecycle import Moves, sources

if TYPE_CHECKING:
    from accounts.models import User


class IllegalMove(Exception):  # noqa: N818 - the word of the vocabulary
    """No row stood where the move is allowed: another hand was quicker, or it never may."""


class Stateful(models.Model):
    """A row with a `state` and a table of allowed moves."""

    moves: ClassVar[Moves]

    class Meta:
        abstract = True

    def event_photo_id(self) -> int | None:
        """The photo whose history this row's moves belong to."""
        value: int | None = getattr(self, "photo_id", None)
        return value

    def move(
        self,
        to: str,
        *,
        by: User | None,
        at: datetime,
        set_: Mapping[str, Any] | None = None,
        where: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Change state and write the event, or raise IllegalMove and do neither.

        Compare-and-set: `where` adds conditions (a token, a fence), `set_` fields written by
        the same UPDATE. If another hand was quicker no row matches, and whoever began a
        transaction around this may go on in it.
        """
        allowed = sources(self.moves, to)
        # The state is the concrete model's own field, with its own choices.
        found: Any = type(self)._base_manager
        rows = found.filter(pk=self.pk, state__in=allowed, **(where or {}))
        # No savepoint: before the event is written nothing has been done that one would undo.
        with transaction.atomic(savepoint=False):
            is_moved = rows.update(state=to, **(set_ or {})) == 1
            if is_moved:
                self.record(to, by=by, at=at, facts=facts)
        if not is_moved:
            raise IllegalMove(f"{self._meta.model_name} {self.pk} cannot become {to}")
        self.state = to
        for name, value in (set_ or {}).items():
            setattr(self, name, value)

    def record(
        self, verb: str, *, by: User | None, at: datetime, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Append one line to the photo's history."""
        from archive.models import Event  # the event is a model of the module that uses this one

        Event.objects.create(
            photo_id=self.event_photo_id(),
            actor_id=by.pk if by else None,
            verb=f"{self._meta.model_name}.{verb}",
            at=at,
            facts={"id": self.pk, **(facts or {})},
        )
