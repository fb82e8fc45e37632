"""Totals by hand (SPEC section 7): a week against its own history, a month and the year to date against the plan."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.hours.small_school import YEAR, Row, calendars, line, lines_of, setup_of, small_school
from tests.year_builder import LEIJPARK, SIZA
from zio_pipeline.contracts import products
from zio_pipeline.hours.delivery import delivery_control
from zio_pipeline.hours.deviations import strays_from_plan, sudden_changes

SETUP = setup_of(small_school())
DAYS = calendars(SETUP)
LONG_AFTER = date(2026, 7, 31)


def only(found: list[Row]) -> Row:
    (row,) = found
    return row


def control(rows: list[Row], *months: str) -> list[Row]:
    """Rows of `delivery_control` of some months."""
    made = []
    for month in months:
        with lines_of(SETUP, {"a": [row for row in rows if f"{row['work_date']:%Y-%m}" == month]}) as connection:
            made += delivery_control(connection, SETUP, DAYS, month)
    return made


# --- a week against its history -------------------------------------------------------------------------------------------


def weekly(minutes: Callable[[date], int], first: date, last: date, **values: Any) -> list[Row]:
    """A line of EMB1 on every open day, of so many minutes."""
    days = [day for day in DAYS[LEIJPARK].days if first <= day <= last]
    return [line(day, minutes(day), employee=f"e{day:%j}", **values) for day in days if minutes(day)]


AUTUMN = ("2025-08", "2025-09", "2025-10")


def changes(rows: list[Row], month: str, *months: str, as_of: date = LONG_AFTER) -> list[tuple[str, int]]:
    found = sudden_changes(control(rows, *months), DAYS, YEAR, month, as_of=as_of, grace_days=10)
    assert {row["kind"] for row in found} <= {"sudden_change"}
    return [(row["week"], row["minutes"]) for row in found]


MONDAY = date(2025, 9, 8)  # of W37, the fourth open week


@pytest.mark.parametrize(
    ("minutes", "signal"), [(19, True), (20, False), (60, False), (180, False), (181, True)], ids=str
)
def test_less_than_a_third_or_more_than_three_times_from_the_fourth_week_on(minutes: int, signal: bool) -> None:
    """60 minutes a day in three weeks, and then 20 (a third), or 180 (three times): just no change."""
    rows = weekly(lambda day: minutes if day >= MONDAY else 60, date(2025, 8, 18), date(2025, 9, 12))
    assert changes(rows, "2025-09", "2025-08", "2025-09") == ([("2025-W37", 5 * abs(minutes - 60))] if signal else [])


def test_in_the_third_week_there_is_no_history_yet() -> None:
    rows = weekly(lambda day: 1 if day >= date(2025, 9, 1) else 60, date(2025, 8, 18), date(2025, 9, 5))
    assert changes(rows, "2025-09", "2025-08", "2025-09") == []


def test_a_short_week_before_the_holiday_is_no_fall() -> None:
    """W42 has four open days, and the carnival week none: minutes count per open day."""
    rows = weekly(lambda _: 60, date(2025, 8, 18), date(2025, 10, 31))
    assert changes(rows, "2025-10", *AUTUMN) == []
    only_monday = [row for row in rows if row["work_date"] <= date(2025, 10, 13)]
    assert changes(only_monday, "2025-10", *AUTUMN) == [("2025-W42", 3 * 60)], "a day of work in a week of four days"


def test_a_week_over_two_months_is_judged_whole_in_the_month_in_which_it_ends() -> None:
    """W40: 29 and 30 September, 1 to 3 October. Without the file of October nothing can be said of it."""
    rows = weekly(lambda day: 0 if day > date(2025, 10, 3) else 60, date(2025, 8, 18), date(2025, 10, 3))
    assert changes(rows, "2025-09", "2025-08", "2025-09") == []
    assert changes(rows, "2025-10", *AUTUMN) == []
    less = [row for row in rows if row["work_date"] < date(2025, 9, 29) or row["work_date"] == date(2025, 10, 3)]
    assert changes(less, "2025-10", *AUTUMN) == [], "of September nothing was handed in that week: missing, no fall"
    short = [row | {"stated_minutes": 10} if row["work_date"] >= date(2025, 9, 29) else row for row in rows]
    assert changes(short, "2025-10", *AUTUMN) == [("2025-W40", 250)]


def test_work_that_is_not_approved_yet_is_work() -> None:
    rows = weekly(lambda _: 60, date(2025, 8, 18), date(2025, 9, 12))
    rows = [row | {"approved_on": None} if row["work_date"] >= MONDAY else row for row in rows]
    assert changes(rows, "2025-09", "2025-08", "2025-09") == []


def test_a_week_of_a_month_that_is_not_due_says_nothing_yet() -> None:
    """On Monday the week has one day of work; up to 10 October the rest of it may still come."""
    rows = weekly(lambda _: 60, date(2025, 8, 18), MONDAY)
    for as_of, expected in (
        (date(2025, 9, 9), []),
        (date(2025, 10, 10), []),
        (date(2025, 10, 11), [("2025-W37", 240)]),
    ):
        assert changes(rows, "2025-09", "2025-08", "2025-09", as_of=as_of) == expected


@pytest.mark.parametrize("activity", ["indirect", "travel", "training"])
def test_weeks_without_direct_lines_are_no_history(activity: str) -> None:
    """Three weeks of other work and then a first hour: not 'more than three times' nothing. Nor is a week of travel a fall."""
    before = weekly(lambda day: 60 if day < MONDAY else 0, date(2025, 8, 18), date(2025, 9, 12), activity=activity)
    first = weekly(lambda _: 60, MONDAY, date(2025, 9, 12))
    assert changes(before + first, "2025-09", "2025-08", "2025-09") == []
    direct = weekly(lambda _: 60, date(2025, 8, 18), date(2025, 9, 5))
    other = weekly(lambda _: 60, MONDAY, date(2025, 9, 12), activity=activity)
    assert changes(direct + other, "2025-09", "2025-08", "2025-09") == []


# --- delivery against the plan ----------------------------------------------------------------------------------------------


def strays(rows: list[Row], month: str = "2025-09", as_of: date = LONG_AFTER, permille: int = 100) -> list[Row]:
    months = [m for m in ("2025-08", "2025-09", "2025-10") if m <= month]
    return strays_from_plan(
        control(rows, *months), YEAR, month, as_of=as_of, grace_days=10, tolerance_permille=permille
    )


def planned(month: str, class_code: str = "EMB1") -> int:
    rows = control([], month)
    return sum(row["planned_minutes"] for row in rows if row["class_code"] == class_code)


def month_of_work(minutes: int, day: date = date(2025, 9, 2), **values: Any) -> list[Row]:
    return [line(day, minutes, **values)]


def of_class(found: list[Row]) -> list[Row]:
    return [row for row in found if row["class_code"]]


def of_doelgroep(found: list[Row]) -> list[Row]:
    return [row for row in found if not row["class_code"]]


@pytest.mark.parametrize(
    ("off", "kind"), [(-100, None), (-101, "under_delivery"), (100, None), (101, "over_delivery")], ids=str
)
def test_a_class_in_a_month_may_stray_as_far_as_the_setting(off: int, kind: str | None) -> None:
    """In permille of the plan, rounded away from it."""
    plan = planned("2025-09")
    minutes = plan + (off * plan // 1000 if off < -100 or off == 100 else -(-off * plan // 1000))
    found = of_class(strays(month_of_work(minutes)))
    assert [row["kind"] for row in found] == ([kind] if kind else [])
    if found:
        assert (found[0]["minutes"], found[0]["week"], found[0]["row_refs"]) == (abs(minutes - plan), None, None)
        assert (found[0]["order_id"], found[0]["doelgroep"], found[0]["provider"]) == ("LP", "EMB", SIZA)


def test_what_waits_for_approval_is_not_delivered_and_is_named() -> None:
    plan = planned("2025-09")
    rows = month_of_work(plan - 90, approved_on=None) + month_of_work(90, employee="e2")
    row = only(of_class(strays(rows)))
    assert row["kind"] == "under_delivery"
    assert f"Er wacht nog {(plan - 90) // 60}:{(plan - 90) % 60:02d} uur op akkoord van de school" in row["explanation"]


def test_before_the_statements_of_a_month_are_due_it_is_not_judged() -> None:
    """On 30 September the month is over and nothing is too late; up to and including 10 October lines are still to come."""
    for as_of in (date(2025, 9, 30), date(2025, 10, 10)):
        assert strays(month_of_work(1), as_of=as_of) == []
    assert {row["kind"] for row in strays(month_of_work(1), as_of=date(2025, 10, 11))} == {"under_delivery"}


@pytest.mark.parametrize("rows", [[], month_of_work(60, activity="indirect")], ids=["nothing", "indirect only"])
def test_a_class_of_which_nothing_direct_was_handed_in_is_missing_not_too_little(rows: list[Row]) -> None:
    """EMB1 is on plan; of EMB2 there is nothing, or nothing that proves delivery."""
    others = [row | {"class_code": "EMB2"} for row in rows]
    assert strays(month_of_work(planned("2025-09")) + others) == []


def test_the_year_to_date_leaves_out_what_is_missing_and_says_how_much() -> None:
    """October is on plan, of August and September nothing was handed in: that is no under-delivery."""
    day, plan = date(2025, 10, 2), planned("2025-10")
    both = [line(day, plan, class_code=code, employee=code) for code in ("EMB1", "EMB2")]
    assert strays(both, "2025-10") == []
    row = only(of_doelgroep(strays([both[0] | {"stated_minutes": plan // 2}], "2025-10")))
    assert (row["kind"], row["minutes"]) == ("under_delivery", plan - plan // 2), "the plan of one class in one month"
    assert "Niet meegeteld: 5 maanden van klassen waarvan niets is ingeleverd." in row["explanation"]
    four = [
        line(date(2025, month, 2 if month > 8 else 20), 1, class_code=c) for month in (8, 9) for c in ("EMB1", "EMB2")
    ]
    row = only(of_doelgroep(strays([*four, both[0]], "2025-10")))
    assert "Niet meegeteld: één maand van een klas waarvan niets is ingeleverd." in row["explanation"]


def test_a_doelgroep_is_held_against_the_year_to_date() -> None:
    """What EMB1 delivered too little in August it makes up in September: the class strays in its month, the year does not."""
    august, september = planned("2025-08"), planned("2025-09")
    rows = month_of_work(60, date(2025, 8, 20)) + month_of_work(august + september - 60)
    found = strays(rows)
    assert [(row["kind"], row["class_code"]) for row in found] == [("over_delivery", "EMB1")]
    less = month_of_work(60, date(2025, 8, 20)) + month_of_work(september)
    row = only(strays(less))
    assert (row["kind"], row["doelgroep"], row["order_id"], row["class_code"]) == ("under_delivery", "EMB", "LP", None)
    assert row["minutes"] == august - 60
    assert "van het schooljaar tot en met de maand 2025-09" in row["explanation"]


def test_hours_for_a_class_without_hours_are_more_than_was_planned() -> None:
    row = only(of_class(strays(month_of_work(60, class_code="REST"))))
    assert (row["kind"], row["class_code"], row["minutes"]) == ("over_delivery", "REST", 60)
    assert "er was niets gepland" in row["explanation"]


def test_rows_are_those_of_the_contract() -> None:
    columns = {column.name for column in products()["hour_signals"].columns}
    found = strays(month_of_work(1))
    assert found
    assert all(set(row) == columns for row in found)
