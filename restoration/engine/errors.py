"""What the engine anticipates; everything else is a bug and travels as it is."""

from collections.abc import Mapping
from typing import Any


class EngineError(Exception):
    """An anticipated failure: a stable `code`, JSON-able `facts`, is trying again vain."""

    permanent = True

    def __init__(self, code: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, dict(facts or {}))
        self.code = code
        self.facts: dict[str, Any] = dict(facts or {})

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code} ({told})" if told else self.code


class BadInput(EngineError):  # noqa: N818
    """What was handed in is refused at the door."""


class StepFailed(EngineError):  # noqa: N818
    """A step could not do its work; it never hands its input back as a success."""


class Unfit(StepFailed):
    """This machine cannot do it as it is: files, a library; another machine may."""


class OutOfMemory(EngineError):  # noqa: N818
    """The machine is too small just now; a larger one, or the same one later, may do it."""

    permanent = False


class DeviceLost(EngineError):  # noqa: N818
    """The card failed in a way that this process cannot recover from; another process may."""

    permanent = False


class Cancelled(EngineError):  # noqa: N818
    """Somebody asked to stop; raised by a report or a progress call."""

    def __init__(self, code: str = "cancelled", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, facts)
