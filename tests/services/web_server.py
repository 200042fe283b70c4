"""A web server of a test's own on the loopback: what it says to each path, what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A body, or a state with a header's value (the place a redirect leads to), or a hand that writes.
Said = bytes | tuple[int, str] | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """Paths and what is said to them; `asked` are the paths in order."""

    address: str = ""
    says: dict[str, Said] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Says what its server was told to."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        web.asked.append(self.path)
        web.hosts.append(self.headers.get("Host", ""))
        said = web.says.get(self.path, (404, ""))
        if callable(said):
            self.close_connection = True
            said(self)
            return
        state, body = (200, said) if isinstance(said, bytes) else (said[0], b"")
        self.send_response(state)
        if not isinstance(said, bytes):
            self.send_header("Location", said[1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Web]:
    """A server on a free port of 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(f"http://127.0.0.1:{server.server_port}")
    server.web = web  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
