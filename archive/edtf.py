"""Dates as archives write them: Extended Date/Time Format, levels 0 and 1 (ISO 8601-2, Annex A).

This module says whether a text is well formed, how to read it aloud, between which years it lies,
and what the words that people write for a date come to. Grammar:
https://www.loc.gov/standards/datetime/
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.dates import MONTHS
from django.utils.translation import gettext, pgettext

OPEN, UNKNOWN = "..", ""
DATE = re.compile(
    r"(?P<year>-?(?!-)(?:\d{4}|\d{3}X|\d{2}XX)|Y-?[1-9]\d{4,8})"
    r"(?:-(?P<month>\d{2}|XX)(?:-(?P<day>\d{2}|XX))?)?(?P<mark>[?~%])?",
    re.ASCII,
)
SEASONS = range(21, 25)


class NotEdtf(ValueError):  # noqa: N818 - says what is wrong
    """The text is not a date of EDTF level 0 or 1."""


@dataclass(frozen=True)
class Date:
    """One date: `year` as written (`191X`), month 1-12 or season 21-24, day; None when not given.

    `mark` is '?' uncertain, '~' approximate, '%' both, or ''.
    """

    year: str
    month: int | None = None
    day: int | None = None
    mark: str = ""
    time: str = ""

    @property
    def is_early(self) -> bool:
        """Whether the year lies before the common era."""
        return self.year.lstrip("Y").startswith("-")


@dataclass(frozen=True)
class Interval:
    """From one date to another; OPEN or UNKNOWN may stand for either end, not for both."""

    start: Date | str
    end: Date | str


def parse(text: str) -> Date | Interval:
    """The date that the text says, or NotEdtf."""
    if "/" not in text:
        return _time(text) if "T" in text else _date(text)
    start, _slash, end = text.partition("/")
    ends = tuple(each if each in (OPEN, UNKNOWN) else _date(each) for each in (start, end))
    if not any(isinstance(each, Date) for each in ends):
        raise NotEdtf(text)
    found = Interval(*ends)
    _check_order(found, text)
    return found


def is_edtf(text: str) -> bool:
    """Whether the text is a date of EDTF level 0 or 1."""
    try:
        parse(text)
    except NotEdtf:
        return False
    return True


def _date(text: str) -> Date:
    match = DATE.fullmatch(text)
    if match is None:
        raise NotEdtf(text)
    year, month, day, mark = match["year"], match["month"], match["day"], match["mark"] or ""
    # Level 1 leaves out digits from the right only.
    if ("X" in year and _number(month)) or (month == "XX" and _number(day)):
        raise NotEdtf(text)
    found = Date(year, _number(month), _number(day), mark)
    _check_calendar(found, text)
    return found


def _number(digits: str | None) -> int | None:
    return int(digits) if digits and digits != "XX" else None


def _check_calendar(date: Date, text: str) -> None:
    month, day = date.month, date.day
    if month is None:
        return
    if month in SEASONS:
        if day is not None or text.count("-") > 1 + date.is_early:
            raise NotEdtf(text)
        return
    if not 1 <= month <= 12:
        raise NotEdtf(text)
    if day is not None and not 1 <= day <= _days(date.year, month):
        raise NotEdtf(text)


def _days(year: str, month: int) -> int:
    """How long the month was, in the calendar carried back before its invention."""
    number = int(year.lstrip("Y"))
    # The calendar repeats every 400 years, and the library begins at 1.
    return calendar.monthrange(number % 400 + 400, month)[1]


def _time(text: str) -> Date:
    day, _t, clock = text.partition("T")
    if not re.fullmatch(r"\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}(:\d{2})?)?", clock, re.ASCII):
        raise NotEdtf(text)
    found = _date(day)
    if found.day is None or found.mark:
        raise NotEdtf(text)
    try:
        datetime.fromisoformat(f"2000-01-01T{clock}")
    except ValueError:
        raise NotEdtf(text) from None
    return Date(found.year, found.month, found.day, time=clock[:5])


def _check_order(found: Interval, text: str) -> None:
    start, end = found.start, found.end
    if isinstance(start, Date) and isinstance(end, Date) and _first(start) > _last(end):
        raise NotEdtf(text)


def _first(date: Date) -> tuple[int, int, int]:
    digit = "9" if date.is_early else "0"
    return int(date.year.lstrip("Y").replace("X", digit)), _month(date) or 1, date.day or 1


def _last(date: Date) -> tuple[int, int, int]:
    digit = "0" if date.is_early else "9"
    return int(date.year.lstrip("Y").replace("X", digit)), _month(date) or 12, date.day or 31


def _month(date: Date) -> int | None:
    """The month, seasons told by their first one."""
    return date.month if date.month not in SEASONS else None


def years(text: str) -> tuple[int, int] | None:
    """The first and the last year that the text may mean; None when an end is open or unknown."""
    found = parse(text)
    if isinstance(found, Date):
        return _first(found)[0], _last(found)[0]
    if isinstance(found.start, Date) and isinstance(found.end, Date):
        return _first(found.start)[0], _last(found.end)[0]
    return None


# --- as people write it --------------------------------------------------------------------------
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = {
    **{name: number for number, name in enumerate(_NAMES, start=1)},
    **dict(zip(("spr", "sum", "aut", "win"), SEASONS, strict=True)),
    **dict(zip("春夏秋冬", SEASONS, strict=True)),
    "fal": 23,
}
_SEASON = r"(?P<month>spring|summer|autumn|fall|winter)"
_DAY, _YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>\d{4})"
_DASH = r"[\u2010-\u2015\u2212]"
DAYS = [
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"{_YEAR}(?:\s?年)?",
        # Not 1900s: one reader takes ten years, another a hundred. In Chinese it is ten.
        r"(?:the )?(?P<decade>\d{2}[1-9])0['\u2019]?s",
        r"(?P<decade>\d{3})0\s?年代",
        rf"{_MONTH},? {_YEAR}",
        rf"(?:the )?{_SEASON}(?:,| of)? {_YEAR}",
        rf"{_YEAR}\s?年\s?(?P<month>[春夏秋冬])[天季]?",
        # Year, month and day have one order; of two numbers only nobody knows what they are.
        rf"{_YEAR}(?P<between>[-/.])(?P<month>\d{{1,2}})(?P=between)(?P<day>\d{{1,2}})",
        rf"{_DAY} (?:of )?{_MONTH},? {_YEAR}",
        rf"{_MONTH} {_DAY},? {_YEAR}",
        rf"{_YEAR}\s?年\s?(?P<month>\d{{1,2}})\s?月(?:\s?(?P<day>\d{{1,2}})\s?[日号])?",
    )
]
MARKED = re.compile(
    r"(?P<about>(?:about|around|approximately|approx\.?|circa|ca?\.?|大?约)\s?)?"
    r"(?P<date>.+?)(?P<near>\s?(?:左右|前后))?(?P<unsure>\s?(?:\?|\((?:uncertain|存疑)\)))?"
)
SPANS = [
    re.compile(pattern)
    for pattern in (
        r"between (?P<first>.+) and (?P<last>.+)",
        r"(?:from )?(?P<first>.+) to (?P<last>.+)",
        # 1904-5 and 03-04-1905 are no spans, so there is no third hyphen.
        r"(?P<first>[^-]+?)\s?-\s?(?P<last>[^-]+)",
        rf"(?P<first>.+?)\s?{_DASH}+\s?(?P<last>.+)",
        r"[自从]?\s?(?P<first>.+?)\s?[至到]\s?(?P<last>.+)",
        r"(?P<first>.+年)\s?~\s?(?P<last>.+)",
        r"(?:until |截至\s?)(?P<last>.+)",
        r"before (?P<before>.+)",
        r"(?P<before>.+?)\s?[以之]?前",
        r"since (?P<first>.+)",
        r"from (?P<first>.+) on",
        r"[自从]?\s?(?P<first>.+?)\s?(?:起|以来)",
        r"after (?P<after>.+)",
        r"(?P<after>.+?)\s?[以之]?后",
    )
]


def from_words(text: str) -> str:
    """The date that people write in English or Chinese, as EDTF: "about 1890" is 1890~.

    What is EDTF already stays as it is; so does what can be read in two ways or in none, which is
    then no EDTF. Pure.
    """
    if is_edtf(text):
        return text
    words = _plain(text)
    meant = {each for each in (_marked(words), *_spans(words)) if is_edtf(each)}
    return meant.pop() if len(meant) == 1 else text


def no_such_day(text: str) -> str:
    """A day that the text names and no calendar has, in the reader's words; nothing for others."""
    match = MARKED.fullmatch(_plain(text))
    found = DATE.fullmatch(_day(match["date"]) or match["date"]) if match else None
    if not found or not found["year"].isdigit():
        return ""
    month, day = _number(found["month"]), _number(found["day"])
    if not month or day is None or month > 12 or 1 <= day <= _days(found["year"], month):
        return ""
    return _day_words(Date(found["year"], month, day))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _marked(words: str) -> str:
    """One date with how sure it is; nothing when it is none."""
    match = MARKED.fullmatch(words)
    day = _day(match["date"]) if match else ""
    if not match or not day:
        return ""
    about, unsure = match["about"] or match["near"], match["unsure"]
    return day + ("%" if about and unsure else "~" if about else "?" if unsure else "")


