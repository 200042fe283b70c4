"""Pages that are the same for every stranger, kept in the database for all processes of the site.

Whether a page still holds is asked together with it, in one statement.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q
from django.urls import reverse

from exhibit.models import Exhibit, KeptPage, Placement
from exhibit.queries import edition

# By hand, because a page that is shown again should cost next to nothing, and building this
# statement anew would be most of it.
LOOK = """
SELECT now.number, page.packed, page.etag, page.headers, page.view, page.good_until
FROM (SELECT COALESCE(MAX(number), 0) AS number FROM exhibit_edition) now
LEFT JOIN exhibit_keptpage page
  ON page.name = %s AND page.edition = now.number AND page.good_until > %s
"""


@dataclass(frozen=True)
class Page:
    """What is sent, what it is called, and the name of the view that made it."""

    packed: bytes
    etag: str
    headers: Mapping[str, str]
    view: str
    good_until: int  # a second of the clock

    @property
    def body(self) -> bytes:
        """For who cannot unpack it."""
        return gzip.decompress(self.packed)


def page(body: bytes, headers: Mapping[str, str], view: str, *, until: float) -> Page:
    """Pack it; the tag is a weak one, for packed and unpacked alike."""
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(gzip.compress(body, mtime=0), etag, headers, view, int(until))


def look(name: str, *, now: float) -> tuple[int, Page | None]:
    """The edition of this moment, and the page of that name as it was kept in it."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [name, int(now)])
        number, packed, etag, headers, view, good_until = cursor.fetchone()
    if packed is None:
        return number, None
    return number, Page(bytes(packed), etag, json.loads(headers), view, good_until)


def keep(name: str, kept: Page, *, made_in: int) -> None:
    """Keep it for the edition that was read before it was made."""
    row = KeptPage(
        name=name,
        edition=made_in,
        good_until=kept.good_until,
        etag=kept.etag,
        headers=json.dumps(dict(kept.headers)),
        view=kept.view,
        packed=kept.packed,
    )
    fields = [each.name for each in KeptPage._meta.fields if not each.primary_key]
    KeptPage.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["name"], update_fields=fields
    )


def lacking(names: Iterable[str], *, until: datetime) -> set[str]:
    """Those of the names that nobody has kept in this edition, or not for so long."""
    here = KeptPage.objects.filter(edition=edition(), good_until__gt=int(until.timestamp()))
    return set(names) - set(here.values_list("name", flat=True))


def forget(*, now: datetime) -> int:
    """Throw away what nobody is shown any more."""
    over = ~Q(edition=edition()) | Q(good_until__lte=int(now.timestamp()))
    return KeptPage.objects.filter(over).delete()[0]


def public_paths(*, most: int) -> Iterator[str]:
    """Where visitors go: the doors first, then each picture as one walks, then the close looks."""
    yield reverse("exhibit:home")
    yield reverse("exhibit:list")
    for slug in Exhibit.objects.filter(is_open=True).values_list("slug", flat=True):
        yield reverse("exhibit:exhibit", args=[slug])
    hung = Placement.objects.filter(room__exhibit__is_open=True).shown().in_order()
    pictures = list(hung.values_list("room__exhibit__slug", "photo__ref")[:most])
    for page in ("exhibit:photo", "exhibit:zoom"):
        yield from (reverse(page, args=each) for each in pictures)
