"""Lines of timesheets by hand, and the view over them: what the tests of faces, Wlz and lawfulness share. All *fictief*."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from tests.year_builder import LEIJPARK, SIZA, contract_row
from zio_pipeline.contracts import sources
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.intake.parsing import schema
from zio_pipeline.setup import ClassName, SchoolYearSetup

Rows = list[dict[str, Any]]
SOURCE = "provider_timesheets"
PLACE = [("sheet", pa.string()), ("row_number", pa.int64())]


def worked(employee: str, day: str, minutes: int, class_code: str = "EMB1", **values: Any) -> dict[str, Any]:
    """A direct line of guidance that the school approved the day after; `day` as 2025-09-01."""
    on = date.fromisoformat(day)
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": class_code,
        "employee": employee,
        "work_date": on,
        "stated_minutes": minutes,
        "activity": "direct",
        "function": "guidance",
        "approved_on": on.replace(day=28),
    }
    return contract_row(SOURCE, SOURCE, **default | values)


def sheet(rows: Rows, label: str = "urenstaat", *, numbers: Sequence[int] | None = None, name: str = "") -> Timesheet:
    """A file with these rows, on the numbers of the sender."""
    known = numbers or range(2, 2 + len(rows))
    placed = [{"sheet": name, "row_number": number} | row for number, row in zip(known, rows, strict=True)]
    fields = pa.schema([*PLACE, *schema(sources()[SOURCE].dataset(SOURCE))])
    return Timesheet(label, pa.Table.from_pylist(placed, schema=fields))


@contextmanager
def opened(
    setup: SchoolYearSetup, *sheets: Timesheet, names: Iterable[ClassName] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The view `line` over the files; `names` is what classes are called since."""
    with lines(sheets, setup, names) as connection:
        yield connection
