"""Delivered hours: employee minutes added up per class and month, as they were stated (SPEC 7)."""

from datetime import date
from typing import Any

import pyarrow as pa

from tests.year_builder import DE_BODDE, LEIJPARK, SIZA, contract_row
from zio_pipeline.contracts import products, sources
from zio_pipeline.delivery import delivered_hours

ARROW = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
SCHEMA = pa.schema(
    [(c.name, ARROW[c.logical_type]) for c in sources()["provider_timesheets"].dataset("provider_timesheets").columns]
)
DOELGROEPEN = {(LEIJPARK, "EMB1"): "EMB", (DE_BODDE, "EMB1"): "ZML"}


def line(**values: Any) -> dict[str, Any]:
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": "EMB1",
        "employee": "e1",
        "work_date": date(2025, 9, 1),
        "activity": "direct",
        "function": "care",
        "approved_on": date(2025, 9, 8),
    }
    return contract_row("provider_timesheets", "provider_timesheets", **default | values)


def totals(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    return delivered_hours(pa.Table.from_pylist(list(lines), schema=SCHEMA), DOELGROEPEN)


def test_minutes_are_taken_as_they_were_stated() -> None:
    """A duration, stated minutes, or begin to end without the pause: 90 + 60 + (15:30 - 08:30 - 45)."""
    (row,) = totals(
        line(duration_minutes=90),
        line(stated_minutes=60),
        line(begin_minute=8 * 60 + 30, end_minute=15 * 60 + 30, pause_minutes=45),
    )
    assert (row["minutes"], row["line_count"]) == (90 + 60 + 375, 3)
    assert isinstance(row["minutes"], int)


def test_begin_to_end_without_a_pause() -> None:
    assert totals(line(begin_minute=600, end_minute=660))[0]["minutes"] == 60


def test_employee_minutes_are_the_unit() -> None:
    """SPEC 7: a group hour counts once per employee, however many children; two employees count twice."""
    (row,) = totals(line(employee="e1", duration_minutes=60), line(employee="e2", duration_minutes=60))
    assert row["minutes"] == 120


def test_approved_and_provisional_stand_apart() -> None:
    """SPEC 7: only direct, school-approved hours prove delivery; the rest is shown apart."""
    rows = totals(line(duration_minutes=60), line(duration_minutes=30, approved_on=None))
    assert {row["approved"]: row["minutes"] for row in rows} == {True: 60, False: 30}


def test_activities_functions_months_schools_and_classes_stand_apart() -> None:
    rows = totals(
        line(duration_minutes=1),
        line(duration_minutes=2, activity="travel"),
        line(duration_minutes=4, function="guidance"),
        line(duration_minutes=8, work_date=date(2025, 10, 1)),
        line(duration_minutes=16, school=DE_BODDE),
        line(duration_minutes=32, class_code="EMB2"),
    )
    assert sorted(row["minutes"] for row in rows) == [1, 2, 4, 8, 16, 32]
    assert {row["month"] for row in rows} == {"2025-09", "2025-10"}


def test_a_month_goes_by_the_day_not_by_the_week() -> None:
    """A week of two months is divided by day: Monday 29 September and Wednesday 1 October."""
    rows = totals(
        line(duration_minutes=60, work_date=date(2025, 9, 29)), line(duration_minutes=90, work_date=date(2025, 10, 1))
    )
    assert {row["month"]: row["minutes"] for row in rows} == {"2025-09": 60, "2025-10": 90}


def test_hours_roll_up_to_the_doelgroep_of_their_own_school() -> None:
    rows = totals(
        line(duration_minutes=60),
        line(duration_minutes=60, school=DE_BODDE),
        line(duration_minutes=60, class_code="onbekend"),
    )
    found = {(row["school"], row["class_code"]): row["doelgroep"] for row in rows}
    assert found == {(LEIJPARK, "EMB1"): "EMB", (DE_BODDE, "EMB1"): "ZML", (LEIJPARK, "onbekend"): None}


def test_rows_have_the_columns_of_the_contract_and_the_order_of_lines_does_not_matter() -> None:
    lines = [line(duration_minutes=60 + n, class_code=f"K{n % 3}", employee=f"e{n}") for n in range(9)]
    rows = totals(*lines)
    assert rows == totals(*lines[::-1])
    columns = {column.name for column in products()["delivered_hours"].columns}
    assert all(set(row) == columns for row in rows)


def test_no_lines_no_hours() -> None:
    assert totals() == []
