"""Missing weeks, and who owes what: the provider its timesheet, the school its approval, the school its forwarding.

Belongs here: laying what was handed in beside the open weeks of every class with hours (SPEC section 7), and which months of a
provider are overdue altogether. Does not belong here: what the lines say (`signals`), telling somebody (`alerts`).

Everything is as it stood on the business date: what is dated later has not happened yet. A part of a week that lies in a month is
owed once the days after that month in which timesheets are handed in, approved and forwarded are over. Only direct lines need an
approval: no other line is a proof. That a class has no line in two days of a week which goes on in the next month says nothing
yet: such a part is missing when the whole week is, or the whole month.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from zio_pipeline.hours.signals import Row, duration
from zio_pipeline.open_days import OpenDays, WeekPart
from zio_pipeline.periods import last_day_of
from zio_pipeline.setup import SchoolClass, SchoolYearSetup

HAND_IN, APPROVE, FORWARD = "hand_in", "approve", "forward"
OWED_BY: Mapping[str, str] = {HAND_IN: "provider", APPROVE: "school", FORWARD: "school"}
"""Step that was not taken -> whose it is."""

_HANDED_IN = """
with known as (
       select school, class_code, month, week, minutes, activity = 'direct' as direct,
              coalesce(approved_on <= $as_of, false) as approved, coalesce(forwarded_on <= $as_of, false) as forwarded
       from line
       where status <> 'excluded' and coalesce(handed_in_on, $as_of) <= $as_of)
select school, class_code, month, week,
       count(*) filter (direct and not approved) as unapproved_lines,
       coalesce(sum(minutes) filter (direct and not approved), 0)::bigint as unapproved_minutes,
       count(*) filter (direct and approved and not forwarded) as unforwarded_lines,
       coalesce(sum(minutes) filter (direct and approved and not forwarded), 0)::bigint as unforwarded_minutes
