"""A small proxy before the S3 service, so that it can refuse, dawdle and break off."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

PASS, REFUSE, SLOW, BREAK = "pass", "refuse", "slow", "break"
CHUNK = 16 * 1024
DAWDLE_SECONDS = 0.3
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Proxy:
    """Carries bytes between any number of clients and one server, as `mode` allows."""

    def __init__(self, port: int, server: str) -> None:
        parts = urlsplit(server)
        self.server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.url = f"http://127.0.0.1:{port}"
        self.mode = PASS
        self.hits = 0  # what was refused, delayed or cut, so that a fault knows that it struck
        self._door = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._door.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if self.mode == REFUSE:
            self.hits += 1
            _cut(client)
            return
        try:
            server = socket.create_connection(self.server, timeout=30)
        except OSError:
            _cut(client)
            return
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        """Carry one direction to its end, or to where the fault cuts it."""
        carried = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if self.mode == SLOW:
                    self.hits += 1
                    time.sleep(DAWDLE_SECONDS)
                if self.mode == REFUSE or (self.mode == BREAK and carried > CHUNK):
                    self.hits += 1
                    _cut(source)
                    _cut(target)
                    return
                target.sendall(chunk)
                carried += len(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _cut(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        link.shutdown(socket.SHUT_RDWR)
    link.close()
