"""What a downloaded picture says of itself: an XMP packet, put into a JPEG without decoding it.

Pure Python on purpose: the web process adds a segment of text to a file it hands on, and never
opens the pixels. Sources: XMP specification part 3 (JPEG APP1), IPTC photo metadata standard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"
# The length of a segment is two bytes and counts itself.
LONGEST = 0xFFFF - 2 - len(SIGNATURE)
START, APP0, APP1 = b"\xff\xd8", 0xE0, 0xE1

_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_OPEN = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
)
_CLOSE = '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'


@dataclass(frozen=True)
class Facts:
    """What is said. Mappings are texts by language tag."""

    title: Mapping[str, str]
    description: Mapping[str, str]
    rights: Mapping[str, str]
    rights_uri: str
    credit: str
    contributors: Sequence[str]
    identifier: str
    source: str
    source_type: str
    systems: str = ""


class NotJpegError(ValueError):
    """The bytes do not begin like a JPEG."""


def packet(facts: Facts) -> str:
    """The packet; a description too long for one segment is left out rather than cut."""
    whole = _packet(facts, facts.description)
    return whole if len(whole.encode()) <= LONGEST else _packet(facts, {})


def _packet(facts: Facts, description: Mapping[str, str]) -> str:
    spaces = "".join(f" xmlns:{name}={quoteattr(uri)}" for name, uri in _SPACES.items())
    body = "".join(_properties(facts, description))
    return f'{_OPEN}<rdf:Description rdf:about=""{spaces}>{body}</rdf:Description>{_CLOSE}'


def _properties(facts: Facts, description: Mapping[str, str]) -> Iterator[str]:
    yield _alternatives("dc:title", facts.title)
    yield _alternatives("dc:description", description)
    yield _alternatives("dc:rights", facts.rights)
    yield _bag("dc:contributor", facts.contributors)
    yield _text("dc:identifier", facts.identifier)
    yield _text("dc:source", facts.source)
    yield _text("xmpRights:WebStatement", facts.rights_uri)
    yield _text("photoshop:Credit", facts.credit)
    yield _text("Iptc4xmpExt:DigitalSourceType", facts.source_type)
    yield _text("Iptc4xmpExt:AISystemUsed", facts.systems)


def _text(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else ""


def _alternatives(name: str, texts: Mapping[str, str]) -> str:
    if not texts:
        return ""
    first = next(iter(texts.values()))
    rows = [("x-default", first), *texts.items()]
    items = "".join(f'<rdf:li xml:lang="{tag}">{escape(text)}</rdf:li>' for tag, text in rows)
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def _bag(name: str, values: Sequence[str]) -> str:
    items = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>" if items else ""


def into_jpeg(jpeg: bytes, words: str) -> bytes:
    """The same JPEG with this packet instead of any other; NotJpegError when it is none."""
    if jpeg[:2] != START:
        raise NotJpegError
    payload = SIGNATURE + words.encode()
    segment = b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload
    kept, rest = _head(jpeg)
    return b"".join((START, kept, segment, memoryview(jpeg)[rest:]))


def _head(jpeg: bytes) -> tuple[bytes, int]:
    """The leading JFIF and Exif segments without an older packet, and where the rest begins."""
    kept, at = b"", 2
    while jpeg[at : at + 1] == b"\xff" and jpeg[at + 1] in (APP0, APP1):
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if not jpeg[at + 4 : end].startswith(SIGNATURE):
            kept += jpeg[at:end]
        at = end
    return kept, at
