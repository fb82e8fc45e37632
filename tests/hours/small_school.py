"""One school with a few classes in the school year 2025-2026, and the lines its provider wrote. Every figure is fictief.

Leijpark is open from 18 August 2025 on; closed are the autumn week, a study day on Friday 17 October, Christmas, the carnival
week (14 to 22 February 2026) and all after 29 May 2026. Belongs here: rows, calendars and lines. Does not belong here: any
expectation.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from tests.year_builder import DE_BODDE, LEIJPARK, SIZA, Year, contract_row
from zio_pipeline.contracts import sources
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import OpenDays, open_days
from zio_pipeline.setup import ClassName, SchoolYearSetup

YEAR = "2025-2026"
CLOSED = {
    "herfst": (date(2025, 10, 18), date(2025, 10, 26)),
    "studiedag": (date(2025, 10, 17), date(2025, 10, 17)),
    "kerst": (date(2025, 12, 20), date(2026, 1, 4)),
    "carnaval": (date(2026, 2, 14), date(2026, 2, 22)),
    "zomer": (date(2026, 5, 30), date(2026, 8, 23)),
}

Row = dict[str, Any]


def small_school() -> Year:
    """EMB1 and EMB2 of 10 hours a week for 40 weeks, and REST without hours; ZML1 of De Bodde has the same provider."""
    year = Year()
    year.school_class("EMB2")
    year.school_class("REST", hours_per_week_hundredths=0)
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    for school in (LEIJPARK, DE_BODDE):
        for name, (first, last) in CLOSED.items():
            kind = "study_day" if name == "studiedag" else "holiday"
            year.add("calendar", school=school, closed_from=first, closed_to=last, kind=kind, description=name)
    return year


def setup_of(year: Year) -> SchoolYearSetup:
    year.pupils(1)
    return year.setup()


def calendars(setup: SchoolYearSetup) -> dict[str, OpenDays]:
    schools = {c.school for c in setup.classes}
    return {school: open_days(setup.settings, setup.sheets["calendar"], school) for school in schools}


def line(day: date, minutes: int | None = 60, **values: Any) -> Row:
    """A direct line of EMB1, handed in, approved and forwarded within the week; with begin and end without stated minutes."""
    timed = "begin_minute" in values
    default: Row = {
        "school_year": YEAR,
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": "EMB1",
        "employee": "e1",
        "work_date": day,
        "stated_minutes": None if timed else minutes,
        "activity": "direct",
        "function": "guidance",
        "handed_in_on": day,
        "approved_on": day,
        "forwarded_on": day,
    }
    return contract_row("provider_timesheets", "provider_timesheets", **default | values)


@contextmanager
def lines_of(
    setup: SchoolYearSetup,
    files: Mapping[str, Iterable[Row]],
    names: Iterable[ClassName] = (),
    received_on: date | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The view `line` over files by label, which all came in on one day; rows are numbered from 2, as below a header."""
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    fields = pa.schema([*contract, pa.field("sheet", pa.string()), pa.field("row_number", pa.int64())])
    sheets = [
        Timesheet(
            label,
            pa.Table.from_pylist(
                [row | {"sheet": "", "row_number": number} for number, row in enumerate(rows, start=2)], schema=fields
            ),
            received_on,
        )
        for label, rows in files.items()
    ]
    with lines(sheets, setup, names) as connection:
        yield connection
