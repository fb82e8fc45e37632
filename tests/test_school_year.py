"""The calendar: keys, bounds, and working days against dates looked up by hand and against the package `holidays`."""

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.school_year import SchoolYear, first_working_day, is_working_day, public_holidays

YEARS = range(2022, 2051)


def test_a_school_year_by_name() -> None:
    year = SchoolYear.parse("2025-2026")
    assert year == SchoolYear(2025)
    assert (year.key, str(year)) == ("2025-2026", "2025-2026")
    assert (year.first_day, year.last_day) == (date(2025, 8, 1), date(2026, 7, 31))
    assert (year.half_key(1), year.half_key(2)) == ("2025-2026-H1", "2025-2026-H2")
    assert (year.month_key(8), year.month_key(9), year.month_key(1), year.month_key(7)) == (
        "2025-08",
        "2025-09",
        "2026-01",
        "2026-07",
    )
    assert sorted([SchoolYear(2026), year]) == [year, SchoolYear(2026)]


def test_the_months_run_from_august_to_july() -> None:
    assert SchoolYear(2025).months() == (
        *("2025-08", "2025-09", "2025-10", "2025-11", "2025-12"),
        *("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07"),
    )


@pytest.mark.parametrize(
    "text",
    ["2025-2025", "2025-2027", "2026-2025", "2025/2026", "25-26", " 2025-2026", "2025-2026\n", "", "0000-0001"],
)
def test_what_is_not_a_school_year(text: str) -> None:
    with pytest.raises(ValueError, match="schooljaar"):
        SchoolYear.parse(text)


@pytest.mark.parametrize("month", [0, 13, -1])
def test_a_month_that_does_not_exist(month: int) -> None:
    with pytest.raises(ValueError, match="maand"):
        SchoolYear(2025).month_key(month)


@pytest.mark.parametrize("half", [0, 3])
def test_a_half_that_does_not_exist(half: int) -> None:
    with pytest.raises(ValueError, match="helft"):
        SchoolYear(2025).half_key(half)


@pytest.mark.parametrize(
    ("day", "first_calendar_year"),
    [(date(2025, 7, 31), 2024), (date(2025, 8, 1), 2025), (date(2025, 12, 31), 2025), (date(2026, 7, 31), 2025)],
)
def test_the_school_year_of_a_day(day: date, first_calendar_year: int) -> None:
    assert SchoolYear.containing(day) == SchoolYear(first_calendar_year)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_every_day_is_in_one_school_year(day: date) -> None:
    year = SchoolYear.containing(day)
    assert year.contains(day)
    assert not SchoolYear(year.first_calendar_year - 1).contains(day)
    assert not SchoolYear(year.first_calendar_year + 1).contains(day)
    assert SchoolYear.parse(year.key) == year
    assert day.isoformat()[:7] == year.month_key(day.month)
    assert day.isoformat()[:7] in year.months()


# First working days of the ten term months and July, from a calendar.
FIRST_WORKING_DAYS = {
    2022: {9: 1, 10: 3, 11: 1, 12: 1},
    2023: {1: 2, 2: 1, 3: 1, 4: 3, 5: 1, 6: 1, 7: 3, 9: 1, 10: 2, 11: 1, 12: 1},
    2024: {1: 2, 2: 1, 3: 1, 4: 2, 5: 1, 6: 3, 7: 1, 9: 2, 10: 1, 11: 1, 12: 2},
    2025: {1: 2, 2: 3, 3: 3, 4: 1, 5: 1, 6: 2, 7: 1, 9: 1, 10: 1, 11: 3, 12: 1},
    2026: {1: 2, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1, 9: 1, 10: 1, 11: 2, 12: 1},
    2027: {1: 4, 2: 1, 3: 1, 4: 1, 5: 3, 6: 1, 7: 1, 9: 1, 10: 1, 11: 1, 12: 1},
    2028: {1: 3, 2: 1, 3: 1, 4: 3, 5: 1, 6: 1, 7: 3},
}