def _day(words: str) -> str:
    plain = words.upper()
    if "/" not in plain and is_edtf(plain):
        return plain
    for pattern in DAYS:
        match = pattern.fullmatch(words)
        if match:
            return _written(match.groupdict())
    return ""


def _written(said: dict[str, str | None]) -> str:
    if said.get("decade"):
        return f"{said['decade']}X"
    month, day = said.get("month") or "", said.get("day") or ""
    number = _NUMBERS.get(month[:3], month)
    return "-".join([str(said["year"]), *(f"{int(each):02}" for each in (number, day) if each)])


def _spans(words: str) -> Iterator[str]:
    """Every way to read it as a span that keeps to the years that were written."""
    for pattern in SPANS:
        match = pattern.fullmatch(words)
        if match is None:
            continue
        said = match.groupdict()
        ends = [_marked(end) for end in said.values()]
        # "About 1890 to 1899" does not say whether the end is sure, nor "before the 1890s" which
        # end of them is meant.
        if not all(ends) or len({end[-1] in "?~%" and end[-1] for end in ends}) > 1:
            continue
        if len(ends) == 2:
            yield "/".join(ends)
        elif "X" not in ends[0] and (end := _named(said, ends[0])):
            yield f"{end}/{OPEN}" if "first" in said or "after" in said else f"{OPEN}/{end}"


