"""Delivered beside planned: per class and week, and added up for everybody who looks at it.

Belongs here: the tables `delivered_hours`, `delivery_control` and `delivery_summary`. Does not belong here: what a line is
(`lines`), what was planned (`planning`), what is odd about it, and any amount.

`delivered_hours` holds every line that counts once: what proves delivery and, apart from it, what does not. `delivery_control` is
its sum per class and week beside the plan, and `delivery_summary` the sum of that. A class that was renamed or split stands under
the name it was established with.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.hours.lines import STATUSES
from zio_pipeline.hours.planning import plans
from zio_pipeline.open_days import OpenDays
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.sql import in_memory

Row = dict[str, Any]

MEASURES = ("planned_minutes", *(f"{status}_minutes" for status in STATUSES))
"""Minutes of a row of `delivery_control`."""

_PLAN = pa.schema(
    [(name, pa.string()) for name in ("month", "week", "school", "class_code")] + [("minutes", pa.int64())]
)
_SPENT = ", ".join(f"coalesce(sum(minutes) filter (status = '{s}'), 0)::bigint as {s}_minutes" for s in STATUSES)
# One pass over the lines; everything else is added up from this. The lines of a connection never change.
_DELIVERED = """
create temp table if not exists delivered as
select month, week, provider, school, class_code, order_id, doelgroep, activity, "function", status,
       count(*) as line_count, sum(minutes)::bigint as minutes
from line group by all
"""
# A class is in one order at most, so its order, doelgroep and provider follow from its school and code.
_CONTROL = f"""
with spent as (select month, week, school, class_code, provider, {_SPENT} from delivered group by all),
     planned as (select p.*, c.provider from plan p join class c using (school, class_code))
select month, week, school, class_code, c.doelgroep, c.order_id, provider,
       coalesce(p.minutes, 0)::bigint as planned_minutes,
       {", ".join(f"coalesce(s.{status}_minutes, 0)::bigint as {status}_minutes" for status in STATUSES)}
from spent s full join planned p using (month, week, school, class_code, provider)
left join class c using (school, class_code)
order by month, week, school, class_code, provider
"""  # noqa: S608 (names of this module)

NO_ORDER = "geen opdracht"
"""What a summary calls the lines of classes that are in no order."""
_ITS_SCHOOL = "case when order_id is not null then school end"
_LEVELS = {
    "class": ("school || ' / ' || class_code", "school"),
    "doelgroep": (f"coalesce(order_id || ' / ' || doelgroep, '{NO_ORDER}')", _ITS_SCHOOL),
    "school": ("school", "school"),
    "provider": ("provider", "null"),
    "order": (f"coalesce(order_id, '{NO_ORDER}')", _ITS_SCHOOL),
}
"""For whom is added up: how it is called, and the school it belongs to. A doelgroep is that of one order, never of two."""
_PERIODS = {"week": "week", "month": "month", "year": "school_year"}
_TOTALS = " union all ".join(
    f"""select school_year, '{level}' as level, {subject} as subject, {school} as school, '{kind}' as period_kind,
        {period} as period, {{sums}} from control group by all"""  # noqa: S608 (names of this module)
    for level, (subject, school) in _LEVELS.items()
    for kind, period in _PERIODS.items()
).format(
    sums=", ".join(f"sum({name})::bigint as {name}" for name in MEASURES),
)
_SUMMARY = f"""
select *, case when planned_minutes > 0
    then (2000 * delivered_minutes + planned_minutes) // (2 * planned_minutes) end as ratio_permille
from ({_TOTALS}) order by level, subject, period_kind, period
"""  # noqa: S608 (names of this module)


def delivered_hours(connection: duckdb.DuckDBPyConnection, school_year: str) -> list[Row]:
    """Rows of `delivered_hours`: minutes and lines per class, week and month, by provider, activity, function and what they prove.

    Args:
        connection: from `lines.lines`.
        school_year: key of the year.
    """
    connection.execute(_DELIVERED)
    query = "select $school_year as school_year, * from delivered order by all"
    rows: list[Row] = connection.sql(query, params={"school_year": school_year}).to_arrow_table().to_pylist()
    return rows


def delivery_control(
    connection: duckdb.DuckDBPyConnection,
    setup: SchoolYearSetup,
    open_days: Mapping[str, OpenDays],
    month: str | None = None,
) -> list[Row]:
    """Rows of `delivery_control`: planned and accepted minutes per class, week, month and provider.

    A row stands where something was planned or something was accepted. Open days are those of the school in that part of the
    week; empty for a school without a class in the established year.

    Args:
        connection: from `lines.lines`.
        setup: the established year.
        open_days: of every school with a class, by school.
        month: of the plan; the lines are those of the connection.
    """
    connection.execute(_DELIVERED)
    columns = list(zip(*plans(setup, open_days, month), strict=True)) or [()] * len(_PLAN)
    connection.register("plan", pa.table(list(map(pa.array, columns, _PLAN.types)), schema=_PLAN))
    rows: list[Row] = connection.sql(_CONTROL).to_arrow_table().to_pylist()
    connection.unregister("plan")
    key = setup.settings.school_year.key
    return [{"school_year": key, **row, "open_days": _days_open(row, open_days)} for row in rows]


def _days_open(row: Row, open_days: Mapping[str, OpenDays]) -> int | None:
    days = open_days.get(row["school"])
    return None if days is None else days.in_part(row["month"], row["week"])


def delivery_summary(control: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of `delivery_summary`: the minutes of `delivery_control` per class, doelgroep, school, provider and order.

    Per week (a week that spans two months whole again), month and year. The ratio is delivered per mille of planned, rounded
    half up, and empty where nothing was planned.

    Args:
        control: rows of `delivery_control` of one school year.
    """
    names = ("school_year", "month", "week", "school", "class_code", "doelgroep", "order_id", "provider")
    columns = [(name, pa.string()) for name in names] + [(name, pa.int64()) for name in MEASURES]
    table = pa.Table.from_pylist([dict(row) for row in control], schema=pa.schema(columns))
    with in_memory() as connection:
        connection.register("control", table)
        rows: list[Row] = connection.sql(_SUMMARY).to_arrow_table().to_pylist()
    return rows
