"""Dates with the space between a digit and a character that the rest of the page has."""

DATE_FORMAT = "Y 年 n 月 j 日"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "Y 年 n 月 j 日 H:i"
YEAR_MONTH_FORMAT = "Y 年 n 月"
MONTH_DAY_FORMAT = "n 月 j 日"
SHORT_DATE_FORMAT = "Y 年 n 月 j 日"
SHORT_DATETIME_FORMAT = "Y 年 n 月 j 日 H:i"
