"""The Wlz side of the hours by hand: attributed by the key of the money, adding up, and absent minutes only where measured."""

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import MIDDEN_BRABANT, TILBURG, WEST_BRABANT, Year, small_year
from zio_pipeline.errors import SetupError
from zio_pipeline.hours.wlz import (
    Absences,
    AbsentDays,
    Ground,
    Group,
    KeyLine,
    Minutes,
    absent_days,
    attributed,
    ground_of,
    key_of,
    planning_grounds,
    wlz_hours,
)
from zio_pipeline.open_days import OpenDays
from zio_pipeline.payer import Decision

EMB, MG = Group("LP", "EMB"), Group("LP", "MG")
OCTOBER = OpenDays("02ZX00", tuple(date(2025, 10, day) for day in (1, 2, 3, 6, 7)))


def key(year: Year) -> dict[Group, list[KeyLine]]:
    tables = year.figures().tables
    return key_of(tables["funding_split"], tables["share_details"])


def share(payers: dict[Group, list[KeyLine]], group: Group) -> dict[tuple[str, str], Fraction]:
    return {(line.stream, line.payer): line.share for line in payers[group]}


# --- the key --------------------------------------------------------------------------------------------------------------


def test_the_key_is_pupils_of_the_payer_over_pupils_counted():
    """EMB of the small year: Tilburg 3, Heusden 1, Breda 1, Midden-Brabant 2 and West-Brabant 1 of 8 pupils."""
    found = share(key(small_year()), EMB)
    assert found["wlz_zin", MIDDEN_BRABANT] == Fraction(2, 8)
    assert found["wlz_zin", WEST_BRABANT] == Fraction(1, 8)
    assert found["jeugdwet", TILBURG] == Fraction(3, 8)
    assert sum(found.values()) == 1


def test_an_agreed_ratio_is_the_key_of_the_hours_too():
    """Jeugdwet to Wlz as 3 to 1; within the Wlz by pupils, 2 and 1."""
    year = small_year(verdeelsleutel="verhouding")
    for row in year.sheets["doelgroepen"]:
        row["weight_jeugdwet"] = 3
        row["weight_wlz_zin"] = 1 if row["doelgroep"] == "EMB" else None
    found = share(key(year), EMB)
    assert found["wlz_zin", MIDDEN_BRABANT] == Fraction(1, 4) * Fraction(2, 3)
    assert found["wlz_zin", WEST_BRABANT] == Fraction(1, 4) * Fraction(1, 3)


def test_minutes_of_a_doelgroep_are_divided_as_its_money_is():
    """1001 minutes over 3, 1, 1, 2 and 1 of 8 pupils: floors 375, 125, 125, 250, 125; the one left to the largest fraction."""
    lines = key(small_year())[EMB]
    minutes = dict(zip(((line.stream, line.payer) for line in lines), attributed(1001, lines), strict=True))
    assert minutes["jeugdwet", TILBURG] == 376, "0,375 is the largest fraction"
    assert minutes["wlz_zin", MIDDEN_BRABANT] == 250
    assert minutes["wlz_zin", WEST_BRABANT] == 125
    assert sum(minutes.values()) == 1001


@given(
    st.integers(0, 10**7),
    st.lists(
        st.tuples(st.integers(1, 9), st.lists(st.integers(1, 40), min_size=1, max_size=6)), min_size=1, max_size=4
    ),
)
def test_attribution_adds_up_and_nobody_is_a_minute_off(minutes: int, streams: list[tuple[int, list[int]]]):
    names = ("jeugdwet", "wlz_zin", "wlz_pgb", "adult")
    splits = [_split(name, weight) for name, (weight, _) in zip(names, streams, strict=False)]
    details = [
        _detail(name, f"{5501 + n}", pupils)
        for name, (_, payers) in zip(names, streams, strict=False)
        for n, pupils in enumerate(payers)
    ]
    lines = key_of(splits, details)[EMB]
    assert key_of(splits[::-1], details[::-1])[EMB] == lines
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


def rows(year: Year, minutes: dict[Group, Minutes], *more: Any) -> dict[tuple[str, str], dict[str, Any]]:
    absent, grounds = more or ({}, ())
    found = wlz_hours("2025-10", key(year), minutes, absent, grounds)
    return {(row["payer"], row["doelgroep"]): row for row in found}


