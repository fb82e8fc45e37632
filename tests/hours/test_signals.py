"""Signals by hand (SPEC section 7; DOMAIN 8.44, 45, 47): each kind, what just is and just is not one, and nobody named."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.small_school import YEAR, Row, calendars, line, lines_of, setup_of, small_school
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK
from zio_pipeline.contracts import products
from zio_pipeline.hours.signals import SEVERITY, line_signals
from zio_pipeline.open_days import OpenDays
from zio_pipeline.setup import ClassName

SETUP = setup_of(small_school())
DAYS = calendars(SETUP)
TUESDAY = date(2025, 10, 7)


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


def test_training_in_a_holiday_is_ordinary() -> None:
    """So are travel and indirect work: only care asks for a class that is there."""
    holiday = date(2025, 10, 21)
    assert signals(*(line(holiday, activity=other) for other in ("training", "travel", "indirect"))) == []


def test_every_school_has_its_own_open_days() -> None:
    """De Bodde gives lessons on the study day of Leijpark."""
    days = DAYS | {DE_BODDE: OpenDays(DE_BODDE, tuple(sorted({*DAYS[DE_BODDE].days, date(2025, 10, 17)})))}
    with lines_of(SETUP, {"a": [line(date(2025, 10, 17), school=DE_BODDE, class_code="ZML1")]}) as connection:
        assert line_signals(connection, days, YEAR, "2025-10") == []


def test_twelve_hours_are_allowed_and_a_minute_more_is_not() -> None:
    """Over all schools of a provider: 6 hours at Leijpark and 6 hours at De Bodde is exactly 12."""
    here, there = line(TUESDAY, 360), line(TUESDAY, 360, school=DE_BODDE, class_code="ZML1")
    assert signals(here, there) == []
    found = signals(here, there | {"stated_minutes": 361})
    assert [(row["kind"], row["severity"], row["school"], row["minutes"]) for row in found] == [
        ("over_twelve_hours", "serious", DE_BODDE, 361),
        ("over_twelve_hours", "serious", LEIJPARK, 360),
    ]
    assert signals(here, there | {"stated_minutes": 361, "employee": "e2"}) == [], "two people of six hours"
    assert signals(here, there | {"stated_minutes": 361, "work_date": TUESDAY + timedelta(days=1)}) == []


def test_what_somebody_does_elsewhere_stands_in_no_sentence() -> None:
    """12:01 hours on one day, of which 6:00 in this class."""
    rows = signals(line(TUESDAY, 360), line(TUESDAY, 361, class_code="EMB2"))
    assert {row["kind"] for row in rows} == {"over_twelve_hours"}
    assert all("1 regel(s) van een medewerker die op één dag meer dan 12 uur schreef" in r["explanation"] for r in rows)
    assert not [row for row in rows if "12:01" in row["explanation"]]


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


def overlaps(*rows: Row) -> dict[str, tuple[int, int]]:
    """Of each class the lines that overlap with another class, and the minutes of overlap."""
    found = [row for row in signals(*rows) if row["kind"] == "two_classes_at_once"]
    return {row["class_code"]: (row["line_count"], row["minutes"]) for row in found}


def test_minutes_of_overlap_count_once_per_person_and_day() -> None:
    morning = at("9:00", "12:00")
    two = (at("9:00", "10:00", class_code="EMB2"), at("10:00", "11:00", class_code="EMB2"))
    assert overlaps(morning, *two) == {"EMB1": (1, 120), "EMB2": (2, 120)}
    assert overlaps(morning, morning, *two) == {"EMB1": (2, 120), "EMB2": (2, 120)}, "a double line doubles no overlap"
    three = (at("9:00", "10:00"), at("9:15", "10:15", class_code="EMB2"), at("9:30", "10:30", class_code="REST"))
    assert overlaps(*three) == {"EMB1": (1, 45), "EMB2": (1, 60), "REST": (1, 45)}
    other_day = [row | {"work_date": date(2025, 10, 8)} for row in two]
    assert overlaps(morning, morning | {"work_date": date(2025, 10, 8)}, *two[:1], *other_day) == {
        "EMB1": (2, 180),
        "EMB2": (3, 180),
    }


def test_what_fits_in_a_pause_is_no_overlap() -> None:
    """9:00 to 17:00 with an hour of pause, and in that hour another class: nobody was in two places."""
    whole_day, noon = at("9:00", "17:00", pause_minutes=60), at("12:00", "13:00", class_code="EMB2")
    assert overlaps(whole_day, noon) == {}
    assert overlaps(whole_day | {"pause_minutes": 59}, noon) == {"EMB1": (1, 60), "EMB2": (1, 60)}
    assert overlaps(whole_day, noon, at("15:00", "15:01", class_code="REST")) == {
        "EMB1": (1, 61),
        "EMB2": (1, 60),
        "REST": (1, 1),
    }, "together they do not fit"
    assert overlaps(whole_day, noon, at("12:30", "13:00", class_code="REST")) == {"EMB2": (1, 30), "REST": (1, 30)}


def test_without_begin_and_end_nothing_can_be_said_of_the_moment() -> None:
    assert signals(line(TUESDAY, 90), line(TUESDAY, 90, class_code="EMB2")) == []


def called(*codes: str, since: date = date(2025, 9, 1)) -> list[ClassName]:
    """What EMB1 is called from a day on: one new name when it was renamed, two when it was split."""
    return [ClassName(LEIJPARK, code, "EMB1", since, None) for code in codes]


def named_signals(names: list[ClassName], *rows: Row) -> list[tuple[str, str, int, int]]:
    with lines_of(SETUP, {"a": rows}, names) as connection:
        found = line_signals(connection, DAYS, YEAR, "2025-10")
    return [(row["kind"], row["class_code"], row["line_count"], row["minutes"]) for row in found]


def test_parts_of_a_class_that_was_split_are_two_classes_at_once() -> None:
    rows = at("9:00", "10:00", class_code="EMB1a"), at("9:30", "10:30", class_code="EMB1b")
    assert named_signals(called("EMB1a", "EMB1b"), *rows) == [("two_classes_at_once", "EMB1", 2, 30)]


def test_an_old_and_a_new_name_are_one_class() -> None:
    """The same hour under both names is delivered twice, and nobody was in two classes."""
    rows = at("9:00", "10:00"), at("9:00", "10:00", class_code="EMB1a")
    assert named_signals(called("EMB1a"), *rows) == [("duplicate_line", "EMB1", 2, 60)]
    untimed = line(TUESDAY, 60), line(TUESDAY, 60, class_code="EMB1a")
    assert named_signals(called("EMB1a"), *untimed) == [("duplicate_line", "EMB1", 2, 60)]


def test_an_hour_in_each_part_of_a_split_class_is_no_duplicate() -> None:
    parts = called("EMB1a", "EMB1b")
    first, second, undivided = (line(TUESDAY, 60, class_code=code) for code in ("EMB1a", "EMB1b", "EMB1"))
    assert named_signals(parts, first, second) == []
    assert named_signals(parts, first, second, undivided) == [("duplicate_line", "EMB1", 3, 60)], "one is too many"
    later = called("EMB1b", since=date(2025, 11, 1))
    assert named_signals(called("EMB1a") + later, first, undivided) == [("duplicate_line", "EMB1", 2, 60)]


def test_a_line_three_times_counts_two_times_too_often() -> None:
    """On any rows and sheets of the file: of a day only one file of a provider and school counts."""
    twin = line(TUESDAY, 75)
    row = only(signals(twin, line(TUESDAY, 30), twin, twin))
    assert (row["kind"], row["severity"], row["line_count"], row["minutes"]) == ("duplicate_line", "serious", 3, 150)
    assert row["row_refs"] == "a:2, a:4, a:5"


def test_a_line_twice_within_a_file() -> None:
    row = only(signals(line(TUESDAY), line(TUESDAY)))
    assert (row["kind"], row["line_count"], row["minutes"], row["row_refs"]) == ("duplicate_line", 2, 60, "a:2, a:3")


def test_a_line_with_times_and_one_with_only_their_length_are_equal() -> None:
    timed, hour = at("9:00", "10:00"), line(TUESDAY, 60)
    row = only(signals(timed, hour))
    assert (row["kind"], row["line_count"], row["minutes"]) == ("duplicate_line", 2, 60)
    afternoon = at("13:00", "14:00")
    row = only(signals(hour, timed, afternoon))
    assert (row["line_count"], row["minutes"]) == (3, 60), "equal to one of two hours that were really worked"
    assert signals(timed, line(TUESDAY, 45)) == []
    row = only(signals(at("9:00", "10:00", pause_minutes=15), line(TUESDAY, 45)))
    assert (row["line_count"], row["minutes"]) == (2, 45), "of the same length after the pause"


@pytest.mark.parametrize(
    "other",
    [
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
    assert (found["unknown_class"]["class_code"], found["unknown_class"]["minutes"]) == ("onbekend", 60)
    assert (found["provider_without_order"]["provider"], found["provider_without_order"]["minutes"]) == (AMARANT, 90)
    assert {row["severity"] for row in found.values()} == {"serious"}


def test_a_line_after_the_order_ended_is_told_as_one_without_an_order() -> None:
    """LP ends on Monday: the Tuesday of the same week is excluded, and whoever wrote it hears what to look at."""
    year = small_school()
    year.sheets["orders"][0]["valid_to"] = TUESDAY - timedelta(days=1)
    with lines_of(setup_of(year), {"a": [line(TUESDAY - timedelta(days=1)), line(TUESDAY, 90)]}) as connection:
        row = only(line_signals(connection, DAYS, YEAR, "2025-10"))
    assert (row["kind"], row["class_code"], row["line_count"], row["minutes"]) == (
        "provider_without_order",
        "EMB1",
        1,
        90,
    )
    assert row["row_refs"] == "a:3"
    assert "van een aanbieder die op die dag geen opdracht voor deze klas heeft" in row["explanation"]


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
