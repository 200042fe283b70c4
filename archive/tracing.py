"""What a trace is told of the work, where an operator has one kept; else nothing, for nothing.

config.traces puts its tracer here at the start. Knows ids and words of our own, never names.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Tracer(Protocol):
    """Who keeps traces."""

    def span(
        self, name: str, parent: str, facts: Mapping[str, str | int]
    ) -> AbstractContextManager[object]:
        """A piece of work that belongs to the trace of `parent`; see `span` below."""

    def note(self, name: str, facts: Mapping[str, str | int]) -> None:
        """Something that happened in the current piece of work."""

    def here(self) -> str:
        """The current piece of work as a W3C `traceparent`."""

    def ids(self) -> Mapping[str, str]:
        """The ids of the current piece of work."""


class _Nobody:
    def span(
        self, name: str, parent: str, facts: Mapping[str, str | int]
    ) -> AbstractContextManager[object]:
        return nullcontext()

    def note(self, name: str, facts: Mapping[str, str | int]) -> None:
        pass

    def here(self) -> str:
        return ""

    def ids(self) -> Mapping[str, str]:
        return {}


_tracer: Tracer = _Nobody()


def use(tracer: Tracer | None) -> None:
    """Tell this one from now on; None: nobody."""
    global _tracer
    _tracer = tracer or _Nobody()


def span(name: str, *, parent: str, **facts: str | int) -> AbstractContextManager[object]:
    """A piece of work that a row asked for: `parent` is what the row remembers of who asked.

    What is under way here, the answer to a bell, is linked and not its parent: a bell may wake a
    worker for another row than its own.
    """
    return _tracer.span(name, parent, facts)


def note(name: str, **facts: str | int) -> None:
    """Say that something happened in the piece of work that is under way."""
    _tracer.note(name, facts)


def here() -> str:
    """What a row remembers of the piece of work that makes it; empty where nobody traces."""
    return _tracer.here()


def ids_now() -> Mapping[str, str]:
    """The ids of the trace and of the piece of work that is under way, for a line of the log."""
    return _tracer.ids()
