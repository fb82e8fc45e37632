"""Missing weeks and who owes them, by hand (SPEC section 7): the provider, the school's approval, its forwarding."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.small_school import Row, calendars, line, lines_of, setup_of, small_school
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.contracts import products
from zio_pipeline.errors import SetupError
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
    school_due_on,
)
from zio_pipeline.hours.planning import plans
from zio_pipeline.setup import SchoolYearSetup

SETUP = setup_of(small_school())
DAYS = calendars(SETUP)
SEPTEMBER_DUE, SCHOOL_DUE = date(2025, 10, 10), date(2025, 10, 20)
"""The last day of the provider for September, and that of the school for what was handed in by then."""
SCHOOL_LATE = SCHOOL_DUE + timedelta(days=1)


def missing(
    *rows: Row,
    as_of: date = SEPTEMBER_DUE + timedelta(days=1),
    grace: int = 10,
    setup: SchoolYearSetup = SETUP,
    received_on: date | None = None,
) -> list[Row]:
    with lines_of(setup, {"a": list(rows)}, received_on=received_on) as connection:
        return missing_statements(handed_in(connection, as_of), setup, DAYS, as_of, grace)


def only(found: list[Row]) -> Row:
    (row,) = found
    return row


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
    assert of_class(missing(*rows, as_of=SCHOOL_LATE)) == {("2025-09", "2025-W40"): APPROVE}


def test_handed_in_and_not_wholly_approved_is_owed_by_the_school() -> None:
    """One of the five lines of the week waits: 60 minutes."""
    rows = every_week()
    rows[rows.index(next(r for r in rows if r["work_date"] == date(2025, 9, 9)))]["approved_on"] = None
    found = missing(*rows, as_of=SCHOOL_LATE)
    assert of_class(found) == {("2025-09", "2025-W37"): APPROVE}
    row = next(row for row in found if row["class_code"] == "EMB1")
    assert (row["owed_by"], row["party"], row["line_count"], row["minutes"]) == ("school", LEIJPARK, 1, 60)
    assert f"School {LEIJPARK}: keur de urenstaat goed" in row["explanation"]


def test_approved_and_not_forwarded_is_owed_by_the_school_too() -> None:
    rows = [row | {"forwarded_on": None} if f"{row['work_date']:%V}" == "37" else row for row in every_week()]
    found = missing(*rows, as_of=SCHOOL_LATE)
    assert of_class(found) == {("2025-09", "2025-W37"): FORWARD}
    row = next(row for row in found if row["class_code"] == "EMB1")
    assert (row["party"], row["line_count"], row["minutes"]) == (LEIJPARK, 5, 300)
    assert f"School {LEIJPARK}: stuur de goedgekeurde urenstaat van 2025-09 door" in row["explanation"]


def test_the_first_step_that_was_not_taken_is_named() -> None:
    rows = every_week(approved_on=None, forwarded_on=None)
    assert set(of_class(missing(*rows, as_of=SCHOOL_LATE)).values()) == {APPROVE}


def test_all_is_well() -> None:
    assert of_class(missing(*every_week(), as_of=SCHOOL_LATE)) == {}


def test_travel_needs_no_approval_and_hands_in_nothing() -> None:
    """A week with travel only is owed as if nothing was in; beside direct lines travel asks for nothing."""
    travel = line(date(2025, 9, 9), activity="travel", approved_on=None, forwarded_on=None)
    assert of_class(missing(*every_week("2025-W37"), travel, as_of=SCHOOL_LATE)) == {("2025-09", "2025-W37"): HAND_IN}
    assert of_class(missing(*every_week(), travel, as_of=SCHOOL_LATE)) == {}


@pytest.mark.parametrize(
    ("handed_in_on", "due"),
    [
        (date(2025, 9, 30), date(2025, 10, 20)),
        (date(2025, 10, 10), date(2025, 10, 20)),
        (date(2025, 10, 11), date(2025, 10, 21)),
        (date(2025, 10, 25), date(2025, 11, 4)),
        (None, date(2025, 10, 20)),
    ],
    ids=str,
)
@pytest.mark.parametrize(("column", "step"), [("approved_on", APPROVE), ("forwarded_on", FORWARD)])
def test_the_school_has_ten_days_of_its_own(handed_in_on: date | None, due: date, column: str, step: str) -> None:
    """After the lines were handed in, or after the provider's last day: who hands in on his last day makes no school late."""
    rows = every_week(**{"handed_in_on": handed_in_on, column: None})
    before, after = (of_class(missing(*rows, as_of=due + timedelta(days))) for days in (0, 1))
    assert {key: of for key, of in before.items() if key[0] == "2025-09" and of != HAND_IN} == {}
    assert {of for (month, _), of in after.items() if month == "2025-09"} == {step}
    found = missing(*rows, as_of=due + timedelta(1))
    assert {r["due_on"] for r in found if r["month"] == "2025-09" and r["class_code"] == "EMB1"} == {due}
    assert school_due_on("2025-09", handed_in_on or date(2025, 9, 1), 10) == due


