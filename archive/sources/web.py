"""One fetch from the web, where the operator allows it and nowhere else.

1. Only hosts of the two lists in the settings; only https, but for the operator's own machines.
2. A name is resolved once, every address it has must be a public one, and the connection goes to
   the address that was looked at: a name that changes its mind in between gains nothing.
3. A redirect is a new address and is judged as the first one was.
4. So many bytes and so many seconds, whatever the other side does.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings

from archive.sources.source import Unreachable

BLOCK = 64 * 1024
MOST_REDIRECTS = 4
SILENCE = 20  # seconds without a byte
REDIRECTS = {301, 302, 303, 307, 308}
# Addresses of the new kind in which one of the old kind is hidden.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SAFE = "/%:@!$&'()*+,;=~?"


@dataclass(frozen=True)
class Target:
    """An address that may be asked, and the machines it may be asked of."""

    url: SplitResult
    host: str
    port: int
    addresses: tuple[str, ...]


def chunks(url: str, *, limit: int, seconds: float) -> Iterator[bytes]:
    """The bytes at a web address. Unreachable when it may not be asked, refuses, or is too much."""
    deadline, hops = time.monotonic() + seconds, 0
    while True:
        with _asked(target(url), deadline) as answer:
            if answer.status not in REDIRECTS:
                yield from _body(answer, limit, deadline)
                return
            url = urljoin(url, answer.getheader("Location") or "")
        hops += 1
        if hops > MOST_REDIRECTS:
            raise Unreachable("web-broken")


def target(url: str) -> Target:
    """Judge an address and resolve its name, once."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Unreachable("host-not-allowed", host="?") from None
    host = (parts.hostname or "").lower()
    if not host:
        raise Unreachable("host-not-allowed", host="?")
    trusted = _listed(settings.INGEST_PRIVATE_HOSTS, host, parts.port)
    if not trusted and not _listed(settings.INGEST_HOSTS, host, parts.port):
        raise Unreachable("host-not-allowed", host=host)
    if parts.scheme not in ("http", "https") or (parts.scheme == "http" and not trusted):
        raise Unreachable("not-https", host=host)
    found = _resolved(host, port)
    if not trusted and not all(_is_public(each) for each in found):
        raise Unreachable("address-not-allowed", host=host)
    return Target(parts, host, port, found)


def _listed(entries: list[str], host: str, port: int | None) -> bool:
    """Whether a list names the host: name, name:port, or *.domain. A port counts when given."""
    named = f"{host}:{port}" if port else host
    return any(
        named.endswith(entry[1:]) if entry.startswith("*.") else named == entry
        for entry in (each.lower() for each in entries)
    )


def _resolved(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("web-broken") from None
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour or found.teredo
        if hidden or found in NAT64:
            return False
    return found.is_global and not found.is_multicast


@contextmanager
def _asked(where: Target, deadline: float) -> Iterator[http.client.HTTPResponse]:
    """The answer to one GET, at its headers; whatever goes wrong has a sentence."""
    with ExitStack() as ends:
        try:
            link = ends.enter_context(closing(_connected(where, deadline)))
            ends.enter_context(_cut_at(deadline, link))
            asking = http.client.HTTPConnection(where.host, where.port)
            asking.sock, asking.auto_open = link, 0
            _send(asking, where)
            answer = ends.enter_context(asking.getresponse())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken(where.host, deadline, error) from None
        yield answer


def _send(asking: http.client.HTTPConnection, where: Target) -> None:
    path = quote(where.url.path or "/", safe=SAFE)
    if where.url.query:
        path += "?" + quote(where.url.query, safe=SAFE)
    asking.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    asking.putheader("Host", where.url.netloc.rpartition("@")[2])
    asking.putheader("Accept", "application/ld+json, application/json, image/*;q=0.9, */*;q=0.5")
    asking.putheader("Accept-Encoding", "identity")
    asking.putheader("User-Agent", f"Rekindle (+{settings.SITE_URL})")
    asking.endheaders()


def _connected(where: Target, deadline: float) -> socket.socket:
    """A socket to an address that was looked at; the name is only what TLS must prove."""
    left = max(0.1, min(SILENCE, deadline - time.monotonic()))
    for number, address in enumerate(where.addresses, start=1):
        try:
            link = socket.create_connection((address, where.port), timeout=left)
            break
        except OSError:
            if number == len(where.addresses):
                raise
    link.settimeout(SILENCE)
    if where.url.scheme != "https":
        return link
    try:
        return ssl.create_default_context().wrap_socket(link, server_hostname=where.host)
    except BaseException:
        link.close()
        raise


@contextmanager
def _cut_at(deadline: float, link: socket.socket) -> Iterator[None]:
    """End the connection at the deadline, even in the middle of a header that trickles in."""
    # A socket of its own on the same connection: the other one is in use by this thread.
    knife = socket.socket(fileno=os.dup(link.fileno()))

    def cut() -> None:
        try:
            knife.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        knife.close()


def _body(answer: http.client.HTTPResponse, limit: int, deadline: float) -> Iterator[bytes]:
    if answer.status != 200:
        raise Unreachable("web-refused", http=answer.status)
    if answer.getheader("Content-Encoding", "identity").lower() != "identity":
        raise Unreachable("web-broken")
    size, promised = 0, answer.getheader("Content-Length", "")
    while True:
        try:
            block = answer.read1(BLOCK)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken("", deadline, error) from None
        if time.monotonic() > deadline:
            raise Unreachable("web-slow")
        if not block:
            break
        size += len(block)
        if size > limit:
            raise Unreachable("too-large", limit=limit)
        yield block
    # A connection that ends early reads like the end of the file.
    if promised.isdigit() and size < int(promised):
        raise Unreachable("truncated")


def _broken(host: str, deadline: float, error: Exception) -> Unreachable:
    if time.monotonic() > deadline or isinstance(error, TimeoutError):
        return Unreachable("web-slow")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable("web-certificate", host=host)
    return Unreachable("web-broken")
