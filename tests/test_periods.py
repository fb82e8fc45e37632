"""Periods: months, ISO weeks and parts of weeks, as days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.periods import days_of, in_dutch, last_day_of, month_of, periods_of, shared_days, week_of

DAYS = st.dates(date(2022, 8, 1), date(2036, 7, 31))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2025-10", date(2025, 10, 1), date(2025, 10, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
        ("2025-W40", date(2025, 9, 29), date(2025, 10, 5)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2025-09-W40", date(2025, 9, 29), date(2025, 9, 30)),
        ("2025-10-W40", date(2025, 10, 1), date(2025, 10, 5)),
        ("2025-12-W01", date(2025, 12, 29), date(2025, 12, 31)),
        ("2027-01-W53", date(2027, 1, 1), date(2027, 1, 3)),
        (None, date.min, date.max),
    ],
)
def test_the_days_of_a_period(period: str | None, first: date, last: date) -> None:
    assert days_of(period) == (first, last)


@given(st.lists(DAYS, min_size=1, max_size=6))
def test_days_lie_in_the_periods_they_are_about(days: list[date]) -> None:
    spans = [days_of(period) for period in periods_of(days)]
    assert all(any(first <= day <= last for first, last in spans) for day in days)
    assert all(any(first <= day <= last for day in days) for first, last in spans)


@given(DAYS)
def test_one_day_is_about_its_own_week_within_its_month(day: date) -> None:
    (period,) = periods_of([day])
    first, last = days_of(period)
    assert {month_of(first), month_of(last)} == {month_of(day)}
    assert week_of(first) == week_of(last) == week_of(day)
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    assert all(week_of(d) != week_of(day) or month_of(d) != month_of(day) for d in (before, after))


@given(DAYS, DAYS)
def test_what_two_periods_share_is_in_both(one: date, other: date) -> None:
    for mine in (month_of(one), week_of(one), None):
        for its in (month_of(other), week_of(other), None):
            found = shared_days(mine, its)
            assert found == shared_days(its, mine)
            both = [day for day in (one, other) if _in(day, mine) and _in(day, its)]
            assert all(found is not None and found[0] <= day <= found[1] for day in both)


def _in(day: date, period: str | None) -> bool:
    first, last = days_of(period)
    return first <= day <= last


def test_a_period_is_named_as_people_say_it() -> None:
    assert [in_dutch(p) for p in ("2025-W40", "2025-10-W40", "2025-10")] == [
        "week 40 van 2025",
        "week 40 in 2025-10",
        "de maand 2025-10",
    ]


def test_the_last_day_of_a_month() -> None:
    assert [last_day_of(m).day for m in ("2025-02", "2024-02", "2025-12", "2026-04")] == [28, 29, 31, 30]
