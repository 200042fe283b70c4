"""Two sign up with one name in one moment: one of them has it, and can sign in with it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD
from tests.races.together import together

WORDS = {"password1": PASSWORD, "password2": PASSWORD}


def sign_up(name: str) -> tuple[int, bool]:
    client = Client(raise_request_exception=False)
    answer = client.post(reverse("account_signup"), WORDS | {"username": name})
    told = answer.status_code != 302 and (
        "Somebody here has this name." in answer.text or "goes by this name" in answer.text
    )
    return answer.status_code, told


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("other", ["Lin {}", "lin {}"], ids=["double-click", "capitals"])
def test_one_has_the_name_and_the_other_is_told(other: str, settings: Any) -> None:
    # As slow as on a site, or the first is done before the second has looked.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    for number in range(4):
        first, second = f"Lin {number}", other.format(number)
        answers = together([partial(sign_up, first), partial(sign_up, second)])
        assert sorted(answers) == [(200, True), (302, False)], answers
        assert User.objects.filter(username__iexact=first).count() == 1
        signed = {"login": second, "password": PASSWORD}
        assert Client().post(reverse("account_login"), signed).status_code == 302
