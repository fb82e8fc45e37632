"""What was planned: the granted hours of a class spread over the days on which they can be delivered, in minutes that add up.

Belongs here: granted minutes of a class, the days of its order, and its plan per day, week and month. Does not belong here: which
days a school is open (`open_days`), how many hours were granted (`setup`), what was delivered.

The days of an order are the open days of its school on which it holds: a contract that ends in October plans, and owes, nothing
after October (SPEC section 5). Up to and including the k-th of its N days, floor(granted minutes x k / N) minutes are planned. A
stretch of days has the difference of two of those, so that days add up to weeks, weeks and months to the year, and the year is
what was granted (SPEC section 7). A class without hours has no plan; hours that have no day to be planned on stop the plan.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from zio_pipeline.money import round_half_up
from zio_pipeline.open_days import OpenDays, days_of_order
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


def order_days(setup: SchoolYearSetup, open_days: Mapping[str, OpenDays]) -> dict[str, OpenDays]:
    """Per order with hours the days on which they can be delivered: open days of its school on which it holds.

    Args:
        setup: the established year.
        open_days: of every school with a class, by school.

    Raises:
        SetupError: an order with hours holds on no open day.
    """
    schools = {c.order_id: c.school for c in setup.classes if granted_minutes(setup, c)}
    rows = setup.sheets["orders"]
    return {o: days_of_order(open_days[school], rows, o, setup.order(o).provider) for o, school in schools.items()}


def planned_minutes(granted: int, days: OpenDays, first: date, last: date) -> int:
    """Planned minutes from the first up to and including the last day; 0 when they stand the other way round.

    Args:
        granted: minutes of the school year.
        days: days of the order.
        first, last: any days.
    """
    passed = days.up_to(last)
    return granted * passed // len(days) - granted * (passed - days.between(first, last)) // len(days)


def plans(setup: SchoolYearSetup, open_days: Mapping[str, OpenDays], month: str | None = None) -> Iterator[Plan]:
    """The plan of every class that has hours, per week and month, of one month or of the whole year.

    Args:
        setup: the established year.
        open_days: of every school with a class, by school.
        month: `2025-10`.

    Raises:
        SetupError: as `order_days`.
    """
    of_order = order_days(setup, open_days)
    parts = {order_id: [p for p in days.parts if month in (None, p.month)] for order_id, days in of_order.items()}
    for c in setup.classes:
        granted = granted_minutes(setup, c)
        for part in parts[c.order_id] if granted else ():
            days = of_order[c.order_id]
            first, last = days.days[part.passed], days.days[part.passed + part.days - 1]
            yield Plan(part.month, part.week, c.school, c.class_code, planned_minutes(granted, days, first, last))
