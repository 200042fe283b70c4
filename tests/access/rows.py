"""One line of the table. Pure: the command that writes it runs before Django does."""

from __future__ import annotations

from dataclasses import dataclass

PEOPLE = ("stranger", "volunteer", "other volunteer", "curator", "other curator", "steward")


@dataclass(frozen=True)
class Row:
    """One door and what each was answered."""

    space: str
    name: str
    method: str
    case: str
    route: str
    answers: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.name, self.method, self.case)
