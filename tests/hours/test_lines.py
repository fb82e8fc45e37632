"""What a line of a timesheet is: what its dates prove, and that its class is shown only when it is one (SPEC sections 7 and 8)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.hours.small_school import Row, line, lines_of, setup_of, small_school
from tests.year_builder import DE_BODDE, LEIJPARK
from zio_pipeline.setup import ClassName

SETUP = setup_of(small_school())
WORKED = date(2025, 10, 7)


def shown(columns: str, *rows: Row, names: tuple[ClassName, ...] = (), **changes: Any) -> list[tuple[Any, ...]]:
    with lines_of(replace(SETUP, **changes), {"a": rows}, names) as connection:
        return connection.sql(f"select {columns} from line order by row_number").fetchall()


@pytest.mark.parametrize(
    ("approved_on", "status"),
    [
        (None, "provisional"),
        (date(2024, 10, 8), "provisional"),
        (date(2025, 10, 6), "provisional"),
        (WORKED, "delivered"),
        (date(2025, 10, 8), "delivered"),
    ],
)
def test_an_approval_dated_before_the_work_proves_nothing(approved_on: date | None, status: str) -> None:
    ((found, day),) = shown("status, approved_on", line(WORKED, approved_on=approved_on))
    assert found == status
    assert day == (approved_on if status == "delivered" else None)


def test_handed_in_or_forwarded_before_the_work_is_not_so() -> None:
    early = dict.fromkeys(("handed_in_on", "forwarded_on"), date(2025, 10, 6))
    assert shown("status, handed_in_on, forwarded_on", line(WORKED, **early)) == [("delivered", None, None)]


def test_what_is_no_class_is_unknown_whatever_the_sender_wrote() -> None:
    """Two texts are two classes to whoever compares lines, and one word to whoever reads them."""
    rows = (line(WORKED, class_code=code) for code in ("Sanne 12-03-2015", "999990019", "999990019", "EMB2"))
    found = shown("stated_class_code, class_code, place, order_id", *rows)
    assert [(stated, code, order) for stated, code, _, order in found] == [
        *[("onbekend", "onbekend", None)] * 3,
        ("EMB2", "EMB2", "LP"),
    ]
    first, second, third, known = (place for _, _, place, _ in found)
    assert second == third
    assert len({first, second, known}) == 3


def test_a_class_is_one_of_its_own_school() -> None:
    rows = line(WORKED, class_code="ZML1"), line(WORKED, class_code="ZML1", school=DE_BODDE)
    assert shown("class_code, order_id", *rows) == [("onbekend", None), ("ZML1", "BO")]


def test_a_name_is_known_before_its_day_and_a_class_that_was_left_out_keeps_its_own() -> None:
    """Both stand in the workbook, so no sender made them up; neither is a class with an order that day."""
    later = ClassName(LEIJPARK, "EMB1a", "EMB1", date(2026, 1, 5), None)
    rows = line(WORKED, class_code="EMB1a"), line(WORKED, class_code="X1")
    assert shown("class_code, status", *rows, names=(later,), postponed={(LEIJPARK, "X1"): "LATER"}) == [
        ("EMB1a", "excluded"),
        ("X1", "excluded"),
    ]


def test_a_class_with_two_names_has_parts_and_with_one_new_name_is_the_same_class() -> None:
    """A name ends on 31 October: after that EMB1b is all there is."""
    split = ClassName(LEIJPARK, "EMB1a", "EMB1", date(2025, 9, 1), date(2025, 10, 31))
    rest = ClassName(LEIJPARK, "EMB1b", "EMB1", date(2025, 9, 1), None)
    october, november = date(2025, 10, 31), date(2025, 11, 1)
    days = ((october, "EMB1a"), (october, "EMB1b"), (october, "EMB1"), (november, "EMB1b"), (november, "EMB1"))
    rows = (line(day, class_code=code) for day, code in days)
    found = shown("class_code, part, place", *rows, names=(split, rest))
    assert [part for _, part, _ in found] == ["EMB1a", "EMB1b", None, None, None]
    assert {(code, place) for code, _, place in found} == {("EMB1", found[0][2])}
