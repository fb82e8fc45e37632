"""Measured class-weeks of a small year: five open weeks of five days, W34 to W38, and a contract of five weeks.

Every figure is fictief.

Belongs here: making such a year and its timesheets. Does not belong here: any expectation.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pyarrow as pa

from tests.year_builder import HEUSDEN, LEIJPARK, SIZA, TILBURG, Year, contract_row
from zio_pipeline.contracts import sources
from zio_pipeline.figures import YearFigures
from zio_pipeline.hours.class_weeks import (
    ClassWeek,
    class_weeks,
    said,
)
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.hours.recalibration import (
    RULES,
    HoursProposal,
    Rules,
    proposals,
)
from zio_pipeline.hours.recalibration_effect import effect_rows
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import OpenDays, open_days
from zio_pipeline.periods import month_of
from zio_pipeline.versions import Base, calendar_of

MONDAYS = [date(2025, 8, 18) + timedelta(weeks=n) for n in range(5)]
WEEKS = ["2025-W34", "2025-W35", "2025-W36", "2025-W37", "2025-W38"]
FEW = replace(RULES, fewest_class_weeks=10)
YEAR_END = date(2026, 7, 31)
Rows = list[dict[str, Any]]


def five_weeks(*, classes: Sequence[str] = ("EMB1",), hours: int = 10_00, **order: Any) -> Year:
    """One order of five contract weeks; school is open from 18 August up to and including 19 September."""
    year = Year(empty=True)
    year.order("LP", weeks=5, **order)
    year.doelgroep("LP", "EMB", hours)
    for code in classes:
        year.school_class(code)
    closed(year, date(2025, 9, 20))
    return year


def closed(year: Year, first: date, last: date = date(2026, 7, 31)) -> None:
    year.add("calendar", school=LEIJPARK, closed_from=first, closed_to=last, kind="holiday")


def line(code: str, day: date, hours: str, **values: Any) -> dict[str, Any]:
    """A direct line of so many hours (7.5), approved by the school; every class has one employee of its own."""
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": code,
        "employee": f"m {code}",
        "work_date": day,
        "stated_minutes": int(Fraction(hours) * 60),
        "activity": "direct",
        "function": "guidance",
        "approved_on": day,
        "handed_in_on": day,
    }
    return contract_row("provider_timesheets", "provider_timesheets", **default | values)


def weeks_of(year: Year, rows: Iterable[dict[str, Any]], as_of: date = YEAR_END) -> list[ClassWeek]:
    """A month at a time, as the stage does."""
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    setup, by_month = year.setup(), defaultdict(list)
    days = {LEIJPARK: open_days(setup.settings, setup.sheets["calendar"], LEIJPARK)}
    for row in rows:
        by_month[month_of(row["work_date"])].append(row)
    found = []
    for month, mine in by_month.items():
        table = pa.Table.from_pylist(mine, schema=pa.schema(contract))
        table = table.append_column("sheet", pa.array(["blad"] * len(table)))
        table = table.append_column("row_number", pa.array(range(len(table)), pa.int64()))
        with lines([Timesheet("urenstaat", table)], setup) as connection:
            found += said(connection, line_signals(connection, days, "2025-2026", month), as_of)
    return class_weeks(found, setup, days, as_of)


def proposed(
    year: Year, rows: Iterable[dict[str, Any]], rules: Rules = FEW, as_of: date = YEAR_END
) -> list[HoursProposal]:
    return proposals(year.setup(), weeks_of(year, rows, as_of), rules)


def only(found: Sequence[HoursProposal]) -> HoursProposal:
    (one,) = found
    return one


def base_of(figures: YearFigures, version: int = 1) -> Base:
    return Base(version, "a" * 64, "recalibration", figures.tables, calendar_of(figures.setup.settings))


def effect(year: Year, found: Sequence[HoursProposal]) -> Rows:
    figures = year.figures()
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    for row in rows:
        assert row["difference_cents"] == row["proposed_cents"] - row["established_cents"]
        assert row["difference_cents"] == row["agreement_difference_cents"] + row["hours_difference_cents"]
    return rows


def cents(rows: Rows, name: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row["payer"]] += row[name]
    return dict(totals)


HOURS = {
    "EMB1": ["10", "9", "11", "10", "8"],
    "EMB2": ["10", "12", "", "9", "10"],  # no statement in W36
    "EMB3": ["8", "9", "9", "9", "12"],  # W37: half of it not approved
}


def three_classes() -> tuple[Year, Rows]:
    """Granted 10,00 a week for each of three classes; two pupils of Tilburg, one of Heusden."""
    year = five_weeks(classes=tuple(HOURS))
    year.pupils(2, "EMB1", TILBURG)
    year.pupil("heusden", "EMB2", HEUSDEN)
    rows = []
    for code, of_class in HOURS.items():
        for monday, hours in zip(MONDAYS, of_class, strict=True):
            if hours:
                late = {"approved_on": None} if (code, monday) == ("EMB3", MONDAYS[3]) else {}
                half = str(Fraction(hours) - 4)
                rows += [line(code, monday, "4"), line(code, monday + timedelta(days=2), half, **late)]
    return year, rows


def forty_weeks(last: date, hours: int = 10_00) -> tuple[Year, OpenDays]:
    """One class with these hours in forty contract weeks; school is open from 18 August up to and including a day."""
    year = Year(empty=True)
    year.order("LP")
    year.doelgroep("LP", "EMB", hours)
    year.school_class("EMB1")
    year.pupils(1)
    closed(year, last + timedelta(days=1))
    setup = year.setup()
    return year, open_days(setup.settings, setup.sheets["calendar"], LEIJPARK)


def delivered_as_planned(hours: int = 10_00) -> tuple[Year, Rows]:
    """On every open day of eleven weeks the class gets what is planned of it that day."""
    year, days = forty_weeks(date(2025, 10, 31), hours)
    setup = year.setup()
    granted = granted_minutes(setup, setup.classes[0])
    passed = [granted * n // len(days) for n in range(len(days) + 1)]
    minutes = [later - earlier for earlier, later in pairwise(passed)]
    return year, [line("EMB1", day, "0", stated_minutes=n) for day, n in zip(days.days, minutes, strict=True)]
