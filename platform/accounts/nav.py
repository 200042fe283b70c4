"""The header's and footer's links, for whoever looks; costs a query only when they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.queries import curates_anything


@dataclass(frozen=True)
class Link:
    """One entry; `current` when the page belongs to it."""

    url: str
    label: str | Promise
    current: bool = False


Entries = tuple[tuple[str, str | Promise], ...]

PUBLIC: Entries = (("exhibit:list", _("Exhibits")),)
VOLUNTEER: Entries = (("restoration:wall", _("Take part")), ("people:work", _("My work")))
CURATOR: Entries = (
    ("restoration:desk", _("Review")),
    ("exhibit:manage", _("Arrange")),
    ("archive:collections", _("Collections")),
)
STEWARD: Entries = (("people:list", _("People")), ("restoration:machines", _("Machines")))
FOOTER: Entries = (("people:privacy", _("Privacy")), ("api:docs", _("API")))


def nav(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `footer` and `account_url` for base.html."""
    return {
        "nav": SimpleLazyObject(lambda: _nav(request)),
        "footer": SimpleLazyObject(lambda: _links(FOOTER)),
        "account_url": reverse("people:profile"),
    }


def _nav(request: HttpRequest) -> list[Link]:
    links = _links(_entries(request))
    below = {link.url for link in _links(FOOTER)}
    paths = [link.url for link in links if request.path not in below]
    here = [url for url in paths if request.path.startswith(url)]
    nearest = max(here, key=len, default="")
    return [replace(link, current=link.url == nearest) for link in links]


def _entries(request: HttpRequest) -> Entries:
    user = request.user
    if not isinstance(user, User):
        return PUBLIC
    entries = PUBLIC + VOLUNTEER
    if curates_anything(user):
        entries += CURATOR
    return entries + STEWARD if user.is_steward else entries


def _links(entries: Entries) -> list[Link]:
    return [Link(reverse(name), label) for name, label in entries]
