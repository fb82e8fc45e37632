"""Missing weeks, and who owes what: the provider its timesheet, the school its approval, the school its forwarding.

Belongs here: laying what was handed in beside the weeks of every class (SPEC section 7), and which months of a provider are overdue
altogether. Does not belong here: what the lines say (`signals`), telling somebody (`alerts`).

Everything is as it stood on the business date: what is dated later has not happened yet. A class with hours owes a timesheet of
every week in which its school is open and its order holds; a week is handed in when it has a direct line, for no other line is a
proof. Direct lines of the order ask for their approval and forwarding, in closed weeks and for classes without hours too.

The provider is in time up to some days after the month (setting `uren_inlevertermijn_dagen`). The school then has as many days of
its own: after the day on which the lines were handed in (where the file does not say, on which it came in), or after the
provider's last day where that is later. That a class has no line in two days of a week which goes on in the next month says
nothing yet: such a part is missing when the whole week is, or the whole month.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from zio_pipeline.hours.planning import granted_minutes, order_days
from zio_pipeline.hours.signals import Row, duration
from zio_pipeline.open_days import OpenDays, WeekPart
from zio_pipeline.periods import last_day_of
from zio_pipeline.setup import SchoolClass, SchoolYearSetup

HAND_IN, APPROVE, FORWARD = "hand_in", "approve", "forward"
OWED_BY: Mapping[str, str] = {HAND_IN: "provider", APPROVE: "school", FORWARD: "school"}
"""Step that was not taken -> whose it is."""

_HANDED_IN = """
with known as (
       select school, class_code, month, week, minutes, coalesce(handed_in_on, received_on, work_date) as since,
              status = 'delivered' and approved_on <= $as_of as approved,
              coalesce(forwarded_on <= $as_of, false) as forwarded
       from line
       where status <> 'excluded' and activity = 'direct' and coalesce(handed_in_on, $as_of) <= $as_of)
select school, class_code, month, week,
       count(*) filter (not approved) as unapproved_lines,
       coalesce(sum(minutes) filter (not approved), 0)::bigint as unapproved_minutes,
       min(since) filter (not approved) as unapproved_since,
       count(*) filter (approved and not forwarded) as unforwarded_lines,
       coalesce(sum(minutes) filter (approved and not forwarded), 0)::bigint as unforwarded_minutes,
       min(since) filter (approved and not forwarded) as unforwarded_since
