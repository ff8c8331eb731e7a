r"""Bank holidays of the nations of the United Kingdom, from the rules that set them.

Easter Sunday of the Gregorian calendar is found in integers [1]_: with the golden number
:math:`a = Y \bmod 19`, the century :math:`b = \lfloor Y/100 \rfloor`, the year in it
:math:`c = Y \bmod 100`, the epact :math:`h` and the days :math:`l` from the full moon to a Sunday,

.. math:: h = \left(19a + b - \lfloor b/4 \rfloor - \lfloor (b - \lfloor (b+8)/25 \rfloor + 1)/3 \rfloor + 15
   \right) \bmod 30, \quad
   l = (32 + 2(b \bmod 4) + 2\lfloor c/4 \rfloor - h - c \bmod 4) \bmod 7

The rest follows the Banking and Financial Dealings Act 1971 and the St Andrew's Day Bank Holiday
(Scotland) Act 2007. A holiday at a weekend is kept on the next weekday that is not one already. Days
that a proclamation moved or added are in :data:`MOVED` and :data:`ADDED`; a day proclaimed after this
list was written is not in it. What a hospital, a surgery or a health board keeps can differ: in
Scotland banks and boards often keep days of their own.

References
----------
.. [1] Anonymous (1876). To find Easter. *Nature* 13, 487. In the form of Meeus, J. (1991).
   *Astronomical Algorithms*, chapter 8.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from ucimpact.errors import DesignError

NATIONS = ("england", "wales", "scotland", "northern-ireland")
FIRST_YEAR = 1995
"""The first year whose moved and added days are in this file."""

ST_ANDREWS_FROM = 2007
SATURDAY = 5

EARLY_MAY, SPRING = "Early May bank holiday", "Spring bank holiday"

MOVED = {
    (1995, EARLY_MAY): dt.date(1995, 5, 8),
    (2002, SPRING): dt.date(2002, 6, 4),
    (2012, SPRING): dt.date(2012, 6, 4),
    (2020, EARLY_MAY): dt.date(2020, 5, 8),
    (2022, SPRING): dt.date(2022, 6, 2),
}
"""Holidays kept on another day than the rule's, in every nation: 50 and 75 years of VE Day, jubilees."""

ADDED = {
    dt.date(1999, 12, 31): "Millennium",
    dt.date(2002, 6, 3): "Golden Jubilee",
    dt.date(2011, 4, 29): "Royal wedding",
    dt.date(2012, 6, 5): "Diamond Jubilee",
    dt.date(2022, 6, 3): "Platinum Jubilee",
    dt.date(2022, 9, 19): "State funeral of Queen Elizabeth II",
    dt.date(2023, 5, 8): "Coronation of King Charles III",
}
"""Extra days in every nation."""

ADDED_IN = {"scotland": {dt.date(2026, 6, 15): "Scotland at the World Cup"}}
"""Extra days in one nation only."""


def easter_sunday(year: int) -> dt.date:
    """Easter Sunday of a year of the Gregorian calendar."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    w = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * w) // 451
    month, day = divmod(h + w - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def bank_holidays(year: int, nation: str = "england") -> dict[dt.date, str]:
    """The bank holidays of a year in order, with their names.

    Parameters
    ----------
    year : int
        From 1995; later years follow the rules.
    nation : str
        ``"england"``, ``"wales"`` (which keep the same days), ``"scotland"`` or ``"northern-ireland"``.

    Raises
    ------
    DesignError
        For a year before 1995 or a nation that is not one of the four.
    """
    if nation not in NATIONS:
        raise DesignError(f'nation = "{nation}" is not known; choose one of: {", ".join(NATIONS)}')
    if year < FIRST_YEAR:
        raise DesignError(
            f"bank holidays are listed from {FIRST_YEAR}, and the series has days in {year}; begin it later, "
            "or bring a column of your own and name it in adjust"
        )
    return dict(_of(year, nation))


@cache
def _of(year: int, nation: str) -> dict[dt.date, str]:
    easter = easter_sunday(year)
    fixed = {dt.date(year, 1, 1): "New Year's Day"}
    found = {
        easter - dt.timedelta(2): "Good Friday",
        _moved(year, EARLY_MAY, _monday(year, 5)): EARLY_MAY,
        _moved(year, SPRING, _last_monday(year, 5)): SPRING,
    }
    if nation == "scotland":
        fixed[dt.date(year, 1, 2)] = "2nd January"
        found[_monday(year, 8)] = "Summer bank holiday"
        if year >= ST_ANDREWS_FROM:
            fixed[dt.date(year, 11, 30)] = "St Andrew's Day"
    else:
        found[easter + dt.timedelta(1)] = "Easter Monday"
        found[_last_monday(year, 8)] = "Summer bank holiday"
    if nation == "northern-ireland":
        fixed[dt.date(year, 3, 17)] = "St Patrick's Day"
        fixed[dt.date(year, 7, 12)] = "Battle of the Boyne"
    fixed[dt.date(year, 12, 25)] = "Christmas Day"
    fixed[dt.date(year, 12, 26)] = "Boxing Day"
    found |= {day: name for day, name in fixed.items() if day.weekday() < SATURDAY}
    for day, name in fixed.items():
        if day.weekday() >= SATURDAY:
            found[_next_free(day, found)] = f"{name} (substitute day)"
    found |= {day: name for day, name in ADDED.items() if day.year == year}
    found |= {day: name for day, name in ADDED_IN.get(nation, {}).items() if day.year == year}
    return dict(sorted(found.items()))


def _moved(year: int, name: str, day: dt.date) -> dt.date:
    return MOVED.get((year, name), day)


def _monday(year: int, month: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(-first.weekday() % 7)


def _last_monday(year: int, month: int) -> dt.date:
    last = dt.date(year, month + 1, 1) - dt.timedelta(1)
    return last - dt.timedelta(last.weekday())


def _next_free(day: dt.date, taken: dict[dt.date, str]) -> dt.date:
    while day.weekday() >= SATURDAY or day in taken:
        day += dt.timedelta(1)
    return day
