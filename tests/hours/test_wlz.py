"""The Wlz side of the hours by hand: attributed by the key of the money, adding up, and absent minutes only where measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import MIDDEN_BRABANT, TILBURG, WEST_BRABANT, Year, small_year
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.hours.wlz import (
    CONTRIBUTORS,
    FEWEST_PUPILS,
    Absences,
    AbsentDays,
    Group,
    KeyLine,
    Minutes,
    absent_days,
    attributed,
    ground_of,
    key_of,
    wlz_hours,
)
from zio_pipeline.open_days import OpenDays
from zio_pipeline.payer import Decision
from zio_pipeline.settings import Ground

EMB, MG = Group("LP", "EMB"), Group("LP", "MG")
OCTOBER = OpenDays("02ZX00", tuple(date(2025, 10, day) for day in (1, 2, 3, 6, 7)))


def key(year: Year) -> dict[Group, list[KeyLine]]:
    tables = year.figures().tables
    return key_of(tables["doelgroep_budgets"], tables["funding_split"], tables["share_details"])


def share(payers: dict[Group, list[KeyLine]], group: Group) -> dict[tuple[str, str], Fraction]:
    return {(line.stream, line.payer): line.share for line in payers[group]}


def plain_year(**settings: str) -> Year:
    """The small year, to which nobody contributes."""
    year = small_year(**settings)
    year.sheets["contributions"].clear()
    return year


# --- the key --------------------------------------------------------------------------------------------------------------


def test_the_key_is_pupils_of_the_payer_over_pupils_counted():
    """EMB of the small year: Tilburg 3, Heusden 1, Breda 1, Midden-Brabant 2 and West-Brabant 1 of 8 pupils."""
    found = share(key(plain_year()), EMB)
    assert found["wlz_zin", MIDDEN_BRABANT] == Fraction(2, 8)
    assert found["wlz_zin", WEST_BRABANT] == Fraction(1, 8)
    assert found["jeugdwet", TILBURG] == Fraction(3, 8)
    assert sum(found.values()) == 1


def test_an_agreed_ratio_is_the_key_of_the_hours_too():
    """Jeugdwet to Wlz as 3 to 1; within the Wlz by pupils, 2 and 1."""
    year = plain_year(verdeelsleutel="verhouding")
    for row in year.sheets["doelgroepen"]:
        row["weight_jeugdwet"] = 3
        row["weight_wlz_zin"] = 1 if row["doelgroep"] == "EMB" else None
    found = share(key(year), EMB)
    assert found["wlz_zin", MIDDEN_BRABANT] == Fraction(1, 4) * Fraction(2, 3)
    assert found["wlz_zin", WEST_BRABANT] == Fraction(1, 4) * Fraction(1, 3)


def test_minutes_of_a_doelgroep_are_divided_as_its_money_is():
    """1001 minutes over 3, 1, 1, 2 and 1 of 8 pupils: floors 375, 125, 125, 250, 125; the one left to the largest fraction."""
    lines = key(plain_year())[EMB]
    minutes = dict(zip(((line.stream, line.payer) for line in lines), attributed(1001, lines), strict=True))
    assert minutes["jeugdwet", TILBURG] == 376, "0,375 is the largest fraction"
    assert minutes["wlz_zin", MIDDEN_BRABANT] == 250
    assert minutes["wlz_zin", WEST_BRABANT] == 125
    assert sum(minutes.values()) == 1001


def test_what_contributions_carry_is_taken_off_first():
    """A fifth of 60.000,00 is contributed: of every doelgroep four fifths are left to the key; the fifth is a line of its own."""
    year = plain_year()
    year.contribution("LP", "SWV", 12_000_00)
    found = share(key(year), EMB)
    assert found["wlz_zin", MIDDEN_BRABANT] == Fraction(4, 5) * Fraction(2, 8)
    assert found["contribution", CONTRIBUTORS] == Fraction(1, 5)
    assert sum(found.values()) == 1


@pytest.mark.parametrize("contribution", [0, 12_000_00, 1_000_01, 60_000_00])
def test_a_zorgkantoor_has_the_same_hours_here_as_in_its_statement(contribution: int):
    """All that was granted, planned and delivered: per zorgkantoor and doelgroep the hours of `zorgkantoor_statement`."""
    year = plain_year()
    if contribution:
        year.contribution("LP", "SWV", contribution)
    figures = year.figures()
    granted = Counter[Group]()
    for c in figures.setup.classes:
        granted[Group(c.order_id, c.doelgroep)] += granted_minutes(figures.setup, c)
    stated = Counter[tuple[str, str]]()
    for row in figures.tables["zorgkantoor_statement"]:
        stated[row["payer"], row["doelgroep"]] += row["hours_hundredths"]
    found = rows(year, {group: Minutes(minutes, minutes) for group, minutes in granted.items()})
    assert found.keys() == stated.keys() == {(MIDDEN_BRABANT, "EMB"), (WEST_BRABANT, "EMB")}
    for place, row in found.items():
        assert abs(Fraction(row["volume_minutes"], 60) - Fraction(stated[place], 100)) < Fraction(1, 50), (
            "a rounding each"
        )
    if contribution == 12_000_00:  # EMB has 800 hours, and two and one of its eight pupils
        assert sorted(stated.values()) == [80_00, 160_00]


@given(
    st.integers(0, 10**7),
    st.lists(
        st.tuples(st.integers(1, 9), st.lists(st.integers(1, 40), min_size=1, max_size=6)), min_size=1, max_size=4
    ),
    st.integers(0, 100),
)
def test_attribution_adds_up_and_nobody_is_a_minute_off(
    minutes: int, streams: list[tuple[int, list[int]]], contributed: int
):
    names = ("jeugdwet", "wlz_zin", "wlz_pgb", "adult")
    budgets = [{"order_id": "LP", "doelgroep": "EMB", "budget_cents": 100, "contribution_cents": contributed}]
    splits = [_split(name, weight) for name, (weight, _) in zip(names, streams, strict=False)]
    details = [
        _detail(name, f"{5501 + n}", pupils)
        for name, (_, payers) in zip(names, streams, strict=False)
        for n, pupils in enumerate(payers)
    ]
    lines = key_of(budgets, splits, details)[EMB]
    assert key_of(budgets, splits[::-1], details[::-1])[EMB] == lines
    parts = attributed(minutes, lines)
    assert sum(parts) == minutes
    assert sum((line.share for line in lines), Fraction()) == 1
    assert all(abs(part - minutes * line.share) < 1 for part, line in zip(parts, lines, strict=True))


def _split(stream: str, weight: int) -> dict[str, Any]:
    return {"order_id": "LP", "doelgroep": "EMB", "stream": stream, "weight": weight}


def _detail(stream: str, payer: str, pupils: int) -> dict[str, Any]:
    kind = "zorgkantoor" if stream.startswith("wlz") else "municipality"
    row = {"stream": stream, "payer": payer, "payer_kind": kind, "pupils": pupils}
    return {"order_id": "LP", "doelgroep": "EMB"} | row


# --- the rows -------------------------------------------------------------------------------------------------------------


NOVEMBER = date(2025, 11, 11)


def rows(
    year: Year,
    minutes: dict[Group, Minutes],
    absent: Mapping[str, AbsentDays] | None = None,
    grounds: Sequence[Ground] = (),
    as_of: date = NOVEMBER,
) -> dict[tuple[str, str], dict[str, Any]]:
    """October of the year, by zorgkantoor and doelgroep."""
    found = wlz_hours("2025-10", key(year), minutes, absent or {}, grounds, as_of=as_of)
    return {(row["payer"], row["doelgroep"]): row for row in found}


def test_a_row_per_zorgkantoor_and_doelgroep_and_absence_not_measured():
    found = rows(plain_year(), {EMB: Minutes(800, 720), MG: Minutes(300, 300)})
    assert set(found) == {(MIDDEN_BRABANT, "EMB"), (WEST_BRABANT, "EMB")}, "MG has no Wlz pupil"
    middle = found[MIDDEN_BRABANT, "EMB"]
    assert (middle["pupils"], middle["planned_minutes"], middle["delivered_minutes"]) == (2, 200, 180)
    assert (middle["absent_paid_minutes"], middle["absence_status"]) == (None, "not_measured"), "no zero"
    assert (middle["volume_minutes"], middle["legal_ground"]) == (180, None)


def test_where_planning_counts_as_delivery_the_volume_is_planned_and_the_ground_is_named():
    grounds = [Ground("NZa BR/REG-22161a", date(2023, 6, 1), date(2025, 10, 31))]
    row = rows(plain_year(), {EMB: Minutes(800, 720)}, grounds=grounds)[MIDDEN_BRABANT, "EMB"]
    assert (row["volume_minutes"], row["delivered_minutes"]) == (200, 180)
    assert row["legal_ground"] == "NZa BR/REG-22161a"


@pytest.mark.parametrize(
    ("as_of", "volume", "ground"), [(date(2025, 9, 30), 0, None), (date(2025, 10, 1), 200, "overeenkomst")]
)
def test_a_month_that_has_not_begun_has_no_volume(as_of: date, volume: int, ground: str | None):
    """What is planned in October is shown in September, and is not yet to be accounted for."""
    held = [Ground("overeenkomst", date(2025, 8, 1), None)]
    row = rows(plain_year(), {EMB: Minutes(800, 0)}, grounds=held, as_of=as_of)[MIDDEN_BRABANT, "EMB"]
    assert (row["planned_minutes"], row["volume_minutes"], row["legal_ground"]) == (200, volume, ground)


def with_five() -> Year:
    """Two of eight pupils become five of eleven: enough for a figure about absence."""
    year = plain_year()
    for n in range(3):
        year.wlz(year.pupil(f"more{n}", "EMB2"), "7")
    return year


def test_absent_minutes_are_the_planned_minutes_of_the_days_away():
    """500 planned minutes for 5 pupils on 5 open days: 20 a pupil-day. Three pupil-days away are 60 minutes."""
    for days, minutes in ((3, 60), (0, 0)):
        away = {("EMB", "wlz_zin", MIDDEN_BRABANT): days, ("EMB", "wlz_zin", WEST_BRABANT): 0}
        row = rows(with_five(), {EMB: Minutes(1100, 720)}, {"LP": AbsentDays(5, away)})[MIDDEN_BRABANT, "EMB"]
        assert (row["planned_minutes"], row["absent_paid_minutes"]) == (500, minutes)
        assert row["absence_status"] == "measured", "also when nobody was away"


def test_what_others_contribute_is_not_paid_by_the_zorgkantoor_while_a_pupil_is_away():
    """A fifth is contributed: of 20 planned minutes a pupil-day the zorgkantoor pays 16."""
    year = with_five()
    year.contribution("LP", "SWV", 12_000_00)
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 3, ("EMB", "wlz_zin", WEST_BRABANT): 0}
    row = rows(year, {EMB: Minutes(1100, 720)}, {"LP": AbsentDays(5, away)})[MIDDEN_BRABANT, "EMB"]
    assert (row["planned_minutes"], row["absent_paid_minutes"]) == (400, 48)


def test_absence_of_fewer_than_five_pupils_stands_nowhere():
    """Of one pupil the minutes would tell on how many days this child was away."""
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 3, ("EMB", "wlz_zin", WEST_BRABANT): 5}
    found = rows(plain_year(), {EMB: Minutes(800, 720)}, {"LP": AbsentDays(5, away)})
    for row in found.values():
        assert row["pupils"] < FEWEST_PUPILS
        assert (row["absent_paid_minutes"], row["absence_status"]) == (None, "too_few_pupils")


def test_whoever_was_away_the_whole_month_was_paid_the_whole_part():
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 25, ("EMB", "wlz_zin", WEST_BRABANT): 0}
    row = rows(with_five(), {EMB: Minutes(803, 720)}, {"LP": AbsentDays(5, away)})[MIDDEN_BRABANT, "EMB"]
    assert row["absent_paid_minutes"] == row["planned_minutes"] > 0


def test_a_doelgroep_with_the_key_of_another_is_not_measured():
    borrowed = {MG: key(with_five())[EMB]}
    absent = {"LP": AbsentDays(5, {("EMB", "wlz_zin", MIDDEN_BRABANT): 3})}
    found = wlz_hours("2025-10", borrowed, {MG: Minutes(800, 0)}, absent, (), as_of=NOVEMBER)
    assert [(row["absent_paid_minutes"], row["absence_status"]) for row in found] == [(None, "not_measured")] * 2


def test_a_month_without_open_days_has_nothing_to_be_absent_from():
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 0, ("EMB", "wlz_zin", WEST_BRABANT): 0}
    row = rows(with_five(), {}, {"LP": AbsentDays(0, away)})[MIDDEN_BRABANT, "EMB"]
    assert (row["absent_paid_minutes"], row["absence_status"]) == (0, "measured")


# --- absent days ----------------------------------------------------------------------------------------------------------


def decision(pupil: str, stream: str | None = "wlz_zin", payer: str | None = MIDDEN_BRABANT) -> Decision:
    return Decision(
        pupil=pupil,
        school="02ZX00",
        class_code="EMB1",
        order_id="LP",
        doelgroep="EMB",
        stream=stream,
        payer=payer,
        payer_kind="zorgkantoor",
        reason="",
        evidence="",
        delivery_form="7",
        age_class="0-11",
        decision_id=None,
        row_ref="x:2",
    )


PUPILS = [decision("p1"), decision("p2"), decision("p3", "jeugdwet", TILBURG), decision("p4", None, None)]


def away(*periods: tuple[str, str, str | None], through: str = "2025-10-31") -> AbsentDays | None:
    by_pupil: dict[str, list[tuple[date, date | None]]] = {}
    for pupil, first, last in periods:
        by_pupil.setdefault(pupil, []).append((date.fromisoformat(first), last and date.fromisoformat(last)))
    return absent_days("2025-10", OCTOBER, Absences(date.fromisoformat(through), by_pupil), PUPILS)


def test_a_day_counts_once_per_pupil_and_only_when_school_is_open():
    found = away(
        ("p1", "2025-10-02", "2025-10-06"),  # Thursday, Friday, Monday
        ("p1", "2025-10-03", "2025-10-03"),  # named twice
        ("p2", "2025-10-04", "2025-10-05"),  # a weekend
        ("p3", "2025-09-29", "2025-10-01"),  # only the last day lies in the month
        ("p4", "2025-10-01", None),  # outside the key
        ("onbekend", "2025-10-01", None),
    )
    assert found == AbsentDays(5, Counter({("EMB", "wlz_zin", MIDDEN_BRABANT): 3, ("EMB", "jeugdwet", TILBURG): 1}))


def test_an_absence_without_a_last_day_goes_on():
    found = away(("p1", "2025-09-01", None))
    assert found is not None
    assert found.pupil_days["EMB", "wlz_zin", MIDDEN_BRABANT] == 5


def test_a_list_that_does_not_cover_the_month_measures_nothing():
    assert away(("p1", "2025-10-01", "2025-10-01"), through="2025-10-06") is None
    covered = away(("p1", "2025-10-01", "2025-10-01"), through="2025-10-07")
    assert covered is not None, "complete through the last open day"
    assert covered.pupil_days["EMB", "wlz_zin", MIDDEN_BRABANT] == 1


# --- planning is realisatie -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "ground"),
    [
        ("2025-08", "A"),  # the NZa policy rule held until 1 September 2025 (DOMAIN 2.3)
        ("2025-09", "A; B"),  # one day A, the rest B
        ("2025-10", "B"),
        ("2025-11", None),  # up to and including the 29th: a Sunday is a day too
        ("2026-01", "B"),
        ("2023-05", None),
        ("2030-12", "B"),
    ],
)
def test_grounds_hold_by_whole_months_and_those_that_adjoin_lose_none(month: str, ground: str | None):
    grounds = [
        Ground("A", date(2023, 6, 1), date(2025, 9, 1)),
        Ground("B", date(2025, 9, 2), date(2025, 11, 29)),
        Ground("B", date(2025, 12, 1), None),
    ]
    assert ground_of(month, grounds) == ground
    assert ground_of(month, grounds[::-1]) == ground


def test_without_a_ground_delivery_is_what_was_delivered():
    assert ground_of("2025-10", ()) is None
