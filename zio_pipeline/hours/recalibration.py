"""Next year's hours: what was measured per doelgroep beside what was granted, and a proposal that says how sure it is.

Belongs here: which weeks of a class were measured, mean and spread of them, and the proposal (SPEC section 7, last sentence; a
good monitor adjusts the volume per doelgroep when estimated hours prove unreal, HvB report). Does not belong here: what a
line proves (`lines`), what the proposal means in euros (`recalibration_effect`), deciding anything.

Hours are granted per *contract week* (10 hours, 40 weeks), and school is open in more weeks than that, some of them short.
Planned hours follow the open days, so a week with d of the D open days of the year stands for W x d / D of the W contract
weeks of its class. Measured hours are given per contract week: a class that got exactly what was planned shows exactly
what was granted, in every week. Exact fractions; a figure is rounded once, half up, to hundredths of an hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import floor, isqrt
from typing import Any

import duckdb

from zio_pipeline.money import round_half_up
from zio_pipeline.open_days import OpenDays
from zio_pipeline.setup import Doelgroep, SchoolClass, SchoolYearSetup

Row = dict[str, Any]
ClassKey = tuple[str, str]
"""School and class code."""

MEASURED, UNAPPROVED, MISSING = "measured", "unapproved", "missing"
WITHOUT_OWN_HOURS = "*"
"""In the place of a class: the classes that take the hours of their doelgroep."""
PER_CLASS, PER_PUPIL = "per_class", "per_pupil"
_IN_WORDS = {PER_CLASS: "per klas per contractweek", PER_PUPIL: "per leerling per contractweek"}
_POINTS = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")

_WEEKS = """
select school, class_code, week,
       coalesce(sum(minutes) filter (status = 'delivered'), 0)::bigint,
       count(*) filter (status = 'provisional'), count(approved_on)
from line where status <> 'excluded' group by school, class_code, week
"""
_STATEMENTS = "select distinct school, provider, month from line where status <> 'excluded'"


@dataclass(frozen=True)
class Rules:
    """When a measurement is good enough to propose on, and in which steps (hundredths of an hour).

    The step of hours per pupil is finer: a quarter of an hour is much of what one pupil gets. Too wide is a standard deviation
    above `widest_permille` of the mean.
    """

    step_hundredths: int = 25
    pupil_step_hundredths: int = 5
    fewest_class_weeks: int = 30
    widest_permille: int = 500


RULES = Rules()


@dataclass(frozen=True)
class ClassWeek:
    """One class in one ISO week in which its school was open on `open_days` days.

    `state` is MEASURED when all of its direct lines are approved and there is a statement of every month of the week; a week
    without a statement is MISSING, not zero. `minutes` are the direct, approved ones.
    """

    school: str
    class_code: str
    week: str
    open_days: int
    state: str
    minutes: int


@dataclass(frozen=True)
class Measurement:
    """Hours per contract week over the measured class-weeks, in hundredths, exact.

    Mean and variance weigh every class-week by the contract weeks it stands for, so that the mean is all hours over all weeks.
    The five points are lowest, first quartile, median, third quartile and highest, each of them a class-week as it was: a
    quartile is the lowest at or under which at least a quarter of the weight lies. Nothing measured: no mean, no points.
    """

    open_class_weeks: int
    class_weeks: int
    unapproved_class_weeks: int
    mean: Fraction | None = None
    variance: Fraction = Fraction(0)
    points: tuple[Fraction, ...] = ()

    @property
    def missing_class_weeks(self) -> int:
        return self.open_class_weeks - self.class_weeks - self.unapproved_class_weeks


@dataclass(frozen=True)
class Granted:
    """Hours per week that were granted, in hundredths, and the classes that take them.

    `class_code` names the one class with hours of its own, or is WITHOUT_OWN_HOURS; `care_hundredths` is the part at the tariff of
    verzorging; `unit` is PER_CLASS, or PER_PUPIL where the budget goes by pupil weight.
    """

    order_id: str
    doelgroep: str
    class_code: str
    unit: str
    hundredths: int
    care_hundredths: int
    classes: tuple[SchoolClass, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """Order, doelgroep, class code."""
        return self.order_id, self.doelgroep, self.class_code


@dataclass(frozen=True)
class HoursProposal:
    """What is proposed instead of what was granted, in hundredths of an hour per week.

    `certainty` is measured, too_few, too_wide or not_granted; only where it is measured may the hours differ from those granted.
    """

    granted: Granted
    measurement: Measurement
    certainty: str
    hundredths: int
    care_hundredths: int
    explanation: str

    @property
    def changes(self) -> bool:
        return self.hundredths != self.granted.hundredths


# --- measuring ------------------------------------------------------------------------------------------------------------


def class_weeks(
    connection: duckdb.DuckDBPyConnection, setup: SchoolYearSetup, days: Mapping[str, OpenDays]
) -> list[ClassWeek]:
    """Every class of the established year in every week in which its school was open.

    Args:
        connection: with the view `line` (`hours.lines`).
        setup: the established year.
        days: the open days by school.
    """
    said = {tuple(row[:3]): row[3:] for row in connection.execute(_WEEKS).fetchall()}
    stated = set(connection.execute(_STATEMENTS).fetchall())
    months = {school: _months_of_weeks(found) for school, found in days.items()}
    providers = {order.order_id: order.provider for order in setup.orders}
    result = []
    for c in setup.classes:
        for week, open_on in days[c.school].per_week.items():
            found = said.get((*c.key, week))
            # Half a week, of which the other month is still to come, is no measurement of the week.
            whole = all((c.school, providers[c.order_id], month) in stated for month in months[c.school][week])
            minutes, provisional, approved = found or (0, 0, 0)
            state = MISSING if not (found and whole) else MEASURED if approved and not provisional else UNAPPROVED
            result.append(ClassWeek(c.school, c.class_code, week, open_on, state, minutes))
    return result


def _months_of_weeks(days: OpenDays) -> dict[str, list[str]]:
    """The months in which a week has open days."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in days.parts:
        found[part.week].append(part.month)
    return found


