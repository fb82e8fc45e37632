"""Signals by hand (SPEC section 7; DOMAIN 8.44, 45, 47): each kind, what just is and just is not one, and nobody named."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.small_school import YEAR, Row, calendars, line, lines_of, setup_of, small_school
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.contracts import products
from zio_pipeline.hours.delivery import delivery_control
from zio_pipeline.hours.deviations import strays_from_plan, sudden_changes
from zio_pipeline.hours.signals import SEVERITY, line_signals
from zio_pipeline.open_days import OpenDays
from zio_pipeline.setup import ClassName

SETUP = setup_of(small_school())
DAYS = calendars(SETUP)
TUESDAY = date(2025, 10, 7)
LONG_AFTER = date(2026, 7, 31)


def signals(*rows: Row, month: str = "2025-10", **files: list[Row]) -> list[Row]:
    with lines_of(SETUP, {"a": list(rows)} | files) as connection:
        return line_signals(connection, DAYS, YEAR, month)


def only(found: list[Row]) -> Row:
    (row,) = found
    return row


def at(begin: str, end: str, **values: Any) -> Row:
    """A line on Tuesday from 9:00 until 10:30."""
    clock = [int(text.split(":")[0]) * 60 + int(text.split(":")[1]) for text in (begin, end)]
    return line(TUESDAY, begin_minute=clock[0], end_minute=clock[1], **values)


def test_an_ordinary_line_is_no_signal() -> None:
    assert signals(line(TUESDAY), line(TUESDAY, 60, employee="e2"), at("9:00", "10:00", employee="e3")) == []


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2025, 10, 6), True),
        (date(2025, 10, 4), False),  # a Saturday
        (date(2025, 10, 17), False),  # a study day
        (date(2025, 10, 21), False),  # the autumn holiday
        (date(2026, 2, 13), True),  # the Friday before carnival
        (date(2026, 2, 16), False),  # carnival
        (date(2026, 4, 27), False),  # King's day, which the calendar of the school does not name
    ],
)
def test_a_day_on_which_the_school_is_closed(day: date, open_: bool) -> None:
    found = signals(line(day, 75), month=f"{day:%Y-%m}")
    assert [row["kind"] for row in found] == ([] if open_ else ["outside_open_days"])
    if not open_:
        row = only(found)
        assert (row["severity"], row["line_count"], row["minutes"], row["row_refs"]) == ("warning", 1, 75, "a:2")
        assert "1 regel(s) (1:15 uur) op 1 dag(en) waarop de school dicht is" in row["explanation"]


def test_every_school_has_its_own_open_days() -> None:
    """De Bodde gives lessons on the study day of Leijpark."""
    days = DAYS | {DE_BODDE: OpenDays(DE_BODDE, tuple(sorted({*DAYS[DE_BODDE].days, date(2025, 10, 17)})))}
    with lines_of(SETUP, {"a": [line(date(2025, 10, 17), school=DE_BODDE, class_code="ZML1")]}) as connection:
        assert line_signals(connection, days, YEAR, "2025-10") == []


def test_twelve_hours_are_allowed_and_a_minute_more_is_not() -> None:
    """Over all schools and providers: 6 hours at Leijpark and 6 hours at De Bodde is exactly 12."""
    here, there = line(TUESDAY, 360), line(TUESDAY, 360, school=DE_BODDE, class_code="ZML1")
    assert signals(here, there) == []
    found = signals(here, there | {"stated_minutes": 361})
    assert [(row["kind"], row["severity"], row["school"], row["minutes"]) for row in found] == [
        ("over_twelve_hours", "serious", DE_BODDE, 361),
        ("over_twelve_hours", "serious", LEIJPARK, 360),
    ]
    assert all("hoogste dag 12:01 uur" in row["explanation"] for row in found)
    assert signals(here, there | {"stated_minutes": 361, "employee": "e2"}) == [], "two people of six hours"
    assert signals(here, there | {"stated_minutes": 361, "work_date": TUESDAY + timedelta(days=1)}) == []


def test_two_classes_at_once_is_a_real_overlap() -> None:
    first, second = at("9:00", "10:00"), at("10:00", "11:00", class_code="EMB2")
    assert signals(first, second) == [], "touching intervals share no minute"
    found = signals(first, at("9:59", "11:00", class_code="EMB2"))
    assert [(row["kind"], row["class_code"], row["minutes"]) for row in found] == [
        ("two_classes_at_once", "EMB1", 1),
        ("two_classes_at_once", "EMB2", 1),
    ]
    assert signals(first, at("9:59", "11:00", class_code="EMB2", employee="e2")) == []
    assert signals(first, at("9:30", "9:45", activity="travel")) == [], "one class"
    inside = signals(first, at("9:15", "9:30", school=DE_BODDE, class_code="ZML1"))
    assert {row["minutes"] for row in inside} == {15}, "one interval within the other, at another school"


def test_without_begin_and_end_nothing_can_be_said_of_the_moment() -> None:
    assert signals(line(TUESDAY, 90), line(TUESDAY, 90, class_code="EMB2")) == []


def test_parts_of_a_class_that_was_split_are_two_classes_at_once() -> None:
    names = [ClassName(LEIJPARK, code, "EMB1", date(2025, 9, 1), None) for code in ("EMB1a", "EMB1b")]
    rows = [at("9:00", "10:00", class_code="EMB1a"), at("9:30", "10:30", class_code="EMB1b")]
    with lines_of(SETUP, {"a": rows}, names) as connection:
        row = only(line_signals(connection, DAYS, YEAR, "2025-10"))
    assert (row["kind"], row["class_code"], row["line_count"], row["minutes"]) == ("two_classes_at_once", "EMB1", 2, 60)


def test_a_line_in_three_files_counts_two_times_too_often() -> None:
    twin = line(TUESDAY, 75)
    row = only(signals(twin, b=[line(TUESDAY, 30), twin], c=[twin]))
    assert (row["kind"], row["severity"], row["line_count"], row["minutes"]) == ("duplicate_line", "serious", 3, 150)
    assert row["row_refs"] == "a:2, b:3, c:2"


def test_a_line_twice_within_a_file() -> None:
    row = only(signals(line(TUESDAY), line(TUESDAY)))
    assert (row["kind"], row["line_count"], row["minutes"], row["row_refs"]) == ("duplicate_line", 2, 60, "a:2, a:3")


@pytest.mark.parametrize(
    "other",
    [
        {"provider": AMARANT},
        {"class_code": "EMB2"},
        {"employee": "e2"},
        {"work_date": date(2025, 10, 8)},
        {"stated_minutes": 61},
        {"activity": "indirect"},
        {"function": "care"},
    ],
    ids=str,
)
def test_a_line_that_differs_is_no_duplicate(other: dict[str, Any]) -> None:
    assert "duplicate_line" not in {row["kind"] for row in signals(line(TUESDAY), line(TUESDAY) | other)}


def test_the_same_length_at_another_moment_is_no_duplicate() -> None:
    assert signals(at("9:00", "10:00"), at("13:00", "14:00")) == []
    assert only(signals(at("9:00", "10:00"), at("9:00", "10:00")))["kind"] == "duplicate_line"
    row = only(signals(at("9:00", "10:00"), at("9:00", "10:00", pause_minutes=15)))
    assert (row["kind"], row["minutes"]) == ("duplicate_line", 45), "one moment, whatever the pause"


def test_handed_in_or_approved_on_another_day_is_still_the_same_line() -> None:
    again = line(TUESDAY, approved_on=None, handed_in_on=date(2025, 11, 3))
    assert only(signals(line(TUESDAY), again))["kind"] == "duplicate_line"


def test_unknown_class_and_a_provider_without_an_order() -> None:
    """A class of this school that nobody has an order for, and a class that is the order of another provider."""
    unknown, stranger = line(TUESDAY, 60, class_code="EMB-00"), line(TUESDAY, 90, provider=AMARANT, employee="e2")
    found = {row["kind"]: row for row in signals(unknown, stranger)}
    assert set(found) == {"unknown_class", "provider_without_order"}
    assert (found["unknown_class"]["class_code"], found["unknown_class"]["minutes"]) == ("EMB-00", 60)
    assert (found["provider_without_order"]["provider"], found["provider_without_order"]["minutes"]) == (AMARANT, 90)
    assert {row["severity"] for row in found.values()} == {"serious"}


def test_one_row_per_class_week_names_at_most_five_lines() -> None:
    saturday = date(2025, 10, 4)
    row = only(signals(*(line(saturday, 60 + n, employee=f"e{n}") for n in range(7))))
    assert row["row_refs"] == "a:2, a:3, a:4, a:5, a:6 en 2 andere"
    assert (row["line_count"], row["minutes"]) == (7, 7 * 60 + 21)


def test_only_the_lines_of_the_month() -> None:
    saturdays = line(date(2025, 9, 6)), line(date(2025, 10, 4))
    assert [row["month"] for row in signals(*saturdays, month="2025-09")] == ["2025-09"]


def test_a_corrected_file_keeps_the_number_of_the_signal() -> None:
    before = only(signals(line(date(2025, 10, 4))))
    with lines_of(SETUP, {"b": [line(TUESDAY), line(date(2025, 10, 4), 75, employee="e9")]}) as connection:
        after = only(line_signals(connection, DAYS, YEAR, "2025-10"))
    assert before["signal_id"] == after["signal_id"]
    assert before["row_refs"] != after["row_refs"]


def everything() -> list[Row]:
    """Lines with every kind of signal about lines."""
    return [
        line(date(2025, 10, 4)),
        line(TUESDAY, 721, employee="e2"),
        at("9:00", "10:00", employee="e3"),
        at("9:30", "10:30", employee="e3", class_code="EMB2"),
        line(TUESDAY, 30, employee="e4"),
        line(TUESDAY, 30, employee="e4"),
        line(TUESDAY, class_code="EMB-00", employee="e5"),
        line(TUESDAY, provider=AMARANT, employee="e6"),
    ]


def test_rows_are_those_of_the_contract_and_name_no_employee() -> None:
    secret = "c0ffee" * 10  # a pseudonym, as the vault would hold it
    found = signals(*(row | {"employee": secret + row["employee"]} for row in everything()))
    columns = {column.name for column in products()["hour_signals"].columns}
    assert all(set(row) == columns for row in found)
    assert len({row["signal_id"] for row in found}) == len(found)
    assert {row["kind"] for row in found} == {
        kind for kind in SEVERITY if "delivery" not in kind and "sudden" not in kind
    }
    assert secret not in json.dumps(found)
    kinds = {value for value, _ in products()["hour_signals"].column("kind").allowed}
    assert kinds == set(SEVERITY)


@settings(max_examples=10)
@given(st.permutations(everything()))
def test_the_order_of_lines_changes_references_only(rows: list[Row]) -> None:
    plain = [row | {"row_refs": ""} for row in signals(*everything())]
    assert [row | {"row_refs": ""} for row in signals(*rows)] == plain


# --- totals ---------------------------------------------------------------------------------------------------------------


def control(rows: list[Row], *months: str) -> list[Row]:
    """Rows of `delivery_control` of some months."""
    made = []
    for month in months:
        with lines_of(SETUP, {"a": [row for row in rows if f"{row['work_date']:%Y-%m}" == month]}) as connection:
            made += delivery_control(connection, SETUP, DAYS, month)
    return made


def weekly(minutes: Callable[[date], int], first: date, last: date) -> list[Row]:
    """A line of EMB1 on every open day, of so many minutes."""
    days = [day for day in DAYS[LEIJPARK].days if first <= day <= last]
    return [line(day, minutes(day), employee=f"e{day:%j}") for day in days if minutes(day)]


AUTUMN = ("2025-08", "2025-09", "2025-10")


def changes(rows: list[Row], month: str, *months: str) -> list[tuple[str, int]]:
    found = sudden_changes(control(rows, *months), DAYS, YEAR, month)
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


def strays(rows: list[Row], month: str = "2025-09", as_of: date = LONG_AFTER, permille: int = 100) -> list[Row]:
    months = [m for m in ("2025-08", "2025-09", "2025-10") if m <= month]
    return strays_from_plan(control(rows, *months), YEAR, month, as_of, permille)


def planned(month: str, class_code: str = "EMB1") -> int:
    rows = control([], month)
    return sum(row["planned_minutes"] for row in rows if row["class_code"] == class_code)


def month_of_work(minutes: int, day: date = date(2025, 9, 2), **values: Any) -> list[Row]:
    return [line(day, minutes, **values)]


@pytest.mark.parametrize(
    ("off", "kind"), [(-100, None), (-101, "under_delivery"), (100, None), (101, "over_delivery")], ids=str
)
def test_a_class_in_a_month_may_stray_as_far_as_the_setting(off: int, kind: str | None) -> None:
    """In permille of the plan, rounded away from it."""
    plan = planned("2025-09")
    minutes = plan + (off * plan // 1000 if off < -100 or off == 100 else -(-off * plan // 1000))
    found = [row for row in strays(month_of_work(minutes)) if row["class_code"] == "EMB1"]
    assert [row["kind"] for row in found] == ([kind] if kind else [])
    if found:
        assert (found[0]["minutes"], found[0]["week"], found[0]["row_refs"]) == (abs(minutes - plan), None, None)
        assert (found[0]["order_id"], found[0]["doelgroep"], found[0]["provider"]) == ("LP", "EMB", SIZA)


def test_what_waits_for_approval_is_not_delivered_and_is_named() -> None:
    plan = planned("2025-09")
    rows = month_of_work(plan - 90, approved_on=None) + month_of_work(90, employee="e2")
    row = only([r for r in strays(rows) if r["class_code"] == "EMB1"])
    assert row["kind"] == "under_delivery"
    assert f"Er wacht nog {(plan - 90) // 60}:{(plan - 90) % 60:02d} uur op akkoord van de school" in row["explanation"]


def test_a_class_of_which_nothing_was_handed_in_is_missing_not_too_little() -> None:
    found = strays(month_of_work(planned("2025-09")))
    assert {row["class_code"] for row in found} == {None}, "EMB2 has no row; its doelgroep has"


def test_a_doelgroep_is_held_against_the_year_to_date() -> None:
    """EMB1 and EMB2 together, August and September: EMB2 makes up in September for what EMB1 did not deliver in August."""
    plan = {(month, c): planned(month, c) for month in ("2025-08", "2025-09") for c in ("EMB1", "EMB2")}
    made_up = month_of_work(sum(plan.values()), class_code="EMB2")
    found = strays(made_up)
    assert [row["class_code"] for row in found] == ["EMB2"], (
        "the class strays in its month, the doelgroep of the year does not"
    )
    row = only([r for r in strays(month_of_work(plan["2025-09", "EMB2"], class_code="EMB2")) if not r["class_code"]])
    assert (row["kind"], row["doelgroep"], row["order_id"]) == ("under_delivery", "EMB", "LP")
    assert row["minutes"] == sum(plan.values()) - plan["2025-09", "EMB2"]
    assert "van het schooljaar tot en met de maand 2025-09" in row["explanation"]


def test_a_month_that_is_not_over_is_not_judged() -> None:
    assert strays(month_of_work(1), as_of=date(2025, 9, 29)) == []
    assert strays(month_of_work(1), as_of=date(2025, 9, 30))


def test_hours_for_a_class_without_hours_are_more_than_was_planned() -> None:
    row = only([r for r in strays(month_of_work(60, class_code="REST")) if r["class_code"]])
    assert (row["kind"], row["class_code"], row["minutes"]) == ("over_delivery", "REST", 60)
    assert "er was niets gepland" in row["explanation"]


def test_totals_have_the_columns_of_the_contract() -> None:
    columns = {column.name for column in products()["hour_signals"].columns}
    assert all(set(row) == columns for row in strays(month_of_work(1)))
