"""Delivered hours: employee minutes added up per class and week, as they were stated (SPEC 7)."""

from collections import Counter
from datetime import date
from typing import Any

from tests.hours.timesheets import line, timesheet
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA, Year
from zio_pipeline.contracts import products
from zio_pipeline.hours.delivery import delivered_hours
from zio_pipeline.hours.lines import lines

MONDAY = date(2025, 9, 1)


def school_with_hours() -> Year:
    """EMB1 of Leijpark by Siza, and a class of the same name at De Bodde by Amarant."""
    year = Year(empty=True)
    year.order("LP")
    year.order("BO", school=DE_BODDE, provider=AMARANT)
    year.doelgroep("LP", "EMB", 20_00)
    year.doelgroep("BO", "ZML", 8_00)
    for code in ("EMB1", "EMB2"):
        year.school_class(code)
    year.school_class("EMB1", "BO", "ZML", school=DE_BODDE)
    return year


SETUP = school_with_hours().setup()


def totals(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    with lines([timesheet("een", *rows)] if rows else [], SETUP) as connection:
        return delivered_hours(connection, "2025-2026")


def test_minutes_are_taken_as_they_were_stated() -> None:
    """A duration, stated minutes, or begin to end without the pause: 90 + 60 + (15:30 - 08:30 - 45)."""
    (row,) = totals(
        line(MONDAY, duration_minutes=90),
        line(MONDAY, stated_minutes=60),
        line(MONDAY, begin_minute=8 * 60 + 30, end_minute=15 * 60 + 30, pause_minutes=45),
    )
    assert (row["minutes"], row["line_count"]) == (90 + 60 + 375, 3)
    assert isinstance(row["minutes"], int)


def test_begin_to_end_without_a_pause() -> None:
    assert totals(line(MONDAY, begin_minute=600, end_minute=660))[0]["minutes"] == 60


def test_employee_minutes_are_the_unit() -> None:
    """SPEC 7: a group hour counts once per employee, however many children; two employees count twice."""
    (row,) = totals(line(MONDAY, 60, employee="e1"), line(MONDAY, 60, employee="e2"))
    assert row["minutes"] == 120


def test_only_direct_and_approved_is_delivered_and_the_rest_stands_apart() -> None:
    """SPEC 7: only direct, school-approved hours prove delivery; the rest is shown apart."""
    rows = totals(
        line(MONDAY, 1),
        line(MONDAY, 2, approved_on=None),
        line(MONDAY, 4, activity="indirect"),
        line(MONDAY, 8, activity="travel", approved_on=None),
        line(MONDAY, 16, activity="training"),
        line(MONDAY, 32, class_code="onbekend"),
        line(MONDAY, 64, provider=AMARANT),
    )
    found = Counter[str]()
    for row in rows:
        found[row["status"]] += row["minutes"]
    assert found == {"delivered": 1, "provisional": 2, "indirect": 4, "travel": 8, "training": 16, "excluded": 32 + 64}


def test_activities_functions_weeks_schools_and_classes_stand_apart() -> None:
    rows = totals(
        line(MONDAY, 1),
        line(MONDAY, 2, activity="travel"),
        line(MONDAY, 4, function="care"),
        line(date(2025, 9, 8), 8),
        line(MONDAY, 16, school=DE_BODDE, provider=AMARANT),
        line(MONDAY, 32, class_code="EMB2"),
    )
    assert sorted(row["minutes"] for row in rows) == [1, 2, 4, 8, 16, 32]
    assert {row["week"] for row in rows} == {"2025-W36", "2025-W37"}


def test_a_week_of_two_months_is_divided_by_day() -> None:
    """Monday 29 September and Wednesday 1 October are both of week 40 (DOMAIN 8, item 49)."""
    rows = totals(line(date(2025, 9, 29), 60), line(date(2025, 10, 1), 90))
    found = {(row["month"], row["week"]): row["minutes"] for row in rows}
    assert found == {("2025-09", "2025-W40"): 60, ("2025-10", "2025-W40"): 90}


def test_hours_roll_up_to_the_order_and_doelgroep_of_their_own_school() -> None:
    rows = totals(
        line(MONDAY, 60),
        line(MONDAY, 60, school=DE_BODDE, provider=AMARANT),
        line(MONDAY, 60, class_code="onbekend"),
    )
    found = {(row["school"], row["class_code"]): (row["order_id"], row["doelgroep"]) for row in rows}
    assert found == {
        (LEIJPARK, "EMB1"): ("LP", "EMB"),
        (DE_BODDE, "EMB1"): ("BO", "ZML"),
        (LEIJPARK, "onbekend"): (None, None),
    }


def test_rows_have_the_columns_of_the_contract_and_the_order_of_lines_does_not_matter() -> None:
    some = [line(MONDAY, 60 + n, class_code=f"EMB{n % 3}", employee=f"e{n}", provider=SIZA) for n in range(9)]
    rows = totals(*some)
    assert rows == totals(*some[::-1])
    columns = {column.name for column in products()["delivered_hours"].columns}
    assert all(set(row) == columns for row in rows)


def test_no_lines_no_hours() -> None:
    assert totals() == []
