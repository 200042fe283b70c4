"""Who may look after what in the archive, asked in one place and closed by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.models import Collection, Curatorship
from archive.trust import is_suspended

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Refused(Exception):  # noqa: N818 - the word of the policy
    """A verb said no. `code` is stable for programs, `message` is a sentence for the person.

    `invalid` tells that what was written cannot be taken; it may be written again.
    `conflict` tells a refusal by circumstance (another hand was quicker; try something else)
    from one by permission (you may not).
    `wait` tells that the account's limit is reached, and after how many seconds to try again.
    `facts` let the sentence be said again elsewhere.
    """

    def __init__(
        self,
        code: str,
        message: str | Promise,
        *,
        conflict: bool = False,
        invalid: bool = False,
        wait: int = 0,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.conflict = conflict
        self.invalid = invalid
        self.wait = wait
        self.facts = dict(facts or {})


def curates(user: User | AnonymousUser, collection_id: int) -> bool:
    """Whether this person decides for the collection."""
    if not user.is_authenticated or is_suspended(user):
        return False
    if user.is_steward:
        return True
    return Curatorship.objects.filter(user=user, collection_id=collection_id).exists()


def check_curate(user: User | AnonymousUser, collection: Collection) -> None:
    """Only a curator of the collection, or a steward."""
    if not curates(user, collection.pk):
        raise Refused("not-curator", _("Only a curator of this collection can do that."))


def check_steward(user: User) -> None:
    """Only a steward opens a collection."""
    if not (user.is_authenticated and user.is_steward) or is_suspended(user):
        raise Refused("not-steward", _("Only a steward can do that."))
