"""Which weeks of a class were measured, and which were not and why.

Belongs here: what the lines of a month say of a class in a week, adding two months of a week up, and judging the week. Does not
belong here: what a line proves (`lines`), which lines are odd (`signals`), what follows from the hours (`recalibration`).

Everything is as it stood on a business date: what is dated later has not happened yet, and a week that was not over by then is
neither measured nor missing. The lines are read a month at a time: those of a year need not fit in memory.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from zio_pipeline.hours.planning import order_days
from zio_pipeline.open_days import OpenDays
from zio_pipeline.periods import week_of
from zio_pipeline.setup import SchoolYearSetup

MEASURED, UNAPPROVED, DOUBTFUL, INDIRECT, MISSING, COMING = (
    "measured",
    "unapproved",
    "doubtful",
    "indirect",
    "missing",
    "coming",
)
UNFIT = frozenset({"duplicate_line", "over_twelve_hours", "two_classes_at_once"})
"""Kinds of signals that make the minutes of a week doubtful: they may count work twice, or work nobody can have done."""

_SAID = """
select school, class_code, provider, month, week, count(*) filter (direct) as direct_lines,
       count(*) filter (direct and not approved) as unapproved_lines,
       coalesce(sum(minutes) filter (direct and approved), 0)::bigint as minutes
from (select *, status in ('delivered', 'provisional') as direct, status = 'delivered' and approved_on <= $as_of as approved
      from line where status <> 'excluded' and coalesce(handed_in_on, $as_of) <= $as_of)
group by school, class_code, provider, month, week
"""


@dataclass(frozen=True)
class Said:
    """What the lines of one month say of a class in a week, or in the part of the week that lies in the month.

    `minutes` are the direct, approved ones.
    """

    school: str
    class_code: str
    provider: str
    month: str
    week: str
    direct_lines: int
    unapproved_lines: int
    minutes: int
    doubtful: bool


@dataclass(frozen=True)
class ClassWeek:
    """One class in one ISO week with `open_days` days on which its hours can be delivered.

    `state` is the first of these that is so: COMING, the week was not over on the business date; MISSING, there is no line of the
    class, or no statement of one of the months of the week; INDIRECT, there are lines and none of them direct; UNAPPROVED, a
    direct line is not approved; DOUBTFUL, there is a signal of UNFIT; MEASURED. `minutes` are the direct, approved ones.
    """

    school: str
    class_code: str
    week: str
    open_days: int
    state: str
    minutes: int


def said(connection: duckdb.DuckDBPyConnection, signals: Iterable[Mapping[str, Any]], as_of: date) -> list[Said]:
    """What the lines of a month say of every class and week.

    Args:
        connection: with the view `line` (`hours.lines`), of one month or of several.
        signals: about those lines (`signals.line_signals`).
        as_of: the business date.
    """
    doubtful = {(s["school"], s["class_code"], s["week"]) for s in signals if s["kind"] in UNFIT}
    found = connection.sql(_SAID, params={"as_of": as_of}).to_arrow_table().to_pylist()
    return [Said(**row, doubtful=(row["school"], row["class_code"], row["week"]) in doubtful) for row in found]


def class_weeks(
    found: Iterable[Said], setup: SchoolYearSetup, days: Mapping[str, OpenDays], as_of: date
) -> list[ClassWeek]:
    """Every class of the established year in every week in which its hours can be delivered: school is open, and its order holds.

    Args:
        found: what was said, of all months and in any order.
        setup: the established year.
        days: the open days by school.
        as_of: the business date.
    """
    of_class: dict[tuple[str, str, str], list[Said]] = defaultdict(list)
    stated: set[tuple[str, str, str]] = set()
    for one in found:
        of_class[one.school, one.class_code, one.week].append(one)
        stated.add((one.school, one.provider, one.month))
    of_order, result = order_days(setup, days), []
    for c in setup.classes:
        provider, mine = setup.order(c.order_id).provider, of_order.get(c.order_id, days[c.school])
        ends = {week_of(day): day for day in mine.days}
        months: dict[str, list[str]] = defaultdict(list)
        for part in mine.parts:
            months[part.week].append(part.month)
        for week, open_on in mine.per_week.items():
            parts = of_class[*c.key, week]
            # Half a week, of which the other month is still to come, is no measurement of the week.
            whole = all((c.school, provider, month) in stated for month in months[week])
            state = COMING if ends[week] > as_of else _state(parts if whole else ())
            result.append(ClassWeek(*c.key, week, open_on, state, sum(part.minutes for part in parts)))
    return result


def _state(parts: Iterable[Said]) -> str:
    """Of a week that is over, of which nothing is missing but what no line says."""
    parts = list(parts)
    if not parts:
        return MISSING
    if not any(part.direct_lines for part in parts):
        return INDIRECT
    if any(part.unapproved_lines for part in parts):
        return UNAPPROVED
    return DOUBTFUL if any(part.doubtful for part in parts) else MEASURED
