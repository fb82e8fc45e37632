"""The period a file covers and the days it has: a calendar month `2025-10`, an ISO week `2025-W40`, or the part of a week that
lies in one of its two months `2025-10-W40`.

Belongs here: spelling a period, its days, what two periods share. Does not belong here: which periods a source has
(`intake.scope`), which of two files counts (`stages.timesheets`).
"""

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache, lru_cache


@lru_cache(4096)
def month_of(day: date) -> str:
    """'2025-10'."""
    return f"{day:%Y-%m}"


@lru_cache(4096)
def week_of(day: date) -> str:
    """The ISO week of a day, which may lie in two months and in two calendar years: 1 January 2027 is in '2026-W53'."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def periods_of(days: Collection[date]) -> list[str]:
    """What days are about, in order: the one week they all lie in, or else the months they lie in.

    Of a week that spans two months only the part in which there are days: a July that ends on its first Friday is one week, and
    says nothing of the last days of June.
    """
    weeks, months = {week_of(day) for day in days}, {month_of(day) for day in days}
    if len(weeks) != 1:
        return sorted(months)
    (week,) = weeks
    return [week] if months == {month_of(day) for day in days_of(week)} else [f"{month}-{week[5:]}" for month in months]


def last_day_of(month: str) -> date:
    """The last day of a month: `2025-10` -> 31-10-2025."""
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


@cache
def days_of(period: str | None) -> tuple[date, date]:
    """First and last day of a period. What has no period covers every day."""
    if period is None:
        return date.min, date.max
    before, _, week = period.rpartition("-W")
    if not week or not before:
        return date.fromisoformat(f"{period}-01"), last_day_of(period)
    if len(before) == len("2025"):
        monday = date.fromisocalendar(int(before), int(week), 1)
        return monday, monday + timedelta(days=6)
    first, last = days_of(before)
    days = [
        day
        for n in range((last - first).days + 1)
        if (day := first + timedelta(days=n)).isocalendar().week == int(week)
    ]
    return days[0], days[-1]


def in_dutch(period: str | None) -> str:
    """'week 40 van 2025', 'week 40 in 2025-10', 'de maand 2025-10'."""
    before, _, week = (period or "").rpartition("-W")
    if not before:
        return f"de maand {period}"
    return f"week {int(week)} {'van' if len(before) == len('2025') else 'in'} {before}"


def shared_days(one: str | None, other: str | None) -> tuple[date, date] | None:
    """First and last day that two periods share; None when they share none."""
    first, last = (
        bound(days) for bound, days in zip((max, min), zip(days_of(one), days_of(other), strict=True), strict=True)
    )
    return (first, last) if first <= last else None
