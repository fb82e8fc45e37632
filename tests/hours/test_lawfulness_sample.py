"""The sample by hand: which lines may be drawn, the lots, and that anybody can draw again."""

import hashlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.test_lawfulness import AUTUMN, year
from tests.hours.worked import Rows, opened, sheet, worked
from zio_pipeline.contracts import products
from zio_pipeline.hours import lawfulness_sample as lots
from zio_pipeline.hours.lines import Timesheet

ABOUT = {"school_year", "version", "draw_id", "draw_number", "drawn_on", "through"}
"""Columns that say which draw a line is of."""


def sample(*sheets: Timesheet, seed: str = "7", size: int = 3, apart: bool = False) -> Rows:
    groups = [[one] for one in sheets] if apart else [list(sheets)]
    candidates = []
    for group in groups:
        with opened(year(), *group) as lines:
            candidates.append(lots.drawn(lines, year(), AUTUMN, seed, size))
    return lots.sample_rows(candidates, seed, size)


def refs(rows: Rows) -> list[str]:
    return [row["row_ref"] for row in rows]


SEPTEMBER = [worked(f"m{n}", f"2025-09-{1 + n % 20:02d}", 15 + n) for n in range(12)]
OCTOBER = [worked(f"m{n}", f"2025-10-{1 + n % 20:02d}", 15 + n) for n in range(9)]
BODDE = [worked(f"m{n}", "2025-10-02", 30, "ZML1", school="01FX00", provider="41410202") for n in range(2)]
SHEETS = (sheet(SEPTEMBER, "uren-09"), sheet(OCTOBER, "uren-10"), sheet(BODDE, "uren-bodde", name="Uren"))


def test_per_order_the_lowest_lots_are_drawn():
    """The lot is SHA-256 of the seed, character 31 and the row reference: anybody can do it over."""

    def lot(ref: str) -> str:
        return hashlib.sha256(f"7\x1f{ref}".encode()).hexdigest()

    leijpark = [f"uren-09:{2 + n}" for n in range(12)] + [f"uren-10:{2 + n}" for n in range(9)]
    bodde = ["uren-bodde:Uren:2", "uren-bodde:Uren:3"]
    rows = sample(*SHEETS)
    assert refs(rows) == sorted(bodde, key=lot) + sorted(leijpark, key=lot)[:3], "De Bodde has no more than two"
    found = [(row["order_id"], row["sample_number"], row["population_lines"]) for row in rows]
    assert found == [("BO", 1, 2), ("BO", 2, 2), ("LP", 1, 21), ("LP", 2, 21), ("LP", 3, 21)]


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
        worked("cas", "2025-09-01", 60, approved_on=date(2025, 11, 12)),
        worked("dee", "2025-09-01", 60, activity="training"),
        worked("eef", "2025-11-03", 60, approved_on=date(2025, 11, 4)),
        worked("fem", "2025-09-01", 60, "REST"),
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
    assert set(row) | ABOUT == columns
    assert "employee" not in columns
    assert '"an"' not in json.dumps(row, default=str)


@settings(max_examples=15)
@given(st.integers(0, 30), st.integers(1, 12), st.text(max_size=5))
def test_a_sample_has_no_line_twice_and_as_many_as_there_are(count: int, size: int, seed: str):
    lines = [worked(f"m{n}", f"2025-09-{1 + n % 20:02d}", 15) for n in range(count)]
    rows = sample(sheet(lines), seed=seed, size=size)
    assert len(set(refs(rows))) == len(rows) == min(count, size)
    assert [row["sample_number"] for row in rows] == list(range(1, len(rows) + 1))


# --- which draw it is -----------------------------------------------------------------------------------------------------

THROUGH = date(2025, 10, 31)
LINES = [{"row_ref": "uren-09:2"}, {"row_ref": "uren-09:7"}]


def test_the_same_seed_days_files_and_lines_are_the_same_draw():
    one = lots.draw_id(LINES, ["aa", "bb"], THROUGH, "7")
    assert lots.draw_id(LINES[::-1], ["bb", "aa"], THROUGH, "7") == one
    assert len(one) == 12


@pytest.mark.parametrize(
    "other",
    [
        (LINES, ["aa", "bb"], THROUGH, "8"),
        (LINES, ["aa", "bb"], date(2025, 11, 30), "7"),
        (LINES, ["aa", "cc"], THROUGH, "7"),
        (LINES[:1], ["aa", "bb"], THROUGH, "7"),
        (LINES, ["aa", "bb", "uren-09:2"], THROUGH, "7"),
    ],
)
def test_whatever_differs_makes_another_draw(other: tuple[Any, ...]):
    assert lots.draw_id(*other) != lots.draw_id(LINES, ["aa", "bb"], THROUGH, "7")
