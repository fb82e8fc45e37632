"""What every accepted line of a timesheet is: its minutes, its week and month, its order and doelgroep, and what it proves.

Belongs here: the one relation `line` that all reports on hours are made of. Does not belong here: adding up.

An employee minute is the unit: a group hour counts once, however many pupils there were. Only direct, school-approved minutes
are `delivered`; direct minutes the school has not approved are `provisional`; `indirect`, `travel` and `training` stand apart
whatever their approval; `excluded` are lines of a class that is in no order of the established year, of a provider whose order it
is not, or of a day on which that order does not hold: an amended contract is several rows, an ended one ends (SPEC section 5).
Every line is exactly one of these, so their minutes add up to all accepted minutes (SPEC section 7).

`class_code` is the class as it was established, also when a file calls it what it was renamed to or split into since (sheet
`klasnamen`); `stated_class_code` is what the file calls it. A sender may write anything in that column, a name too: what is neither
a class of the year nor a name of `klasnamen` of that school is `onbekend` here and everywhere after this (SPEC section 8).
`place` is a number that stands for a class, and keeps different unknown ones apart; `part` is the name of the part of a class that
goes under two or more names that day, else empty: a class with one new name was renamed, and not split.

Handed in, received, approved or forwarded before the work was done is not so: such a day is empty here, and a line that was
approved on it provisional.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.contracts import sources
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import order_periods
from zio_pipeline.setup import ClassName, SchoolYearSetup
from zio_pipeline.setup_checks import UNKNOWN_CLASS
from zio_pipeline.sql import in_memory

STATUSES = ("delivered", "provisional", "indirect", "travel", "training", "excluded")
"""What a line can be; see the module."""
MEMORY_LIMIT = "1000MB"
"""A national month of two million lines fits."""

Days = tuple[date, date]
"""A first and a last day, both inclusive."""

# Two million lines have twenty days: what a day is called is worked out once per day.
_DAYS = """
create temp table day as
select work_date, strftime(work_date, '%Y-%m') as month, strftime(work_date, '%G-W%V') as week
from (select distinct work_date from timesheet)
"""
_LINES = f"""
create temp view line as
select f.label, t.file, t.sheet, t.row_number, t.provider, t.school,
       coalesce(n.class_code, '{UNKNOWN_CLASS}') as class_code,
       case when n.class_code is null then '{UNKNOWN_CLASS}' else t.class_code end as stated_class_code,
       coalesce(n.place, (hash(t.school, t.class_code) >> 1)::bigint) as place, n.part,
       t.employee, t.work_date, d.month, d.week, t.begin_minute, t.end_minute, t.activity, t."function",
       case when t.handed_in_on >= t.work_date then t.handed_in_on end as handed_in_on,
       case when f.received_on >= t.work_date then f.received_on end as received_on,
       case when t.approved_on >= t.work_date then t.approved_on end as approved_on,
       case when t.forwarded_on >= t.work_date then t.forwarded_on end as forwarded_on,
       coalesce(t.duration_minutes, t.stated_minutes, t.end_minute - t.begin_minute - coalesce(t.pause_minutes, 0))::bigint
           as minutes,
       n.order_id, n.doelgroep,
       case when n.order_id is null or n.provider is distinct from t.provider then 'excluded'
            when t.activity <> 'direct' then t.activity
            when t.approved_on >= t.work_date then 'delivered'
            else 'provisional' end as status
