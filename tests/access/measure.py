"""Knock at every door as everybody, and write down who was let in."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from tests.access.addresses import Address, addresses
from tests.access.examples import Example, examples
from tests.access.rows import PEOPLE, Row
from tests.access.world import World

CAST = {
    "volunteer": "vera",
    "other volunteer": "victor",
    "curator": "cora",
    "other curator": "clive",
    "steward": "sten",
}
NOT_HERE = "405"


class Knocker:
    """Asks in the name of each; whatever is changed by an answer is undone."""

    def __init__(self, world: World, tokens: Mapping[str, str] | None = None) -> None:
        self.world = world
        self.tokens = tokens  # shown instead of a session
        # One client for all: the middleware is built once, not at each door.
        self.client = Client(raise_request_exception=False)
        self.cookies = {who: self._cookie(name) for who, name in CAST.items()}

    def _cookie(self, name: str) -> str:
        client = Client()
        client.force_login(getattr(self.world.people, name))
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def ask(self, who: str, method: str, path: str, address: Address) -> str:
        """The answer in a word: a number, "sign in", and the code of a refusal."""
        self.client.cookies.clear()
        sent = self._sent(method, address)
        if self.tokens is not None and who in self.tokens:
            sent["HTTP_AUTHORIZATION"] = f"Token {self.tokens[who]}"
        elif who in self.cookies:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[who]
        cache.clear()  # nobody is slowed down for what another asked
        with transaction.atomic():
            answer = self.client.generic(method, path, **sent)
            told = word(answer)
            transaction.set_rollback(True)
        return told

    def _sent(self, method: str, address: Address) -> dict[str, Any]:
        """Every field that any form asks for, and a file, under the volunteer's open claim."""
        sent: dict[str, Any] = {"HTTP_ACCEPT": "application/json"}
        if address.name.startswith("restoration:"):
            sent["QUERY_STRING"] = f"claim={self.world.claims['open'].pk}"
        if method == "GET":
            return sent
        body = self.world.body()
        if address.space == "api":  # programs are told of names that nobody reads
            wanted = taken().get((template(address.route), method), frozenset())
            body = {name: value for name, value in body.items() if name in wanted}
        if address.wants_json:
            if "collection" in body:  # forms name it by its key
                body["collection"] = self.world.collections["open"].slug
            return sent | {"data": json.dumps(body), "content_type": "application/json"}
        flat = {name: value for name, value in body.items() if not isinstance(value, dict)}
        file = SimpleUploadedFile("a.png", self.world.png, content_type="image/png")
        data = encode_multipart(BOUNDARY, flat | {"file": file})
        return sent | {"data": data, "content_type": MULTIPART_CONTENT}


def template(route: str) -> str:
    """A route of Django as OpenAPI writes it."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).replace("{pk}", "{id}")


@functools.cache
def taken() -> dict[tuple[str, str], frozenset[str]]:
    """What each address of the API takes in a body, by the description of the API."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found: dict[tuple[str, str], frozenset[str]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            for media in told.get("requestBody", {}).get("content", {}).values():
                name = media["schema"]["$ref"].rsplit("/", 1)[-1]
                fields = schema["components"]["schemas"][name]["properties"]
                found[path, method.upper()] = frozenset(fields)
    return found


def spaces() -> list[str]:
    """The parts of the site."""
    return sorted({address.space for address in addresses()})


def rows(
    world: World, cases: slice, knocker: Knocker | None = None, space: str = ""
) -> Iterator[Row]:
    """Every door (of a part), with those of the rows it is tried with, by every method it has."""
    knocker = knocker or Knocker(world)
    for address in (each for each in addresses() if space in ("", each.space)):
        tried = examples(address, world)[cases]
        for method in address.methods:
            yield from _rows(knocker, address, method, tried)


def left_out(world: World, cases: slice) -> set[tuple[str, str]]:
    """Doors and rows that are there and are not among those."""
    tried = {each.name: examples(each, world) for each in addresses()}
    return {
        (name, case)
        for name, found in tried.items()
        for case, _values in found
        if case not in {kept for kept, _values in found[cases]}
    }


def _rows(
    knocker: Knocker, address: Address, method: str, tried: Iterable[Example]
) -> Iterator[Row]:
    *others, steward = PEOPLE
    for case, values in tried:
        path = address.path(values)
        last = knocker.ask(steward, method, path, address)
        if last.startswith(NOT_HERE):
            return  # whether a view has a method does not depend on the row
        answers = (*(knocker.ask(who, method, path, address) for who in others), last)
        yield Row(address.space, address.name, method, case, address.route, answers)


def word(answer: HttpResponseBase) -> str:
    """200, 302, "sign in", "403 not-curator"."""
    where = answer.headers.get("Location", "")
    doors = (reverse("account_login") + "?", reverse("admin:login") + "?")
    if answer.status_code == 302 and where.startswith(doors):
        return "sign in"
    code = _code(answer)
    return f"{answer.status_code} {code}" if code else str(answer.status_code)


def _code(answer: Any) -> str:
    if answer.status_code < 400 or "json" not in answer.headers.get("Content-Type", ""):
        return ""
    told = answer.json()
    return str(told.get("code", "")) if isinstance(told, dict) else ""
