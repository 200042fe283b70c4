"""A bad line to a service: it can be slow, break off in the middle of an answer, or answer 503."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BLOCK = 65536
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class BadLine:
    """What the line does now; set it while it is in use. `asked` counts what came through it."""

    url: str
    is_refusing: bool = False
    is_closed: bool = False
    delay: float = 0.0  # seconds before each piece of an answer
    cut_after: int | None = None  # bytes of an answer after which a connection breaks off
    asked: int = 0
    _ends: list[socket.socket] = field(default_factory=list)

    def mend(self) -> None:
        """Let everything through again."""
        self.is_refusing = self.is_closed = False
        self.delay, self.cut_after = 0.0, None


@contextlib.contextmanager
def bad_line(target: str) -> Iterator[BadLine]:
    """Stand between this process and the service at `target`; nothing is changed on the way."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        line = BadLine(f"http://127.0.0.1:{door.getsockname()[1]}")
        threading.Thread(target=_answer, args=(door, line, target), daemon=True).start()
        yield line
        for end in line._ends:
            end.close()


def _answer(door: socket.socket, line: BadLine, target: str) -> None:
    parts = urlsplit(target)
    while True:
        try:
            asker, _address = door.accept()
        except OSError:  # the test is over
            return
        line._ends.append(asker)
        there = (parts.hostname or "", parts.port or 80)
        threading.Thread(target=_carry, args=(asker, line, there), daemon=True).start()


def _carry(asker: socket.socket, line: BadLine, there: tuple[str, int]) -> None:
    with asker, contextlib.suppress(OSError), socket.create_connection(there) as service:
        sent = 0
        while True:
            ready, _none, _never = select.select([asker, service], [], [])
            if line.is_closed:
                return
            if asker in ready:
                line.asked += 1
                if not _ask(asker, service, line):
                    return
            if service in ready:
                sent = _tell(asker, service, line, sent)
                if sent < 0:
                    return


def _ask(asker: socket.socket, service: socket.socket, line: BadLine) -> bool:
    """Pass on what the asker sends; whether the connection stays."""
    said = asker.recv(BLOCK)
    if not said:
        return False
    if line.is_refusing:
        asker.sendall(REFUSAL)
        asker.shutdown(socket.SHUT_WR)
        return False
    service.sendall(said)
    return True


def _tell(asker: socket.socket, service: socket.socket, line: BadLine, sent: int) -> int:
    """Pass on a piece of the answer; how much it was by now, or -1 where the line breaks."""
    piece = service.recv(BLOCK)
    if not piece:
        return -1
    time.sleep(line.delay)
    if line.cut_after is not None and sent + len(piece) > line.cut_after:
        asker.sendall(piece[: max(0, line.cut_after - sent)])
        return -1
    asker.sendall(piece)
    return sent + len(piece)
