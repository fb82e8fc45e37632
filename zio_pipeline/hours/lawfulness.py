"""Lawfulness (rechtmatigheid): do the hours that the school approved prove what may be declared.

Belongs here: the value of approved hours beside what they have to prove of each order, and the verdict against a tolerance. Does
not belong here: reading timesheets, which lines to look at (`lawfulness_sample`), the workbook (`lawfulness_file`), any amount that
is billed: money follows the order, the hours only prove it (SPEC section 7).

Terms run from September to June and hours follow the open days of the school, so in the course of a year the two are no measure
of each other. Until the last month, approved hours are held against the plan of the same days, at the same price; after it,
against the amount that may be declared. A month counts from the day on which its timesheets have to be in.

The tolerance is a signal per order. The approval tolerance of a municipal audit is 2 % of its whole omvangsbasis (BADO from 2025,
DOMAIN 2.7), errors and uncertainties together; the accountant judges.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.hours.missing import is_overdue
from zio_pipeline.hours.planning import Plan, granted_minutes
from zio_pipeline.hours.signals import duration
from zio_pipeline.money import format_euro, round_half_up
from zio_pipeline.periods import last_day_of
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import Order, SchoolClass, SchoolYearSetup

TOLERANCE_PERMILLE = 20
MINUTES_PER_HOUR = 60
IN_COURSE = ("on_plan", "near_plan", "on_plan_after_approval", "behind_plan")
AT_THE_END = ("covered", "within_tolerance", "after_approval", "not_covered")
SHORT = frozenset({IN_COURSE[-1], AT_THE_END[-1]})
"""Verdicts about hours that are not there, whatever the school still approves."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Period:
    """What is judged on a business date: the days up to and including `through`, and whether those are the whole year."""

    as_of: date
    through: date
    whole_year: bool


def period_of(year: SchoolYear, as_of: date, grace_days: int) -> Period:
    """The months whose timesheets have to be in on the business date: what need not be there yet is never lacking.

    Args:
        year: the school year.
        as_of: the business date.
        grace_days: days after the end of a month in which its timesheets are handed in.
    """
    due = [month for month in year.months() if is_overdue(month, as_of, grace_days)]
    through = last_day_of(due[-1]) if due else year.first_day - timedelta(days=1)
    return Period(as_of, through, whole_year=through == year.last_day)


@dataclass(frozen=True)
class Minutes:
    """Minutes per function; a plan may hold parts of a minute."""

    care: int | Fraction = 0
    guidance: int | Fraction = 0

    @property
    def total(self) -> int:
        """Both functions, in whole minutes."""
        return int(self.care + self.guidance)

    def __add__(self, other: "Minutes") -> "Minutes":
        return Minutes(self.care + other.care, self.guidance + other.guidance)


@dataclass(frozen=True)
class Worked:
    """Direct minutes of one order: approved by the school, and not yet (provisional).

    `ungranted` are those of classes that were granted no hours, approved or not: they prove nothing of the order. `serious` are
    minutes with a serious signal; they count, and the conclusion says so.
    """

    approved: Minutes = Minutes()
    provisional: Minutes = Minutes()
    ungranted: int = 0
    serious: int = 0


@dataclass(frozen=True)
class Declared:
    """What one order may declare in the version in force and what that was for. Amounts in cents.

    `year_cents` is what may be declared over the whole year: not what the provider collects from pgb holders itself.
    `granted` is of the year and `planned` of the period; `claimed_cents`, net over the period, is None as long as the claims of
    the year have not been judged.
    """

    to_date_cents: int
    year_cents: int
    granted: Minutes
    planned: Minutes
    claimed_cents: int | None = None


def granted(setup: SchoolYearSetup) -> dict[str, Minutes]:
    """Granted minutes of the year per order."""
    return _added({c: granted_minutes(setup, c) for c in setup.classes}, setup)


def planned(setup: SchoolYearSetup, plans: Iterable[Plan]) -> dict[str, Minutes]:
    """Planned minutes per order; those of a class are of each function in the proportion in which they were granted."""
    minutes = Counter[tuple[str, str]]()
    for plan in plans:
        minutes[plan.school, plan.class_code] += plan.minutes
    return _added({c: minutes[c.key] for c in setup.classes}, setup)


def _added(minutes: Mapping[SchoolClass, int], setup: SchoolYearSetup) -> dict[str, Minutes]:
    sums = {order.order_id: Minutes() for order in setup.orders}
    for c, count in minutes.items():
        hours = setup.hours_of(c)
        care = Fraction(count * hours.care_hundredths, hours.total_hundredths) if count else Fraction(0)
        sums[c.order_id] += Minutes(care, count - care)
    return sums


