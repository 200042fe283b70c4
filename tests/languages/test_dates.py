"""No date can be read in two ways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template.defaultfilters import date
from django.utils import translation

AT = datetime(2026, 10, 3, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [
        ("en", "DATE_FORMAT", "3 October 2026"),
        ("en", "SHORT_DATE_FORMAT", "3 Oct 2026"),
        ("en", "DATETIME_FORMAT", "3 October 2026, 14:05"),
        ("en", "SHORT_DATETIME_FORMAT", "3 Oct 2026, 14:05"),
        ("en", "MONTH_DAY_FORMAT", "3 October"),
        ("zh-hans", "SHORT_DATETIME_FORMAT", "2026 年 10 月 3 日 14:05"),
    ],
)
def test_the_month_is_a_word_or_has_one_beside_it(language: str, name: str, said: str) -> None:
    with translation.override(language):
        assert date(AT, name) == said