def _measure(setup: SchoolYearSetup, granted: Granted, weeks: Mapping[ClassKey, Sequence[ClassWeek]]) -> Measurement:
    values: list[tuple[Fraction, Fraction]] = []
    every: list[ClassWeek] = []
    for c in granted.classes:
        found, stands_for = weeks[c.key], _stands_for(setup, c, granted.unit)
        if not stands_for:
            continue
        year_days = sum(week.open_days for week in found)
        for week in found:
            if week.state == MEASURED:
                weight = Fraction(week.open_days * stands_for, year_days)
                values.append((Fraction(Fraction(week.minutes * 100, 60), weight), weight))
        every += found
    return _described(sorted(values), len(every), sum(week.state == UNAPPROVED for week in every))


def _stands_for(setup: SchoolYearSetup, c: SchoolClass, unit: str) -> int:
    """What the year of a class counts as: its contract weeks, or those of all its pupils together."""
    weeks = setup.order(c.order_id).weeks if c.weeks is None else c.weeks
    return weeks * (c.expected_pupils if unit == PER_PUPIL else 1)


def _described(values: Sequence[tuple[Fraction, Fraction]], possible: int, unapproved: int) -> Measurement:
    """Out of (value, weight), ascending."""
    if not values:
        return Measurement(possible, 0, unapproved)
    whole = sum((weight for _, weight in values), Fraction(0))
    mean = Fraction(sum((value * weight for value, weight in values), Fraction(0)), whole)
    spread = sum(((value - mean) ** 2 * weight for value, weight in values), Fraction(0))
    quartiles = (_at(values, whole * Fraction(quarter, 4)) for quarter in (1, 2, 3))
    points = (values[0][0], *quartiles, values[-1][0])
    return Measurement(possible, len(values), unapproved, mean, Fraction(spread, whole), points)


def _at(values: Sequence[tuple[Fraction, Fraction]], weight: Fraction) -> Fraction:
    """The lowest value at or under which at least so much of the weight lies."""
    under = accumulate(own for _, own in values)
    return next(value for (value, _), so_far in zip(values, under, strict=True) if so_far >= weight)


# --- proposing ------------------------------------------------------------------------------------------------------------


def granted_hours(setup: SchoolYearSetup) -> Iterator[Granted]:
    """What was granted: per doelgroep of every order, and per class with hours of its own, in that order."""
    by_group: dict[tuple[str, str], list[SchoolClass]] = defaultdict(list)
    for c in setup.classes:
        by_group[c.order_id, c.doelgroep].append(c)
    for group in setup.doelgroepen:
        classes = by_group[group.order_id, group.doelgroep]
        sharing = tuple(c for c in classes if c.hours_per_week_hundredths is None)
        unit, hours, care = _of_doelgroep(setup, group)
        yield Granted(group.order_id, group.doelgroep, WITHOUT_OWN_HOURS, unit, hours, care, sharing)
        for c in classes:
            own, care = c.hours_per_week_hundredths, c.care_hours_hundredths or 0
            if own is not None:
                yield Granted(c.order_id, c.doelgroep, c.class_code, PER_CLASS, own, care, (c,))


def _of_doelgroep(setup: SchoolYearSetup, group: Doelgroep) -> tuple[str, int, int]:
    if setup.settings.budget_basis == "per_pupil_weight":
        return PER_PUPIL, group.hours_per_pupil_hundredths or 0, 0
    return PER_CLASS, group.granted_hours_hundredths, group.care_hours_hundredths


