"""Bank holidays by rule against the days that governments published, and Easter against another computus."""

from __future__ import annotations

import datetime as dt

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from ucimpact.data.bank_holidays import NATIONS, bank_holidays, easter_sunday
from ucimpact.errors import DesignError

ENGLAND = """
2018 01-01 03-30 04-02 05-07 05-28 08-27 12-25 12-26
2019 01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26
2020 01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28
2021 01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28
2022 01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27
2023 01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26
2024 01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26
2025 01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26
2026 01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28
"""
SCOTLAND = """
2018 01-01 01-02 03-30 05-07 05-28 08-06 11-30 12-25 12-26
2019 01-01 01-02 04-19 05-06 05-27 08-05 12-02 12-25 12-26
2020 01-01 01-02 04-10 05-08 05-25 08-03 11-30 12-25 12-28
2021 01-01 01-04 04-02 05-03 05-31 08-02 11-30 12-27 12-28
2022 01-03 01-04 04-15 05-02 06-02 06-03 08-01 09-19 11-30 12-26 12-27
2023 01-02 01-03 04-07 05-01 05-08 05-29 08-07 11-30 12-25 12-26
2024 01-01 01-02 03-29 05-06 05-27 08-05 12-02 12-25 12-26
2025 01-01 01-02 04-18 05-05 05-26 08-04 12-01 12-25 12-26
2026 01-01 01-02 04-03 05-04 05-25 06-15 08-03 11-30 12-25 12-28
"""
NORTHERN_IRELAND_ALSO = """
2018 03-19 07-12
2019 03-18 07-12
2020 03-17 07-13
2021 03-17 07-12
2022 03-17 07-12
2023 03-17 07-12
2024 03-18 07-12
2025 03-17 07-14
2026 03-17 07-13
"""


def published(table: str) -> dict[int, list[dt.date]]:
    rows = (line.split() for line in table.strip().splitlines())
    return {int(y): [dt.date.fromisoformat(f"{y}-{day}") for day in days] for y, *days in rows}


@pytest.mark.parametrize(
    ("nation", "table"), [("england", ENGLAND), ("wales", ENGLAND), ("scotland", SCOTLAND)]
)
def test_the_days_published_from_2018_to_2026(nation, table) -> None:
    for year, days in published(table).items():
        assert list(bank_holidays(year, nation)) == days


def test_northern_ireland_keeps_the_days_of_england_and_two_more() -> None:
    english = published(ENGLAND)
    for year, days in published(NORTHERN_IRELAND_ALSO).items():
        assert list(bank_holidays(year, "northern-ireland")) == sorted(english[year] + days)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("1995-05-08", "Early May bank holiday"),
        ("1999-12-31", "Millennium"),
        ("2002-06-03", "Golden Jubilee"),
        ("2002-06-04", "Spring bank holiday"),
        ("2011-04-29", "Royal wedding"),
        ("2012-06-04", "Spring bank holiday"),
        ("2012-06-05", "Diamond Jubilee"),
        ("2020-05-08", "Early May bank holiday"),
        ("2021-12-28", "Boxing Day (substitute day)"),
        ("2022-12-27", "Christmas Day (substitute day)"),
    ],
)
def test_days_moved_and_added_in_every_nation(day, name) -> None:
    date = dt.date.fromisoformat(day)
    assert [bank_holidays(date.year, nation).get(date) for nation in NATIONS] == [name] * 4


@pytest.mark.parametrize("day", ["1995-05-01", "2002-05-27", "2012-05-28", "2020-05-04", "2022-05-30"])
def test_the_day_that_a_holiday_was_moved_from_is_an_ordinary_one(day) -> None:
    date = dt.date.fromisoformat(day)
    assert not any(date in bank_holidays(date.year, nation) for nation in NATIONS)


def test_st_andrews_day_begins_in_2007() -> None:
    assert dt.date(2006, 11, 30) not in bank_holidays(2006, "scotland")
    assert dt.date(2007, 11, 30) in bank_holidays(2007, "scotland")


@given(year=st.integers(1995, 2199), nation=st.sampled_from(NATIONS))
def test_every_holiday_is_kept_on_a_weekday_and_none_is_lost(year, nation) -> None:
    days = bank_holidays(year, nation)
    assert all(day.weekday() < 5 and day.year == year for day in days)
    least = {"scotland": 9 if year >= 2007 else 8, "northern-ireland": 10}.get(nation, 8)
    one_off = {1999: 1, 2002: 1, 2011: 1, 2012: 1, 2022: 2, 2023: 1}.get(year, 0)
    assert len(days) == least + one_off + (nation == "scotland" and year == 2026)


def test_easter_as_another_computus_has_it() -> None:
    assert [easter_sunday(year) for year in range(1600, 2400)] == [easter(year) for year in range(1600, 2400)]


def test_a_year_or_a_nation_that_is_not_known_is_refused_with_the_way_out() -> None:
    with pytest.raises(DesignError, match="from 1995, and the series has days in 1994; begin it later"):
        bank_holidays(1994)
    with pytest.raises(DesignError, match='"britain" is not known; choose one of: england, wales'):
        bank_holidays(2024, "britain")


def test_the_list_given_out_can_be_changed_without_changing_the_next() -> None:
    bank_holidays(2024).clear()
    assert len(bank_holidays(2024)) == 8
