"""The proposal of hours for next year (SPEC section 7; DOMAIN 1.3 rule 10), by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hours.measured import (
    FEW,
    MONDAYS,
    WEEKS,
    YEAR_END,
    cents,
    delivered_as_planned,
    effect,
    five_weeks,
    line,
    only,
    proposed,
    three_classes,
)
from tests.year_builder import HEUSDEN, LEIJPARK, TILBURG
from zio_pipeline.hours.class_weeks import (
    MEASURED,
    MISSING,
    ClassWeek,
)
from zio_pipeline.hours.recalibration import (
    RULES,
    proposals,
    recalibration_rows,
)

# --- three classes, five weeks ------------------------------------------------------------------------------------------


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
