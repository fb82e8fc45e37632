"""Fixed faces (vaste gezichten) and quiet, by hand: who is there, who is new, who left, and how much the same three carry."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.worked import Rows, opened, sheet, worked
from tests.year_builder import AMARANT, LEIJPARK, Year
from zio_pipeline.contracts import products
from zio_pipeline.hours.faces import Presence, fixed_faces, presence
from zio_pipeline.setup import ClassName, SchoolYearSetup


@cache
def two_classes() -> SchoolYearSetup:
    year = Year()
    year.school_class("EMB2")
    return year.setup()


def read(rows: Rows, names: Iterable[ClassName] = ()) -> Presence:
    with opened(two_classes(), sheet(rows), names=names) as lines:
        return presence(lines)


def faces(*rows: dict[str, Any], names: Iterable[ClassName] = ()) -> Rows:
    """The rows of the year."""
    return fixed_faces("2025-2026", [read(list(rows), names)])


def of(rows: Rows, month: str, class_code: str = "EMB1") -> dict[str, Any]:
    (found,) = [row for row in rows if (row["month"], row["class_code"]) == (month, class_code)]
    return found


AUTUMN = (
    # September: an 300, bo 120, cas 60, dee 20 minutes on two days.
    worked("an", "2025-09-01", 200),
    worked("an", "2025-09-02", 100),
    worked("bo", "2025-09-01", 120),
    worked("cas", "2025-09-02", 60, approved_on=None),
    worked("dee", "2025-09-02", 20),
    # October: bo and eef.
    worked("bo", "2025-10-01", 90),
    worked("eef", "2025-10-01", 30),
    # December, after a month without hours: an comes back.
    worked("an", "2025-12-01", 60),
    worked("bo", "2025-12-02", 60),
)


def test_a_month_is_counted():
    row = of(faces(*AUTUMN), "2025-09")
    assert (row["employees"], row["days"], row["most_per_day"]) == (4, 2, 3), "two on Monday, three on Tuesday"
    assert row["average_per_day_hundredths"] == 2_50
    assert row["direct_minutes"] == 500, "provisional too: who was there was there"
    assert row["top_three_permille"] == 960, "480 of 500 minutes"
    assert (row["newcomers"], row["leavers"]) == (4, 0), "the first month everybody is new"


def test_the_year_so_far():
    rows = faces(*AUTUMN)
    assert [row["month"] for row in rows] == ["2025-09", "2025-10", "2025-12"], (
        "no row for a month in which nobody worked"
    )
    october, december = of(rows, "2025-10"), of(rows, "2025-12")
    assert (october["newcomers"], october["leavers"]) == (1, 3), "eef is new; an, cas and dee left"
    assert (december["newcomers"], december["leavers"]) == (0, 1), "an was here before; eef left since October"
    assert (october["top_three_permille"], october["employees_so_far"]) == (1000, 5)
    assert october["top_three_so_far_permille"] == 919, "an 300, bo 210 and cas 60 are 570 of 620 minutes: 919,35"
    assert december["top_three_so_far_permille"] == 932, "an 360, bo 270 and cas 60 are 690 of 740 minutes: 932,43"


def test_one_employee_is_the_whole_class():
    row = of(faces(worked("an", "2025-09-01", 45)), "2025-09")
    shown = {name: row[name] for name in ("employees", "most_per_day", "average_per_day_hundredths")}
    assert shown == {"employees": 1, "most_per_day": 1, "average_per_day_hundredths": 1_00}
    assert (row["top_three_permille"], row["top_three_so_far_permille"]) == (1000, 1000)


def test_months_may_be_read_one_by_one_in_any_order():
    by_month: dict[str, Rows] = defaultdict(list)
    for row in AUTUMN:
        by_month[f"{row['work_date']:%Y-%m}"].append(row)
    assert fixed_faces("2025-2026", [read(rows) for rows in reversed(by_month.values())]) == faces(*AUTUMN)


def test_the_order_of_rows_says_nothing():
    assert faces(*reversed(AUTUMN)) == faces(*AUTUMN)


def test_classes_do_not_mix():
    rows = faces(worked("an", "2025-09-01", 60), worked("an", "2025-10-01", 60, "EMB2"))
    assert of(rows, "2025-10", "EMB2")["newcomers"] == 1, "known in EMB1, new here"
    assert of(rows, "2025-10", "EMB2")["leavers"] == 0
    assert len(rows) == 2


def called(*codes: str) -> list[ClassName]:
    """What EMB1 is called from 5 January on."""
    return [ClassName(LEIJPARK, code, "EMB1", date(2026, 1, 5), None) for code in codes]


SPLIT = (
    # Until Christmas an 60, bo 40 and cas 20 minutes in EMB1; then an with dee in the one part, bo with eef in the other.
    worked("an", "2025-12-01", 60),
    worked("bo", "2025-12-01", 40),
    worked("cas", "2025-12-02", 20),
    worked("an", "2026-01-05", 60, "EMB1a"),
    worked("dee", "2026-01-05", 30, "EMB1a"),
    worked("bo", "2026-01-05", 60, "EMB1b"),
    worked("eef", "2026-01-06", 60, "EMB1b"),
)


def test_a_class_that_was_split_is_counted_per_part_and_keeps_its_history():
    rows = faces(*SPLIT, names=called("EMB1a", "EMB1b"))
    assert [(row["month"], row["class_code"], row["doelgroep"], row["order_id"]) for row in rows] == [
        ("2025-12", "EMB1", "EMB", "LP"),
        ("2026-01", "EMB1a", "EMB", "LP"),
        ("2026-01", "EMB1b", "EMB", "LP"),
    ]
    names = ("employees", "most_per_day", "newcomers", "leavers", "employees_so_far", "top_three_so_far_permille")
    before, a, b = (tuple(row[name] for name in names) for row in rows)
    assert before == (3, 2, 3, 0, 3, 1000)
    assert a == (2, 2, 1, 2, 4, 905), "dee is new; bo and cas are gone; an 120, bo 40 and dee 30 are 190 of 210: 904,8"
    assert b == (2, 1, 1, 2, 4, 917), "eef is new; an and cas are gone; bo 100, an 60, eef 60 are 220 of 240: 916,7"


def test_a_class_that_was_renamed_stays_one_class():
    rows = faces(*(row for row in SPLIT if row["class_code"] != "EMB1b"), names=called("EMB1a"))
    assert [(row["class_code"], row["employees"], row["newcomers"], row["leavers"]) for row in rows] == [
        ("EMB1", 3, 3, 0),
        ("EMB1", 2, 1, 2),
    ]


def test_lines_on_the_name_of_the_undivided_class_stand_apart():
    """Nobody knows in which part fay worked."""
    rows = faces(*SPLIT, worked("fay", "2026-01-07", 10), names=called("EMB1a", "EMB1b"))
    apart = of(rows, "2026-01")
    assert (apart["employees"], apart["newcomers"], apart["leavers"]) == (1, 1, 3)
    assert of(rows, "2026-01", "EMB1a")["employees_so_far"] == 4


def test_only_direct_minutes_of_a_class_of_the_year_say_who_was_there():
    rows = faces(
        worked("an", "2025-09-01", 60),
        worked("bo", "2025-09-01", 60, activity="indirect"),
        worked("cas", "2025-09-01", 60, activity="travel"),
        worked("dee", "2025-09-01", 60, "onbekend"),
        worked("eef", "2025-09-01", 60, provider=AMARANT),
    )
    assert [row["employees"] for row in rows] == [1]


def test_no_pseudonym_comes_out_and_counts_of_people_are_restricted():
    rows = faces(*AUTUMN)
    text = json.dumps(rows)
    assert not any(f'"{name}"' in text for name in ("an", "bo", "cas", "dee", "eef"))
    columns = products()["fixed_faces"].columns
    assert set(rows[0]) == {column.name for column in columns}
    people = {"employees", "employees_so_far", "newcomers", "leavers", "most_per_day", "top_three_permille"}
    assert {c.classification for c in columns if c.name in people} == {"restricted"}


def test_without_timesheets_there_is_nothing():
    assert faces() == fixed_faces("2025-2026", []) == []


people = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(1, 28), st.integers(9, 11), st.integers(1, 300)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=20)
@given(people)
def test_shares_and_counts_hold_for_any_work(drawn: list[tuple[str, int, int, int]]):
    lines = [worked(who, f"2025-{month:02d}-{day:02d}", minutes) for who, day, month, minutes in drawn]
    rows = faces(*lines)
    assert sum(row["direct_minutes"] for row in rows) == sum(minutes for *_, minutes in drawn)
    assert sum(row["newcomers"] for row in rows) == len({who for who, *_ in drawn}) == rows[-1]["employees_so_far"]
    present = 0
    for row in rows:
        minutes = defaultdict(int)
        for who, _, month, number in drawn:
            if f"2025-{month:02d}" == row["month"]:
                minutes[who] += number
        top = sum(sorted(minutes.values(), reverse=True)[:3])
        assert abs(row["top_three_permille"] * sum(minutes.values()) - 1000 * top) * 2 <= sum(minutes.values())
        assert row["employees"] == len(minutes)
        assert row["most_per_day"] * 100 >= row["average_per_day_hundredths"] >= 100
        assert row["employees"] >= present - row["leavers"], "who did not leave is still there"
        present = row["employees"]


@pytest.mark.parametrize(
    ("minutes", "permille"), [((100, 100, 100, 1), 997), ((1, 1, 1, 1, 1, 1), 500), ((2, 2, 2, 1), 857)]
)
def test_a_share_is_rounded_half_up(minutes: tuple[int, ...], permille: int):
    rows = faces(*(worked(f"m{n}", "2025-09-01", number) for n, number in enumerate(minutes)))
    assert rows[0]["top_three_permille"] == permille