_WORKED = """
select order_id, "function", granted,
       coalesce(sum(minutes) filter (where status = 'delivered' and approved_on <= $as_of), 0)::bigint as approved,
       coalesce(sum(minutes) filter (where status = 'provisional' or approved_on > $as_of), 0)::bigint as provisional
from line join granted_class using (school, class_code)
where status in ('delivered', 'provisional') and work_date <= $through
group by all
"""


def worked(
    lines: duckdb.DuckDBPyConnection, setup: SchoolYearSetup, period: Period
) -> list[tuple[str, str, bool, int, int]]:
    """(order, function, of a class with granted hours, approved, provisional) in minutes, of direct lines of the period.

    What the school approved after the business date was not approved yet on that day.
    """
    register_granted(lines, setup)
    return lines.execute(_WORKED, {"as_of": period.as_of, "through": period.through}).fetchall()


_GRANTED = pa.schema([("school", pa.string()), ("class_code", pa.string()), ("granted", pa.bool_())])


def register_granted(lines: duckdb.DuckDBPyConnection, setup: SchoolYearSetup) -> None:
    """The table `granted_class` beside `line`: every class of the year, and whether it was granted any hours."""
    rows = [(*c.key, granted_minutes(setup, c) > 0) for c in setup.classes]
    columns = list(zip(*rows, strict=True)) or [()] * len(_GRANTED)
    lines.register("granted_class", pa.table(list(map(pa.array, columns, _GRANTED.types)), schema=_GRANTED))


def added_up(parts: Iterable[tuple[str, str, bool, int, int]]) -> dict[str, Worked]:
    """What `worked` gave, of several months, per order."""
    sums: dict[str, Worked] = {}
    for order_id, function, with_grant, approved, provisional in parts:
        mine = sums.get(order_id, Worked())
        if with_grant:
            approved_now = mine.approved + Minutes(**{function: approved})
            provisional_now = mine.provisional + Minutes(**{function: provisional})
            sums[order_id] = replace(mine, approved=approved_now, provisional=provisional_now)
        else:
            sums[order_id] = replace(mine, ungranted=mine.ungranted + approved + provisional)
    return sums


def serious_minutes(signals: Iterable[Mapping[str, Any]], setup: SchoolYearSetup) -> Counter[str]:
    """Minutes with a serious signal per order: copies of a line, two classes at once, more than twelve hours on a day.

    Args:
        signals: rows of `signals.line_signals`. Their minutes are added up kind by kind: a minute with two signals counts twice.
        setup: the established year; lines of another provider, or of a day on which the order does not
            hold, prove nothing of it anyway.
    """
    orders = {c.key: setup.order(c.order_id) for c in setup.classes if granted_minutes(setup, c)}
    found = Counter[str]()
    for row in signals:
        order = orders.get((row["school"], row["class_code"]))
        own = order and row["provider"] == order.provider and row["kind"] != "provider_without_order"
        if order and own and row["severity"] == "serious":
            found[order.order_id] += row["minutes"]
    return found


def lawfulness_row(order: Order, declared: Declared, hours: Worked, period: Period, tolerance_permille: int) -> Row:
    """The row of `lawfulness` of one order, but for school year and version.

    An hour is worth what it costs in the order: the amount of the year over the granted hours, each function by its own tariff.
    So delivering what was granted proves exactly that amount, also where it was agreed or partly collected elsewhere.
    Coverage is rounded down: 1000 is said of a whole amount only.

    Args:
        order: with its tariffs.
        declared: what may be declared, granted and planned.
        hours: direct minutes.
        period: the days that are judged.
        tolerance_permille: of what has to be proved.
    """
    to_prove = declared.to_date_cents if period.whole_year else _worth(order, declared, declared.planned)
    covered = _worth(order, declared, hours.approved)
    with_provisional = _worth(order, declared, hours.approved + hours.provisional)
    uncovered, after = max(0, to_prove - covered), max(0, to_prove - with_provisional)
    tolerance = to_prove * tolerance_permille // 1000
    figures = {
        "order_id": order.order_id,
        "provider": order.provider,
        "as_of": period.as_of,
        "through": period.through,
        "declared_cents": declared.to_date_cents,
        "claimed_cents": declared.claimed_cents,
        "granted_minutes": declared.granted.total,
        "planned_minutes": declared.planned.total,
        "to_prove_cents": to_prove,
        "approved_minutes": hours.approved.total,
        "approved_care_minutes": int(hours.approved.care),
        "covered_cents": covered,
        "coverage_permille": covered * 1000 // to_prove if to_prove else None,
        "uncovered_cents": uncovered,
        "provisional_minutes": hours.provisional.total,
        "provisional_cents": with_provisional - covered,
        "still_uncovered_cents": after,
        "ungranted_minutes": hours.ungranted,
        "serious_minutes": hours.serious,
        "tolerance_permille": tolerance_permille,
        "tolerance_cents": tolerance,
        "status": _status(to_prove, uncovered, after, tolerance, AT_THE_END if period.whole_year else IN_COURSE),
    }
    return figures | {"conclusion": _conclusion(figures)}


