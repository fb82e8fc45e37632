"""The forecast of a calendar year by hand: established terms are known, the rest is the newest year times the index."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import BREDA, GOIRLE, MEMBERS, MIDDEN_BRABANT, SETTINGS, TILBURG, Year, sheet_row
from zio_pipeline.errors import ZioError
from zio_pipeline.forecast import EstablishedYear, forecast_rows
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import SchoolYearSetup

FIRST, SECOND = SchoolYear(2025), SchoolYear(2026)
TERM_MONTHS = (9, 10, 11, 12, 1, 2, 3, 4, 5, 6)


def setup(year: SchoolYear = FIRST, **settings: str) -> SchoolYearSetup:
    made = Year()
    first = year.first_calendar_year
    dates = {"schooljaar": year.key, "startdatum": f"25-08-{first}", "peildatum": f"01-07-{first}"}
    values = SETTINGS | dates | settings
    made.sheets["settings"] = [sheet_row("settings", key=key, value=value) for key, value in values.items()]
    return made.setup()


def established(
    year: SchoolYear, *lines: tuple[str, str, int], version: int = 1, kind: str = "municipality"
) -> EstablishedYear:
    """Ten terms of payer, order and cents of the year; the odd cents on the first terms."""
    terms: list[dict[str, Any]] = []
    for payer, order, cents in lines:
        each, odd = divmod(cents, 10)
        terms += [
            {
                "payer": payer,
                "order_id": order,
                "payer_kind": kind,
                "month": year.month_key(month),
                "amount_cents": each + (number < odd),
            }
            for number, month in enumerate(TERM_MONTHS)
        ]
    return EstablishedYear(year, version, terms)


def found(rows: list[dict[str, Any]], payer: str = TILBURG, order: str = "LP") -> tuple[int, int, int]:
    (row,) = [row for row in rows if (row["payer"], row["order_id"]) == (payer, order)]
    return row["known_cents"], row["estimated_cents"], row["amount_cents"]


def test_half_known_and_half_estimated():
    """In the autumn of 2025: January to June 2026 are established, September to December are 4/10 of the year, index 1,03."""
    rows = forecast_rows(setup(raming_index_promille="1030"), [established(FIRST, (TILBURG, "LP", 1000_00))], 2026)
    assert found(rows) == (600_00, 412_00, 1012_00)
    assert {row["basis"] for row in rows} == {
        "6 termijnen uit vastgesteld schooljaar 2025-2026; "
        "4 termijnen geraamd op schooljaar 2025-2026 (versie 1), index 1030 promille"
    }


def test_in_spring_nothing_of_the_coming_year_is_known():
    rows = forecast_rows(setup(), [established(FIRST, (TILBURG, "LP", 1000_00), version=2)], 2027)
    assert found(rows) == (0, 1000_00, 1000_00)
    assert rows[0]["basis"] == "10 termijnen geraamd op schooljaar 2025-2026 (versie 2), index 1000 promille"
    assert (rows[0]["school_year"], rows[0]["version"], rows[0]["calendar_year"]) == ("2025-2026", 2, 2027)


def test_with_both_school_years_established_nothing_is_estimated():
    years = [established(SECOND, (TILBURG, "LP", 2000_00)), established(FIRST, (TILBURG, "LP", 1000_00))]
    rows = forecast_rows(setup(SECOND), years, 2026)
    assert found(rows) == (1400_00, 0, 1400_00)
    assert rows[0]["basis"] == (
        "6 termijnen uit vastgesteld schooljaar 2025-2026; 4 termijnen uit vastgesteld schooljaar 2026-2027"
    )


def test_the_newest_year_is_what_the_estimate_rests_on():
    years = [established(FIRST, (TILBURG, "LP", 1000_00)), established(SECOND, (TILBURG, "LP", 2000_00))]
    assert found(forecast_rows(setup(SECOND), years, 2027)) == (1200_00, 800_00, 2000_00)
    with pytest.raises(ZioError, match="Ook schooljaar 2026-2027 is vastgesteld"):
        forecast_rows(setup(FIRST), years, 2027)


def test_an_estimate_is_rounded_half_up_once_per_payer_and_order():
    # 5 x 4/10 x 1,05 = 2,1; rounded per month, 0,525 each, it would be 4.
    rows = forecast_rows(setup(raming_index_promille="1050"), [established(FIRST, (TILBURG, "LP", 5))], 2026)
    assert found(rows)[1] == 2
    # 125 x 4/10 x 1,01 = 50,5
    rows = forecast_rows(setup(raming_index_promille="1010"), [established(FIRST, (TILBURG, "LP", 125))], 2026)
    assert found(rows)[1] == 51


def test_a_month_weighs_what_the_settings_say():
    heavy = setup(termijngewichten="5 5 5 5 1 1 1 1 1 1")
    # September to December are 20 of 26.
    assert found(forecast_rows(heavy, [established(FIRST, (TILBURG, "LP", 2600))], 2026))[1] == 2000


def test_only_municipalities_are_in_it_those_outside_the_region_too():
    years = [
        EstablishedYear(
            FIRST,
            1,
            [
                *established(FIRST, (BREDA, "LP", 100)).terms,
                *established(FIRST, (MIDDEN_BRABANT, "LP", 100), kind="zorgkantoor").terms,
                *established(FIRST, ("SWV", "LP", 100), kind="contributor").terms,
                *established(FIRST, ("PGB", "LP", 100), kind="pgb_holders").terms,
            ],
        )
    ]
    assert {row["payer"] for row in forecast_rows(setup(), years, 2026)} == {*MEMBERS, BREDA}


def test_a_member_without_pupils_is_shown_with_nothing():
    rows = forecast_rows(setup(), [established(FIRST, (TILBURG, "LP", 1000))], 2026)
    assert found(rows, GOIRLE) == (0, 0, 0)


def test_a_payer_of_an_earlier_year_keeps_what_is_known():
    years = [established(FIRST, (BREDA, "OUD", 1000)), established(SECOND, (TILBURG, "LP", 1000))]
    assert found(forecast_rows(setup(SECOND), years, 2026), BREDA, "OUD") == (600, 0, 600)


def test_school_years_that_do_not_touch_the_calendar_year_do_no_harm():
    years = [established(SchoolYear(2022), (TILBURG, "LP", 999)), established(FIRST, (TILBURG, "LP", 1000))]
    assert found(forecast_rows(setup(), years, 2026)) == (600, 400, 1000)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([TILBURG, BREDA, GOIRLE]), st.sampled_from(["LP", "BO"])), st.integers(0, 10**9)
    ),
    st.integers(500, 2000),
    st.integers(2025, 2028),
    st.randoms(use_true_random=False),
)
def test_the_rows_add_up_whatever_their_order(amounts, index, calendar_year, random):
    lines = [(payer, order, cents) for (payer, order), cents in amounts.items()]
    base, made = established(FIRST, *lines), setup(raming_index_promille=str(index))
    rows = forecast_rows(made, [base], calendar_year)
    in_year = [term for term in base.terms if term["month"].startswith(str(calendar_year))]
    assert sum(row["known_cents"] for row in rows) == sum(term["amount_cents"] for term in in_year)
    # January to June 2025 belong to a school year that was never established here.
    months = {2025: 6, 2026: 4}.get(calendar_year, 10)
    for row in rows:
        exact = amounts.get((row["payer"], row["order_id"]), 0) * months * index
        assert abs(2 * row["estimated_cents"] * 10_000 - 2 * exact) <= 10_000
        assert row["amount_cents"] == row["known_cents"] + row["estimated_cents"]
    turned = EstablishedYear(FIRST, 1, random.sample(base.terms, len(base.terms)))
    assert forecast_rows(made, [turned], calendar_year) == rows
