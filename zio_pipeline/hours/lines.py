"""What every accepted line of a timesheet is: its minutes, its week and month, its order and doelgroep, and what it proves.

Belongs here: the one relation `line` that all reports on hours are made of. Does not belong here: adding up.

An employee minute is the unit: a group hour counts once, however many pupils there were. Only direct, school-approved minutes
are `delivered`; direct minutes the school has not approved are `provisional`; `indirect`, `travel` and `training` stand apart
whatever their approval; `excluded` are lines of a class that is in no order of the established year, or of a provider whose
order it is not. Every line is exactly one of these, so their minutes add up to all accepted minutes (SPEC section 7).

`class_code` is the class as it was established, also when a file calls it what it was renamed to or split into since (sheet
`klasnamen`); `stated_class_code` is what the file calls it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.contracts import sources
from zio_pipeline.intake.parsing import schema
from zio_pipeline.setup import ClassName, SchoolYearSetup

STATUSES = ("delivered", "provisional", "indirect", "travel", "training", "excluded")
"""What a line can be; see the module."""
MEMORY_LIMIT = "1500MB"

# Two million lines have twenty days: what a day is called is worked out once per day.
_DAYS = """
create table day as
select work_date, strftime(work_date, '%Y-%m') as month, strftime(work_date, '%G-W%V') as week
from (select distinct work_date from timesheet)
"""
_LINES = """
create view line as
select t.label, t.sheet, t.row_number, t.provider, t.school,
       coalesce(n.established_class_code, t.class_code) as class_code, t.class_code as stated_class_code,
       t.employee, t.work_date, d.month, d.week,
       t.begin_minute, t.end_minute, t.activity, t."function", t.handed_in_on, t.approved_on, t.forwarded_on,
       coalesce(t.duration_minutes, t.stated_minutes, t.end_minute - t.begin_minute - coalesce(t.pause_minutes, 0))::bigint
           as minutes,
       c.order_id, c.doelgroep,
       case when c.order_id is null or c.provider is distinct from t.provider then 'excluded'
            when t.activity <> 'direct' then t.activity
            when t.approved_on is null then 'provisional'
            else 'delivered' end as status
from timesheet t
join day d on d.work_date = t.work_date
left join class_name n on n.school = t.school and n.class_code = t.class_code
    and t.work_date between n.valid_from and n.valid_to
left join class c on c.school = t.school and c.class_code = coalesce(n.established_class_code, t.class_code)
"""


@dataclass(frozen=True)
class Timesheet:
    """The accepted rows of one file, as in the contract `provider_timesheets`, under the label of the file."""

    label: str
    rows: pa.Table


@contextmanager
def lines(
    timesheets: Iterable[Timesheet], setup: SchoolYearSetup, names: Iterable[ClassName] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the view `line`, and the table `class` of the established year it was joined with.

    Args:
        timesheets: the files that count, in any order; without any, `line` is empty.
        setup: the established year; a class keeps the order and doelgroep it was established with.
        names: what classes are called since (`setup.class_names` of the newest workbook).
    """
    with duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": 2}) as connection:
        tables = [sheet.rows.append_column("label", pa.repeat(sheet.label, len(sheet.rows))) for sheet in timesheets]
        rows = pa.concat_tables(tables, promote_options="default") if tables else _nothing()
        connection.register("timesheet", rows)
        connection.register("class", pa.Table.from_pylist(list(_classes(setup)), schema=_CLASS))
        connection.register("class_name", pa.Table.from_pylist(list(_names(names)), schema=_CLASS_NAME))
        connection.execute(_DAYS)
        connection.execute(_LINES)
        yield connection


_CLASS = pa.schema([(name, pa.string()) for name in ("school", "class_code", "order_id", "doelgroep", "provider")])
_CLASS_NAME = pa.schema(
    [(name, pa.string()) for name in ("school", "class_code", "established_class_code")]
    + [(name, pa.date32()) for name in ("valid_from", "valid_to")]
)


def _nothing() -> pa.Table:
    """No rows, as the vault would hold them."""
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    place = [("sheet", pa.string()), ("row_number", pa.int64()), ("label", pa.string())]
    return pa.schema([*contract, *(pa.field(*field) for field in place)]).empty_table()


def _classes(setup: SchoolYearSetup) -> Iterator[Mapping[str, str]]:
    providers = {order.order_id: order.provider for order in setup.orders}
    for c in setup.classes:
        yield {
            "school": c.school,
            "class_code": c.class_code,
            "order_id": c.order_id,
            "doelgroep": c.doelgroep,
            "provider": providers[c.order_id],
        }


def _names(names: Iterable[ClassName]) -> Iterator[Mapping[str, Any]]:
    for name in names:
        yield asdict(name) | {"valid_to": name.valid_to or date.max}
