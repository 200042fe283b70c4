"""One fetch from the web: only where it may, only so much, only so long."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest

from archive.sources import web
from archive.sources.source import Unreachable
from tests.services import web_server


@pytest.fixture
def there() -> Iterator[web_server.Web]:
    with web_server.serving() as found:
        yield found


@pytest.fixture
def _allowed(there: web_server.Web, settings: Any) -> None:
    settings.INGEST_PRIVATE_HOSTS = [urlsplit(there.address).netloc]


def fetched(url: str, *, limit: int = 1000, seconds: float = 5) -> bytes:
    return b"".join(web.chunks(url, limit=limit, seconds=seconds))


def refusal(url: str, **how: Any) -> str:
    with pytest.raises(Unreachable) as caught:
        fetched(url, **how)
    return caught.value.code


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The name of every host leads to these addresses; gives what was asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_how: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr("archive.sources.web.socket.getaddrinfo", resolve)
    return asked


@pytest.mark.usefixtures("_allowed")
def test_a_file_comes_from_a_host_that_the_operator_named(there: web_server.Web) -> None:
    there.says["/a%20b.jpg?x=1"] = b"bytes"
    assert fetched(f"{there.address}/a b.jpg?x=1") == b"bytes"
    assert there.hosts == [urlsplit(there.address).netloc]


def test_no_host_is_asked_that_is_not_named(there: web_server.Web) -> None:
    assert refusal(f"{there.address}/a.jpg") == "host-not-allowed"
    assert there.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://iiif.example.org/a", "https:///a"])
def test_only_the_web_is_the_web(url: str, settings: Any) -> None:
    settings.INGEST_HOSTS = ["iiif.example.org", ""]
    assert refusal(url) in ("host-not-allowed", "not-https", "address-not-allowed")


def test_a_public_host_is_asked_by_https_only(settings: Any, monkeypatch: Any) -> None:
    names(monkeypatch, "93.184.216.34")
    settings.INGEST_HOSTS = ["iiif.example.org"]
    assert refusal("http://iiif.example.org/a") == "not-https"
    assert refusal("https://iiif.example.org:8443/a") == "host-not-allowed"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
    ],
)
def test_a_name_that_leads_into_a_private_network_is_not_followed(
    address: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One good address beside it changes nothing.
    names(monkeypatch, "93.184.216.34", address)
    settings.INGEST_HOSTS = ["*.example.org"]
    assert refusal("https://iiif.example.org/a") == "address-not-allowed"


def test_the_address_that_was_judged_is_the_one_that_is_asked(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, connected = names(monkeypatch, "93.184.216.34"), []

    def connect(address: tuple[str, int], **_how: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("archive.sources.web.socket.create_connection", connect)
    settings.INGEST_HOSTS = ["iiif.example.org"]
    assert refusal("https://iiif.example.org/a") == "web-broken"
    # Resolved once; a second answer of the name could not be used for anything.
    assert asked == ["iiif.example.org"]
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.usefixtures("_allowed")
def test_a_redirect_is_judged_as_the_first_address_was(there: web_server.Web) -> None:
    there.says |= {"/a": (302, "/b"), "/b": b"bytes"}
    assert fetched(f"{there.address}/a") == b"bytes"
    port = urlsplit(there.address).port
    there.says["/a"] = (302, f"http://localhost:{port}/b")
    assert refusal(f"{there.address}/a") == "host-not-allowed"
    there.says["/a"] = (302, "/a")
    assert refusal(f"{there.address}/a") == "web-broken"


@pytest.mark.usefixtures("_allowed")
def test_so_many_bytes_and_not_one_more(there: web_server.Web) -> None:
    there.says["/a"] = bytes(1001)
    assert refusal(f"{there.address}/a") == "too-large"


@pytest.mark.usefixtures("_allowed")
def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(there: web_server.Web) -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    there.says["/a"] = half
    assert refusal(f"{there.address}/a") in ("truncated", "web-broken")


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_bytes_that_trickle_end_at_the_deadline(there: web_server.Web, head: bytes) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(head)
            while True:
                handler.wfile.write(b"H")
                time.sleep(0.05)

    there.says["/a"] = trickle
    began = time.monotonic()
    assert refusal(f"{there.address}/a", seconds=0.3) == "web-slow"
    assert time.monotonic() - began < 3


@pytest.mark.usefixtures("_allowed")
def test_what_the_other_side_answers_instead_is_told(there: web_server.Web) -> None:
    with pytest.raises(Unreachable) as caught:
        fetched(f"{there.address}/nothing")
    assert (caught.value.code, caught.value.facts) == ("web-refused", {"http": 404})
