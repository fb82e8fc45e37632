"""What a line of a timesheet is: what its dates prove, and that its class is shown only when it is one (SPEC sections 7 and 8)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.small_school import Row, line, lines_of, setup_of, small_school
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.setup import ClassName, SchoolYearSetup

SETUP = setup_of(small_school())
WORKED = date(2025, 10, 7)


def shown(
    columns: str,
    *rows: Row,
    names: tuple[ClassName, ...] = (),
    received_on: date | None = None,
    setup: SchoolYearSetup = SETUP,
    **changes: Any,
) -> list[tuple[Any, ...]]:
    with lines_of(replace(setup, **changes), {"a": rows}, names, received_on) as connection:
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


@pytest.mark.parametrize("day", [None, date(2025, 10, 6), WORKED, date(2025, 11, 24)], ids=str)
def test_a_file_is_received_after_the_work_or_it_is_not_known_when(day: date | None) -> None:
    found = [(day if day and day >= WORKED else None,)]
    assert shown("received_on", line(WORKED), received_on=day) == found
    assert shown("received_on", received_on=day) == [], "no lines"


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


# --- the days on which an order holds -----------------------------------------------------------------------------------

Period = tuple[date, date | None, str]
"""From, up to and including, and the provider of a row of the sheet `contracten`."""
SUMMER, YEAR_ENDS = date(2025, 8, 1), date(2026, 7, 31)


def held(*periods: Period) -> SchoolYearSetup:
    """The small school; the order of Leijpark, as it was established, in these rows."""
    own, *others = SETUP.sheets["orders"]
    rows = [own | {"valid_from": first, "valid_to": last, "provider": who} for first, last, who in periods]
    return replace(SETUP, sheets={**SETUP.sheets, "orders": (*rows, *others)})


def test_work_after_the_last_day_of_an_order_is_excluded_and_still_known_by_its_class() -> None:
    """It ends on 31 October: the lines of November prove nothing of it, whatever they are; De Bodde goes on."""
    setup = held((SUMMER, date(2025, 10, 31), SIZA))
    october, november = date(2025, 10, 31), date(2025, 11, 3)
    rows = line(october), line(november), line(november, activity="travel"), line(november, approved_on=None)
    assert shown("status, class_code, order_id, doelgroep", *rows, setup=setup) == [
        ("delivered", "EMB1", "LP", "EMB"),
        *[("excluded", "EMB1", "LP", "EMB")] * 3,
    ]
    assert shown("status", line(november, school=DE_BODDE, class_code="ZML1"), setup=setup) == [("delivered",)]


def test_an_amended_order_goes_on_and_that_of_another_provider_is_another() -> None:
    """Amended in January: with the same provider every day counts; with another provider nobody's lines do after that."""
    january = date(2026, 1, 5)
    days = (date(2025, 12, 19), january, date(2026, 3, 2))
    amended = held((SUMMER, date(2025, 12, 31), SIZA), (date(2026, 1, 1), None, SIZA))
    assert shown("status", *map(line, days), setup=amended) == [("delivered",)] * 3
    other = held((SUMMER, date(2025, 12, 31), SIZA), (date(2026, 1, 1), None, AMARANT))
    rows = *map(line, days), line(january, provider=AMARANT)
    assert shown("status", *rows, setup=other) == [("delivered",), *[("excluded",)] * 3]


PERIODS = st.lists(
    st.tuples(st.dates(SUMMER, YEAR_ENDS), st.integers(0, 200) | st.none(), st.sampled_from([SIZA, SIZA, AMARANT])),
    max_size=4,
).map(lambda found: [(first, None if n is None else first + timedelta(n), who) for first, n, who in found])
NAMED = st.lists(st.tuples(st.dates(SUMMER, YEAR_ENDS), st.integers(0, 200)), max_size=2)


@settings(max_examples=40)
@given(PERIODS, NAMED, st.sets(st.dates(SUMMER, YEAR_ENDS), max_size=12))
def test_no_minute_is_delivered_on_a_day_on_which_the_order_does_not_hold(
    periods: list[Period], named: list[tuple[date, int]], some: set[date]
) -> None:
    """Whatever rows the order has, and whatever its class is called meanwhile; on every other day all minutes are."""
    edges = {day for first, last, _ in periods for day in (first, last) if day}
    days = sorted({near for day in edges for near in (day - timedelta(1), day, day + timedelta(1))} | some)
    names = tuple(
        ClassName(LEIJPARK, f"X{n}", "EMB1", day, day + timedelta(length)) for n, (day, length) in enumerate(named)
    )
    rows = [line(day, class_code=code) for day in days for code in ("EMB1", *(name.class_code for name in names))]
    found = shown(
        "work_date, sum(minutes) filter (status = 'delivered') over (partition by work_date)::bigint",
        *rows,
        names=names,
        setup=held(*periods),
    )
    for day, minutes in found:
        holds = any(who == SIZA and first <= day <= (last or date.max) for first, last, who in periods)
        known = sum(name.valid_from <= day <= name.valid_to for name in names if name.valid_to)
        assert minutes == (60 * (1 + known) if holds else None)
