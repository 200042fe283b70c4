"""What a reader sees or hears of a page: its text and its spoken attributes."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

SPOKEN = ("alt", "aria-label", "placeholder", "title")
UNREAD = {"script", "style", "code", "pre", "kbd", "svg", "noscript", "textarea", "option"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}


class Reader(HTMLParser):
    """Gathers what is said in Chinese; what is marked as another language is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        read = self._is_read and tag not in UNREAD
        if "lang" in told:
            read = read and (told["lang"] or "").lower().startswith("zh")
        if read:
            self.said += [told[name] or "" for name in SPOKEN if told.get(name)]
        if tag not in VOID:
            self._open.append((tag, read))

    def handle_endtag(self, tag: str) -> None:
        if any(tag == name for name, _read in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._is_read and data.strip():
            self.said.append(" ".join(data.split()))

    @property
    def _is_read(self) -> bool:
        return self._open[-1][1] if self._open else True


def said(html: str) -> Iterator[str]:
    """Every piece of a page that is said in Chinese."""
    reader = Reader()
    reader.feed(html)
    yield from reader.said
