"""Hours delivered, added up from the accepted timesheets: proof of delivery, never an amount (SPEC section 7).

Belongs here: plain totals per class, month, activity and function. Employee minutes are the unit: a group hour counts
once.
Does not belong here: comparing with what was planned, signals.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

_TOTALS = """
select school_year, strftime(work_date, '%Y-%m') as month, provider, school, class_code, activity, function,
       approved_on is not null as approved, count(*) as line_count,
       cast(sum(
           coalesce(duration_minutes, stated_minutes, end_minute - begin_minute - coalesce(pause_minutes, 0))
       ) as bigint) as minutes
from timesheets
group by all
order by all
"""


def delivered_hours(timesheets: pa.Table, doelgroep_of_class: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Totals of accepted timesheet lines.

    Args:
        timesheets: accepted rows of `provider_timesheets`, typed as in its contract.
        doelgroep_of_class: (school, class) -> doelgroep of the setup; a class that is not in it has no doelgroep.

    Returns:
        Rows of the product `delivered_hours`, minutes as integers.
    """
    with duckdb.connect(":memory:") as connection:
        connection.register("timesheets", timesheets)
        rows: Sequence[dict[str, Any]] = connection.sql(_TOTALS).to_arrow_table().to_pylist()
    return [row | {"doelgroep": doelgroep_of_class.get((row["school"], row["class_code"]))} for row in rows]
