"""Signals about totals: a week that breaks with its own history, and delivery that strays from the plan.

Belongs here: comparing rows of `delivery_control` with earlier weeks, with the month and with the year to date (SPEC section 7),
in whole numbers. Does not belong here: adding up lines (`delivery`), lines as they stand (`signals`).

Nothing is judged before the provider's last day for its month is over (setting `uren_inlevertermijn_dagen`): until then lines are
still to come. What was not handed in, without one direct minute, is missing and not little; `missing` names it, and here it stays
out on both sides.

History is about work, not about signatures: it compares all direct minutes, also what the school has not approved yet. A week
counts when all its parts were handed in, and per open day, so that a short week before carnival is no fall. Plan is about proof:
only approved direct minutes.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from zio_pipeline.hours.missing import is_overdue
from zio_pipeline.hours.signals import Row, duration, signal_row
from zio_pipeline.open_days import OpenDays

WEEKS_OF_HISTORY = 3
"""From the fourth week on there is a history to compare with."""
TIMES = 3

Control = Mapping[str, Any]


def sudden_changes(
    control: Iterable[Control],
    days: Mapping[str, OpenDays],
    school_year: str,
    month: str,
    *,
    as_of: date,
    grace_days: int,
) -> list[Row]:
    """Class-weeks that end in this month with less than a third of, or more than three times, the median of the earlier ones.

    Args:
        control: rows of `delivery_control` of this month and all earlier ones of the school year.
        days: open days by school.
        school_year: key of the year.
        month: a week belongs to the month of its last open day.
        as_of: the business date.
        grace_days: days after the end of a month until which its timesheets are in time.

    Returns:
        Rows of the product `hour_signals`, from the fourth wholly handed in week of a class on; none while the month is not due.
    """
    if not is_overdue(month, as_of, grace_days):
        return []
    of_class: dict[tuple[str, str], dict[tuple[str, str], Control]] = defaultdict(dict)
    for row in control:
        if _handed_in(row):
            of_class[row["school"], row["class_code"]][row["month"], row["week"]] = row
    return [row for key in sorted(of_class) for row in _of_class(of_class[key], days[key[0]], school_year, month)]


def _handed_in(row: Control) -> bool:
    return bool(row["delivered_minutes"] or row["provisional_minutes"])


def _of_class(parts: Mapping[tuple[str, str], Control], days: OpenDays, school_year: str, month: str) -> Iterator[Row]:
    history: list[int] = []  # 60 times the minutes per open day, ascending: 60 has every number of school days in it
    for _, week in groupby(days.parts, lambda part: part.week):
        needed = list(week)
        handed_in = [parts[part.month, part.week] for part in needed if (part.month, part.week) in parts]
        if len(handed_in) < len(needed):
            continue
        open_days = sum(part.days for part in needed)
        minutes = sum(row["delivered_minutes"] + row["provisional_minutes"] for row in handed_in)
        measure = 60 * minutes // open_days
        if len(history) >= WEEKS_OF_HISTORY and needed[-1].month == month:
            twice_median = history[(len(history) - 1) // 2] + history[len(history) // 2]
            if 2 * TIMES * measure < twice_median or 2 * measure > TIMES * twice_median:
                yield _sudden_change(handed_in[-1], school_year, minutes, twice_median * open_days // 120)
        insort(history, measure)


def _sudden_change(last: Control, school_year: str, minutes: int, usual: int) -> Row:
    direction = "minder dan een derde van" if minutes < usual else "meer dan drie keer"
    text = (
        f"Klas {last['class_code']} (vestiging {last['school']}), week {last['week']}, aanbieder {last['provider']}: "
        f"{duration(minutes)} directe zorg is {direction} wat gewoon is in een week met zoveel open dagen ({duration(usual)}). "
        "School en aanbieder: ga na of er iets is veranderd, of dat de urenstaat niet klopt."
    )
    place = {name: last[name] for name in (*_CLASS_IN_MONTH.columns, "month", "week")}
    return signal_row("sudden_change", school_year, text, **place, minutes=abs(minutes - usual))


def strays_from_plan(
    control: Iterable[Control], school_year: str, month: str, *, as_of: date, grace_days: int, tolerance_permille: int
) -> list[Row]:
    """Classes in the month, and doelgroepen of an order in the year to date, delivered too far below or above the plan.

    Args:
        control: rows of `delivery_control` of this month and all earlier ones of the school year.
        school_year: key of the year.
        month: key of the month.
        as_of: the business date.
        grace_days: days after the end of a month until which its timesheets are in time.
        tolerance_permille: delivery may be this part of the plan below or above it.

    Returns:
        Rows of the product `hour_signals`; none while the month is not due. A class of which nothing was handed in for a month is
        missing, not too little: that month of that class counts on neither side, and the sentence says how many there are.
    """
    if not is_overdue(month, as_of, grace_days):
        return []
    control = [row for row in control if row["planned_minutes"] or _handed_in(row)]
    return [
        _stray(total, level, school_year, month)
        for level in (_CLASS_IN_MONTH, _DOELGROEP_TO_DATE)
        for _, total in sorted(_totals(control, month, level).items())
        if total.handed_in and total.strays(tolerance_permille)
    ]


@dataclass(frozen=True)
class _Level:
    """Over what is added up: the columns that name it, and whether from the beginning of the school year."""

    columns: tuple[str, ...]
    to_date: bool
    subject: str
    period: str


_CLASS_IN_MONTH = _Level(
    ("school", "class_code", "order_id", "doelgroep", "provider"), False, "Klas {class_code}", "in de maand"
)
_DOELGROEP_TO_DATE = _Level(
    ("school", "order_id", "doelgroep", "provider"),
    True,
    "Doelgroep {doelgroep} van opdracht {order_id}",
    "van het schooljaar tot en met de maand",
)


@dataclass
class _Total:
    """`handed_in`: something was, in the month itself. `missing`: months of a class that do not count, nothing was handed in."""

    place: dict[str, str]
    planned: int = 0
    delivered: int = 0
    provisional: int = 0
    handed_in: bool = False
    missing: int = 0

    def strays(self, permille: int) -> bool:
        return not self.planned * (1000 - permille) <= self.delivered * 1000 <= self.planned * (1000 + permille)


def _totals(control: Iterable[Control], month: str, level: _Level) -> dict[tuple[str, ...], _Total]:
    class_months: dict[tuple[str, ...], list[Control]] = defaultdict(list)
    for row in control:
        if row["month"] == month or (level.to_date and row["month"] < month):
            class_months[row["month"], row["school"], row["class_code"], row["provider"]].append(row)
    totals: dict[tuple[str, ...], _Total] = {}
    for rows in class_months.values():
        place = {name: rows[0][name] for name in level.columns}
        total = totals.setdefault(tuple(place.values()), _Total(place))
        if not any(map(_handed_in, rows)):
            total.missing += 1
            continue
        total.planned += sum(row["planned_minutes"] for row in rows)
        total.delivered += sum(row["delivered_minutes"] for row in rows)
        total.provisional += sum(row["provisional_minutes"] for row in rows)
        total.handed_in |= rows[0]["month"] == month
    return totals


def _stray(total: _Total, level: _Level, school_year: str, month: str) -> Row:
    kind = "under_delivery" if total.delivered < total.planned else "over_delivery"
    share = f"{100 * total.delivered // total.planned} %" if total.planned else "er was niets gepland"
    provisional = f" Er wacht nog {duration(total.provisional)} op akkoord van de school." if total.provisional else ""
    missing = f" Niet meegeteld: {_class_months(total.missing)} waarvan niets is ingeleverd." if total.missing else ""
    text = (
        f"{level.subject.format(**total.place)} (vestiging {total.place['school']}), aanbieder {total.place['provider']}: "
        f"{level.period} {month} is {duration(total.delivered)} geleverd naast {duration(total.planned)} gepland ({share})."
        f"{provisional}{missing} {_TO_DO[kind]}"
    )
    off = abs(total.delivered - total.planned)
    return signal_row(kind, school_year, text, **total.place, month=month, minutes=off)


def _class_months(count: int) -> str:
    return "één maand van een klas" if count == 1 else f"{count} maanden van klassen"


_TO_DO: Mapping[str, str] = {
    "under_delivery": "Contractmanager: bespreek met de aanbieder hoe dit wordt ingehaald.",
    "over_delivery": "Contractmanager: ga na waarom er meer is geleverd; het bedrag van de opdracht verandert er niet door.",
}
