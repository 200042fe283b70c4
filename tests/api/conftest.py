"""Programs that act for the cast."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.models import User

Programs = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Tries of another test do not count."""
    cache.clear()


@pytest.fixture
def program() -> Programs:
    """A program that holds somebody's token."""

    def sign_in(user: User) -> APIClient:
        token, _new = Token.objects.get_or_create(user=user)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
        return client

    return sign_in
