"""A model hub on this machine: as much of its protocol as the hub's library asks for.

    python tests/services/hub_server.py FOLDER

serves FOLDER/owner/name/... as repositories, prints its port and runs until it is ended. `Faults`
are set by the tests in the same process.
"""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = 64  # bytes from which a file is one of git's large ones, with a sha256
API = re.compile(r"^/api/models/(?P<name>[^/]+/[^/]+)(/(?P<what>revision|tree)/(?P<at>[^/]+))?$")
FILE = re.compile(r"^/(?P<name>[^/]+/[^/]+)/resolve/(?P<at>[^/]+)/(?P<path>.+)$")


@dataclass
class Hub:
    """What the server holds, what goes wrong with it, and what it was asked."""

    folder: Path
    stop_after: int | None = None  # the connection is silent after so many bytes of a file
    altered: set[str] = field(default_factory=set)
    gated: bool = False
    gate: set[str] = field(default_factory=set)  # for these files a page that wants a password
    from_start: set[str] = field(default_factory=set)  # these are sent whole, whatever was asked
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range

    def repository(self, name: str) -> dict[str, bytes]:
        root = self.folder / name
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}

    def commit(self, name: str) -> str:
        """Return what stands for a commit: a name made of all that is in it."""
        digest = hashlib.sha1(usedforsecurity=False)
        for path, content in self.repository(name).items():
            digest.update(path.encode() + b"\0" + content)
        return digest.hexdigest()

    def ranges(self, ending: str) -> list[str]:
        """Return the ranges of the requests for a file."""
        return [each for method, path, each in self.asked if method == "GET" and ending in path]


def entry(path: str, content: bytes) -> dict[str, object]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    row: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": blob}
    if len(content) >= LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        row["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return row


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub that its server carries."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def hub(self) -> Hub:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        return hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if match := API.match(path):
            self.answer_api(match["name"], match["what"] or "revision", match["at"] or "main")
        elif match := FILE.match(path):
            self.answer_file(match["name"], match["at"], match["path"])
        else:
            self.refuse(404, "EntryNotFound")

    def answer_api(self, name: str, what: str, at: str) -> None:
        files = self.hub.repository(name)
        if self.hub.gated:
            return self.refuse(403, "GatedRepo")
        if not files:
            return self.refuse(404, "RepoNotFound")
        if at not in ("main", self.hub.commit(name)):
            return self.refuse(404, "RevisionNotFound")
        if what == "tree":
            rows = [entry(path, content) for path, content in files.items()]
            return self.send(json.dumps(rows).encode())
        siblings = [{"rfilename": path} for path in files]
        about = {"id": name, "sha": self.hub.commit(name), "siblings": siblings}
        return self.send(json.dumps(about).encode())

    def answer_file(self, name: str, at: str, path: str) -> None:
        content = self.hub.repository(name).get(path)
        if content is None or at != self.hub.commit(name):
            return self.refuse(404, "EntryNotFound")
        if path in self.hub.altered:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if path in self.hub.gate:
            return self.send(b"<html>Sign in first</html>" * 20)
        if path in self.hub.from_start:
            return self.send(content)
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        headers = {"ETag": f'"{entry(path, content)["oid"]}"', "X-Repo-Commit": at}
        if "Range" in self.headers:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.send(content[start:], 206 if "Range" in self.headers else 200, headers, start)

    def send(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, start: int = 0
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        most = self.hub.stop_after
        if headers and most is not None and start + len(body) > most:
            self.wfile.write(body[: max(0, most - start)])
            self.wfile.flush()
            self.server.silent.wait()  # type: ignore[attr-defined]
            self.close_connection = True
            return
        self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Hub]]:
    """Serve a folder of repositories; give the address and what the server was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.hub = hub = Hub(folder)  # type: ignore[attr-defined]
    server.silent = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", hub
    finally:
        server.silent.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with serving(Path(sys.argv[1])) as (address, _hub):
        print(address, flush=True)  # noqa: T201
        threading.Event().wait()