from timesheet t
join day d on d.work_date = t.work_date
join file f on f.file = t.file
left join name n on n.school = t.school and n.stated_class_code = t.class_code and t.work_date between n.first and n.last
"""  # noqa: S608 (a constant)


@dataclass(frozen=True)
class Timesheet:
    """The accepted rows of one file, as in the contract `provider_timesheets`, under the label of the file.

    `received_on`: the day on which the file came in, where that is known.
    """

    label: str
    rows: pa.Table
    received_on: date | None = None


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
    with in_memory(memory_limit=MEMORY_LIMIT) as connection:
        files, tables = [], []
        for number, sheet in enumerate(timesheets):
            files.append({"file": number, "label": sheet.label, "received_on": sheet.received_on})
            tables.append(sheet.rows.append_column(_FILE.field("file"), pa.repeat(_number(number), len(sheet.rows))))
        rows = pa.concat_tables(tables, promote_options="default") if tables else _nothing()
        connection.register("timesheet", rows)
        connection.register("file", pa.Table.from_pylist(files, schema=_FILE))
        connection.register("class", pa.Table.from_pylist(list(_classes(setup)), schema=_CLASS))
        connection.register("name", pa.Table.from_pylist(list(_names(setup, list(names))), schema=_NAME))
        connection.execute(_DAYS)
        connection.execute(_LINES)
        yield connection


def _number(number: int) -> pa.Scalar:
    return pa.scalar(number, pa.int32())


_FILE = pa.schema([("file", pa.int32()), ("label", pa.string()), ("received_on", pa.date32())])
_CLASS = pa.schema([(name, pa.string()) for name in ("school", "class_code", "order_id", "doelgroep", "provider")])
_NAME = pa.schema(
    [(name, pa.string()) for name in ("school", "stated_class_code", "class_code", "part")]
    + [("first", pa.date32()), ("last", pa.date32()), ("place", pa.int64())]
    + [(name, pa.string()) for name in ("order_id", "doelgroep", "provider")]
)


def _nothing() -> pa.Table:
    """No rows, as the vault would hold them."""
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    place = [("sheet", pa.string()), ("row_number", pa.int64()), ("file", pa.int32())]
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


def _names(setup: SchoolYearSetup, names: Sequence[ClassName]) -> Iterator[Mapping[str, Any]]:
    """What every known name of a class means, from which day to which: days of one name do not overlap.

    `provider` is whose lines count for the class on those days: nobody's where its order does not hold.
    """
    classes = {(row["school"], row["class_code"]): row for row in _classes(setup)}
    stated_names = sorted({*classes, *setup.postponed, *((n.school, n.class_code) for n in names)})
    rows = setup.sheets["orders"]
    held = {o.order_id: order_periods(rows, o.order_id, o.provider) for o in setup.orders}
    of_school: dict[str, list[ClassName]] = defaultdict(list)
    for name in names:
        of_school[name.school].append(name)
    periods = _changes(setup, names, held)
    stretches = {school: _stretches(periods[school]) for school in {s for s, _ in stated_names}}
    places: dict[tuple[str, str], int] = {}
    for school, stated in stated_names:
        for first, last in stretches[school]:
            valid = [n for n in of_school[school] if n.valid_from <= first <= (n.valid_to or date.max)]
            code = next((n.established_class_code for n in valid if n.class_code == stated), None)
            is_part = sum(n.established_class_code == code for n in valid) > 1
            key = school, code or stated
            known = classes.get(key, {"school": school, "class_code": key[1]})
            holds = any(begin <= first <= end for begin, end in held.get(known.get("order_id", ""), ()))
            yield {
                **known,
                "provider": known["provider"] if holds else None,
                "stated_class_code": stated,
                "part": stated if is_part else None,
                "first": first,
                "last": last,
                "place": places.setdefault(key, len(places)),
            }


def _changes(
    setup: SchoolYearSetup, names: Iterable[ClassName], held: Mapping[str, Iterable[Days]]
) -> Mapping[str, set[Days]]:
    """Per school the periods of what its classes are called, and of the orders that they are in."""
    periods: dict[str, set[Days]] = defaultdict(set)
    for name in names:
        periods[name.school].add((name.valid_from, name.valid_to or date.max))
    for order in setup.orders:
        periods[order.school].update(held[order.order_id])
    return periods


def _stretches(periods: Iterable[Days]) -> list[Days]:
    """Every day there is, in stretches in which none of these begins or ends."""
    begins = {date.min}
    for first, last in periods:
        begins |= {first} if last == date.max else {first, last + timedelta(days=1)}
    found = sorted(begins)
    return list(zip(found, [*(begin - timedelta(days=1) for begin in found[1:]), date.max], strict=True))
