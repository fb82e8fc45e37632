"""The period a file covers: a calendar month `2025-10` or an ISO week `2025-W40`, and the days it has.

Belongs here: spelling a period, its days, what two periods share. Does not belong here: which periods a source has
(`intake.scope`), which of two files counts (`stages.timesheets`).
"""

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache


def month_of(day: date) -> str:
    """'2025-10'."""
    return f"{day:%Y-%m}"


def week_of(day: date) -> str:
    """The ISO week of a day, which may lie in two months and in two calendar years: 1 January 2027 is in '2026-W53'."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def periods_of(days: Collection[date]) -> list[str]:
    """What days are about, in order: the one week they all lie in, or else the months they lie in."""
    weeks = {week_of(day) for day in days}
    return sorted(weeks if len(weeks) == 1 else {month_of(day) for day in days})


def last_day_of(month: str) -> date:
    """The last day of a month: `2025-10` -> 31-10-2025."""
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


@cache
def days_of(period: str | None) -> tuple[date, date]:
    """First and last day of a month or ISO week. What has no period covers every day."""
    if period is None:
        return date.min, date.max
    year, _, rest = period.partition("-")
    if rest.startswith("W"):
        monday = date.fromisocalendar(int(year), int(rest[1:]), 1)
        return monday, monday + timedelta(days=6)
    return date.fromisoformat(f"{period}-01"), last_day_of(period)


def shared_days(one: str | None, other: str | None) -> tuple[date, date] | None:
    """First and last day that two periods share; None when they share none."""
    first, last = (
        bound(days) for bound, days in zip((max, min), zip(days_of(one), days_of(other), strict=True), strict=True)
    )
    return (first, last) if first <= last else None