@pytest.mark.parametrize(
    ("received_on", "handed_in_on", "due"),
    [
        (date(2025, 11, 24), None, date(2025, 12, 4)),
        (date(2025, 11, 24), date(2025, 10, 25), date(2025, 11, 4)),
        (date(2025, 10, 3), None, SCHOOL_DUE),
        (date(2025, 8, 1), None, SCHOOL_DUE),
    ],
    ids=["late, and silent on when", "the file says when", "in time", "dated before the work"],
)
def test_of_a_file_that_does_not_say_when_it_was_handed_in_the_day_it_came_in_counts(
    received_on: date, handed_in_on: date | None, due: date
) -> None:
    """Or the school would be late the day after a late file came."""
    row = line(date(2025, 9, 9), handed_in_on=handed_in_on, approved_on=None)
    in_time, late = (missing(row, as_of=due + timedelta(n), received_on=received_on) for n in (0, 1))
    place = "2025-09", "2025-W37"
    assert place not in of_class(in_time)
    assert of_class(late)[place] == APPROVE
    assert {r["due_on"] for r in late if r["step"] == APPROVE} == {due}


def test_the_line_that_waits_longest_makes_the_school_late() -> None:
    monday = date(2025, 9, 8)
    waits = [
        line(monday, 60, employee=e, approved_on=None, handed_in_on=date(2025, 10, d))
        for e, d in (("e2", 1), ("e3", 18))
    ]
    row = only([r for r in missing(*every_week(), *waits, as_of=SCHOOL_LATE) if r["class_code"] == "EMB1"])
    assert (row["step"], row["line_count"], row["minutes"], row["due_on"]) == (APPROVE, 2, 120, SCHOOL_DUE)


def test_a_step_that_is_still_in_time_hides_no_later_step_that_is_late() -> None:
    monday = date(2025, 9, 8)
    fresh = line(monday, 60, employee="e2", approved_on=None, handed_in_on=date(2025, 10, 18))
    waits = line(monday, 60, employee="e3", forwarded_on=None)
    owed = [of_class(missing(*every_week(), fresh, waits, as_of=as_of)) for as_of in (SCHOOL_LATE, date(2025, 10, 29))]
    assert [one["2025-09", "2025-W37"] for one in owed] == [FORWARD, APPROVE]


@pytest.mark.parametrize(
    ("day", "class_code"),
    [(date(2025, 10, 21), "EMB1"), (date(2025, 11, 1), "EMB1"), (date(2025, 9, 9), "REST")],
    ids=["in the autumn holiday", "on Saturday the first", "of a class without hours"],
)
@pytest.mark.parametrize(("column", "step"), [("approved_on", APPROVE), ("forwarded_on", FORWARD)])
def test_every_direct_line_asks_for_its_approval_and_forwarding(
    day: date, class_code: str, column: str, step: str
) -> None:
    """Provisional hours that nobody is asked to approve would stay so for ever; a timesheet is owed of none of these weeks."""
    place = (f"{day:%Y-%m}", f"{day:%G-W%V}")
    found = missing(line(day, 300, class_code=class_code, **{column: None}), as_of=date(2026, 1, 31))
    row = only([r for r in found if (r["month"], r["week"], r["class_code"]) == (*place, class_code)])
    assert (row["step"], row["line_count"], row["minutes"]) == (step, 1, 300)
    assert row["open_days"] == DAYS[LEIJPARK].in_part(*place)
    done = missing(line(day, 300, class_code=class_code), as_of=date(2026, 1, 31))
    assert place not in of_class(done, class_code)


def test_lines_of_a_provider_without_the_order_hand_in_nothing() -> None:
    assert set(of_class(missing(*every_week(provider=AMARANT), as_of=SCHOOL_LATE)).values()) == {HAND_IN}


