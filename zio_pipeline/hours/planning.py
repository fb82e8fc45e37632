"""What was planned: the granted hours of a class spread over the open days of its school, in whole minutes that add up.

Belongs here: granted minutes of a class, and its plan per day, week and month. Does not belong here: which days a school is open
(`open_days`), how many hours were granted (`setup`), what was delivered.

Up to and including the k-th of N open days, floor(granted minutes x k / N) minutes are planned. A stretch of days has the
difference of two of those, so that days add up to weeks, weeks and months to the year, and the year is what was granted
(SPEC section 7). A class without hours has no plan.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from zio_pipeline.money import round_half_up
from zio_pipeline.open_days import OpenDays
from zio_pipeline.setup import SchoolClass, SchoolYearSetup


class Plan(NamedTuple):
    """Planned minutes of a class in one part of a week (a week that spans two months has two)."""

    month: str
    week: str
    school: str
    class_code: str
    minutes: int


def granted_minutes(setup: SchoolYearSetup, school_class: SchoolClass) -> int:
    """Minutes granted to a class for the whole school year: its hours in hundredths x 60 / 100, rounded half up."""
    return round_half_up(setup.hours_of(school_class).total_hundredths * 60, 100)


def planned_minutes(granted: int, days: OpenDays, first: date, last: date) -> int:
    """Planned minutes from the first up to and including the last day; 0 when they stand the other way round.

    Args:
        granted: minutes of the school year.
        days: open days of the school.
        first, last: any days.
    """
    passed = days.up_to(last)
    return _up_to(granted, passed, days) - _up_to(granted, passed - days.between(first, last), days)


def plans(setup: SchoolYearSetup, open_days: Mapping[str, OpenDays], month: str | None = None) -> Iterator[Plan]:
    """The plan of every class that has hours, per week and month, of one month or of the whole year.

    Args:
        setup: the established year.
        open_days: of every school with a class, by school.
        month: `2025-10`.
    """
    parts = {school: [part for part in days.parts if month in (None, part.month)] for school, days in open_days.items()}
    for c in setup.classes:
        granted, days = granted_minutes(setup, c), open_days[c.school]
        for part in parts[c.school] if granted else ():
            minutes = _up_to(granted, part.passed + part.days, days) - _up_to(granted, part.passed, days)
            yield Plan(part.month, part.week, c.school, c.class_code, minutes)


def _up_to(granted: int, passed: int, days: OpenDays) -> int:
    return granted * passed // len(days)
