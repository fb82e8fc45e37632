"""The proposal of hours for next year (SPEC section 7; DOMAIN 1.3 rule 10), by hand, and what it means in euros.

The small year has five open weeks of five days, W34 to W38, and a contract of five weeks: a week counts for one. Every figure
is fictief.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.money.shapes import Shape
from tests.year_builder import BREDA, HEUSDEN, LEIJPARK, SIZA, TILBURG, WAALWIJK, Year, contract_row
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.contracts import sources
from zio_pipeline.errors import SetupError
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.hours.class_weeks import (
    COMING,
    DOUBTFUL,
    INDIRECT,
    MEASURED,
    MISSING,
    UNAPPROVED,
    ClassWeek,
    class_weeks,
    said,
)
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.hours.recalibration import (
    RULES,
    HoursProposal,
    Rules,
    deviation,
    proposals,
    recalibration_rows,
)
from zio_pipeline.hours.recalibration_effect import effect_rows, proposed_setup
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import OpenDays, open_days
from zio_pipeline.periods import month_of
from zio_pipeline.versions import Base, calendar_of

MONDAYS = [date(2025, 8, 18) + timedelta(weeks=n) for n in range(5)]
WEEKS = ["2025-W34", "2025-W35", "2025-W36", "2025-W37", "2025-W38"]
FEW = replace(RULES, fewest_class_weeks=10)
YEAR_END = date(2026, 7, 31)
Rows = list[dict[str, Any]]


def five_weeks(*, classes: Sequence[str] = ("EMB1",), hours: int = 10_00, **order: Any) -> Year:
    """One order of five contract weeks; school is open from 18 August up to and including 19 September."""
    year = Year(empty=True)
    year.order("LP", weeks=5, **order)
    year.doelgroep("LP", "EMB", hours)
    for code in classes:
        year.school_class(code)
    closed(year, date(2025, 9, 20))
    return year


def closed(year: Year, first: date, last: date = date(2026, 7, 31)) -> None:
    year.add("calendar", school=LEIJPARK, closed_from=first, closed_to=last, kind="holiday")


def line(code: str, day: date, hours: str, **values: Any) -> dict[str, Any]:
    """A direct line of so many hours (7.5), approved by the school; every class has one employee of its own."""
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": code,
        "employee": f"m {code}",
        "work_date": day,
        "stated_minutes": int(Fraction(hours) * 60),
        "activity": "direct",
        "function": "guidance",
        "approved_on": day,
        "handed_in_on": day,
    }
    return contract_row("provider_timesheets", "provider_timesheets", **default | values)


def weeks_of(year: Year, rows: Iterable[dict[str, Any]], as_of: date = YEAR_END) -> list[ClassWeek]:
    """A month at a time, as the stage does."""
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    setup, by_month = year.setup(), defaultdict(list)
    days = {LEIJPARK: open_days(setup.settings, setup.sheets["calendar"], LEIJPARK)}
    for row in rows:
        by_month[month_of(row["work_date"])].append(row)
    found = []
    for month, mine in by_month.items():
        table = pa.Table.from_pylist(mine, schema=pa.schema(contract))
        table = table.append_column("sheet", pa.array(["blad"] * len(table)))
        table = table.append_column("row_number", pa.array(range(len(table)), pa.int64()))
        with lines([Timesheet("urenstaat", table)], setup) as connection:
            found += said(connection, line_signals(connection, days, "2025-2026", month), as_of)
    return class_weeks(found, setup, days, as_of)


def proposed(
    year: Year, rows: Iterable[dict[str, Any]], rules: Rules = FEW, as_of: date = YEAR_END
) -> list[HoursProposal]:
    return proposals(year.setup(), weeks_of(year, rows, as_of), rules)


def only(found: Sequence[HoursProposal]) -> HoursProposal:
    (one,) = found
    return one


def base_of(figures: YearFigures, version: int = 1) -> Base:
    return Base(version, "a" * 64, "recalibration", figures.tables, calendar_of(figures.setup.settings))


def effect(year: Year, found: Sequence[HoursProposal]) -> Rows:
    figures = year.figures()
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    for row in rows:
        assert row["difference_cents"] == row["proposed_cents"] - row["established_cents"]
        assert row["difference_cents"] == row["agreement_difference_cents"] + row["hours_difference_cents"]
    return rows


def cents(rows: Rows, name: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row["payer"]] += row[name]
    return dict(totals)


# --- three classes, five weeks ------------------------------------------------------------------------------------------

HOURS = {
    "EMB1": ["10", "9", "11", "10", "8"],
    "EMB2": ["10", "12", "", "9", "10"],  # no statement in W36
    "EMB3": ["8", "9", "9", "9", "12"],  # W37: half of it not approved
}


def three_classes() -> tuple[Year, Rows]:
    """Granted 10,00 a week for each of three classes; two pupils of Tilburg, one of Heusden."""
    year = five_weeks(classes=tuple(HOURS))
    year.pupils(2, "EMB1", TILBURG)
    year.pupil("heusden", "EMB2", HEUSDEN)
    rows = []
    for code, of_class in HOURS.items():
        for monday, hours in zip(MONDAYS, of_class, strict=True):
            if hours:
                late = {"approved_on": None} if (code, monday) == ("EMB3", MONDAYS[3]) else {}
                half = str(Fraction(hours) - 4)
                rows += [line(code, monday, "4"), line(code, monday + timedelta(days=2), half, **late)]
    return year, rows


def test_three_classes_of_which_one_week_is_missing_and_one_not_approved() -> None:
    """127 hours in 13 class-weeks; in order 8 8 9 9 9 9 10 10 10 10 11 12 12. Variance 1261/13 - (127/13)^2 = 1,562."""
    year, rows = three_classes()
    found = only(proposed(year, rows))
    (row,) = recalibration_rows(year.setup(), 1, YEAR_END, [found])
    assert row == {
        "school_year": "2025-2026",
        "version": 1,
        "as_of": YEAR_END,
        "order_id": "LP",
        "doelgroep": "EMB",
        "class_code": "*",
        "unit": "per_class",
        "classes": 3,
        "granted_hours_hundredths": 10_00,
        "measured_hours_hundredths": 9_77,
        "deviation_hours_hundredths": 1_25,
        "lowest_hours_hundredths": 8_00,
        "lower_quartile_hours_hundredths": 9_00,
        "median_hours_hundredths": 10_00,
        "upper_quartile_hours_hundredths": 10_00,
        "highest_hours_hundredths": 12_00,
        "open_class_weeks": 15,
        "class_weeks": 13,
        "unapproved_class_weeks": 1,
        "doubtful_class_weeks": 0,
        "indirect_class_weeks": 0,
        "missing_class_weeks": 1,
        "coming_class_weeks": 0,
        "proposed_hours_hundredths": 9_75,
        "proposed_care_hours_hundredths": 0,
        "certainty": "measured",
        "explanation": (
            "Voorstel 9,75 uur per klas per contractweek; toegekend is 10,00. 13 van 15 klasweken gemeten (1 zonder volledig "
            "akkoord, 1 zonder volledige urenstaat): gemiddeld 9,77 uur, standaardafwijking 1,25, de middelste helft tussen "
            "9,00 en 10,00."
        ),
    }


def test_what_the_three_classes_would_mean_in_euros() -> None:
    """3 classes x 5 weeks x 60,00: 9.000,00 for 10,00 hours, 8.775,00 for 9,75; a third is 2.925,00."""
    year, rows = three_classes()
    found = effect(year, proposed(year, rows))
    assert cents(found, "established_cents") == {TILBURG: 6_000_00, HEUSDEN: 3_000_00}
    assert cents(found, "proposed_cents") == {TILBURG: 5_850_00, HEUSDEN: 2_925_00}
    assert {row["basis"] for row in found} == {"computed"}
    assert {row["explanation"] for row in found} == {
        "Uren maal tarief: € 8.775,00 met de voorgestelde uren, € 9.000,00 met de toegekende."
    }


def test_fewer_than_thirty_class_weeks_keep_what_was_granted() -> None:
    year, rows = three_classes()
    found = only(proposed(year, rows, RULES))
    assert (found.certainty, found.hundredths) == ("too_few", 10_00)
    assert found.explanation == (
        "Te weinig gemeten, houd aan wat is toegekend: 10,00 uur per klas per contractweek. 13 van 15 klasweken gemeten "
        "(1 zonder volledig akkoord, 1 zonder volledige urenstaat); nodig zijn er ten minste 30."
    )
    assert not any(row["difference_cents"] for row in effect(year, [found]))


def test_too_wide_a_spread_keeps_what_was_granted() -> None:
    """1,25 of 9,77 is 128 promille (1,24985 / 9,76923 = 127,9)."""
    year, rows = three_classes()
    assert only(proposed(year, rows, replace(FEW, widest_permille=128))).certainty == "measured"
    found = only(proposed(year, rows, replace(FEW, widest_permille=127)))
    assert (found.certainty, found.hundredths) == ("too_wide", 10_00)
    assert found.explanation.startswith("De weken lopen te ver uiteen, houd aan wat is toegekend: 10,00 uur per klas")
    assert found.explanation.endswith("standaardafwijking 1,25, meer dan 12,7 % van het gemiddelde.")


def test_nothing_delivered_at_all_is_missing_and_not_zero() -> None:
    found = only(proposed(five_weeks(), []))
    assert (found.certainty, found.hundredths, found.measurement.counts) == ("too_few", 10_00, {MISSING: 5})
    (row,) = recalibration_rows(five_weeks().setup(), 1, YEAR_END, [found])
    assert row["measured_hours_hundredths"] is row["median_hours_hundredths"] is None


def test_the_step_is_a_parameter() -> None:
    """9,77 lies 0,23 from the 10,00 granted: less than half of 0,50, and more than half of 0,25."""
    year, rows = three_classes()
    steps = {
        step: only(proposed(year, rows, replace(FEW, step_hundredths=step))).hundredths for step in (1, 10, 25, 50)
    }
    assert steps == {1: 9_77, 10: 9_80, 25: 9_75, 50: 10_00}


def forty_weeks(last: date, hours: int = 10_00) -> tuple[Year, OpenDays]:
    """One class with these hours in forty contract weeks; school is open from 18 August up to and including a day."""
    year = Year(empty=True)
    year.order("LP")
    year.doelgroep("LP", "EMB", hours)
    year.school_class("EMB1")
    year.pupils(1)
    closed(year, last + timedelta(days=1))
    setup = year.setup()
    return year, open_days(setup.settings, setup.sheets["calendar"], LEIJPARK)


def delivered_as_planned(hours: int = 10_00) -> tuple[Year, Rows]:
    """On every open day of eleven weeks the class gets what is planned of it that day."""
    year, days = forty_weeks(date(2025, 10, 31), hours)
    setup = year.setup()
    granted = granted_minutes(setup, setup.classes[0])
    passed = [granted * n // len(days) for n in range(len(days) + 1)]
    minutes = [later - earlier for earlier, later in pairwise(passed)]
    return year, [line("EMB1", day, "0", stated_minutes=n) for day, n in zip(days.days, minutes, strict=True)]


@pytest.mark.parametrize(
    ("hours", "basis"), [(10_10, "computed"), (13_33, "computed"), (7_20, "computed"), (10_10, "agreed")]
)
def test_delivering_what_was_granted_changes_no_hour_and_no_cent(hours: int, basis: str) -> None:
    """Whatever the grant is: no quarter of an hour is 10,10."""
    year, rows = delivered_as_planned(hours)
    if basis == "agreed":
        stated = {"amount_basis": "agreed", "stated_amount_cents": 40 * 60 * hours + 77, "tolerance_cents": 500_00}
        year.sheets["orders"][0] |= stated
    found = only(proposed(year, rows))
    assert (found.certainty, found.measurement.mean, found.changes) == (MEASURED, hours, False)
    assert (
        f"Voorstel {hours // 100},{hours % 100:02d} uur per klas per contractweek, zoals toegekend."
        in found.explanation
    )
    assert found.explanation.endswith("; dat scheelt niet meer dan een halve stap van 0,25 uur.")
    assert [(row["basis"], row["difference_cents"]) for row in effect(year, [found])] == [("unchanged", 0)]


@given(st.integers(1, 40_00), st.integers(0, 6000), st.sampled_from((1, 5, 10, 25, 50, 100)))
def test_a_proposal_moves_towards_what_was_measured_or_not_at_all(granted: int, minutes: int, step: int) -> None:
    """Only further from the grant than half a step, and then by a whole number of steps as near to the mean as can be."""
    year = five_weeks(hours=granted)
    year.pupils(1)
    rules = replace(RULES, fewest_class_weeks=1, widest_permille=10**6, step_hundredths=step)
    weeks = [ClassWeek(LEIJPARK, "EMB1", week, 5, MEASURED, minutes) for week in WEEKS]
    found = only(proposals(year.setup(), weeks, rules))
    mean = Fraction(minutes * 100, 60)
    assert found.measurement.mean == mean
    assert found.changes == (2 * abs(mean - granted) > step)
    if found.changes:
        assert found.hundredths % step == 0
        assert 2 * abs(found.hundredths - mean) <= step
        assert (found.hundredths > granted) == (mean > granted)


# --- which weeks are measured -------------------------------------------------------------------------------------------


def states(year: Year, rows: Iterable[dict[str, Any]], as_of: date = YEAR_END) -> dict[str, tuple[str, int]]:
    return {week.week: (week.state, week.minutes) for week in weeks_of(year, rows, as_of)}


def test_only_weeks_with_direct_lines_that_are_all_approved_are_measured() -> None:
    """A Saturday belongs to its week; a holiday week is no week; another class, or what is not direct, measures nothing."""
    monday = MONDAYS[0]
    found = states(
        five_weeks(),
        [
            line("EMB1", monday, "6"),
            line("EMB1", monday, "2", employee="m2"),
            line("EMB1", monday, "1", activity="indirect", approved_on=None),
            line("EMB1", monday + timedelta(days=5), "1"),
            line("EMB1", MONDAYS[1], "1", activity="travel"),
            line("EMB1", MONDAYS[2], "1", activity="training", approved_on=None),
            line("EMB1", MONDAYS[3], "5", approved_on=None),
            line("EMB1", MONDAYS[3], "3", employee="m2"),
            line("EMB1", date(2025, 9, 22), "7"),
            line("EMB9", MONDAYS[4], "7"),
        ],
    )
    assert found == dict(
        zip(WEEKS, [(MEASURED, 540), (INDIRECT, 0), (INDIRECT, 0), (UNAPPROVED, 180), (MISSING, 0)], strict=True)
    )


def test_a_year_of_travel_alone_measures_nothing() -> None:
    """Nobody says that no hour was given: what is not written down is not measured."""
    found = only(proposed(five_weeks(), [line("EMB1", m, "2", activity="travel") for m in MONDAYS]))
    assert (found.certainty, found.measurement.mean) == ("too_few", None)
    assert "0 van 5 klasweken gemeten (5 zonder directe uren)" in found.explanation


def test_a_week_with_a_serious_signal_is_not_measured() -> None:
    """Twice the same line; thirteen hours on one day; in two classes at once. Only the week and the class it is about."""
    at = {"stated_minutes": None, "begin_minute": 540, "end_minute": 600, "employee": "m"}
    found = weeks_of(
        five_weeks(classes=("EMB1", "EMB2")),
        [
            *(line("EMB1", MONDAYS[0], "5") for _ in range(2)),
            line("EMB1", MONDAYS[1], "13"),
            *(line(code, MONDAYS[2], "1", **at) for code in ("EMB1", "EMB2")),
            line("EMB1", MONDAYS[3], "12"),
            line("EMB1", date(2025, 9, 20), "5"),  # a day on which the school is closed: a warning, and W38
        ],
    )
    state = {(week.class_code, week.week): week.state for week in found}
    assert [state["EMB1", week] for week in WEEKS] == [DOUBTFUL, DOUBTFUL, DOUBTFUL, MEASURED, MEASURED]
    assert [state["EMB2", week] for week in WEEKS] == [MISSING, MISSING, DOUBTFUL, MISSING, MISSING]


def test_a_year_of_which_every_line_came_twice_proposes_nothing() -> None:
    year, rows = delivered_as_planned()
    found = only(proposed(year, rows + rows))
    assert (found.certainty, found.changes, found.measurement.mean) == ("too_few", False, None)
    weeks = found.measurement.year_class_weeks
    assert f"0 van {weeks} klasweken gemeten ({weeks} met een ernstig signaal)" in found.explanation


# --- while the year runs ------------------------------------------------------------------------------------------------


def test_a_week_that_is_not_over_is_neither_measured_nor_missing() -> None:
    """On Friday 5 September three weeks are over; on Thursday the third is still to come."""
    rows = [line("EMB1", monday, "10") for monday in MONDAYS[:3]]
    for as_of, third in ((date(2025, 9, 4), COMING), (date(2025, 9, 5), MEASURED)):
        found = states(five_weeks(), rows, as_of)
        assert [found[week][0] for week in WEEKS] == [MEASURED, MEASURED, third, COMING, COMING]


def test_what_is_dated_after_the_business_date_has_not_happened_yet() -> None:
    rows = [line("EMB1", MONDAYS[0], "10", approved_on=date(2025, 9, 6)), line("EMB1", MONDAYS[1], "10")]
    rows[1]["handed_in_on"] = date(2025, 9, 6)
    before, after = (states(five_weeks(), rows, date(2025, 9, day)) for day in (5, 6))
    assert [before[week][0] for week in WEEKS[:2]] == [UNAPPROVED, MISSING]
    assert [after[week][0] for week in WEEKS[:2]] == [MEASURED, MEASURED]


def six_classes() -> tuple[Year, Rows]:
    """Eighteen weeks of school in which six classes get 7,50 of their 10,00 hours; lines up to and including 31 October."""
    year, days = forty_weeks(date(2025, 12, 19))
    codes = [f"EMB{n}" for n in range(1, 7)]
    for code in codes[1:]:
        year.school_class(code)
    minutes = 75 * 60 * 40 // 10 // len(days)
    passed = [day for day in days.days if day <= date(2025, 10, 31)]
    return year, [line(code, day, "0", stated_minutes=minutes) for day in passed for code in codes]


def test_no_proposal_before_half_of_the_class_weeks_are_over() -> None:
    """36 of the 108 class-weeks are more than thirty, and only the start of the year; 66 are a measurement."""
    year, rows = six_classes()
    early = only(proposed(year, rows, RULES, as_of=date(2025, 9, 28)))
    assert (early.certainty, early.changes) == ("too_early", False)
    assert early.explanation == (
        "Te vroeg in het jaar, houd aan wat is toegekend: 10,00 uur per klas per contractweek. 36 van 36 klasweken gemeten "
        "(72 van het jaar nog niet voorbij); ten minste 50 % van de klasweken van het jaar moet voorbij zijn."
    )
    late = only(proposed(year, rows, RULES, as_of=date(2025, 10, 31)))
    assert (late.certainty, late.hundredths) == (MEASURED, 7_50)
    assert late.measurement.counts == {MEASURED: 66, COMING: 42}


def test_no_proposal_on_a_small_part_of_the_weeks_that_are_over() -> None:
    """Thirteen of fifteen are 866 permille and two thirds."""
    year, rows = three_classes()
    assert only(proposed(year, rows, replace(FEW, least_measured_permille=866))).certainty == MEASURED
    found = only(proposed(year, rows, replace(FEW, least_measured_permille=867)))
    assert (found.certainty, found.hundredths) == ("too_small_part", 10_00)
    assert found.explanation.endswith("; nodig is ten minste 86,7 % van de klasweken die voorbij zijn.")


# --- weeks and months ---------------------------------------------------------------------------------------------------


def test_a_week_of_which_the_other_month_is_still_to_come_is_not_measured() -> None:
    """29 and 30 September, and 1 to 3 October."""
    year = five_weeks()
    year.sheets["calendar"].clear()
    closed(year, date(2025, 8, 18), date(2025, 9, 26))
    closed(year, date(2025, 10, 4))
    september = [line("EMB1", date(2025, 9, 29), "4")]
    assert states(year, september) == {"2025-W40": (MISSING, 240)}
    assert states(year, [*september, line("EMB1", date(2025, 10, 1), "6")]) == {"2025-W40": (MEASURED, 600)}
    unapproved = line("EMB1", date(2025, 10, 1), "6", approved_on=None)
    assert states(year, [*september, unapproved]) == {"2025-W40": (UNAPPROVED, 240)}, "both months must be approved"


def test_a_short_week_and_more_weeks_than_the_contract_has() -> None:
    """13 open days in weeks of 5, 5 and 3; 13 contract weeks of one hour: an hour a day is what was granted."""
    year = Year(empty=True)
    year.order("LP", weeks=13)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    closed(year, date(2025, 9, 4))
    rows = [line("EMB1", monday, hours) for monday, hours in zip(MONDAYS, ("5", "5", "3"), strict=False)]
    found = only(proposed(year, rows, replace(RULES, fewest_class_weeks=3)))
    assert (found.measurement.mean, found.measurement.variance) == (100, 0)
    assert set(found.measurement.points) == {Fraction(100)}
    assert not found.changes


def test_a_class_with_weeks_of_its_own() -> None:
    """Ten contract weeks in the five that school is open: every open week counts for two."""
    year = five_weeks()
    year.sheets["classes"][0]["weeks"] = 10
    found = only(proposed(year, [line("EMB1", m, "10") for m in MONDAYS], replace(RULES, fewest_class_weeks=5)))
    assert (found.measurement.mean, found.hundredths) == (500, 5_00)


def test_a_contract_that_ended_has_no_weeks_after_its_end() -> None:
    """Five contract weeks in the three up to 5 September: 10,00 hours each are 16,67 a week."""
    year = five_weeks()
    year.sheets["orders"][0]["valid_to"] = date(2025, 9, 5)
    rows = [line("EMB1", m + timedelta(days=n), "10", stated_minutes=500) for m in MONDAYS[:3] for n in (0, 2)]
    found = only(proposed(year, rows, replace(RULES, fewest_class_weeks=3)))
    assert (found.measurement.counts, found.measurement.mean) == ({MEASURED: 3}, 10_00)


# --- kinds of hours -----------------------------------------------------------------------------------------------------


def test_a_class_with_hours_of_its_own_has_a_proposal_of_its_own() -> None:
    """EMB2 has 6,00 and gets 5; EMB1 has the 10,00 of the doelgroep and gets it."""
    year = five_weeks()
    year.school_class("EMB2", hours_per_week_hundredths=6_00)
    year.pupils(3)
    rows = [line(code, m, hours) for m in MONDAYS for code, hours in (("EMB1", "10"), ("EMB2", "5"))]
    found = proposed(year, rows, replace(RULES, fewest_class_weeks=5))
    assert [(p.granted.class_code, p.granted.hundredths, p.hundredths) for p in found] == [
        ("*", 10_00, 10_00),
        ("EMB2", 6_00, 5_00),
    ]
    # 5 weeks x 60,00 x 16 hours, and x 15.
    assert cents(effect(year, found), "established_cents") == {TILBURG: 4_800_00}
    assert cents(effect(year, found), "proposed_cents") == {TILBURG: 4_500_00}


def test_a_class_without_hours_gets_none_by_measuring() -> None:
    """Its pupils are outside the key; hours for them are a decision."""
    year = five_weeks()
    year.school_class("EMB2", hours_per_week_hundredths=0)
    year.pupils(2)
    rows = [line("EMB2", m, "5") for m in MONDAYS]
    found = proposed(year, rows, replace(RULES, fewest_class_weeks=1))[1]
    assert (found.certainty, found.hundredths, found.measurement.mean) == ("not_granted", 0, 500)
    assert found.explanation == (
        "Er zijn geen uren toegekend; of hier zorg nodig is, beslist de regio. 5 van 5 klasweken gemeten."
    )


def test_hours_per_pupil_where_the_budget_goes_by_pupil_weight() -> None:
    """Four and two pupils at 2,50; 8 and 5 hours a week are 13 for six pupils: 2,17, in steps of 3 minutes 2,15."""
    year = five_weeks(classes=("EMB1", "EMB2"))
    basis = next(row for row in year.sheets["settings"] if row["key"] == "bekostiging")
    basis["value"] = "leerlinggewicht"
    year.sheets["doelgroepen"][0]["hours_per_pupil_hundredths"] = 2_50
    year.pupils(4, "EMB1", TILBURG)
    year.pupils(2, "EMB2", HEUSDEN)
    rows = [line(code, m, hours) for m in MONDAYS for code, hours in (("EMB1", "8"), ("EMB2", "5"))]
    found = only(proposed(year, rows))
    assert (found.granted.unit, found.granted.hundredths, found.hundredths) == ("per_pupil", 2_50, 2_15)
    assert found.measurement.mean == Fraction(650, 3)
    assert "2,15 uur per leerling per contractweek; toegekend is 2,50" in found.explanation
    # 5 weeks x 60,00 x 2,50 = 750,00 a pupil; x 2,15 = 645,00.
    assert cents(effect(year, [found]), "established_cents") == {TILBURG: 3_000_00, HEUSDEN: 1_500_00}
    assert cents(effect(year, [found]), "proposed_cents") == {TILBURG: 2_580_00, HEUSDEN: 1_290_00}


def test_verzorging_keeps_its_part_of_the_hours() -> None:
    """4,00 of 10,00 at 50,00; of 9,75 that is 3,90."""
    year, rows = three_classes()
    year.sheets["orders"][0]["care_tariff_cents"] = 50_00
    year.sheets["doelgroepen"][0]["care_hours_hundredths"] = 4_00
    found = only(proposed(year, rows))
    assert (found.hundredths, found.care_hundredths) == (9_75, 3_90)
    # 15 class-weeks x (5,85 x 60,00 + 3,90 x 50,00).
    assert sum(cents(effect(year, [found]), "proposed_cents").values()) == 8_190_00


# --- amounts that stand in the contract ---------------------------------------------------------------------------------


def test_an_agreed_amount_is_left_for_hours_times_tariff_and_said() -> None:
    """9.090,00 was agreed for what comes to 9.000,00: letting that go is 90,00 less, the hours another 225,00."""
    year, rows = three_classes()
    year.sheets["orders"][0] |= {"amount_basis": "agreed", "stated_amount_cents": 9_090_00, "tolerance_cents": 500_00}
    found = effect(year, proposed(year, rows))
    assert cents(found, "established_cents") == {TILBURG: 6_060_00, HEUSDEN: 3_030_00}
    assert cents(found, "proposed_cents") == {TILBURG: 5_850_00, HEUSDEN: 2_925_00}
    assert cents(found, "agreement_difference_cents") == {TILBURG: -60_00, HEUSDEN: -30_00}
    assert cents(found, "hours_difference_cents") == {TILBURG: -150_00, HEUSDEN: -75_00}
    assert {row["basis"] for row in found} == {"computed_not_agreed"}
    assert found[0]["explanation"] == (
        "Uren maal tarief: € 8.775,00 met de voorgestelde uren, € 9.000,00 met de toegekende. Het afgesproken bedrag "
        "€ 9.090,00 hoort alleen bij de toegekende uren; het loslaten daarvan (€ -90,00) staat apart."
    )


def test_an_agreed_amount_stays_where_no_hours_change() -> None:
    year, rows = three_classes()
    year.sheets["orders"][0] |= {"amount_basis": "agreed", "stated_amount_cents": 9_090_00, "tolerance_cents": 500_00}
    found = effect(year, proposed(year, rows, RULES))
    assert [(row["basis"], row["difference_cents"]) for row in found] == [("unchanged", 0)] * 2


def test_a_stated_amount_does_not_stop_the_proposal() -> None:
    year, rows = three_classes()
    year.sheets["orders"][0]["stated_amount_cents"] = 9_000_00
    assert sum(cents(effect(year, proposed(year, rows)), "proposed_cents").values()) == 8_775_00


def test_an_order_whose_contributions_would_exceed_it_is_left_out_and_said() -> None:
    """Of LP 8.900,00 is contributed, and the proposal makes it 8.775,00; BO has its effect all the same."""
    year, rows = three_classes()
    year.order("BO", weeks=5, tariff_cents=50_00)
    year.doelgroep("BO", "ZML", 10_00)
    year.school_class("ZML1", "BO", "ZML")
    year.pupil("breda", "ZML1", BREDA)
    year.contribution("LP", "SWV", 8_900_00)
    rows += [line("ZML1", monday, "8", employee="z") for monday in MONDAYS]
    found = proposed(year, rows, replace(FEW, fewest_class_weeks=5))
    assert [p.changes for p in found] == [True, True], "the hours are proposed whatever the euros"
    figures = year.figures()
    effects = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    other, left_out = ([row for row in effects if row["order_id"] == order_id] for order_id in ("BO", "LP"))
    assert [(r["established_cents"], r["proposed_cents"]) for r in other] == [(2_500_00, 2_000_00)]
    assert sum(row["established_cents"] for row in left_out) == 9_000_00
    names = ("proposed_cents", "difference_cents", "agreement_difference_cents", "hours_difference_cents")
    assert {row[name] for row in left_out for name in names} == {None}
    assert {(row["basis"], row["explanation"]) for row in left_out} == {
        (
            "not_computed",
            "Wat het voorstel zou schelen, is voor deze opdracht niet te berekenen. "
            "Opdracht LP: de bijdragen (€ 8.900,00) zijn hoger dan de opdracht.",
        )
    }


def test_beside_a_second_version_the_same_hours_move_no_cent() -> None:
    """100,03 over four: in version 2 Waalwijk kept a cent that it would not have got afresh (tests/test_versions.py)."""

    def four(*codes: str) -> Year:
        year = Year(empty=True)
        year.order("LP", weeks=1, tariff_cents=100_03)
        year.doelgroep("LP", "EMB", 1_00)
        year.school_class("EMB1")
        for n, code in enumerate(codes):
            year.pupil(f"p{n}", municipality=code)
        return year

    first = replace(base_of(four(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()), reason="peildatum_error")
    year = four(BREDA, HEUSDEN, TILBURG, WAALWIJK)
    second = compute_year(replace(year.inputs(), base=first), 2)
    found = proposals(second.setup, [])
    rows = effect_rows(second.setup, found, second.outcome, base_of(second, 2))
    assert [(row["payer"], row["proposed_cents"]) for row in rows if row["payer"] == WAALWIJK] == [(WAALWIJK, 25_01)]
    assert not any(row["difference_cents"] for row in rows)


# --- whatever the numbers -----------------------------------------------------------------------------------------------

ANY = Rules(fewest_class_weeks=1, least_measured_permille=0, least_of_year_permille=0, widest_permille=10**6)
SMALL = [("LP", "02ZX00", "EMB1"), ("LP", "02ZX00", "MG1"), ("DB", "01FX00", "BOD1")]
STATES = (MEASURED, MEASURED, UNAPPROVED, DOUBTFUL, INDIRECT, MISSING, COMING)
WEEK = st.tuples(st.integers(1, 5), st.sampled_from(STATES), st.integers(0, 3000))


@cache
def region() -> YearFigures:
    """Two orders with three doelgroepen; one has a contribution, the other an agreed amount."""
    year = Shape().year()
    year.contribution("LP", "SWV", 333_33)
    year.sheets["orders"][1] |= {
        "amount_basis": "agreed",
        "stated_amount_cents": 18_412_34,
        "tolerance_cents": 100_00,
    }
    return year.figures()


@st.composite
def measured_weeks(draw: st.DrawFn) -> list[ClassWeek]:
    found = []
    for _, school, code in SMALL:
        for n, (days, state, minutes) in enumerate(draw(st.lists(WEEK, max_size=8))):
            found.append(ClassWeek(school, code, f"2025-W{n + 34}", days, state, minutes))
    return found


@settings(max_examples=60)
@given(measured_weeks())
def test_the_euros_add_up_to_what_the_budget_code_gives(weeks: list[ClassWeek]) -> None:
    """Per order, contributions among them; nobody comes or goes, and what was established is what was signed."""
    figures = region()
    found = proposals(figures.setup, weeks, ANY)
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    proposed = proposed_setup(figures.setup, found)
    for order in proposed.orders:
        mine = [row for row in rows if row["order_id"] == order.order_id]
        try:
            whole = sum(b.budget_cents for b in doelgroep_budgets(replace(proposed, orders=(order,))))
        except SetupError:  # the contribution is more than the order would be
            assert {(row["basis"], row["proposed_cents"]) for row in mine} == {("not_computed", None)}
        else:
            assert sum(row["proposed_cents"] for row in mine) == whole
    signed = {(r["order_id"], r["stream"], r["payer"]): r["amount_cents"] for r in figures.tables["municipal_shares"]}
    assert {(r["order_id"], r["stream"], r["payer"]): r["established_cents"] for r in rows} == signed
    still = {o.order_id for o in figures.setup.orders} - {p.granted.order_id for p in found if p.changes}
    assert not any(row["difference_cents"] for row in rows if row["order_id"] in still)
    agreed = [row["agreement_difference_cents"] for row in rows if row["order_id"] == "LP"]
    assert not any(agreed), "no agreed amount there"


@settings(max_examples=60)
@given(measured_weeks(), st.randoms(use_true_random=False))
def test_the_order_of_the_weeks_never_matters(weeks: list[ClassWeek], chance: Any) -> None:
    shuffled = list(weeks)
    chance.shuffle(shuffled)
    assert proposals(region().setup, shuffled, ANY) == proposals(region().setup, weeks, ANY)


@settings(max_examples=60)
@given(measured_weeks())
def test_proposing_what_was_granted_changes_nothing(weeks: list[ClassWeek]) -> None:
    """Whatever was measured: with the granted hours the setup is the established one, and no payer moves a cent."""
    figures = region()
    found = [
        replace(p, hundredths=p.granted.hundredths, care_hundredths=p.granted.care_hundredths)
        for p in proposals(figures.setup, weeks, ANY)
    ]
    assert proposed_setup(figures.setup, found) == figures.setup
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    assert rows
    assert not any(value for row in rows for name, value in row.items() if name.endswith("difference_cents"))


@given(measured_weeks())
def test_every_class_week_is_counted_once(weeks: list[ClassWeek]) -> None:
    setup = region().setup
    rows = recalibration_rows(setup, 1, YEAR_END, proposals(setup, weeks, ANY))
    kinds = ("class_weeks", *(f"{kind}_class_weeks" for kind in ("unapproved", "doubtful", "indirect", "missing")))
    for row in rows:
        assert sum(row[kind] for kind in kinds) == row["open_class_weeks"]
    assert sum(row["open_class_weeks"] + row["coming_class_weeks"] for row in rows) == len(weeks)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5000)), min_size=1, max_size=45))
def test_the_mean_times_the_contract_weeks_is_all_that_was_delivered(weeks: list[tuple[int, int]]) -> None:
    """When every week was measured: 40 contract weeks of the mean are the hours of the year, to the minute."""
    year = [ClassWeek(LEIJPARK, "EMB1", str(n), days, MEASURED, minutes) for n, (days, minutes) in enumerate(weeks)]
    mean = proposals(region().setup, year, ANY)[1].measurement.mean
    assert mean is not None
    assert mean * 40 == Fraction(sum(minutes for _, minutes in weeks) * 100, 60)


@given(st.fractions(min_value=0, max_value=10**9, max_denominator=10**4))
def test_the_deviation_is_the_root_rounded_half_up(variance: Fraction) -> None:
    half = Fraction(1, 2)
    root = deviation(variance)
    assert root == 0 or (root - half) ** 2 <= variance
    assert variance < (root + half) ** 2
