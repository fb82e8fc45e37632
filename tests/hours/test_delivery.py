"""Delivered beside planned, for any lines: no minute is lost or counted twice, and the plan adds up to what was granted."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.timesheets import line, timesheet
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA, Year
from zio_pipeline.contracts import products
from zio_pipeline.hours.delivery import MEASURES, delivery_control, delivery_summary
from zio_pipeline.hours.differences import Difference, difference_report, differences
from zio_pipeline.hours.lines import STATUSES, Timesheet, lines
from zio_pipeline.hours.planning import granted_minutes, planned_minutes, plans
from zio_pipeline.open_days import OpenDays, open_days_or_region

FIRST, LAST = date(2025, 8, 18), date(2026, 7, 10)


def two_schools() -> Year:
    """Two orders; EMB1 of Leijpark is split into EMB1a and EMB1b after Christmas."""
    year = Year(empty=True)
    year.order("LP")
    year.order("BO", school=DE_BODDE, provider=AMARANT)
    year.doelgroep("LP", "EMB", 17_35)
    year.doelgroep("LP", "VMBO", 0)
    year.doelgroep("BO", "MG", 3_10)
    year.school_class("EMB1")
    year.school_class("VMBO1", doelgroep="VMBO")
    year.school_class("MG1", "BO", "MG", school=DE_BODDE)
    for part in ("EMB1a", "EMB1b"):
        names = {"class_code": part, "established_class_code": "EMB1", "valid_from": date(2026, 1, 5)}
        year.add("class_names", school=LEIJPARK, **names)
    return year


SETUP = two_schools().setup()
CALENDARS = {school: open_days_or_region(SETUP.settings, [], school) for school in (LEIJPARK, DE_BODDE)}

DURATIONS = st.one_of(
    st.builds(lambda n: {"duration_minutes": n}, st.integers(1, 1440)),
    st.builds(lambda n: {"stated_minutes": n}, st.integers(1, 1440)),
    st.builds(
        lambda begin, n, pause: {
            "begin_minute": begin,
            "end_minute": begin + n + pause,
            "pause_minutes": pause or None,
        },
        st.integers(0, 600),
        st.integers(1, 600),
        st.integers(0, 60),
    ),
)
PLACES = (
    *((LEIJPARK, SIZA, code) for code in ("EMB1", "EMB1a", "EMB1b", "VMBO1", "onbekend")),
    (DE_BODDE, AMARANT, "MG1"),
    *((LEIJPARK, AMARANT, "EMB1"), (DE_BODDE, SIZA, "MG1"), (DE_BODDE, AMARANT, "EMB1a"), ("99ZZ00", SIZA, "EMB1")),
)
"""School, provider and class: those that go together, and some that do not."""
LINE = st.builds(
    lambda day, duration, place, values: line(
        day, **duration | dict(zip(("school", "provider", "class_code"), place, strict=True)) | values
    ),
    st.dates(FIRST, LAST),
    DURATIONS,
    st.sampled_from(PLACES),
    st.fixed_dictionaries(
        {
            "employee": st.sampled_from(["e1", "e2"]),
            "activity": st.sampled_from(["direct", "direct", "indirect", "travel", "training"]),
            "approved_on": st.sampled_from([None, date(2026, 7, 20)]),
        }
    ),
)


def minutes_of(row: dict[str, Any]) -> int:
    """By hand: as it was stated, else from begin to end without the pause."""
    for name in ("duration_minutes", "stated_minutes"):
        if row[name] is not None:
            return int(row[name])
    return int(row["end_minute"] - row["begin_minute"] - (row["pause_minutes"] or 0))


def per_month(rows: Sequence[dict[str, Any]]) -> list[Timesheet]:
    """A file per month, as intake asks for."""
    found = defaultdict(list)
    for row in rows:
        found[f"{row['work_date']:%Y-%m}"].append(row)
    return [timesheet(month, *some) for month, some in found.items()]


def control_of(sheets: Sequence[Timesheet]) -> list[dict[str, Any]]:
    with lines(sheets, SETUP, SETUP.class_names) as connection:
        return delivery_control(connection, SETUP, CALENDARS)


OWNERS = {(LEIJPARK, "EMB1"): SIZA, (LEIJPARK, "VMBO1"): SIZA, (DE_BODDE, "MG1"): AMARANT}


def status_of(row: dict[str, Any]) -> str:
    """What a line proves, in words beside the SQL that decides it."""
    code = row["class_code"]
    if row["school"] == LEIJPARK and code in ("EMB1a", "EMB1b") and row["work_date"] >= date(2026, 1, 5):
        code = "EMB1"
    if OWNERS.get((row["school"], code)) != row["provider"]:
        return "excluded"
    if row["activity"] != "direct":
        return str(row["activity"])
    return "provisional" if row["approved_on"] is None else "delivered"


def require_conserved(rows: list[dict[str, Any]]) -> None:
    """Every accepted minute is counted once, as what it is, per file and per month."""
    with lines(per_month(rows), SETUP, SETUP.class_names) as connection:
        per_file = connection.sql("select label, status, sum(minutes)::bigint from line group by all").fetchall()
        control = delivery_control(connection, SETUP, CALENDARS)
    sent = Counter[tuple[str, str]]()
    for row in rows:
        sent[f"{row['work_date']:%Y-%m}", status_of(row)] += minutes_of(row)
    assert {(label, status): minutes for label, status, minutes in per_file} == sent
    in_control = Counter[tuple[str, str]]()
    for row in control:
        in_control.update({(row["month"], status): row[f"{status}_minutes"] for status in STATUSES})
    assert +in_control == sent


@settings(max_examples=12)
@given(st.lists(LINE, max_size=25))
def test_no_minute_is_lost_or_counted_twice(rows: list[dict[str, Any]]) -> None:
    require_conserved(rows)


def test_nor_of_many_lines() -> None:
    """Hypothesis likes few and small lines: three thousand of every kind, the same each time."""
    chance = random.Random(7)
    rows = []
    for _ in range(3000):
        school, provider, code = chance.choice(PLACES)
        begin, minutes = chance.randrange(600), chance.randrange(1, 800)
        stated: dict[str, Any] = chance.choice(
            (
                {"duration_minutes": minutes},
                {"stated_minutes": minutes},
                {"begin_minute": begin, "end_minute": begin + minutes},
                {"begin_minute": begin, "end_minute": begin + minutes + 30, "pause_minutes": 30},
                {"begin_minute": begin, "end_minute": begin + minutes, "duration_minutes": minutes},
            )
        )
        values = {
            "activity": chance.choice(STATUSES[2:5] + ("direct",) * 5),
            "approved_on": chance.choice((None, LAST)),
        }
        day = FIRST + timedelta(chance.randrange((LAST - FIRST).days))
        rows.append(line(day, school=school, provider=provider, class_code=code, **stated | values))
    require_conserved(rows)


@settings(max_examples=5)
@given(st.lists(LINE, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_files_changes_nothing(rows: list[dict[str, Any]], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    sheets = per_month(shuffled)
    chance.shuffle(sheets)
    first, again = control_of(per_month(rows)), control_of(sheets)
    assert first == again
    assert delivery_summary(first) == delivery_summary(chance.sample(again, len(again)))


@settings(max_examples=5)
@given(st.lists(LINE, max_size=20))
def test_every_level_and_period_adds_up_to_the_same(rows: list[dict[str, Any]]) -> None:
    control = control_of(per_month(rows))
    totals: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in delivery_summary(control):
        totals[row["level"], row["period_kind"]].update({name: row[name] for name in MEASURES})
    whole = Counter({name: sum(row[name] for row in control) for name in MEASURES})
    assert len(totals) == 5 * 3
    assert all(+found == +whole for found in totals.values())


# --- the plan -----------------------------------------------------------------------------------------------------------


def test_the_plan_adds_up_to_what_was_granted() -> None:
    """17,35 x 40 x 60 / 100 and 3,1 x 40 x 60 / 100 minutes; the class without hours has none, also no rows."""
    totals = Counter[str]()
    for plan in plans(SETUP, CALENDARS):
        totals[plan.class_code] += plan.minutes
    assert totals == {"EMB1": 41_640, "MG1": 7_440}
    assert {c.class_code: granted_minutes(SETUP, c) for c in SETUP.classes} == {
        "EMB1": 41_640,
        "MG1": 7_440,
        "VMBO1": 0,
    }


def test_hundredths_of_an_hour_are_rounded_half_up() -> None:
    """0,05 hours for 3 weeks is 9 minutes exactly; 0,01 for 1 week 0,6, so 1; 0,01 for 40 weeks 24; 0,21 for 5 weeks 63."""
    for hundredths, weeks, minutes in (
        (5, 3, 9),
        (1, 1, 1),
        (1, 40, 24),
        (21, 5, 63),
        (25, 1, 15),
        (2, 1, 1),
        (3, 1, 2),
    ):
        year = Year(empty=True)
        year.order("LP", weeks=weeks)
        year.doelgroep("LP", "EMB", hundredths)
        year.school_class("EMB1")
        setup = year.setup()
        assert granted_minutes(setup, setup.classes[0]) == minutes


@given(
    st.integers(0, 200_000),
    st.sets(st.dates(FIRST, LAST), min_size=1),
    st.lists(st.dates(FIRST, LAST), max_size=8),
)
def test_days_weeks_and_months_add_up_for_any_calendar(granted: int, days: set[date], cuts: list[date]) -> None:
    calendar = OpenDays(LEIJPARK, tuple(sorted(days)))
    per_day = {day: planned_minutes(granted, calendar, day, day) for day in sorted(days)}
    assert sum(per_day.values()) == granted
    assert max(per_day.values()) - min(per_day.values()) <= 1
    ends = [*sorted(cuts), date.max]
    starts = [date.min, *(cut + timedelta(days=1) for cut in ends[:-1])]
    stretches = zip(starts, ends, strict=True)
    assert sum(planned_minutes(granted, calendar, first, last) for first, last in stretches) == granted
    closed = next(day for n in range(400) if (day := FIRST + timedelta(n)) not in days)
    assert planned_minutes(granted, calendar, closed, closed) == 0
    assert planned_minutes(granted, calendar, LAST, FIRST - timedelta(1)) == 0


def planned_by_hand(granted: int, days: set[date]) -> Counter[tuple[str, str]]:
    """Per month and week: the k-th of N days brings the minutes up to floor(granted x k / N)."""
    found = Counter[tuple[str, str]]()
    for k, day in enumerate(sorted(days), start=1):
        found[f"{day:%Y-%m}", f"{day:%G-W%V}"] += granted * k // len(days) - granted * (k - 1) // len(days)
    return found


@given(
    st.sets(st.dates(FIRST, LAST), min_size=1),
    st.lists(st.tuples(st.dates(FIRST, LAST), st.dates(FIRST, LAST)), max_size=3),
)
def test_the_plan_of_an_order_lies_in_its_days_and_adds_up_to_what_was_granted(
    days: set[date], later: list[tuple[date, date]]
) -> None:
    """Whatever the open days of the school, and whatever rows of the sheet `contracten` the order has beside its first."""
    held = [(date(2025, 8, 1), min(days)), *((min(two), max(two)) for two in later)]
    own = [row for row in SETUP.sheets["orders"] if row["order_id"] == "LP"]
    rows = [own[0] | {"valid_from": first, "valid_to": last} for first, last in held]
    setup = replace(SETUP, sheets=SETUP.sheets | {"orders": (*rows, *SETUP.sheets["orders"][1:])})
    calendars = CALENDARS | {LEIJPARK: OpenDays(LEIJPARK, tuple(sorted(days)))}
    year = list(plans(setup, calendars))
    found = Counter({(p.month, p.week): p.minutes for p in year if p.class_code == "EMB1"})
    assert found == planned_by_hand(41_640, {day for day in days if any(a <= day <= b for a, b in held)})
    assert sum(found.values()) == 41_640
    assert sum(p.minutes for p in year if p.class_code == "MG1") == 7_440, "another order"
    parts = [plan for month in SETUP.settings.school_year.months() for plan in plans(setup, calendars, month)]
    assert sorted(parts) == sorted(year)


def test_an_order_that_ends_in_october_is_planned_up_to_then() -> None:
    """17,35 hours x 8 weeks: 8328 minutes on the 50 open days of 18 August up to and including 31 October, and none after."""
    year = two_schools()
    year.sheets["orders"][0] |= {"weeks": 8, "valid_to": date(2025, 10, 31)}
    found = [plan for plan in plans(year.setup(), CALENDARS) if plan.class_code == "EMB1"]
    assert CALENDARS[LEIJPARK].up_to(date(2025, 10, 31)) == 50
    assert sum(plan.minutes for plan in found) == 8328
    assert [plan.minutes for plan in found if plan.month == "2025-08"] == [832, 833], (
        "5 x 166,56 is 832,8, twice 1665,6"
    )
    assert max(plan.month for plan in found) == "2025-10"


# --- what a new publication changed -------------------------------------------------------------------------------------


def test_the_difference_names_class_week_and_measure() -> None:
    day = date(2025, 10, 6)
    before = control_of([timesheet("a", line(day, 60), line(day, 30, approved_on=None))])
    after = control_of([timesheet("b", line(day, 90), line(day, 45, "onbekend"))])
    found = differences(before, after)
    emb1, unknown = (("2025-10", "2025-W41", LEIJPARK, code, SIZA) for code in ("EMB1", "onbekend"))
    assert found == [
        Difference(emb1, "delivered_minutes", 60, 90),
        Difference(emb1, "provisional_minutes", 30, 0),
        Difference(unknown, "excluded_minutes", 0, 45),
    ]
    assert found[0].sentence == (
        f"2025-W41 (2025-10), klas EMB1 van {LEIJPARK}, aanbieder {SIZA}: geleverd van 60 naar 90 minuten."
    )
    assert difference_report(found, 2) == [found[0].sentence, found[1].sentence, "En nog 1 verschil."]
    assert differences(after, after) == []


PUBLISHED = st.lists(
    st.fixed_dictionaries(
        {
            "month": st.sampled_from(["2025-09", "2025-10"]),
            "week": st.sampled_from(["2025-W40", "2025-W41"]),
            "school": st.just(LEIJPARK),
            "class_code": st.sampled_from(["EMB1", "MG1"]),
            "provider": st.sampled_from([SIZA, AMARANT]),
            **{measure: st.integers(0, 3) for measure in MEASURES},
        }
    ),
    unique_by=lambda row: (row["month"], row["week"], row["class_code"], row["provider"]),
)


@given(PUBLISHED, PUBLISHED)
def test_differences_are_all_that_changed(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    found = differences(before, after)
    assert all(one.before != one.after for one in found)
    for measure in MEASURES:
        moved = sum(one.after - one.before for one in found if one.measure == measure)
        assert moved == sum(row[measure] for row in after) - sum(row[measure] for row in before)
    back = [Difference(one.place, one.measure, one.after, one.before) for one in differences(after, before)]
    assert back == found
    assert differences(before[::-1], after[::-1]) == found


# --- the tables ---------------------------------------------------------------------------------------------------------


def test_rows_are_those_of_the_contracts_and_name_no_person() -> None:
    control = control_of([timesheet("a", line(date(2025, 10, 6), 60, employee="pseudoniem-7"))])
    for name, rows in (("delivery_control", control), ("delivery_summary", delivery_summary(control))):
        assert {frozenset(row) for row in rows} == {frozenset(column.name for column in products()[name].columns)}
        assert "pseudoniem-7" not in repr(rows)


@pytest.mark.parametrize(
    ("day", "week"), [(date(2025, 12, 29), "2026-W01"), (date(2026, 1, 4), "2026-W01"), (date(2026, 1, 5), "2026-W02")]
)
def test_around_new_year_a_week_is_that_of_its_thursday(day: date, week: str) -> None:
    (row,) = [row for row in control_of([timesheet("a", line(day, 60))]) if row["delivered_minutes"]]
    assert (row["month"], row["week"]) == (f"{day:%Y-%m}", week)


def test_without_timesheets_there_is_only_the_plan() -> None:
    control = control_of([])
    assert sum(row["planned_minutes"] for row in control) == 41_640 + 7_440
    assert not any(row[measure] for row in control for measure in MEASURES[1:])
