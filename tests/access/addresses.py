"""Every address of the site, read from the resolvers and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.parsers import MultiPartParser

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OURS = frozenset({"config", "accounts", "exhibit", "restoration", "archive"})
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>")


@dataclass(frozen=True)
class Address:
    """One pattern: its full name (the route when it has none), its route and its view."""

    space: str
    name: str
    route: str
    view: Any
    named: bool

    @property
    def parameters(self) -> frozenset[str]:
        """What must be filled in."""
        return frozenset(a or b for a, b in PARAMETER.findall(self.route))

    @property
    def methods(self) -> tuple[str, ...]:
        """What is worth trying: all that a view of the API has, all of our own, two of others'."""
        view = getattr(self.view, "cls", None)
        if view is not None:
            return tuple(each for each in METHODS if hasattr(view, each.lower()))
        ours = self.view.__module__.split(".")[0] in OURS
        return METHODS if ours else METHODS[:2]

    @property
    def wants_json(self) -> bool:
        """Whether a body should be JSON: the API, where it does not take files."""
        view = getattr(self.view, "cls", None)
        return view is not None and MultiPartParser not in tuple(view.parser_classes[:1])

    def path(self, values: Mapping[str, Any]) -> str:
        """The address with its parameters filled in."""
        if self.named:
            return reverse(self.name, kwargs=dict(values))
        route = re.sub(r"\(\?P<(\w+)>[^)]*\)\$?", r"<\1>", self.route)
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: quote(str(values[found[1]])), route)
        return f"/{filled}"


def addresses() -> list[Address]:
    """All of them, in the resolvers' order."""
    return list(_walk(get_resolver().url_patterns, "", "site"))


def _walk(patterns: list[URLPattern | URLResolver], route: str, space: str) -> Iterator[Address]:
    for pattern in patterns:
        here = f"{route}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here, pattern.namespace or space)
        else:
            name = f"{space}:{pattern.name}".removeprefix("site:") if pattern.name else here
            yield Address(space, name, here, pattern.callback, named=bool(pattern.name))