def test_a_row_per_zorgkantoor_and_doelgroep_and_absence_not_measured():
    found = rows(small_year(), {EMB: Minutes(800, 720), MG: Minutes(300, 300)})
    assert set(found) == {(MIDDEN_BRABANT, "EMB"), (WEST_BRABANT, "EMB")}, "MG has no Wlz pupil"
    middle = found[MIDDEN_BRABANT, "EMB"]
    assert (middle["pupils"], middle["planned_minutes"], middle["delivered_minutes"]) == (2, 200, 180)
    assert middle["absent_paid_minutes"] is None, "niet gemeten is no zero"
    assert (middle["volume_minutes"], middle["legal_ground"]) == (180, None)


def test_where_planning_counts_as_delivery_the_volume_is_planned_and_the_ground_is_named():
    grounds = [Ground("NZa BR/REG-22161a", date(2023, 6, 1), date(2025, 10, 31))]
    row = rows(small_year(), {EMB: Minutes(800, 720)}, {}, grounds)[MIDDEN_BRABANT, "EMB"]
    assert (row["volume_minutes"], row["delivered_minutes"]) == (200, 180)
    assert row["legal_ground"] == "NZa BR/REG-22161a"


def test_absent_minutes_are_the_planned_minutes_of_the_days_away():
    """200 planned minutes for 2 pupils on 5 open days: 20 a pupil-day. Three pupil-days away are 60 minutes."""
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 3, ("EMB", "wlz_zin", WEST_BRABANT): 0}
    found = rows(small_year(), {EMB: Minutes(800, 720)}, {"LP": AbsentDays(5, away)}, ())
    assert found[MIDDEN_BRABANT, "EMB"]["absent_paid_minutes"] == 60
    assert found[WEST_BRABANT, "EMB"]["absent_paid_minutes"] == 0, "measured, and nobody was away"


def test_whoever_was_away_the_whole_month_was_paid_the_whole_part():
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 10, ("EMB", "wlz_zin", WEST_BRABANT): 5}
    found = rows(small_year(), {EMB: Minutes(803, 720)}, {"LP": AbsentDays(5, away)}, ())
    assert all(row["absent_paid_minutes"] == row["planned_minutes"] for row in found.values())


def test_a_doelgroep_with_the_key_of_another_is_not_measured():
    lines = key(small_year())
    borrowed = {MG: lines[EMB]}
    absent = {"LP": AbsentDays(5, {("EMB", "wlz_zin", MIDDEN_BRABANT): 3})}
    found = wlz_hours("2025-10", borrowed, {MG: Minutes(800, 0)}, absent, ())
    assert [row["absent_paid_minutes"] for row in found] == [None, None]


def test_a_month_without_open_days_has_nothing_to_be_absent_from():
    away = {("EMB", "wlz_zin", MIDDEN_BRABANT): 0, ("EMB", "wlz_zin", WEST_BRABANT): 0}
    found = rows(small_year(), {}, {"LP": AbsentDays(0, away)}, ())
    assert {row["absent_paid_minutes"] for row in found.values()} == {0}


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


def setting(value: str, first: date, last: date | None, source: str = "NZa BR/REG-22161a") -> dict[str, Any]:
    names = {"key": "planning_is_realisatie", "value": value, "valid_from": first, "valid_to": last}
    return names | {"source": source}


def test_the_setting_holds_by_date_and_only_for_whole_months():
    """The NZa policy rule held until 1 September 2025 (DOMAIN 2.3): August counts, September does not."""
    grounds = planning_grounds(
        [setting(" Ja ", date(2023, 6, 1), date(2025, 9, 1)), setting("nee", date(2025, 9, 2), None, "")]
    )
    assert ground_of("2025-08", grounds) == "NZa BR/REG-22161a"
    assert ground_of("2025-09", grounds) is None
    assert ground_of("2023-05", grounds) is None
    assert ground_of("2030-12", [Ground("overeenkomst", date(2026, 1, 1), None)]) == "overeenkomst"


def test_planning_cannot_count_as_delivery_without_a_ground():
    with pytest.raises(SetupError, match="wettelijke grondslag in de kolom bron"):
        planning_grounds([setting("ja", date(2025, 8, 1), None, " ")])
    with pytest.raises(SetupError, match="onleesbaar"):
        planning_grounds([setting("jaa", date(2025, 9, 2), None)])
    assert planning_grounds([]) == [], "not set is off"