def _worth(order: Order, declared: Declared, minutes: Minutes) -> int:
    """Cents that minutes prove, rounded half up once."""
    care_tariff = order.tariff_cents if order.care_tariff_cents is None else order.care_tariff_cents

    def weight(of: Minutes) -> Fraction:
        return Fraction(of.care * care_tariff + of.guidance * order.tariff_cents)

    if not weight(declared.granted):
        return 0
    exact = declared.year_cents * weight(minutes) / weight(declared.granted)
    return round_half_up(exact.numerator, exact.denominator)


def _status(to_prove: int, uncovered: int, after: int, tolerance: int, words: Sequence[str]) -> str:
    whole, nearly, later, short = words
    if not to_prove:
        return "nothing_to_prove"
    if not uncovered:
        return whole
    if uncovered <= tolerance:
        return nearly
    return later if after <= tolerance else short


def _conclusion(row: Mapping[str, Any]) -> str:
    """What it comes to, in Dutch, for the contract manager and the accountant."""
    notes = []
    if row["ungranted_minutes"]:
        notes.append(
            f"Daarnaast staat {duration(row['ungranted_minutes'])} van klassen zonder toegekende uren; die telt niet mee."
        )
    if row["serious_minutes"]:
        notes.append(
            f"Bij {duration(row['serious_minutes'])} staat een ernstig signaal (dubbele regel, twee klassen tegelijk of meer dan "
            "12 uur op een dag); laat die regels eerst nagaan, daarop mag een bewijs niet rusten."
        )
    if row["claimed_cents"] is None:
        notes.append("Wat er is gedeclareerd, is nog niet gecontroleerd.")
    else:
        notes.append(
            f"Gedeclareerd is netto {_euro(row['claimed_cents'])}, te declareren was {_euro(row['declared_cents'])}."
        )
    return " ".join([_verdict(row), *notes])


def _verdict(row: Mapping[str, Any]) -> str:
    status, day = row["status"], f"{row['through']:%d-%m-%Y}"
    limit = f"de tolerantie van {format_euro(row['tolerance_permille'] * 10)} % ({_euro(row['tolerance_cents'])})"
    lacking, left = _euro(row["uncovered_cents"]), _euro(row["still_uncovered_cents"])
    waiting = f"{duration(row['provisional_minutes'])} waarop het akkoord van de school ontbreekt"
    approval = f"Er staat {waiting}; daarmee blijft {left} over. Vraag de school om haar akkoord."
    also = f"Ook met {waiting} blijft {left} over. " if row["provisional_minutes"] else ""
    hours = f"{also}Ga met de aanbieder na of urenstaten ontbreken of uren niet zijn geleverd."
    plan = (
        f"tot en met {day} was {duration(row['planned_minutes'])} gepland ({_euro(row['to_prove_cents'])}) en is "
        f"{duration(row['approved_minutes'])} goedgekeurd ({_euro(row['covered_cents'])})"
    )
    later = "Of het te declareren bedrag gedekt is, blijkt na de laatste maand."
    short = f"Van het te declareren bedrag van {_euro(row['to_prove_cents'])} is {lacking} niet gedekt door goedgekeurde uren"
    return {
        "nothing_to_prove": f"Tot en met {day} is er niets te bewijzen.",
        "on_plan": f"Op planning: {plan}. {later}",
        "near_plan": f"Bijna op planning: {plan}. Dat is {lacking} minder en blijft binnen {limit}. {later}",
        "on_plan_after_approval": (
            f"Op planning zodra de school akkoord geeft: {plan}. Dat is {lacking} minder, meer dan {limit}. {approval}"
        ),
        "behind_plan": f"Achter op planning: {plan}. Dat is {lacking} minder, meer dan {limit}. {hours}",
        "covered": f"De goedgekeurde uren dekken het te declareren bedrag van {_euro(row['to_prove_cents'])}.",
        "within_tolerance": f"{short}; dat blijft binnen {limit}.",
        "after_approval": f"{short}, meer dan {limit}. {approval}",
        "not_covered": f"{short}, meer dan {limit}. {hours}",
    }[status]


def _euro(cents: int) -> str:
    return f"€ {format_euro(cents)}"


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """The region: every amount and every minute added up, never rounded again; what one order lacks the region lacks."""
    names = [n for n in (rows[0] if rows else {}) if n.endswith(("_cents", "_minutes")) and n != "tolerance_cents"]
    return {name: None if any(row[name] is None for row in rows) else sum(row[name] for row in rows) for name in names}