@pytest.mark.parametrize(
    ("year", "month", "day"), [(y, m, d) for y, months in FIRST_WORKING_DAYS.items() for m, d in months.items()]
)
def test_first_working_days(year: int, month: int, day: int) -> None:
    assert first_working_day(year, month) == date(year, month, day)


@pytest.mark.parametrize(
    ("year", "month", "day", "why"),
    [
        (2024, 4, 2, "1 April 2024 was Tweede Paasdag"),
        (2029, 4, 3, "30 March to 2 April 2029: Goede Vrijdag, weekend, Tweede Paasdag"),
        (2026, 1, 2, "Nieuwjaarsdag"),
        (2020, 6, 2, "1 June 2020 was Tweede Pinksterdag"),
    ],
)
def test_first_working_day_after_a_holiday(year: int, month: int, day: int, why: str) -> None:
    assert first_working_day(year, month) == date(year, month, day), why


def test_the_holidays_of_one_year() -> None:
    assert sorted(public_holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 5),
        date(2026, 4, 6),
        date(2026, 4, 27),
        date(2026, 5, 5),
        date(2026, 5, 14),
        date(2026, 5, 24),
        date(2026, 5, 25),
        date(2026, 12, 25),
        date(2026, 12, 26),
    ]


@pytest.mark.parametrize(("year", "day"), [(2014, 26), (2025, 26), (2026, 27), (2031, 26), (2030, 27)])
def test_kings_day_is_never_on_a_sunday(year: int, day: int) -> None:
    in_april = {d for d in public_holidays(year) if d.month == 4 and d.day in (26, 27)}
    assert date(year, 4, day) in in_april
    assert date(year, 4, 53 - day) not in in_april


@pytest.mark.parametrize("year", YEARS)
def test_against_the_package_holidays(year: int) -> None:
    """Two things are known of the package, and nothing else may differ.

    Goede Vrijdag: it counts it, as we do (Algemene termijnenwet art. 3 lid 2), though many people work that day. Bevrijdingsdag: it
    counts 5 May only in the lustrum years in which most people have the day off (2025, 2030, ...); the law names it in every
    year.
    """
    package = holidays.country_holidays("NL", years=year, language="nl")
    named = {day for day, name in package.items() if name == "Goede vrijdag"}
    assert len(named) == 1
    assert named <= public_holidays(year)
    assert public_holidays(year) ^ set(package) == (set() if year % 5 == 0 else {date(year, 5, 5)})


@pytest.mark.parametrize(
    ("year", "month", "day"),
    # Known extremes of the Gregorian Easter: earliest and latest, and the years in which its two exceptions apply.
    [(2285, 3, 22), (2038, 4, 25), (2076, 4, 19), (2049, 4, 18), (2019, 4, 21), (2133, 4, 19), (2201, 4, 19)],
)
def test_easter_in_unusual_years(year: int, month: int, day: int) -> None:
    easter = date(year, month, day)
    expected = {easter + timedelta(days=days) for days in (-2, 0, 1, 39, 49, 50)}
    assert expected <= public_holidays(year)


def test_before_the_present_kings_day_nothing_is_claimed() -> None:
    with pytest.raises(ValueError, match="2014"):
        public_holidays(2013)


@given(st.dates(date(2022, 8, 1), date(2050, 12, 31)))
def test_a_working_day_is_a_weekday_that_is_no_holiday(day: date) -> None:
    assert is_working_day(day) == (day.isoweekday() <= 5 and day not in public_holidays(day.year))


@given(st.integers(2022, 2050), st.integers(1, 12))
def test_no_working_day_comes_before_the_first(year: int, month: int) -> None:
    first = first_working_day(year, month)
    assert is_working_day(first)
    assert (first.year, first.month) == (year, month)
    assert not any(is_working_day(date(year, month, day)) for day in range(1, first.day))