from known group by all
"""

_TO_DO: Mapping[str, str] = {
    HAND_IN: "er is geen directe zorg ingeleverd. Aanbieder {provider}: lever de urenstaat van {month} met deze week aan "
    "(uiterste dag was {due}); zonder urenstaat bewijst deze week geen levering.",
    APPROVE: "{lines} regel(s) ({duration}) zijn ingeleverd en nog niet akkoord. School {school}: keur de urenstaat goed of "
    "geef aan aanbieder {provider} door wat niet klopt (uiterste dag was {due}); tot dan blijven de uren voorlopig.",
    FORWARD: "{lines} regel(s) ({duration}) zijn akkoord en nog niet doorgestuurd. School {school}: stuur de goedgekeurde "
    "urenstaat van {month} door en laat de dag invullen (uiterste dag was {due}).",
}


@dataclass(frozen=True)
class HandedIn:
    """The direct lines of a class, by the provider of its order, in the part of a week that lies in one month.

    `since`: when the first line that waits was handed in; where its file does not say, when that came in; where that is not known
    or lies before the work, when it was worked.
    """

    school: str
    class_code: str
    month: str
    week: str
    unapproved_lines: int
    unapproved_minutes: int
    unapproved_since: date | None
    unforwarded_lines: int
    unforwarded_minutes: int
    unforwarded_since: date | None

    def waiting(self) -> Iterator[tuple[str, int, int, date]]:
        """The steps that lines wait for, in order: how many lines, their minutes, and since when."""
        if self.unapproved_since:
            yield APPROVE, self.unapproved_lines, self.unapproved_minutes, self.unapproved_since
        if self.unforwarded_since:
            yield FORWARD, self.unforwarded_lines, self.unforwarded_minutes, self.unforwarded_since


def handed_in(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[HandedIn]:
    """What the lines in the view `line` say of approval and forwarding on a day."""
    found = connection.sql(_HANDED_IN, params={"as_of": as_of}).to_arrow_table().to_pylist()
    return [HandedIn(**row) for row in found]


def due_on(month: str, grace_days: int) -> date:
    """The last day on which the timesheets of a month are in time."""
    return last_day_of(month) + timedelta(days=grace_days)


def school_due_on(month: str, handed_in_on: date, grace_days: int) -> date:
    """The last day on which the school is in time: as many days after the lines came, or after the last day they were due."""
    return max(handed_in_on, due_on(month, grace_days)) + timedelta(days=grace_days)


def is_overdue(month: str, as_of: date, grace_days: int) -> bool:
    """Whether what is not there of a month is owed on the business date: only after the last day that is in time."""
    return as_of > due_on(month, grace_days)


def missing_statements(
    found: Iterable[HandedIn], setup: SchoolYearSetup, days: Mapping[str, OpenDays], as_of: date, grace_days: int
) -> list[Row]:
    """Every part of a week that is owed on the business date, with the first step that is too late.

    Args:
        found: what was handed in, of all months.
        setup: the established year: its classes, their orders and hours. A class without hours owes no timesheet.
        days: the open days of every school.
        as_of: the business date.
        grace_days: days after the end of a month until which nothing is owed, and days that the school then has.

    Returns:
        Rows of the product `missing_statements`.

    Raises:
        SetupError: an order with hours holds on no open day.
    """
    of_class: dict[tuple[str, str], dict[tuple[str, str], HandedIn]] = defaultdict(dict)
    for one in found:
        of_class[one.school, one.class_code][one.month, one.week] = one
    of_order = order_days(setup, days)
    rows: list[Row] = []
    for c in setup.classes:
        known = of_class[c.key]
        parts = of_order[c.order_id].parts if granted_minutes(setup, c) else ()
        owed = list(_not_handed_in(known, parts, as_of, grace_days))
        owed += [late for one in known.values() for late in _too_late(one, as_of, grace_days)]
        rows += [_row(one, setup, c, days[c.school]) for one in sorted(owed, key=lambda one: (one.month, one.week))]
    return rows


@dataclass(frozen=True)
class _Owed:
    """The first step of a part of a week that is too late; lines and minutes that wait for it, none where nothing is in."""

    month: str
    week: str
    step: str
    due_on: date
    lines: int = 0
    minutes: int = 0


def _not_handed_in(
    known: Mapping[tuple[str, str], HandedIn], parts: Sequence[WeekPart], as_of: date, grace_days: int
) -> Iterator[_Owed]:
    """The parts of which nothing is in that should be."""
    months, weeks = {month for month, _ in known}, {week for _, week in known}
    ends_in = {part.week: part.month for part in parts}
    for part in parts:
        whole_week = part.week not in weeks and is_overdue(ends_in[part.week], as_of, grace_days)
        whole_month = part.month not in months and is_overdue(part.month, as_of, grace_days)
        if whole_week or whole_month:
            yield _Owed(part.month, part.week, HAND_IN, due_on(part.month, grace_days))


def _too_late(found: HandedIn, as_of: date, grace_days: int) -> list[_Owed]:
    """One, or none when everything is done or still in time."""
    late = [
        _Owed(found.month, found.week, step, due, lines, minutes)
        for step, lines, minutes, since in found.waiting()
        if as_of > (due := school_due_on(found.month, since, grace_days))
    ]
    return late[:1]


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
        days: the open days of every school; a month in which it is closed, or no order holds, asks for no timesheet.
        as_of: the business date.
        grace_days: days after the end of a month until which nothing is owed.

    Raises:
        SetupError: an order with hours holds on no open day.
    """
    expected = {
        (setup.order(order_id).provider, of_order.school, month)
        for order_id, of_order in order_days(setup, days).items()
        for month in of_order.per_month
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


def _row(owed: _Owed, setup: SchoolYearSetup, c: SchoolClass, days: OpenDays) -> Row:
    provider = setup.order(c.order_id).provider
    words = {"provider": provider, "school": c.school, "month": owed.month, "due": f"{owed.due_on:%d-%m-%Y}"}
    text = _TO_DO[owed.step].format(**words, lines=owed.lines, duration=duration(owed.minutes))
    return {
        "school_year": setup.settings.school_year.key,
        "month": owed.month,
        "week": owed.week,
        "school": c.school,
        "class_code": c.class_code,
        "order_id": c.order_id,
        "doelgroep": c.doelgroep,
        "provider": provider,
        "step": owed.step,
        "owed_by": OWED_BY[owed.step],
        "party": provider if OWED_BY[owed.step] == "provider" else c.school,
        "due_on": owed.due_on,
        "open_days": days.in_part(owed.month, owed.week),
        "line_count": owed.lines,
        "minutes": owed.minutes,
        "explanation": f"Klas {c.class_code} (vestiging {c.school}), week {owed.week} in {owed.month}: {text}",
    }
