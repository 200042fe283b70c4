"""The cast.

Vera and Victor restore, Cora curates, Clive curates elsewhere, Sten is steward, Stan a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import get_hasher, make_password
from django.test import Client

from accounts.models import User
from archive.models import Collection, Curatorship
from archive.trust import Trust

PASSWORD = "a-long-enough-pass-phrase"


@dataclass(frozen=True)
class Cast:
    """The people of one test. Stan has no account, so he is not here."""

    vera: User
    victor: User
    cora: User
    clive: User
    sten: User


def person(name: str, **fields: object) -> User:
    """Somebody with an account that has worked here for a while; the password is PASSWORD."""
    fields = {"trust": Trust.REGULAR} | fields
    return User.objects.create(
        username=name,
        email=f"{name}@example.org",
        password=_hashed(get_hasher().algorithm),
        display_name=name.title(),
        **fields,
    )


@cache
def _hashed(algorithm: str) -> str:
    """The one word of the whole cast, hashed once: to a running site it is slow by design."""
    return make_password(PASSWORD, hasher=algorithm)


def cast() -> Cast:
    """Everybody, without any office but the steward's."""
    return Cast(
        vera=person("vera"),
        victor=person("victor"),
        cora=person("cora"),
        clive=person("clive"),
        sten=person("sten", is_steward=True),
    )


def signed_in(user: User) -> Client:
    """A browser without scripts in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client


def appoint(user: User, collection: Collection) -> Curatorship:
    """Make somebody curator of a collection."""
    return Curatorship.objects.create(user=user, collection=collection)
