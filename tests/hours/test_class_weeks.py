"""Which weeks of a class were measured, and what follows for the proposal while the year runs (SPEC section 7)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.hours.measured import (
    FEW,
    MONDAYS,
    WEEKS,
    YEAR_END,
    Rows,
    closed,
    delivered_as_planned,
    five_weeks,
    forty_weeks,
    line,
    only,
    proposed,
    three_classes,
    weeks_of,
)
from tests.year_builder import Year
from zio_pipeline.hours.class_weeks import (
    COMING,
    DOUBTFUL,
    INDIRECT,
    MEASURED,
    MISSING,
    UNAPPROVED,
)
from zio_pipeline.hours.recalibration import (
    RULES,
)

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
