"""Hours of an established year: reading its lines, and publishing what was delivered beside what was planned.

Belongs here: the one way reports on hours read timesheets, setup and calendars, and the tables `delivered_hours`,
`delivery_control` and `delivery_summary`. Does not belong here: the rules (`hours`), which file counts (the manifest).

The established setup gives orders, doelgroepen and granted hours; the newest workbook gives what came later and changes none of
those: calendars and names of classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.hours.delivery import delivered_hours, delivery_control, delivery_summary
from zio_pipeline.hours.differences import Difference, differences
from zio_pipeline.hours.lines import lines
from zio_pipeline.open_days import OpenDays, open_days_or_region
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import ClassName, SchoolYearSetup
from zio_pipeline.stages.inputs import newest_setup
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.timesheets import timesheets
from zio_pipeline.stages.year import current_setup

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class HoursYear:
    """What hours are held against: the established setup, the open days of every school with a class, names of classes since."""

    setup: SchoolYearSetup
    open_days: Mapping[str, OpenDays]
    class_names: tuple[ClassName, ...]


@dataclass(frozen=True)
class Publication:
    """What was published of some months, and what it changed in months that had been published before.

    `summary` is of the whole year, and empty when a month was published alone.
    """

    hours: Rows
    control: Rows
    differences: Sequence[Difference]
    summary: Rows = field(default_factory=list)


def hours_year(home: Home, school_year: str) -> HoursYear:
    """The established year with its calendars.

    Raises:
        EstablishmentBlocked: the year is not established.
        SetupError: a school has no calendar, nor has its region for this year.
    """
    if home.warehouse.establishment(school_year) is None:
        raise EstablishmentBlocked(
            [f"schooljaar {school_year} is nog niet vastgesteld; uren horen bij een vastgesteld jaar."]
        )
    setup, newest = current_setup(home, school_year), newest_setup(home, school_year)
    calendar = newest.sheets["calendar"]
    schools = sorted({c.school for c in setup.classes})
    days = {school: open_days_or_region(setup.settings, calendar, school) for school in schools}
    return HoursYear(setup, days, newest.class_names)


@contextmanager
def read_lines(
    home: Home, school_year: str, month: str | None = None, year: HoursYear | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the view `line` over the timesheets that count, of one month or of the whole year.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        month: `2025-10`.
        year: from `hours_year`, where the caller has it already.

    Raises:
        EstablishmentBlocked: the year is not established.
    """
    year = year or hours_year(home, school_year)
    with lines(timesheets(home, school_year, month), year.setup, year.class_names) as connection:
        yield connection


def asked_months(school_year: str, month: str | None) -> tuple[str, ...]:
    """The month that was asked for, or every month of the school year.

    Raises:
        ZioError: the month is not of this school year.
    """
    months = SchoolYear.parse(school_year).months()
    if month not in (None, *months):
        raise ZioError(
            f"Maand {month} valt niet in schooljaar {school_year}; kies {months[0]} tot en met {months[-1]}."
        )
    return months if month is None else (month,)


def publish_delivery(home: Home, school_year: str, month: str | None = None) -> Publication:
    """Publish `delivered_hours` and `delivery_control` of one month, in place of that month only, or of the whole year.

    Raises:
        EstablishmentBlocked: the year is not established.
        SetupError: a school has no calendar.
        ZioError: the month is not of this school year.
    """
    months = asked_months(school_year, month)
    year = hours_year(home, school_year)
    before = home.warehouse.rows("delivery_control", school_year=school_year)
    hours: Rows = []
    control: Rows = []
    changed: list[Difference] = []
    for one in months:  # a month at a time: a year of lines need not fit in memory
        with read_lines(home, school_year, one, year) as connection:
            hours += delivered_hours(connection, school_year)
            rows = delivery_control(connection, year.setup, year.open_days, one)
        changed += _changes(before, one, rows)
        control += rows
    published = {"delivered_hours": hours, "delivery_control": control}
    publish(home, published, {"school_year": school_year} | ({"month": month} if month else {}), per="month")
    return Publication(hours, control, changed)


def _changes(before: Rows, month: str, after: Rows) -> Sequence[Difference]:
    """What a publication changes in a month; nothing when the month was not published before.

    A month with a plan that was published has rows. One without a plan may have been published empty, with the rest of its year.
    """
    then = [row for row in before if row["month"] == month]
    first = not then and any(row["planned_minutes"] for row in after)
    return [] if first or not before else differences(then, after)


def publish_summary(home: Home, school_year: str) -> Publication:
    """Publish `delivery_summary`, and with it every month as its files, the calendar and the names of classes are today.

    A new calendar moves the plan of every month, so months that were published at different moments need not add up.

    Raises:
        EstablishmentBlocked: the year is not established.
        SetupError: a school has no calendar.
    """
    made = publish_delivery(home, school_year)
    rows = delivery_summary(made.control)
    publish(home, {"delivery_summary": rows}, {"school_year": school_year})
    return replace(made, summary=rows)