@pytest.mark.parametrize(
    ("column", "step"), [("handed_in_on", HAND_IN), ("approved_on", APPROVE), ("forwarded_on", FORWARD)]
)
def test_what_is_dated_later_has_not_happened_yet(column: str, step: str) -> None:
    rows = every_week(**{column: SCHOOL_LATE + timedelta(days=1)})
    assert set(of_class(missing(*rows, as_of=SCHOOL_LATE)).values()) == {step}
    assert of_class(missing(*rows, as_of=SCHOOL_LATE + timedelta(days=1))) == {}


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


# --- an order that ends ---------------------------------------------------------------------------------------------------


def ended(*periods: tuple[date, date | None, str]) -> SchoolYearSetup:
    """The small school; the order of Leijpark in these rows: from, up to and including, provider."""
    year = small_school()
    first = year.sheets["orders"].pop(0)
    for start, end, provider in periods:
        year.sheets["orders"].append(first | {"valid_from": start, "valid_to": end, "provider": provider})
    return setup_of(year)


AUGUST = date(2025, 8, 1)


def owed_months(setup: SchoolYearSetup) -> dict[str, set[str]]:
    found = missing(as_of=date(2026, 7, 31), setup=setup)
    return {code: {r["month"] for r in found if r["class_code"] == code} for code in ("EMB1", "ZML1")}


def test_after_the_last_day_of_its_order_a_class_owes_nothing() -> None:
    """W44 has its last open day on Friday 31 October; of an order that ends on Wednesday 29 that week is owed still."""
    whole_year = set(DAYS[LEIJPARK].per_month)
    setup = ended((AUGUST, date(2025, 10, 29), SIZA))
    assert owed_months(setup) == {"EMB1": {"2025-08", "2025-09", "2025-10"}, "ZML1": whole_year}
    rows = missing(as_of=date(2026, 7, 31), setup=setup)
    assert max(r["week"] for r in rows if r["class_code"] == "EMB1") == "2025-W44"
    late = overdue_deliveries(set(), setup, DAYS, date(2026, 7, 31), 10)
    assert {month for _, school, month in late if school == LEIJPARK} == {"2025-08", "2025-09", "2025-10"}
    assert {month for _, school, month in late if school == DE_BODDE} == whole_year


def test_lines_after_the_last_day_of_an_order_ask_for_nothing_and_hand_in_nothing() -> None:
    """They prove nothing, so no school need approve them: they are a signal. On the last day itself a line still asks."""
    setup = ended((AUGUST, date(2025, 10, 29), SIZA))
    wednesday, thursday = date(2025, 10, 29), date(2025, 10, 30)
    week = "2025-10", "2025-W44"
    for day, step in ((wednesday, APPROVE), (thursday, HAND_IN), (date(2025, 11, 4), HAND_IN)):
        owed = of_class(missing(line(day, approved_on=None), as_of=date(2026, 1, 31), setup=setup))
        assert owed[week] == step
        assert {month for month, _ in owed} == {"2025-08", "2025-09", "2025-10"}


def test_an_order_in_two_rows_is_one_order() -> None:
    """Amended in January, with another tariff: the same provider goes on. With another provider it would not be its order."""
    january = date(2026, 1, 1)
    rows = ((AUGUST, date(2025, 12, 31), SIZA), (january, None, SIZA))
    assert owed_months(ended(*rows))["EMB1"] == set(DAYS[LEIJPARK].per_month)
    other = ended(rows[0], (january, None, AMARANT))
    assert owed_months(other)["EMB1"] == {month for month in DAYS[LEIJPARK].per_month if month < "2026"}


def test_an_order_that_holds_on_no_open_day_stops() -> None:
    """It ends on the startdatum, 18 August, and the school opens a week later: no day to owe or to plan anything on."""
    year = small_school()
    year.sheets["orders"][0]["valid_to"] = date(2025, 8, 18)
    year.add("calendar", school=LEIJPARK, closed_from=AUGUST, closed_to=date(2025, 8, 24), kind="holiday")
    setup = setup_of(year)
    days = calendars(setup)
    for asked in (lambda: missing_statements([], setup, days, SCHOOL_LATE, 10), lambda: list(plans(setup, days))):
        with pytest.raises(
            SetupError, match=f"Opdracht LP geldt op geen enkele dag waarop vestiging {LEIJPARK} open is"
        ):
            asked()
