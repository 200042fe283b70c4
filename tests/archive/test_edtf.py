"""Dates as archives write them."""

import pytest
from django.utils import translation

from archive import edtf


@pytest.mark.parametrize(
    "text",
    [
        "1974", "1974-09", "1974-09-01", "1972-02-29", "2004-01-01T10:10:10Z",
        "2004-01-01T10:10:10+05:00", "1964/2008", "2004-06/2006-08", "2004-02-01/2005",
        "Y170000002", "Y-17000", "2001-21", "1984?", "2004-06~", "2004-06-11%", "201X", "20XX",
        "2004-XX", "1985-04-XX", "1985-XX-XX", "1985-04-12/..", "1985/..", "../1985-04", "1985/",
        "/1985", "-1985", "191X~", "1984~/2004-06", "0000", "-0009/0012",
    ],
)  # fmt: skip
def test_dates_of_levels_0_and_1_are_known(text: str) -> None:
    assert edtf.is_edtf(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "circa 1920", "1974-9", "1974-13", "1974-00", "1974-02-30", "1973-02-29", "74", "19745",
        "1974/09", "1976/1974", "../..", "/", "1974-XX-05", "197X-05", "1X74", "1974-21-01",
        "1974-1975", "2004-01-01T25:00:00", "2004-01T10:00:00", "Y1974", "1974?~", "?1974",
        "１９７４", "1974 ", "1974-09-01/1974-08", "{1974,1975}",
    ],
)  # fmt: skip
def test_everything_else_is_not(text: str) -> None:
    assert not edtf.is_edtf(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1974-09", "September 1974"),
        ("1974-09-01", "1 September 1974"),
        ("191X~", "about the 1910s"),
        ("1974?", "1974 (uncertain)"),
        ("19XX", "1900-1999"),
        ("1974/1976", "1974 to 1976"),
        ("1974/..", "from 1974 on"),
        ("../1974", "until 1974"),
        ("1974-24", "winter 1974"),
        ("-0044", "45 BCE"),
        ("circa 1920", "circa 1920"),
    ],
)
def test_a_date_is_read_aloud(text: str, words: str) -> None:
    with translation.override("en"):
        assert edtf.wording(text) == words


@pytest.mark.parametrize(
    ("text", "years"),
    [("1974-09", (1974, 1974)), ("191X~", (1910, 1919)), ("1974/1976", (1974, 1976)),
     ("1974/..", None), ("19XX", (1900, 1999))],
)  # fmt: skip
def test_the_years_a_date_lies_between(text: str, years: tuple[int, int] | None) -> None:
    assert edtf.years(text) == years
