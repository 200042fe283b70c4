"""Save the unfinished work of a volunteer on a photo."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import storage
from archive.models import Photo
from archive.policy import Refused
from restoration import policy
from restoration.lifecycle import ClaimState
from restoration.masks import check_mask, require_at_hand
from restoration.models import Claim, Draft, Sheet

if TYPE_CHECKING:
    from accounts.models import User


class DraftMoved(Refused):
    """Another tab saved in between; `draft` is what it saved."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(
            "draft-moved", _("Another tab or device has saved in between."), conflict=True
        )
        self.draft = draft


def save_draft(
    *, photo: Photo, by: User, rev: int, body: Mapping[str, Any], fence: int, now: datetime
) -> Draft:
    """Keep the draft if nobody saved since `rev`; the fence ties it to its claim. What is there
    already is saved, whatever its number: the answer to an earlier try may have been lost.

    BadInput `unknown-mask` when its mask is not at hand for this person on this photo.
    """
    claim = policy.hold(by, photo, fence=fence)
    require_at_hand(photo, by, body.get("mask"))
    with transaction.atomic():
        draft, created = Draft.objects.get_or_create(
            photo=photo, volunteer=by, defaults={"rev": 1, "body": dict(body), "saved_at": now}
        )
        if not created:
            rows = Draft.objects.filter(pk=draft.pk, rev=rev)
            if not rows.update(rev=rev + 1, body=dict(body), saved_at=now):
                draft.refresh_from_db()
                if draft.body != body:
                    raise DraftMoved(draft)
            draft.refresh_from_db()
        Claim.objects.filter(pk=claim.pk, state=ClaimState.OPEN).update(seen_at=now)
    return draft


def keep_mask(
    *, photo: Photo, by: User, content: bytes, now: datetime, fence: int | None = None
) -> str:
    """Keep a painted mask under its sha256; BadInput when it is none."""
    policy.hold(by, photo, fence=fence)
    policy.check_mask(by, now=now)
    check_mask(content, photo)
    sha256 = hashlib.sha256(content).hexdigest()
    storage.put_bytes(storage.sheet_key(sha256), content)
    with transaction.atomic():
        policy.one_at_a_time(by)
        policy.check_mask(by, now=now)
        Sheet.objects.get_or_create(
            photo=photo, kept_by=by, sha256=sha256, defaults={"kept_at": now}
        )
    return sha256
