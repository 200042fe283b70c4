"""Hours on the pages: in the reader's zone by the script, else in the site's, with its name."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """`{{ review.decided_at|moment }}`: the day and the hour of what has happened."""
    return _told(at, "at")


@register.filter
def deadline(at: datetime | None) -> SafeString | str:
    """`{{ claim.ends_at|deadline }}`: the hour of what is soon, with its day if not today."""
    return _told(at, "until")


def _told(at: datetime | None, kind: str) -> SafeString | str:
    """js/site.js says it anew in the reader's own zone, and goes by `data-moment`."""
    if at is None:
        return ""
    here = timezone.localtime(at)
    said = f"{date_format(here, 'SHORT_DATETIME_FORMAT')} {here.tzname()}"
    return format_html(
        '<time datetime="{}" data-moment="{}">{}</time>', here.isoformat(), kind, said
    )
