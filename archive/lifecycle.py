"""The states of a photo and the moves between them. Pure: no model, no clock."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

Moves = Mapping[str, frozenset[str]]


class PhotoState(TextChoices):
    """What a photo stores of itself; "in work" and "in review" are queries, not states."""

    READING = "reading", pgettext_lazy("state of a photo", "being read")
    READY = "ready", pgettext_lazy("state of a photo", "ready")
    QUARANTINED = "quarantined", pgettext_lazy("state of a photo", "in quarantine")
    ON_HOLD = "on_hold", pgettext_lazy("state of a photo", "on hold")
    WITHDRAWN = "withdrawn", pgettext_lazy("state of a photo", "withdrawn")


PHOTO_MOVES: Moves = {
    PhotoState.READING: frozenset({PhotoState.READY, PhotoState.QUARANTINED}),
    PhotoState.READY: frozenset({PhotoState.ON_HOLD, PhotoState.WITHDRAWN}),
    PhotoState.QUARANTINED: frozenset({PhotoState.READING, PhotoState.WITHDRAWN}),
    PhotoState.ON_HOLD: frozenset({PhotoState.READY, PhotoState.WITHDRAWN}),
    PhotoState.WITHDRAWN: frozenset(),
}


def sources(moves: Moves, to: str) -> frozenset[str]:
    """The states from which `to` may be reached."""
    return frozenset(state for state, targets in moves.items() if to in targets)