from known group by all
"""

_TO_DO: Mapping[str, str] = {
    HAND_IN: "er is niets ingeleverd. Aanbieder {provider}: lever de urenstaat van {month} met deze week aan (uiterste dag "
    "was {due}); zonder urenstaat bewijst deze week geen levering.",
    APPROVE: "{lines} regel(s) ({duration}) zijn ingeleverd en nog niet akkoord. School {school}: keur de urenstaat goed of "
    "geef aan aanbieder {provider} door wat niet klopt (uiterste dag was {due}); tot dan blijven de uren voorlopig.",
    FORWARD: "{lines} regel(s) ({duration}) zijn akkoord en nog niet doorgestuurd. School {school}: stuur de goedgekeurde "
    "urenstaat van {month} door en laat de dag invullen (uiterste dag was {due}).",
}


@dataclass(frozen=True)
class HandedIn:
    """What was in of a class, by the provider of its order, in the part of a week that lies in one month."""

    school: str
    class_code: str
    month: str
    week: str
    unapproved_lines: int
    unapproved_minutes: int
    unforwarded_lines: int
    unforwarded_minutes: int


def handed_in(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[HandedIn]:
    """What the lines in the view `line` say of approval and forwarding on a day."""
    found = connection.sql(_HANDED_IN, params={"as_of": as_of}).to_arrow_table().to_pylist()
    return [HandedIn(**row) for row in found]


def due_on(month: str, grace_days: int) -> date:
    """The last day on which the timesheets of a month are in time."""
    return last_day_of(month) + timedelta(days=grace_days)


def is_overdue(month: str, as_of: date, grace_days: int) -> bool:
    """Whether what is not there of a month is owed on the business date: only after the last day that is in time."""
    return as_of > due_on(month, grace_days)


def missing_statements(
    found: Iterable[HandedIn], setup: SchoolYearSetup, days: Mapping[str, OpenDays], as_of: date, grace_days: int
) -> list[Row]:
    """Every part of an open week that is owed on the business date, with the first step that was not taken.

    Args:
        found: what was handed in, of all months.
        setup: the established year: its classes, their orders and hours. A class without hours owes nothing.
        days: the open days of every school.
        as_of: the business date.
        grace_days: days after the end of a month until which nothing is owed.

    Returns:
        Rows of the product `missing_statements`.
    """
    of_class: dict[tuple[str, str], dict[tuple[str, str], HandedIn]] = defaultdict(dict)
    for one in found:
        of_class[one.school, one.class_code][one.month, one.week] = one
    return [
        row
        for c in _with_hours(setup)
        for part in _due_parts(of_class[c.key], days[c.school].parts, as_of, grace_days)
        for row in _owed(of_class[c.key].get((part.month, part.week)), setup, c, part, grace_days)
    ]


def _due_parts(
    known: Mapping[tuple[str, str], HandedIn], parts: Sequence[WeekPart], as_of: date, grace_days: int
) -> Iterator[WeekPart]:
    """The parts of which something is in, or of which nothing is in that should be; all of them overdue."""
    months, weeks = {month for month, _ in known}, {week for _, week in known}
    ends_in = {part.week: part.month for part in parts}
    for part in parts:
        whole_week_missing = part.week not in weeks and is_overdue(ends_in[part.week], as_of, grace_days)
        counts = (part.month, part.week) in known or part.month not in months or whole_week_missing
        if counts and is_overdue(part.month, as_of, grace_days):
            yield part


def overdue_deliveries(
    delivered: AbstractSet[tuple[str, str, str]],
    setup: SchoolYearSetup,
    days: Mapping[str, OpenDays],
    as_of: date,
    grace_days: int,
) -> list[tuple[str, str, str]]:
    """(provider, school, month) of which no timesheet at all counts while it is overdue.

    Args:
        delivered: (provider, school, month) of the files that count.
        setup: the established year.
        days: the open days of every school; a month in which it is closed asks for no timesheet.
        as_of: the business date.
        grace_days: days after the end of a month until which nothing is owed.
    """
    expected = {
        (setup.order(c.order_id).provider, c.school, month)
        for c in _with_hours(setup)
        for month in days[c.school].per_month
        if is_overdue(month, as_of, grace_days)
    }
    return sorted(expected - delivered)


def owed_in_words(rows: Iterable[Mapping[str, Any]], step: str, most: int = 20) -> list[str]:
    """Who owes which weeks of a step, a sentence per party and school: 'Aanbieder 41410101 (vestiging 02ZX00): 2025-W40 (EMB1).'"""
    weeks: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in rows:
        if row["step"] == step:
            weeks.setdefault((row["party"], row["school"]), {}).setdefault(row["week"], []).append(row["class_code"])
    return [_party_in_words(step, *place, weeks[place], most) for place in sorted(weeks)]


def _party_in_words(step: str, party: str, school: str, weeks: Mapping[str, Sequence[str]], most: int) -> str:
    who = f"Aanbieder {party} (vestiging {school})" if OWED_BY[step] == "provider" else f"School {party}"
    shown = [f"{week} ({_classes(codes)})" for week, codes in sorted(weeks.items())]
    more = f" en {len(shown) - most} andere weken" if len(shown) > most else ""
    return f"{who}: {', '.join(shown[:most])}{more}."


def _classes(codes: Sequence[str], most: int = 5) -> str:
    names = sorted(set(codes))
    return ", ".join(names) if len(names) <= most else f"{len(names)} klassen"


def _with_hours(setup: SchoolYearSetup) -> list[SchoolClass]:
    return [c for c in setup.classes if setup.hours_of(c).total_hundredths]


def _owed(found: HandedIn | None, setup: SchoolYearSetup, c: SchoolClass, part: WeekPart, grace_days: int) -> list[Row]:
    """One row, or none when everything is done."""
    if found is None:
        step, lines, minutes = HAND_IN, 0, 0
    elif found.unapproved_lines:
        step, lines, minutes = APPROVE, found.unapproved_lines, found.unapproved_minutes
    elif found.unforwarded_lines:
        step, lines, minutes = FORWARD, found.unforwarded_lines, found.unforwarded_minutes
    else:
        return []
    provider, due = setup.order(c.order_id).provider, due_on(part.month, grace_days)
    words = {"provider": provider, "school": c.school, "month": part.month, "due": f"{due:%d-%m-%Y}", "lines": lines}
    text = _TO_DO[step].format(**words, duration=duration(minutes))
    return [
        {
            "school_year": setup.settings.school_year.key,
            "month": part.month,
            "week": part.week,
            "school": c.school,
            "class_code": c.class_code,
            "order_id": c.order_id,
            "doelgroep": c.doelgroep,
            "provider": provider,
            "step": step,
            "owed_by": OWED_BY[step],
            "party": provider if OWED_BY[step] == "provider" else c.school,
            "due_on": due,
            "open_days": part.days,
            "line_count": lines,
            "minutes": minutes,
            "explanation": f"Klas {c.class_code} (vestiging {c.school}), week {part.week} in {part.month}: {text}",
        }
    ]
