"""Wrong passwords count by the name as typed, and against each account that it could sign in.

From one source few are enough: so somebody guesses. From all sources together it takes many, or
anybody could keep somebody out by guessing badly. A new password forgets them.

That there were too many is said of the typed name alone, be it somebody's or nobody's. An account
that was tried by other names answers as to a wrong password, or whoever tries two of them would
learn that they are one person's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts.models import User

APP = "allauth.account"
FROM_ONE_SOURCE, FROM_ANYWHERE = "login_failed", "login_failed_anywhere"


class Full(Exception):  # noqa: N818 - says what a counter is
    """One try more than it takes, with the counter's action and key."""

    def __init__(self, action: str, key: str) -> None:
        super().__init__(action, key)
        self.action, self.key = action, key


@dataclass
class Tries:
    """What was counted before a password is looked at, and the accounts that it may open."""

    counted: ratelimit.RateLimitUsage
    free: list[User]

    def let_in(self, found: User | None, password: str) -> User | None:
        """Whom the password lets in. An account that has to wait keeps out nobody else who has
        the same address, or that would tell of it."""
        if found is not None and found not in self.free:
            found = next((each for each in self.free if _opens(each, password)), None)
        if found is not None:
            self.counted.rollback()
        return found


def count(request: HttpRequest, names: dict[str, Any]) -> Tries:
    """Count a try before it is made; whoever gets in takes it back. Refuses the one too many."""
    name = _typed(names)
    try:
        counted = _consume(request, _called(name))
    except Full as full:
        raise _too_many(request, full) from None
    people = _people(names)
    free = [each for each in people if _takes(request, _account(each), counted)]
    if not people:
        # As much work as for somebody's name, or the clock would tell them apart.
        _takes(request, f"nobody {name.lower()}", counted)
    return Tries(counted, free)


def forget(request: HttpRequest, person: User) -> None:
    """Begin anew for this person, by whatever name, here and from anywhere."""
    for whom in (_account(person), *map(_called, sorted(_names(person)))):
        for action, key in _counters(request, whom):
            ratelimit.clear(request, app=APP, action=action, key=key)


def _takes(request: HttpRequest, whom: str, counted: ratelimit.RateLimitUsage) -> bool:
    """Whether this one may be tried once more, which then is counted with the others."""
    try:
        counted.usage.extend(_consume(request, whom).usage)
    except Full:
        return False
    return True


def _consume(request: HttpRequest, whom: str) -> ratelimit.RateLimitUsage:
    counted = ratelimit.RateLimitUsage(usage=[])
    for action, key in _counters(request, whom):
        one = ratelimit.consume(request, app=APP, action=action, key=key)
        if one is None:
            counted.rollback()
            raise Full(action, key)
        counted.usage.extend(one.usage)
    return counted


def _counters(request: HttpRequest, whom: str) -> Iterator[tuple[str, str]]:
    yield FROM_ONE_SOURCE, f"{whom} {_source(request)}"
    yield FROM_ANYWHERE, whom


def _source(request: HttpRequest) -> str:
    """Where it comes from; who sits behind a socket without an address is one source."""
    try:
        return str(ratelimit.get_ip(request))
    except PermissionDenied:
        return "nowhere"


def _typed(names: dict[str, Any]) -> str:
    """The library takes what was typed for a user name, and for an address besides."""
    return str(names.get("username") or names.get("email") or "")


def _called(name: str) -> str:
    return f"name {name.lower()}"


def _account(person: User) -> str:
    return f"person {person.pk}"


def _people(names: dict[str, Any]) -> list[User]:
    """Everybody whom one of these names could sign in, found as the library finds them."""
    said = {str(names.get(kind) or "") for kind in ("username", "email")} - {""}
    found = {each for name in said for each in _named(name)}
    return sorted(found, key=lambda each: each.pk)


def _named(name: str) -> Iterable[User]:
    by_mail = filter_users_by_email(name, prefer_verified=True, for_login=True)
    by_name = get_user_by_username(name)
    return [*by_mail, by_name] if by_name else by_mail


def _names(person: User) -> set[str]:
    """By what the person may have been tried."""
    more = EmailAddress.objects.filter(user=person).values_list("email", flat=True)
    return {each.lower() for each in (person.get_username(), person.email, *more) if each}


def _opens(person: User, password: str) -> bool:
    return person.is_active and person.check_password(password)


def _too_many(request: HttpRequest, full: Full) -> ValidationError:
    minutes = math.ceil(_wait(request, full) / 60)
    said = ngettext(
        "Too many wrong passwords. Try again in %(n)s minute, or ask for a new password: "
        "with it you can sign in at once.",
        "Too many wrong passwords. Try again in %(n)s minutes, or ask for a new password: "
        "with it you can sign in at once.",
        minutes,
    )
    return ValidationError(said, code="too_many_login_attempts", params={"n": minutes})


def _wait(request: HttpRequest, full: Full) -> float:
    """Seconds until the oldest of the tries that count is forgotten."""
    (rate,) = ratelimit.get_rates(app=APP, action=full.action)
    place = ratelimit.get_cache_key(request, app=APP, action=full.action, rate=rate, key=full.key)
    now = time.time()
    oldest = min(cache.get(place, []), default=now - rate.duration)
    return float(max(1.0, oldest + rate.duration - now))
