"""Missing weeks and who owes them, by hand (SPEC section 7): the provider, the school's approval, its forwarding."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.small_school import Row, calendars, line, lines_of, setup_of, small_school
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.contracts import products
from zio_pipeline.hours.missing import (
    APPROVE,
    FORWARD,
    HAND_IN,
    due_on,
    handed_in,
    is_overdue,
    missing_statements,
    overdue_deliveries,
    owed_in_words,
)

SETUP = setup_of(small_school())
DAYS = calendars(SETUP)
SEPTEMBER_DUE = date(2025, 10, 10)


def missing(*rows: Row, as_of: date = SEPTEMBER_DUE + timedelta(days=1), grace: int = 10) -> list[Row]:
    with lines_of(SETUP, {"a": list(rows)}) as connection:
        return missing_statements(handed_in(connection, as_of), SETUP, DAYS, as_of, grace)


def of_class(rows: list[Row], class_code: str = "EMB1") -> dict[tuple[str, str], str]:
    return {(row["month"], row["week"]): row["step"] for row in rows if row["class_code"] == class_code}


def every_week(*without: str, **values: Any) -> list[Row]:
    """A line of EMB1 on every open day up to the end of September, but for some weeks."""
    days = [day for day in DAYS[LEIJPARK].days if day < date(2025, 10, 1)]
    return [line(day, **values) for day in days if f"{day:%G-W%V}" not in without]


def test_nothing_is_owed_until_the_last_day_is_over() -> None:
    """Ten days after the end of the month; on the tenth it is still in time."""
    assert due_on("2025-09", 10) == SEPTEMBER_DUE
    assert due_on("2025-12", 10) == date(2026, 1, 10)
    assert due_on("2026-02", 0) == date(2026, 2, 28)
    assert not is_overdue("2025-09", SEPTEMBER_DUE, 10)
    assert is_overdue("2025-09", SEPTEMBER_DUE + timedelta(days=1), 10)
    assert {row["month"] for row in missing(as_of=SEPTEMBER_DUE)} == {"2025-08"}
    assert {row["month"] for row in missing()} == {"2025-08", "2025-09"}
    assert {row["month"] for row in missing(as_of=SEPTEMBER_DUE, grace=9)} == {"2025-08", "2025-09"}


def test_a_week_that_was_not_handed_in_is_owed_by_the_provider() -> None:
    found = missing(*every_week("2025-W37"))
    assert of_class(found) == {("2025-09", "2025-W37"): HAND_IN}
    row = next(row for row in found if row["class_code"] == "EMB1")
    assert (row["owed_by"], row["party"], row["due_on"], row["open_days"]) == ("provider", SIZA, SEPTEMBER_DUE, 5)
    assert (row["line_count"], row["minutes"]) == (0, 0)
    assert f"Aanbieder {SIZA}: lever de urenstaat van 2025-09 met deze week aan" in row["explanation"]


def test_every_class_with_hours_owes_every_open_week_and_no_other_class_or_week_does() -> None:
    """Five classes and holidays: REST has no hours; in the carnival week nobody owes anything."""
    found = missing(as_of=date(2026, 7, 31))
    assert {row["class_code"] for row in found} == {"EMB1", "EMB2", "ZML1"}
    weeks = {row["week"] for row in found}
    assert {"2026-W07", "2026-W09"} <= weeks
    assert "2026-W08" not in weeks, "carnival"
    assert {"2025-W43", "2025-W52", "2026-W01"} & weeks == set()
    assert len(found) == 3 * len(DAYS[LEIJPARK].parts)


def test_a_week_over_two_months_is_judged_whole() -> None:
    """W40 has two days in September and three in October: that nobody came on those two says nothing until October is in."""
    rows = every_week("2025-W40")
    assert of_class(missing(*rows)) == {}
    after = date(2025, 11, 11)
    thursday = line(date(2025, 10, 2))
    october = {(month, week): step for (month, week), step in of_class(missing(*rows, thursday, as_of=after)).items()}
    assert {week for _, week in october} == {"2025-W41", "2025-W42", "2025-W44"}
    tuesday = line(date(2025, 10, 7))
    neither = of_class(missing(*rows, tuesday, as_of=after))
    assert neither["2025-10", "2025-W40"] == neither["2025-09", "2025-W40"] == HAND_IN


def test_a_part_of_a_week_is_missing_with_its_month() -> None:
    """Nothing of October was handed in: what September has of W40 does not stand for it."""
    owed = of_class(missing(*every_week(), as_of=date(2025, 11, 11)))
    assert owed[("2025-10", "2025-W40")] == HAND_IN
    assert ("2025-09", "2025-W40") not in owed


def test_a_part_that_was_handed_in_is_approved_by_itself() -> None:
    rows = [row | {"approved_on": None} if f"{row['work_date']:%V}" == "40" else row for row in every_week()]
    assert of_class(missing(*rows)) == {("2025-09", "2025-W40"): APPROVE}


def test_handed_in_and_not_wholly_approved_is_owed_by_the_school() -> None:
    """One of the five lines of the week waits: 60 minutes."""
    rows = every_week()
    rows[rows.index(next(r for r in rows if r["work_date"] == date(2025, 9, 9)))]["approved_on"] = None
    found = missing(*rows)
    assert of_class(found) == {("2025-09", "2025-W37"): APPROVE}
    row = next(row for row in found if row["class_code"] == "EMB1")
    assert (row["owed_by"], row["party"], row["line_count"], row["minutes"]) == ("school", LEIJPARK, 1, 60)
    assert f"School {LEIJPARK}: keur de urenstaat goed" in row["explanation"]


def test_approved_and_not_forwarded_is_owed_by_the_school_too() -> None:
    rows = [row | {"forwarded_on": None} if f"{row['work_date']:%V}" == "37" else row for row in every_week()]
    found = missing(*rows)
    assert of_class(found) == {("2025-09", "2025-W37"): FORWARD}
    row = next(row for row in found if row["class_code"] == "EMB1")
    assert (row["party"], row["line_count"], row["minutes"]) == (LEIJPARK, 5, 300)
    assert f"School {LEIJPARK}: stuur de goedgekeurde urenstaat van 2025-09 door" in row["explanation"]


def test_the_first_step_that_was_not_taken_is_named() -> None:
    assert set(of_class(missing(*every_week(approved_on=None, forwarded_on=None))).values()) == {APPROVE}


def test_all_is_well() -> None:
    assert of_class(missing(*every_week())) == {}


def test_travel_needs_no_approval_and_is_handed_in() -> None:
    rows = every_week("2025-W37")
    rows.append(line(date(2025, 9, 9), activity="travel", approved_on=None, forwarded_on=None))
    assert of_class(missing(*rows)) == {}


def test_lines_of_a_provider_without_the_order_hand_in_nothing() -> None:
    assert set(of_class(missing(*every_week(provider=AMARANT))).values()) == {HAND_IN}


@pytest.mark.parametrize(
    ("column", "step"), [("handed_in_on", HAND_IN), ("approved_on", APPROVE), ("forwarded_on", FORWARD)]
)
def test_what_is_dated_later_has_not_happened_yet(column: str, step: str) -> None:
    rows = every_week(**{column: date(2025, 10, 12)})
    assert set(of_class(missing(*rows)).values()) == {step}
    assert of_class(missing(*rows, as_of=date(2025, 10, 12))) == {}


def test_a_whole_month_without_a_file_is_overdue() -> None:
    delivered = {(SIZA, LEIJPARK, "2025-08"), (SIZA, DE_BODDE, "2025-08"), (SIZA, LEIJPARK, "2025-09")}
    day = SEPTEMBER_DUE + timedelta(days=1)
    assert overdue_deliveries(delivered, SETUP, DAYS, day, 10) == [(SIZA, DE_BODDE, "2025-09")]
    assert overdue_deliveries(delivered, SETUP, DAYS, SEPTEMBER_DUE, 10) == []
    months = {month for _, _, month in overdue_deliveries(set(), SETUP, DAYS, date(2026, 9, 30), 10)}
    assert months == {*DAYS[LEIJPARK].per_month}
    assert {"2026-06", "2026-07"} & months == set(), "closed all month"


def test_who_owes_what_in_words() -> None:
    rows = missing(*every_week("2025-W37", "2025-W38"))
    assert owed_in_words([r for r in rows if r["class_code"] == "EMB1"], HAND_IN) == [
        f"Aanbieder {SIZA} (vestiging {LEIJPARK}): 2025-W37 (EMB1), 2025-W38 (EMB1)."
    ]
    assert owed_in_words(rows, APPROVE) == []
    (sentence,) = owed_in_words([r for r in rows if r["school"] == LEIJPARK], HAND_IN, most=1)
    assert sentence.endswith("2025-W34 (EMB2) en 6 andere weken.")


def test_rows_are_those_of_the_contract() -> None:
    dataset = products()["missing_statements"]
    rows = missing(as_of=date(2026, 7, 31))
    assert all(set(row) == {column.name for column in dataset.columns} for row in rows)
    keys = [tuple(row[name] for name in dataset.key) for row in rows]
    assert len(set(keys)) == len(keys)


@settings(max_examples=15)
@given(st.sets(st.sampled_from(sorted({f"{d:%G-W%V}" for d in DAYS[LEIJPARK].days if d < date(2025, 10, 1)}))))
def test_exactly_the_weeks_that_were_left_out_are_owed(weeks: set[str]) -> None:
    owed = of_class(missing(*every_week(*weeks), as_of=date(2025, 11, 11)))
    assert {week for month, week in owed if month < "2025-10"} == weeks
