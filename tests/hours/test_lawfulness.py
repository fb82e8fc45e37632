"""Lawfulness by hand: approved hours beside the declared amount, the tolerance, and a sample that anybody can draw again."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.worked import Rows, opened, sheet, worked
from tests.year_builder import LEIJPARK, SIZA, Year
from zio_pipeline.contracts import products
from zio_pipeline.hours import lawfulness as rules
from zio_pipeline.hours.lawfulness import Declared, Worked, lawfulness_row
from zio_pipeline.hours.lines import Timesheet
from zio_pipeline.setup import Order, SchoolYearSetup

AS_OF = date(2025, 10, 31)
ORDER = Order("LP", LEIJPARK, SIZA, 40, 60_00, 54_00, "computed", None, None, "fictief")
"""60 euro an hour for guidance (begeleiding), 54 euro for care (verzorging)."""


@cache
def year() -> SchoolYearSetup:
    two = Year()
    two.order("BO", school="01FX00", provider="41410202")
    two.doelgroep("BO", "ZML")
    two.school_class("ZML1", "BO", "ZML", school="01FX00")
    return two.setup()


def declared(cents: int, **more: int) -> Declared:
    return Declared(**{"to_date_cents": cents, "year_cents": 10, "budget_cents": 10, "granted_minutes": 24_000} | more)


def judged(cents: int, hours: Worked, tolerance: int = 20) -> dict[str, Any]:
    return lawfulness_row(ORDER, declared(cents), hours, AS_OF, tolerance)


# --- coverage -------------------------------------------------------------------------------------------------------------


def test_each_function_is_worth_its_own_tariff():
    row = judged(1_000_00, Worked(approved_care=600, approved_guidance=450))
    assert row["covered_cents"] == 10 * 54_00 + 7 * 60_00 + 30_00, "10 hours of care, 7,5 of guidance"
    assert (row["coverage_permille"], row["uncovered_cents"]) == (990, 10_00)
    assert (row["approved_minutes"], row["approved_care_minutes"]) == (1050, 600)


def test_an_order_with_one_tariff_has_it_for_both():
    row = lawfulness_row(
        replace(ORDER, care_tariff_cents=None), declared(1_00), Worked(approved_care=60), AS_OF, tolerance_permille=20
    )
    assert row["covered_cents"] == 60_00


def test_the_value_is_rounded_half_up_once():
    """50 minutes of care at 54 euro and 35 of guidance at 60 are 45,00 and 35,00; one minute of guidance is 1,00."""
    assert judged(1, Worked(approved_care=50, approved_guidance=35))["covered_cents"] == 80_00
    odd = replace(ORDER, tariff_cents=60_33)
    row = lawfulness_row(odd, declared(1), Worked(approved_guidance=50), AS_OF, 20)
    assert row["covered_cents"] == 50_28, "50,275"


def test_coverage_is_rounded_down():
    row = judged(1_000_00, Worked(approved_guidance=999))
    assert (row["coverage_permille"], row["status"]) == (999, "within_tolerance")
    almost = judged(100_000_00, Worked(approved_guidance=99_999))
    assert almost["coverage_permille"] == 999, "never 1000 while a cent is lacking"


def test_more_hours_than_declared_are_covered_and_shown():
    row = judged(1_000_00, Worked(approved_guidance=1_200))
    assert (row["coverage_permille"], row["uncovered_cents"], row["status"]) == (1200, 0, "covered")
    assert row["conclusion"] == "De goedgekeurde uren dekken het gedeclareerde bedrag van € 1.000,00."


def test_hours_of_pupils_whose_holders_pay_the_provider_prove_no_declaration():
    """A tenth of the order is collected from pgb holders: of 1000 euro worked 900 stands beside what was declared."""
    part = declared(1_000_00, year_cents=90, budget_cents=100)
    row = lawfulness_row(ORDER, part, Worked(approved_guidance=1_000), AS_OF, 20)
    assert (row["covered_cents"], row["uncovered_cents"]) == (900_00, 100_00)


# --- the verdict ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approved", "provisional", "status"),
    [
        (1_000, 0, "covered"),
        (980, 0, "within_tolerance"),
        (979, 0, "not_covered"),
        (979, 1, "after_approval"),
        (900, 79, "not_covered"),
        (900, 80, "after_approval"),
        (0, 2_000, "after_approval"),
    ],
)
def test_two_percent_may_be_uncovered(approved: int, provisional: int, status: str):
    """1000 euro was declared: 20 euro, 20 minutes of guidance, is the tolerance."""
    row = judged(1_000_00, Worked(approved_guidance=approved, provisional_guidance=provisional))
    assert row["status"] == status
    assert row["tolerance_cents"] == 20_00


def test_the_conclusion_says_what_the_school_must_do():
    row = judged(1_000_00, Worked(approved_guidance=900, provisional_guidance=90, provisional_care=30))
    assert (row["provisional_minutes"], row["provisional_cents"]) == (120, 90_00 + 27_00)
    assert row["still_uncovered_cents"] == 0
    assert row["conclusion"] == (
        "Van € 1.000,00 is € 100,00 niet gedekt door goedgekeurde uren, meer dan de tolerantie van 2,00 % (€ 20,00). "
        "Er staan 2 uur waarop het akkoord van de school ontbreekt; daarmee blijft € 0,00 over. Vraag de school om haar akkoord."
    )


def test_the_conclusion_of_what_is_not_covered():
    row = judged(1_000_00, Worked(approved_guidance=500), tolerance=5)
    assert row["conclusion"] == (
        "Van € 1.000,00 is € 500,00 niet gedekt door goedgekeurde uren, meer dan de tolerantie van 0,50 % (€ 5,00). "
        "Ook met 0 uur waarop het akkoord van de school ontbreekt blijft € 500,00 over. "
        "Ga met de aanbieder na of uren ontbreken of niet zijn geleverd."
    )


def test_before_anything_is_declared_there_is_no_coverage():
    row = judged(0, Worked())
    assert (row["coverage_permille"], row["status"]) == (None, "nothing_declared")
    assert set(row) | {"school_year", "version"} == {column.name for column in products()["lawfulness"].columns}


@given(st.integers(0, 10**9), st.builds(Worked, *[st.integers(0, 10**6)] * 4), st.integers(0, 1000))
def test_what_is_covered_and_what_is_not_add_up(cents: int, hours: Worked, tolerance: int):
    row = judged(cents, hours, tolerance)
    assert row["uncovered_cents"] == max(0, cents - row["covered_cents"])
    assert row["still_uncovered_cents"] == max(0, cents - row["covered_cents"] - row["provisional_cents"])
    assert (row["coverage_permille"] or 0) >= 1000 or row["uncovered_cents"] > 0 or not cents
    fine = row["status"] in {"covered", "within_tolerance", "nothing_declared"}
    assert fine == (row["uncovered_cents"] <= row["tolerance_cents"])


# --- which hours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "last"),
    [
        (date(2025, 10, 31), date(2025, 10, 31)),
        (date(2025, 10, 30), date(2025, 9, 30)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2025, 12, 31), date(2025, 12, 31)),
    ],
)
def test_months_that_are_over_are_laid_beside_each_other(as_of: date, last: date):
    assert rules.through(as_of) == last


def hours(*rows: dict[str, Any], as_of: date = AS_OF) -> dict[str, Worked]:
    with opened(year(), sheet(list(rows))) as lines:
        return rules.added_up(rules.worked(lines, as_of))


def test_only_direct_approved_hours_of_the_order_count():
    found = hours(
        worked("an", "2025-09-01", 60),
        worked("an", "2025-10-01", 30, function="care"),
        worked("bo", "2025-09-02", 45, approved_on=None),
        worked("bo", "2025-09-03", 50, function="care", approved_on=date(2025, 11, 3)),
        worked("cas", "2025-09-01", 60, activity="indirect"),
        worked("cas", "2025-09-01", 60, "onbekend"),
        worked("an", "2025-11-03", 60, approved_on=date(2025, 10, 1)),
        worked("dee", "2025-09-01", 20, "ZML1", school="01FX00", provider="41410202"),
    )
    assert found == {
        "LP": Worked(approved_care=30, approved_guidance=60, provisional_care=50, provisional_guidance=45),
        "BO": Worked(approved_guidance=20),
    }


def test_what_was_approved_later_counts_later():
    line = worked("bo", "2025-09-03", 50, approved_on=date(2025, 11, 3))
    assert hours(line, as_of=date(2025, 12, 31))["LP"] == Worked(approved_guidance=50)


def test_months_read_apart_add_up():
    months = [[worked("an", "2025-09-01", 60)], [worked("an", "2025-10-01", 30)]]
    parts = []
    for rows in months:
        with opened(year(), sheet(rows)) as lines:
            parts += rules.worked(lines, AS_OF)
    assert rules.added_up(parts) == hours(*(row for rows in months for row in rows))


# --- the sample -----------------------------------------------------------------------------------------------------------


def sample(*sheets: Timesheet, seed: str = "7", size: int = 3, apart: bool = False) -> Rows:
    groups = [[one] for one in sheets] if apart else [list(sheets)]
    candidates = []
    for group in groups:
        with opened(year(), *group) as lines:
            candidates.append(rules.drawn(lines, AS_OF, seed, size))
    return rules.sample_rows(candidates, seed, size)


def refs(rows: Rows) -> list[str]:
    return [row["row_ref"] for row in rows]


SEPTEMBER = [worked(f"m{n}", f"2025-09-{1 + n % 20:02d}", 15 + n) for n in range(12)]
OCTOBER = [worked(f"m{n}", f"2025-10-{1 + n % 20:02d}", 15 + n) for n in range(9)]
BODDE = [worked(f"m{n}", "2025-10-02", 30, "ZML1", school="01FX00", provider="41410202") for n in range(2)]
SHEETS = (sheet(SEPTEMBER, "uren-09"), sheet(OCTOBER, "uren-10"), sheet(BODDE, "uren-bodde", name="Uren"))


def test_per_order_the_lowest_lots_are_drawn():
    """The lot is SHA-256 of the seed and the row reference: anybody can do it over."""

    def lot(ref: str) -> str:
        return hashlib.sha256(f"7\x1f{ref}".encode()).hexdigest()

    leijpark = [f"uren-09:{2 + n}" for n in range(12)] + [f"uren-10:{2 + n}" for n in range(9)]
    bodde = ["uren-bodde:Uren:2", "uren-bodde:Uren:3"]
    rows = sample(*SHEETS)
    assert refs(rows) == sorted(bodde, key=lot) + sorted(leijpark, key=lot)[:3], "De Bodde has no more than two"
    assert [(row["order_id"], row["sample_number"]) for row in rows] == [
        ("BO", 1),
        ("BO", 2),
        ("LP", 1),
        ("LP", 2),
        ("LP", 3),
    ]


def test_the_draw_depends_on_seed_and_lines_alone():
    rows = sample(*SHEETS)
    turned = [sheet(SEPTEMBER[::-1], "uren-09", numbers=range(13, 1, -1)), *SHEETS[:0:-1]]
    assert sample(*turned) == rows, "the same lines in another order"
    assert sample(*SHEETS, apart=True) == rows, "month by month"
    assert refs(sample(*SHEETS, seed="8")) != refs(rows)
    larger = sample(*SHEETS, size=5)
    assert [row for row in larger if row["sample_number"] <= 3] == rows, "a larger sample holds the smaller one"


def test_only_lines_that_prove_something_are_drawn():
    rows = [
        worked("an", "2025-09-01", 60),
        worked("bo", "2025-09-01", 60, approved_on=None),
        worked("cas", "2025-09-01", 60, approved_on=date(2025, 11, 1)),
        worked("dee", "2025-09-01", 60, activity="training"),
        worked("eef", "2025-11-03", 60, approved_on=date(2025, 10, 31)),
    ]
    assert refs(sample(sheet(rows), size=10)) == ["urenstaat:2"]


def test_a_line_says_what_to_ask_for_and_names_nobody():
    line = worked("an", "2025-09-01", 60, handed_in_on=date(2025, 9, 10), approved_on=date(2025, 9, 12))
    (row,) = sample(sheet([line]))
    assert row["evidence"] == (
        "Vraag bij de aanbieder: rooster of tijdregistratie van 01-09-2025 voor klas EMB1, met de bevoegdheid voor de functie; "
        "bij de school: de getekende urenstaat van week 2025-W36 met het akkoord van 12-09-2025; "
        "bij de school: waarom de urenstaat niet is doorgestuurd, of wanneer (de datum ontbreekt)."
    )
    columns = {column.name for column in products()["lawfulness_sample"].columns}
    assert set(row) | {"school_year", "version"} == columns
    assert "employee" not in columns
    assert '"an"' not in json.dumps(row, default=str)


@settings(max_examples=15)
@given(st.integers(0, 30), st.integers(1, 12), st.text(max_size=5))
def test_a_sample_has_no_line_twice_and_as_many_as_there_are(count: int, size: int, seed: str):
    lines = [worked(f"m{n}", f"2025-09-{1 + n % 20:02d}", 15) for n in range(count)]
    rows = sample(sheet(lines), seed=seed, size=size)
    assert len(set(refs(rows))) == len(rows) == min(count, size)
    assert [row["sample_number"] for row in rows] == list(range(1, len(rows) + 1))
