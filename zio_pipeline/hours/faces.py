"""Fixed faces (vaste gezichten) and quiet (rust): how many different people work in a class, and who stays.

Belongs here: counts and shares of employees per class and month, and over the year so far (SPEC section 7).
Does not belong here: reading timesheets, or naming anybody: pseudonyms go in and only counts come out.

A class that was split has a row per part from then on: no pupil sees the people of the other part. What came before the split is
the history of every part: whoever worked in the class before is no new face in a part of it. A class that was renamed stays one
class, under the name it was established with (`lines`: `part`). Lines on the name of the undivided class while there are parts
stand apart under that name. Doelgroep and order stay those of the establishment.

It goes for direct minutes. Those the school has not approved count too: who was there was there. Lines of a class that is in no
order of the year say nothing about a class. A month in which nobody worked in a class has no row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.sql import in_memory

MOST_PRESENT = 3
"""The share of the hours is that of so many people: of those who were there most."""

_DIRECT = "status in ('delivered', 'provisional')"
_SEEN = "coalesce(part, class_code) as class_code"
_PEOPLE = f"""
select school, {_SEEN}, class_code as undivided, order_id, doelgroep, month, employee, sum(minutes)::bigint as minutes
from line where {_DIRECT} group by all
"""  # noqa: S608  (a constant)
_DAYS = f"""
select school, class_code, month, count(*) as days, max(people) as most, sum(people)::bigint as people_days
from (select school, {_SEEN}, month, work_date, count(distinct employee) as people
      from line where {_DIRECT} group by all)
group by all
"""  # noqa: S608


@dataclass(frozen=True)
class Presence:
    """Who was in which class in some months (`people`: minutes per pseudonym) and how many on a day (`days`): never published."""

    people: pa.Table
    days: pa.Table


def presence(lines: duckdb.DuckDBPyConnection) -> Presence:
    """What the view `line` says about presence; one month at a time is enough for `fixed_faces`."""
    return Presence(lines.sql(_PEOPLE).to_arrow_table(), lines.sql(_DAYS).to_arrow_table())


def fixed_faces(school_year: str, presences: Iterable[Presence]) -> list[dict[str, Any]]:
    """Rows of `fixed_faces`, in order of class and month.

    A newcomer was not seen before in this class this school year. Somebody who left was there in the month before in which
    anybody worked in the class, and not in this one. Shares in permille and averages in hundredths are rounded half up.

    Args:
        school_year: '2025-2026'.
        presences: of every month of the year up to now, in any order; each month in one of them only.
    """
    found = list(presences)
    if not found:
        return []
    with in_memory() as connection:
        connection.register("people", pa.concat_tables([one.people for one in found]))
        connection.register("days", pa.concat_tables([one.days for one in found]))
        rows: list[dict[str, Any]] = connection.sql(_FACES, params={"most": MOST_PRESENT}).to_arrow_table().to_pylist()
    return [{"school_year": school_year} | row for row in rows]


_FACES = """
with parts as (
    select school, class_code, undivided, min(month) as since from people where class_code <> undivided group by all
), history as (
    select school, class_code, month, employee, minutes from people
    union all
    select p.school, p.class_code, w.month, w.employee, w.minutes
    from parts p join people w on w.school = p.school and w.class_code = p.undivided and w.month < p.since
), months as (
    select school, class_code, month, any_value(order_id) as order_id, any_value(doelgroep) as doelgroep,
           count(*) as employees, sum(minutes)::bigint as minutes
    from people group by school, class_code, month
), before as (
    select school, class_code, month, lag(month) over (partition by school, class_code order by month) as previous
    from (select distinct school, class_code, month from history)
), firsts as (
    select school, class_code, employee, min(month) as month from history group by school, class_code, employee
), new as (
    select school, class_code, month, count(*) as newcomers from firsts group by school, class_code, month
), gone as (
    select b.school, b.class_code, b.month, count(*) as leavers
    from before b join history p on p.school = b.school and p.class_code = b.class_code and p.month = b.previous
    where not exists (select 1 from history now where now.school = p.school and now.class_code = p.class_code
                      and now.employee = p.employee and now.month = b.month)
    group by b.school, b.class_code, b.month
), so_far as (
    select m.school, m.class_code, m.month, p.employee, sum(p.minutes) as minutes
    from months m join history p on p.school = m.school and p.class_code = m.class_code and p.month <= m.month
    group by m.school, m.class_code, m.month, p.employee
), month_share as (
    select school, class_code, month, sum(minutes) as top from (
        select school, class_code, month, minutes from people
        qualify row_number() over (partition by school, class_code, month order by minutes desc) <= $most)
    group by school, class_code, month
), year_share as (
    select school, class_code, month, max(employees) as employees, max(total) as total, sum(minutes) as top from (
        select school, class_code, month, minutes,
               count(*) over (partition by school, class_code, month) as employees,
               sum(minutes) over (partition by school, class_code, month) as total
        from so_far
        qualify row_number() over (partition by school, class_code, month order by minutes desc) <= $most)
    group by school, class_code, month
)
select m.month, m.school, m.class_code, m.order_id, m.doelgroep, m.employees, d.days, d.most as most_per_day,
       ((200 * d.people_days + d.days) // (2 * d.days))::bigint as average_per_day_hundredths,
       m.minutes as direct_minutes,
       ((2000 * s.top + m.minutes) // (2 * m.minutes))::bigint as top_three_permille,
       coalesce(n.newcomers, 0) as newcomers, coalesce(g.leavers, 0) as leavers,
       y.employees as employees_so_far,
       ((2000 * y.top + y.total) // (2 * y.total))::bigint as top_three_so_far_permille
from months m
join days d using (school, class_code, month)
join month_share s using (school, class_code, month)
join year_share y using (school, class_code, month)
left join new n using (school, class_code, month)
left join gone g using (school, class_code, month)
order by m.school, m.class_code, m.month
"""
