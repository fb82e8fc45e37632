"""Next year's hours: what was measured per doelgroep beside what was granted, and a proposal that says how sure it is.

Belongs here: mean and spread of the class-weeks that were measured, and the proposal (SPEC section 7, last sentence; a good
monitor adjusts the volume per doelgroep when estimated hours prove unreal, HvB report). Does not belong here: which weeks were
measured (`class_weeks`), what the proposal means in euros (`recalibration_effect`), deciding anything.

Hours are granted per *contract week* (10 hours, 40 weeks), and school is open in more weeks than that, some of them short.
Planned hours follow the open days, so a week with d of the D open days of the year stands for W x d / D of the W contract
weeks of its class. Measured hours are given per contract week: a class that got exactly what was planned shows exactly
what was granted, in every week. Exact fractions; a figure is rounded once, half up, to hundredths of an hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import accumulate
from math import floor, isqrt
from typing import Any

from zio_pipeline.hours.class_weeks import COMING, DOUBTFUL, INDIRECT, MEASURED, MISSING, UNAPPROVED, ClassWeek
from zio_pipeline.money import round_half_up
from zio_pipeline.setup import Doelgroep, SchoolClass, SchoolYearSetup

Row = dict[str, Any]
ClassKey = tuple[str, str]
"""School and class code."""

WITHOUT_OWN_HOURS = "*"
"""In the place of a class: the classes that take the hours of their doelgroep."""
PER_CLASS, PER_PUPIL = "per_class", "per_pupil"
_IN_WORDS = {PER_CLASS: "per klas per contractweek", PER_PUPIL: "per leerling per contractweek"}
_POINTS = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")

_NOT_MEASURED = {
    UNAPPROVED: "zonder volledig akkoord",
    DOUBTFUL: "met een ernstig signaal",
    INDIRECT: "zonder directe uren",
    MISSING: "zonder volledige urenstaat",
}


@dataclass(frozen=True)
class Rules:
    """When a measurement is good enough to propose on, and in which steps (hundredths of an hour).

    The step of hours per pupil is finer: a quarter of an hour is much of what one pupil gets. What is measured differs from what
    was granted only when it is further from it than half a step; then it is rounded to a step. The spread is no measure of that:
    it says how far weeks lie apart, and a class that is short of an hour every week would never be told.

    A proposal rests on at least `fewest_class_weeks`, and on `least_measured_permille` of those that are over: what was measured
    must outweigh what was not by three to two, because weeks that are handed in late are not like the others. At least
    `least_of_year_permille` of the class-weeks of the year must be over: autumn, with new classes and staff still to be found, is
    no year, and half of it is over in time for the budgets of next year, which are made in spring (DOMAIN 7.14). Too wide is a
    standard deviation above `widest_permille` of the mean.
    """

    step_hundredths: int = 25
    pupil_step_hundredths: int = 5
    fewest_class_weeks: int = 30
    least_measured_permille: int = 600
    least_of_year_permille: int = 500
    widest_permille: int = 500

    def step_of(self, unit: str) -> int:
        return self.pupil_step_hundredths if unit == PER_PUPIL else self.step_hundredths


RULES = Rules()


@dataclass(frozen=True)
class Measurement:
    """Hours per contract week over the measured class-weeks, in hundredths, exact.

    Mean and variance weigh every class-week by the contract weeks it stands for, so that the mean is all hours over all weeks.
    The five points are lowest, first quartile, median, third quartile and highest, each of them a class-week as it was: a
    quartile is the lowest at or under which at least a quarter of the weight lies. Nothing measured: no mean, no points.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    """Class-weeks of the year by state (`class_weeks`)."""
    mean: Fraction | None = None
    variance: Fraction = Fraction(0)
    points: tuple[Fraction, ...] = ()

    @property
    def year_class_weeks(self) -> int:
        return sum(self.counts.values())

    @property
    def open_class_weeks(self) -> int:
        """Those that are over on the business date."""
        return self.year_class_weeks - self.count(COMING)

    def count(self, state: str) -> int:
        return self.counts.get(state, 0)


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

    `certainty` is measured, too_early, too_few, too_small_part, too_wide or not_granted; only where it is measured may the hours
    differ from those granted.
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


def _measure(setup: SchoolYearSetup, granted: Granted, weeks: Mapping[ClassKey, Sequence[ClassWeek]]) -> Measurement:
    values: list[tuple[Fraction, Fraction]] = []
    counts: Counter[str] = Counter()
    for c in granted.classes:
        found, stands_for = weeks[c.key], _stands_for(setup, c, granted.unit)
        if not stands_for:
            continue
        year_days = sum(week.open_days for week in found)
        for week in found:
            if week.state == MEASURED:
                weight = Fraction(week.open_days * stands_for, year_days)
                values.append((Fraction(Fraction(week.minutes * 100, 60), weight), weight))
        counts.update(week.state for week in found)
    return _described(sorted(values), counts)


def _stands_for(setup: SchoolYearSetup, c: SchoolClass, unit: str) -> int:
    """What the year of a class counts as: its contract weeks, or those of all its pupils together."""
    weeks = setup.order(c.order_id).weeks if c.weeks is None else c.weeks
    return weeks * (c.expected_pupils if unit == PER_PUPIL else 1)