def _named(said: Mapping[str, str], end: str) -> str:
    """The end of an open span: "before 1908" ends in 1907, as an end itself belongs to its span."""
    if "before" in said:
        return _beside(end, -1)
    return _beside(end, 1) if "after" in said else end


def _beside(end: str, step: int) -> str:
    """The year, month or day before or after; nothing for what has no neighbour in its words.

    What is only about there has no edge to stand beside, and stays.
    """
    if not is_edtf(end) or "T" in end:
        return ""
    found = _date(end)
    if found.month in SEASONS:
        return ""
    return end if found.mark in ("~", "%") else _stepped(found, step)


def _stepped(found: Date, step: int) -> str:
    year, month, day = int(found.year.lstrip("Y")), found.month, found.day
    if month is None:
        year += step
    elif day is None:
        year, month = divmod(12 * year + month - 1 + step, 12)
        month += 1
    else:
        # The calendar repeats every 400 years, and the library begins at 1.
        around = date(year % 400 + 400, month, day)
        beside = around + timedelta(days=step)
        year, month, day = year + beside.year - around.year, beside.month, beside.day
    digits = f"Y{year}" if abs(year) > 9999 else f"{year:0{5 if year < 0 else 4}}"
    return "-".join([digits, *(f"{each:02}" for each in (month, day) if each)]) + found.mark


# --- read aloud ----------------------------------------------------------------------------------
def wording(text: str) -> str:
    """The date in words of the reader's language; text that is no EDTF stays as it is."""
    try:
        found = parse(text)
    except NotEdtf:
        return text
    return _date_words(found) if isinstance(found, Date) else _interval_words(found)


def _interval_words(found: Interval) -> str:
    start, end = found.start, found.end
    if not isinstance(start, Date):
        until = _date_words(end) if isinstance(end, Date) else ""
        return gettext("until {date}").format(date=until)
    if not isinstance(end, Date):
        said = gettext("from {date} on") if end == OPEN else gettext("from {date}, end unknown")
        return said.format(date=_date_words(start))
    said = gettext("{first} to {last}")
    return said.format(first=_date_words(start), last=_date_words(end))


def _date_words(date: Date) -> str:
    said = _day_words(date)
    if date.time:
        said = gettext("{date}, {time}").format(date=said, time=date.time)
    marks = {
        "?": gettext("{date} (uncertain)"),
        "~": gettext("about {date}"),
        "%": gettext("about {date} (uncertain)"),
    }
    return marks[date.mark].format(date=said) if date.mark else said


def _day_words(date: Date) -> str:
    year = _year_words(date)
    if date.month is None:
        return year
    if date.month in SEASONS:
        return _season(date.month).format(year=year)
    # A language takes the month as a name or as a number, and leaves the other one out.
    words = {"year": year, "month": MONTHS[date.month], "number": date.month, "day": date.day}
    if date.day is None:
        # xgettext:no-python-brace-format
        said = pgettext("{month} name, {number} digits, {year} in words", "{month} {year}")
    else:
        # xgettext:no-python-brace-format
        said = pgettext("{month} name, {number} digits, {year} in words", "{day} {month} {year}")
    return said.format(**words)


def _year_words(date: Date) -> str:
    digits = date.year.lstrip("Y-")
    if digits.endswith("XX"):
        first, last = f"{digits[:2]}00", f"{digits[:2]}99"
        said = pgettext("a century, by its years", "{first}-{last}").format(first=first, last=last)
    elif digits.endswith("X"):
        said = pgettext("a decade", "the {year}s").format(year=f"{digits[:3]}0")
    else:
        # The format has a year 0, people have not.
        number = int(digits) + date.is_early
        said = pgettext("a year", "{year}").format(year=number)
    return gettext("{year} BCE").format(year=said) if date.is_early else said


def _season(number: int) -> str:
    return {
        21: gettext("spring {year}"),
        22: gettext("summer {year}"),
        23: gettext("autumn {year}"),
        24: gettext("winter {year}"),
    }[number]
