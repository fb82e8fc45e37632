"""The proposal of hours for next year (SPEC section 7; DOMAIN 1.3 rule 10), by hand, and what it means in euros.

The small year has five open weeks of five days, W34 to W38, and a contract of five weeks: a week counts for one. Every figure
is fictief.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
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
from zio_pipeline.hours.lines import Timesheet, lines
from zio_pipeline.hours.recalibration import (
    MEASURED,
    MISSING,
    RULES,
    UNAPPROVED,
    ClassWeek,
    HoursProposal,
    Rules,
    class_weeks,
    deviation,
    proposals,
    recalibration_rows,
)
from zio_pipeline.hours.recalibration_effect import effect_rows, proposed_setup
from zio_pipeline.intake.parsing import schema
from zio_pipeline.open_days import open_days
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.versions import Base, calendar_of

MONDAYS = [date(2025, 8, 18) + timedelta(weeks=n) for n in range(5)]
WEEKS = ["2025-W34", "2025-W35", "2025-W36", "2025-W37", "2025-W38"]
FEW = replace(RULES, fewest_class_weeks=10)
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
    """A direct line of so many hours (7.5), approved by the school."""
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": code,
        "employee": "m1",
        "work_date": day,
        "stated_minutes": int(Fraction(hours) * 60),
        "activity": "direct",
        "function": "guidance",
        "approved_on": day,
        "handed_in_on": day,
    }
    return contract_row("provider_timesheets", "provider_timesheets", **default | values)


def weeks_of(year: Year, rows: Iterable[dict[str, Any]]) -> list[ClassWeek]:
    contract = schema(sources()["provider_timesheets"].dataset("provider_timesheets"))
    table = pa.Table.from_pylist(list(rows), schema=pa.schema(contract))
    table = table.append_column("sheet", pa.array(["blad"] * len(table)))
    table = table.append_column("row_number", pa.array(range(len(table)), pa.int64()))
    setup = year.setup()
    days = {LEIJPARK: open_days(setup.settings, setup.sheets["calendar"], LEIJPARK)}
    with lines([Timesheet("urenstaat", table)], setup) as connection:
        return class_weeks(connection, setup, days)


def proposed(year: Year, rows: Iterable[dict[str, Any]], rules: Rules = FEW) -> list[HoursProposal]:
    return proposals(year.setup(), weeks_of(year, rows), rules)


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
    (row,) = recalibration_rows(year.setup(), 1, [found])
    assert row == {
        "school_year": "2025-2026",
        "version": 1,
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
        "missing_class_weeks": 1,
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
    assert found.explanation.startswith("Te weinig gemeten, houd aan wat is toegekend: 10,00 uur per klas")
    assert found.explanation.endswith("standaardafwijking 1,25, meer dan 127 promille van het gemiddelde.")


def test_nothing_delivered_at_all_is_missing_and_not_zero() -> None:
    found = only(proposed(five_weeks(), []))
    assert (found.certainty, found.hundredths, found.measurement.missing_class_weeks) == ("too_few", 10_00, 5)
    (row,) = recalibration_rows(five_weeks().setup(), 1, [found])
    assert row["measured_hours_hundredths"] is row["median_hours_hundredths"] is None


def test_the_step_is_a_parameter() -> None:
    year, rows = three_classes()
    steps = {step: only(proposed(year, rows, replace(FEW, step_hundredths=step))).hundredths for step in (1, 10, 50)}
    assert steps == {1: 9_77, 10: 9_80, 50: 10_00}


# --- which weeks are measured -------------------------------------------------------------------------------------------


def states(year: Year, rows: Iterable[dict[str, Any]]) -> dict[str, tuple[str, int]]:
    return {week.week: (week.state, week.minutes) for week in weeks_of(year, rows)}


def test_only_direct_approved_minutes_of_open_weeks_count() -> None:
    """An approved week of travel only is a week of nothing; a Saturday belongs to its week; a holiday week is no week."""
    monday = MONDAYS[0]
    found = states(
        five_weeks(),
        [
            line("EMB1", monday, "6"),
            line("EMB1", monday, "2", employee="m2"),
            line("EMB1", monday, "1", activity="indirect"),
            line("EMB1", monday + timedelta(days=5), "1"),
            line("EMB1", MONDAYS[1], "1", activity="travel"),
            line("EMB1", MONDAYS[2], "1", activity="training", approved_on=None),
            line("EMB1", MONDAYS[3], "5", approved_on=None),
            line("EMB1", date(2025, 9, 22), "7"),
            line("EMB9", MONDAYS[4], "7"),
        ],
    )
    assert found == dict(
        zip(WEEKS, [(MEASURED, 540), (MEASURED, 0), (UNAPPROVED, 0), (UNAPPROVED, 0), (MISSING, 0)], strict=True)
    )


def test_a_week_of_which_the_other_month_is_still_to_come_is_not_measured() -> None:
    """29 and 30 September, and 1 to 3 October."""
    year = five_weeks()
    year.sheets["calendar"].clear()
    closed(year, date(2025, 8, 18), date(2025, 9, 26))
    closed(year, date(2025, 10, 4))
    september = [line("EMB1", date(2025, 9, 29), "4")]
    assert states(year, september) == {"2025-W40": (MISSING, 240)}
    assert states(year, [*september, line("EMB1", date(2025, 10, 1), "6")]) == {"2025-W40": (MEASURED, 600)}


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


def test_contributions_above_the_order_stop_with_a_reason() -> None:
    year, rows = three_classes()
    year.contribution("LP", "SWV", 8_900_00)
    with pytest.raises(SetupError, match="bijdragen"):
        effect(year, proposed(year, rows))


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

ANY = Rules(fewest_class_weeks=1, widest_permille=10**6)
SMALL = [("LP", "02ZX00", "EMB1"), ("LP", "02ZX00", "MG1"), ("DB", "01FX00", "BOD1")]
WEEK = st.tuples(st.integers(1, 5), st.sampled_from((MEASURED, MEASURED, UNAPPROVED, MISSING)), st.integers(0, 3000))


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


def by_order(setup: SchoolYearSetup) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for budget in doelgroep_budgets(setup):
        totals[budget.order_id] += budget.budget_cents
    return dict(totals)


@settings(max_examples=60)
@given(measured_weeks())
def test_the_euros_add_up_to_what_the_budget_code_gives(weeks: list[ClassWeek]) -> None:
    """Per order, contributions among them; nobody comes or goes, and what was established is what was signed."""
    figures = region()
    found = proposals(figures.setup, weeks, ANY)
    try:
        whole = by_order(proposed_setup(figures.setup, found))
    except SetupError:  # the contribution is more than the order would be: then there is no effect either
        with pytest.raises(SetupError):
            effect_rows(figures.setup, found, figures.outcome, base_of(figures))
        return
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    for order_id, total in whole.items():
        assert sum(row["proposed_cents"] for row in rows if row["order_id"] == order_id) == total
    signed = {(r["order_id"], r["stream"], r["payer"]): r["amount_cents"] for r in figures.tables["municipal_shares"]}
    assert {(r["order_id"], r["stream"], r["payer"]): r["established_cents"] for r in rows} == signed
    still = {o.order_id for o in figures.setup.orders} - {p.granted.order_id for p in found if p.changes}
    assert not any(row["difference_cents"] for row in rows if row["order_id"] in still)
    assert all(row["agreement_difference_cents"] == 0 for row in rows if row["order_id"] == "LP"), (
        "no agreed amount there"
    )


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