def proposals(setup: SchoolYearSetup, weeks: Iterable[ClassWeek], rules: Rules = RULES) -> list[HoursProposal]:
    """A proposal for everything that was granted (`granted_hours`).

    Args:
        setup: the established year.
        weeks: of every class all the weeks in which its school was open (`class_weeks`), in any order.
        rules: when to trust a measurement.
    """
    by_class: dict[ClassKey, list[ClassWeek]] = defaultdict(list)
    for week in weeks:
        by_class[week.school, week.class_code].append(week)
    return [_proposal(granted, _measure(setup, granted, by_class), rules) for granted in granted_hours(setup)]


def _proposal(granted: Granted, found: Measurement, rules: Rules) -> HoursProposal:
    """Verzorging keeps the part of the hours that it had."""
    certainty, hundredths = _certainty(granted.hundredths, found, rules), granted.hundredths
    if certainty == MEASURED and found.mean is not None:
        step = rules.pupil_step_hundredths if granted.unit == PER_PUPIL else rules.step_hundredths
        hundredths = _rounded(Fraction(found.mean, step)) * step
    care = granted.care_hundredths
    return HoursProposal(
        granted=granted,
        measurement=found,
        certainty=certainty,
        hundredths=hundredths,
        care_hundredths=round_half_up(hundredths * care, granted.hundredths) if granted.hundredths else care,
        explanation=_explanation(certainty, granted, found, hundredths, rules),
    )


def _certainty(granted: int, found: Measurement, rules: Rules) -> str:
    # Pupils of a class without hours are outside the key: hours for them are a decision of the region, no adjustment.
    if not granted:
        return "not_granted"
    if found.mean is None or found.class_weeks < rules.fewest_class_weeks:
        return "too_few"
    if found.variance * 1000**2 > (found.mean * rules.widest_permille) ** 2:
        return "too_wide"
    return MEASURED


def _explanation(certainty: str, granted: Granted, found: Measurement, hundredths: int, rules: Rules) -> str:
    """How sure it is, for the reader who must decide."""
    weeks = f"{found.class_weeks} van {found.open_class_weeks} klasweken gemeten"
    if found.unapproved_class_weeks or found.missing_class_weeks:
        unapproved, missing = found.unapproved_class_weeks, found.missing_class_weeks
        weeks += f" ({unapproved} zonder volledig akkoord, {missing} zonder volledige urenstaat)"
    if certainty == "not_granted":
        return f"Er zijn geen uren toegekend; of hier zorg nodig is, beslist de regio. {weeks}."
    proposed = f"{_hours(hundredths)} uur {_IN_WORDS[granted.unit]}"
    keep = f"Te weinig gemeten, houd aan wat is toegekend: {proposed}. {weeks}"
    if certainty == "too_few" or found.mean is None:
        return f"{keep}; nodig zijn er ten minste {rules.fewest_class_weeks}."
    mean, spread = _hours(_rounded(found.mean)), _hours(deviation(found.variance))
    measured = f"gemiddeld {mean} uur, standaardafwijking {spread}"
    if certainty == "too_wide":
        return f"{keep}: {measured}, meer dan {rules.widest_permille} promille van het gemiddelde."
    low, high = (_hours(_rounded(found.points[n])) for n in (1, 3))
    was = _hours(granted.hundredths)
    return f"Voorstel {proposed}; toegekend is {was}. {weeks}: {measured}, de middelste helft tussen {low} en {high}."


def deviation(variance: Fraction) -> int:
    """The square root, rounded half up to a whole number, without a floating point number."""
    return (isqrt(floor(4 * variance)) + 1) // 2


def _rounded(value: Fraction) -> int:
    return round_half_up(value.numerator, value.denominator)


def _hours(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}"


def recalibration_rows(setup: SchoolYearSetup, version: int, found: Iterable[HoursProposal]) -> list[Row]:
    """Rows of `recalibration`, by order, doelgroep and class."""
    shared = {"school_year": setup.settings.school_year.key, "version": version}
    return [shared | _row(proposal) for proposal in found]


def _row(p: HoursProposal) -> Row:
    m = p.measurement
    points: Sequence[int | None] = [_rounded(point) for point in m.points] or [None] * len(_POINTS)
    return {
        "order_id": p.granted.order_id,
        "doelgroep": p.granted.doelgroep,
        "class_code": p.granted.class_code,
        "unit": p.granted.unit,
        "classes": len(p.granted.classes),
        "granted_hours_hundredths": p.granted.hundredths,
        "measured_hours_hundredths": None if m.mean is None else _rounded(m.mean),
        "deviation_hours_hundredths": None if m.mean is None else deviation(m.variance),
        **{f"{name}_hours_hundredths": point for name, point in zip(_POINTS, points, strict=True)},
        "open_class_weeks": m.open_class_weeks,
        "class_weeks": m.class_weeks,
        "unapproved_class_weeks": m.unapproved_class_weeks,
        "missing_class_weeks": m.missing_class_weeks,
        "proposed_hours_hundredths": p.hundredths,
        "proposed_care_hours_hundredths": p.care_hundredths,
        "certainty": p.certainty,
        "explanation": p.explanation,
    }
