"""What is being worked on, so that every log line of it can say so: ids, never names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_about: ContextVar[Mapping[str, object]] = ContextVar("about")


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Log lines in here carry these ids; a thread that is started carries them in its context."""
    token = _about.set({**ids_now(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def ids_now() -> Mapping[str, object]:
    """The ids of the work that is under way here."""
    return _about.get({})
