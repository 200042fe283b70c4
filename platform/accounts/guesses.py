"""Wrong passwords count against the account they are tried on, by whatever name and at any address.

From one source few are enough: so somebody guesses. From all sources together it takes many, or
anybody could keep somebody out by guessing badly. A new password forgets them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts.models import User

APP = "allauth.account"
FROM_ONE_SOURCE, FROM_ANYWHERE = "login_failed", "login_failed_anywhere"


def count(request: HttpRequest, names: dict[str, Any]) -> ratelimit.RateLimitUsage:
    """Count a try before it is made; whoever got in takes it back. Refuses the one too many."""
    counted = ratelimit.RateLimitUsage(usage=[])
    for action, key in _counters(request, names):
        one = ratelimit.consume(request, app=APP, action=action, key=key)
        if one is None:
            counted.rollback()
            raise _too_many(request, action, key)
        counted.usage.extend(one.usage)
    return counted


def forget(request: HttpRequest, person: User) -> None:
    """Begin anew for this person, here and from anywhere."""
    for action, key in _of(request, _person(person)):
        ratelimit.clear(request, app=APP, action=action, key=key)


def _counters(request: HttpRequest, names: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for account in sorted(_accounts(names)):
        yield from _of(request, account)


def _of(request: HttpRequest, account: str) -> Iterator[tuple[str, str]]:
    yield FROM_ONE_SOURCE, f"{account} {_source(request)}"
    yield FROM_ANYWHERE, account


def _source(request: HttpRequest) -> str:
    """Where it comes from; who sits behind a socket without an address is one source."""
    try:
        return str(ratelimit.get_ip(request))
    except PermissionDenied:
        return "nowhere"


def _accounts(names: dict[str, Any]) -> set[str]:
    """Everybody whom one of these names could sign in. What is nobody's name counts the same."""
    said = {str(names.get(kind) or "").casefold() for kind in ("username", "email")} - {""}
    found = {_person(each) for name in said for each in _called(name)}
    return found or {f"nobody {name}" for name in said}


def _called(name: str) -> list[User]:
    by_mail = filter_users_by_email(name, prefer_verified=True, for_login=True)
    by_name = get_user_by_username(name)
    return [*by_mail, by_name] if by_name else [*by_mail]


def _person(person: User) -> str:
    return f"person {person.pk}"


def _too_many(request: HttpRequest, action: str, key: str) -> ValidationError:
    minutes = math.ceil(_wait(request, action, key) / 60)
    said = ngettext(
        "Too many wrong passwords. Try again in %(n)s minute, or ask for a new password: "
        "with it you can sign in at once.",
        "Too many wrong passwords. Try again in %(n)s minutes, or ask for a new password: "
        "with it you can sign in at once.",
        minutes,
    )
    return ValidationError(said, code="too_many_login_attempts", params={"n": minutes})


def _wait(request: HttpRequest, action: str, key: str) -> float:
    """Seconds until the oldest of the tries that count is forgotten."""
    (rate,) = ratelimit.get_rates(app=APP, action=action)
    place = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
    now = time.time()
    oldest = min(cache.get(place, []), default=now - rate.duration)
    return float(max(1.0, oldest + rate.duration - now))