def _described(values: Sequence[tuple[Fraction, Fraction]], counts: Mapping[str, int]) -> Measurement:
    """Out of (value, weight), ascending."""
    if not values:
        return Measurement(counts)
    whole = sum((weight for _, weight in values), Fraction(0))
    mean = Fraction(sum((value * weight for value, weight in values), Fraction(0)), whole)
    spread = sum(((value - mean) ** 2 * weight for value, weight in values), Fraction(0))
    quartiles = (_at(values, whole * Fraction(quarter, 4)) for quarter in (1, 2, 3))
    points = (values[0][0], *quartiles, values[-1][0])
    return Measurement(counts, mean, Fraction(spread, whole), points)


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
        weeks: of every class all the weeks in which its school is open (`class_weeks`), in any order.
        rules: when to trust a measurement.
    """
    by_class: dict[ClassKey, list[ClassWeek]] = defaultdict(list)
    for week in weeks:
        by_class[week.school, week.class_code].append(week)
    return [_proposal(granted, _measure(setup, granted, by_class), rules) for granted in granted_hours(setup)]


def _proposal(granted: Granted, found: Measurement, rules: Rules) -> HoursProposal:
    """Verzorging keeps the part of the hours that it had."""
    certainty, hundredths = _certainty(granted.hundredths, found, rules), granted.hundredths
    step = rules.step_of(granted.unit)
    if certainty == MEASURED and found.mean is not None and abs(found.mean - hundredths) > Fraction(step, 2):
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
    measured, over = found.count(MEASURED), found.open_class_weeks
    if over * 1000 < found.year_class_weeks * rules.least_of_year_permille:
        return "too_early"
    if found.mean is None or measured < rules.fewest_class_weeks:
        return "too_few"
    if measured * 1000 < over * rules.least_measured_permille:
        return "too_small_part"
    if found.variance * 1000**2 > (found.mean * rules.widest_permille) ** 2:
        return "too_wide"
    return MEASURED


def _explanation(certainty: str, granted: Granted, found: Measurement, hundredths: int, rules: Rules) -> str:
    """How sure it is, for the reader who must decide."""
    weeks, proposed = _weeks_in_words(found), f"{_hours(hundredths)} uur {_IN_WORDS[granted.unit]}"
    if certainty == "not_granted":
        return f"Er zijn geen uren toegekend; of hier zorg nodig is, beslist de regio. {weeks}."
    if certainty != MEASURED:
        why, asked = _why_kept(certainty, found, rules)
        return f"{why}, houd aan wat is toegekend: {proposed}. {weeks}{asked}."
    low, high = (_hours(_rounded(found.points[n])) for n in (1, 3))
    measured = f"{weeks}: {_mean_in_words(found)}, de middelste helft tussen {low} en {high}"
    if hundredths == granted.hundredths:
        step = _hours(rules.step_of(granted.unit))
        return f"Voorstel {proposed}, zoals toegekend. {measured}; dat scheelt niet meer dan een halve stap van {step} uur."
    return f"Voorstel {proposed}; toegekend is {_hours(granted.hundredths)}. {measured}."


def _why_kept(certainty: str, found: Measurement, rules: Rules) -> tuple[str, str]:
    """Why what was measured is no ground for other hours: how the sentence begins, and what was asked."""
    if certainty == "too_early":
        part = _percent(rules.least_of_year_permille)
        return "Te vroeg in het jaar", f"; ten minste {part} van de klasweken van het jaar moet voorbij zijn"
    if certainty == "too_small_part":
        part = _percent(rules.least_measured_permille)
        return "Te weinig gemeten", f"; nodig is ten minste {part} van de klasweken die voorbij zijn"
    if certainty == "too_wide":
        part = _percent(rules.widest_permille)
        return "De weken lopen te ver uiteen", f": {_mean_in_words(found)}, meer dan {part} van het gemiddelde"
    return "Te weinig gemeten", f"; nodig zijn er ten minste {rules.fewest_class_weeks}"


def _mean_in_words(found: Measurement) -> str:
    mean = _rounded(found.mean or Fraction(0))
    return f"gemiddeld {_hours(mean)} uur, standaardafwijking {_hours(deviation(found.variance))}"


def _weeks_in_words(found: Measurement) -> str:
    """'13 van 15 klasweken gemeten (1 zonder volledig akkoord; 20 van het jaar nog niet voorbij)'."""
    lacking = ", ".join(f"{found.count(state)} {why}" for state, why in _NOT_MEASURED.items() if found.count(state))
    coming = f"{found.count(COMING)} van het jaar nog niet voorbij" if found.count(COMING) else ""
    said = "; ".join(filter(None, (lacking, coming)))
    return f"{found.count(MEASURED)} van {found.open_class_weeks} klasweken gemeten" + (f" ({said})" if said else "")


def _percent(permille: int) -> str:
    """600 -> '60 %', 125 -> '12,5 %'."""
    whole, rest = divmod(permille, 10)
    return f"{whole},{rest} %" if rest else f"{whole} %"


def deviation(variance: Fraction) -> int:
    """The square root, rounded half up to a whole number, without a floating point number."""
    return (isqrt(floor(4 * variance)) + 1) // 2


def _rounded(value: Fraction) -> int:
    return round_half_up(value.numerator, value.denominator)


def _hours(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}"


def recalibration_rows(setup: SchoolYearSetup, version: int, as_of: date, found: Iterable[HoursProposal]) -> list[Row]:
    """Rows of `recalibration`, by order, doelgroep and class."""
    shared = {"school_year": setup.settings.school_year.key, "version": version, "as_of": as_of}
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
        "class_weeks": m.count(MEASURED),
        "unapproved_class_weeks": m.count(UNAPPROVED),
        "doubtful_class_weeks": m.count(DOUBTFUL),
        "indirect_class_weeks": m.count(INDIRECT),
        "missing_class_weeks": m.count(MISSING),
        "coming_class_weeks": m.count(COMING),
        "proposed_hours_hundredths": p.hundredths,
        "proposed_care_hours_hundredths": p.care_hundredths,
        "certainty": p.certainty,
        "explanation": p.explanation,
    }
