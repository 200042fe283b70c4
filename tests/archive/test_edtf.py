"""Dates as archives write them."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from archive import edtf, wording
from tests import factories
from tests.people import appoint, cast


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


# How people write it, what is kept, and how that is read aloud in English and in Chinese.
WRITTEN = [
    ("1890s", "189X", "the 1890s", "1890 年代"),
    ("the 1890s", "189X", "the 1890s", "1890 年代"),
    ("1890\N{RIGHT SINGLE QUOTATION MARK}s", "189X", "the 1890s", "1890 年代"),
    ("about 1890", "1890~", "about 1890", "约 1890 年"),
    ("Around 1890", "1890~", "about 1890", "约 1890 年"),
    ("ca. 1890", "1890~", "about 1890", "约 1890 年"),
    ("c. 1890", "1890~", "about 1890", "约 1890 年"),
    ("c1890", "1890~", "about 1890", "约 1890 年"),
    ("circa 1890", "1890~", "about 1890", "约 1890 年"),
    ("about the 1910s", "191X~", "about the 1910s", "约 1910 年代"),
    ("1890 ?", "1890?", "1890 (uncertain)", "1890 年（存疑）"),
    ("about 1890?", "1890%", "about 1890 (uncertain)", "约 1890 年（存疑）"),
    ("1890-1899", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    ("1890\N{EN DASH}1899", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    ("1890 - 1899", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    ("1890 to 1899", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    ("between 1890 and 1899", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    # What is before a year ends with the one before it; what goes until a year has it in it.
    ("before 1900", "../1899", "until 1899", "截至 1899 年"),
    ("after 1900", "1901/..", "from 1901 on", "1901 年起"),
    ("until 1900", "../1900", "until 1900", "截至 1900 年"),
    ("since 1900", "1900/..", "from 1900 on", "1900 年起"),
    ("before May 1904", "../1904-04", "until April 1904", "截至 1904 年 4 月"),
    ("before January 1904", "../1903-12", "until December 1903", "截至 1903 年 12 月"),
    ("after December 1904", "1905-01/..", "from January 1905 on", "1905 年 1 月起"),
    ("before 1 March 1904", "../1904-02-29", "until 29 February 1904", "截至 1904 年 2 月 29 日"),
    ("after 31 December 1999", "2000-01-01/..", "from 1 January 2000 on", "2000 年 1 月 1 日起"),
    ("before 1900?", "../1899?", "until 1899 (uncertain)", "截至 1899 年（存疑）"),
    ("before about 1900", "../1900~", "until about 1900", "截至 约 1900 年"),
    ("summer 1890", "1890-22", "summer 1890", "1890 年夏"),
    ("Spring of 1896", "1896-21", "spring 1896", "1896 年春"),
    ("the fall of 1896", "1896-23", "autumn 1896", "1896 年秋"),
    ("about winter 1896", "1896-24~", "about winter 1896", "约 1896 年冬"),
    ("autumn 1974", "1974-23", "autumn 1974", "1974 年秋"),
    ("May 1904", "1904-05", "May 1904", "1904 年 5 月"),
    ("Sept. 1904", "1904-09", "September 1904", "1904 年 9 月"),
    ("about May 1904", "1904-05~", "about May 1904", "约 1904 年 5 月"),
    ("4 May 1904", "1904-05-04", "4 May 1904", "1904 年 5 月 4 日"),
    ("May 4th, 1904", "1904-05-04", "4 May 1904", "1904 年 5 月 4 日"),
    ("1904年", "1904", "1904", "1904 年"),
    ("1904年5月", "1904-05", "May 1904", "1904 年 5 月"),
    ("1904年5月4日", "1904-05-04", "4 May 1904", "1904 年 5 月 4 日"),
    ("约1890年", "1890~", "about 1890", "约 1890 年"),
    ("1890年左右", "1890~", "about 1890", "约 1890 年"),
    ("1890年前后", "1890~", "about 1890", "约 1890 年"),
    ("1890年代", "189X", "the 1890s", "1890 年代"),
    ("1890年至1899年", "1890/1899", "1890 to 1899", "1890 年至 1899 年"),
    ("1900年以前", "../1899", "until 1899", "截至 1899 年"),
    ("1900年之前", "../1899", "until 1899", "截至 1899 年"),
    ("1900年以后", "1901/..", "from 1901 on", "1901 年起"),
    ("1904年5月后", "1904-06/..", "from June 1904 on", "1904 年 6 月起"),
    ("截至1900年", "../1900", "until 1900", "截至 1900 年"),
    ("自1900年起", "1900/..", "from 1900 on", "1900 年起"),
    ("1900年以来", "1900/..", "from 1900 on", "1900 年起"),
    ("1890年夏天", "1890-22", "summer 1890", "1890 年夏"),
    ("1896年春季", "1896-21", "spring 1896", "1896 年春"),
    ("１９０４年５月", "1904-05", "May 1904", "1904 年 5 月"),
    # As a Chinese spreadsheet writes a day.
    ("1974/9/1", "1974-09-01", "1 September 1974", "1974 年 9 月 1 日"),
    ("1974.9.1", "1974-09-01", "1 September 1974", "1974 年 9 月 1 日"),
    ("1974-9-1", "1974-09-01", "1 September 1974", "1974 年 9 月 1 日"),
    ("about 1974/12/31", "1974-12-31~", "about 31 December 1974", "约 1974 年 12 月 31 日"),
    # What is EDTF stays, and small letters are no reason to say no.
    ("1904-05", "1904-05", "May 1904", "1904 年 5 月"),
    ("191x~", "191X~", "about the 1910s", "约 1910 年代"),
]


@pytest.mark.parametrize(("text", "kept", "english", "chinese"), WRITTEN)
def test_a_date_as_people_write_it_is_understood(
    text: str, kept: str, english: str, chinese: str
) -> None:
    assert edtf.from_words(text) == kept
    assert edtf.is_edtf(kept)
    for language, said in (("en", english), ("zh-hans", chinese)):
        with translation.override(language):
            assert edtf.wording(kept) == said
            assert edtf.from_words(said) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("before -0044", "../-0045"), ("before 0000", "../-0001"), ("after -0001", "0000/.."),
        ("before Y10000", "../9999"), ("after 9999-12-31", "Y10000-01-01/.."),
        ("before 0000-01-01", "../-0001-12-31"),
    ],
)  # fmt: skip
def test_years_of_other_lengths_have_neighbours_too(text: str, kept: str) -> None:
    assert edtf.from_words(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        # In two ways: by day or by month first, a month or a year, ten years or a hundred.
        "03/04/1905", "03-04-1905", "3.4.1905", "5/1904", "1904-5", "1890-99", "1900s",
        "1974-9", "1974/9", "1974/9-1",
        # Which end is unsure, which end of the ten years is meant.
        "about 1890-1899", "1890 to 1899?", "before the 1890s", "after 1890年代",
        # In none.
        "", " ", "yesterday", "May", "4 May", "1899-1890", "31 February 1904", "1904年13月",
        "1890-1899-1900", "harvest 1974", "about", "1904 or 1905", "summer 1890s", "summer",
        # Which winter is the one before a spring is told by no calendar.
        "before spring 1890", "after 31 February 1904", "before 2004-01-01T10:10:10",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_in_none_stays_as_it_was_written(text: str) -> None:
    assert edtf.from_words(text) == text
    assert not edtf.is_edtf(text)


@pytest.mark.parametrize("text", ["1900s", "the 1900s", "1900\N{RIGHT SINGLE QUOTATION MARK}s"])
def test_ten_years_or_a_hundred_is_asked_back_with_what_to_write_for_each(text: str) -> None:
    said = wording.date_sentence(text)
    assert "may mean ten years or a hundred" in said
    assert "190X for 1900 to 1909" in said
    assert "19XX for 1900 to 1999" in said
    assert edtf.years("190X") == (1900, 1909)
    assert edtf.years("19XX") == (1900, 1999)


@pytest.mark.parametrize("text", ["harvest 1974", "1890s or so", "21900s", "1900sq"])
def test_what_is_no_date_at_all_is_answered_with_how_one_is_written(text: str) -> None:
    said = wording.date_sentence(text)
    assert said.startswith(f"“{text}” cannot be read as a date. Write for example 1890, May 1904,")
    assert "the rest can stand in the description" in said


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_date_that_is_given_as_an_example_is_understood(language: str) -> None:
    with translation.override(language):
        examples = str(wording.DATES)
    told = re.split(r", | or |、|或", examples)
    assert len(told) == 5
    for each in told:
        assert edtf.is_edtf(edtf.from_words(each.strip())), each


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31 February 1904", "31 February 1904"),
        ("about 31 April 1904?", "31 April 1904"),
        ("1973-02-29", "29 February 1973"),
        ("1904年2月30日", "30 February 1904"),
    ],
)
def test_a_day_that_no_calendar_has_is_told_so(text: str, day: str) -> None:
    with translation.override("en"):
        assert f"There is no {day}." in wording.date_sentence(text)
    assert edtf.no_such_day("29 February 1904") == ""


@pytest.mark.parametrize("text", ["1904-13", "1904-XX-40", "1904-02", "", "/", "31 February"])
def test_of_other_words_no_day_is_made(text: str) -> None:
    assert edtf.no_such_day(text) == ""


@pytest.mark.django_db
def test_who_writes_ten_years_or_a_hundred_reads_both_and_keeps_what_was_typed(
    client: Client,
) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    client.force_login(people.cora)
    address = reverse("archive:describe", args=[factories.photo(box).ref])
    answer = client.post(address, {"date_edtf": "1900s", "title_en": "kept while typing"})
    assert answer.status_code == 422
    for said in ("190X for 1900 to 1909", "19XX for 1900 to 1999", "kept while typing"):
        assert said in answer.text


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
