"""How far a long transfer is: a bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from restoration.fetching import gigabytes

BAR = 24
DRAW_EVERY = 0.1
LINE_EVERY = 10.0


@dataclass
class Meter:
    """Counts bytes towards what is expected and writes to `stream`, a terminal or a log."""

    stream: Any
    name: str
    total: int = 0
    done: int = 0
    _began: float = field(default_factory=time.monotonic)
    _drawn: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, total: int) -> None:
        """Begin anew, towards so many bytes."""
        with self._lock:
            self.total, self.done, self._began = total, 0, time.monotonic()

    def told(self, count: int) -> None:
        """Hear of `count` more bytes; what is found to be here already comes in one large piece."""
        with self._lock:
            self.done += count
            every = DRAW_EVERY if self._is_terminal() else LINE_EVERY
            if self.total and time.monotonic() - self._drawn >= every:
                self._draw()

    def end(self) -> None:
        """Write the last state, and end the line of a bar."""
        self._draw()
        if self._is_terminal():
            self.stream.write("\n")
            self.stream.flush()

    def _is_terminal(self) -> bool:
        return bool(getattr(self.stream, "isatty", bool)())

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        share = min(1.0, self.done / self.total) if self.total else 1.0
        told = f"{gigabytes(self.done)} of {gigabytes(self.total)}, {self._speed()}"
        if self._is_terminal():
            bar = ("#" * round(BAR * share)).ljust(BAR, ".")
            self.stream.write(f"\r{self.name} [{bar}] {100 * share:3.0f} %  {told}\x1b[K")
        else:
            self.stream.write(f"{self.name}: {100 * share:.0f} %, {told}\n")
        self.stream.flush()

    def _speed(self) -> str:
        seconds = max(1e-3, time.monotonic() - self._began)
        return f"{gigabytes(self.done / seconds)} a second"
