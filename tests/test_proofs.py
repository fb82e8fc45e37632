"""What every year must satisfy: its equations to the cent, whatever the pupils, hours, tariff and policy (SPEC 4).

The equations are proved by the program itself on every run; here they are shown to be able to fail.
"""

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.year_builder import (
    BREDA,
    DE_BODDE,
    GOIRLE,
    HEUSDEN,
    MIDDEN_BRABANT,
    TILBURG,
    VUGHT,
    WEST_BRABANT,
    Year,
    shares,
    small_year,
    year_amounts,
)
from zio_pipeline.contracts import products
from zio_pipeline.errors import NotProved
from zio_pipeline.figures import figures_hash
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.proofs import prove, require
from zio_pipeline.setup import SchoolYearSetup

MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")


def test_every_table_has_exactly_the_columns_of_its_contract() -> None:
    """SPEC 6: tables in the warehouse, each under an output contract."""
    for name, rows in small_year().figures().tables.items():
        columns = [column.name for column in products()[name].columns]
        assert rows, name
        assert all(sorted(row) == sorted(columns) for row in rows), name
        keys = Counter(tuple(row[column] for column in products()[name].key) for row in rows)
        assert max(keys.values()) == 1, name


def test_no_pupil_can_be_found_in_the_finance_tables() -> None:
    """SPEC 8: no pupil-level key leaves the vault."""
    year = small_year()
    text = repr(year.figures().tables)
    assert not [row["pupil"] for row in year.registrations if repr(row["pupil"]) in text]


INVARIANTS = {
    "streams_equal_budget",
    "payers_equal_stream",
    "lines_equal_payers",
    "contributions_equal_orders",
    "terms_equal_year",
    "declarations_equal_terms",
    "addressees_equal_declarations",
    "statement_equals_payers",
    "lines_equal_order",
    "parties_equal_orders",
    "row_order_changes_nothing",
}


def test_every_invariant_is_proved_and_stored() -> None:
    """SPEC 4, Invariants: proved on every run and stored, with both sides."""
    proofs = small_year().figures().proofs
    assert {proof.invariant for proof in proofs} == INVARIANTS
    assert all(proof.proved for proof in proofs)
    assert {name for proof in proofs for name in proof.row()} <= {c.name for c in products()["proofs"].columns}
    region = next(proof for proof in proofs if proof.invariant == "parties_equal_orders")
    assert (region.left_cents, region.right_cents) == (60_000_00, 60_000_00)


@pytest.mark.parametrize(
    ("table", "noticed_by"),
    [
        ("doelgroep_budgets", {"streams_equal_budget"}),
        ("funding_split", {"streams_equal_budget", "payers_equal_stream"}),
        ("share_details", {"payers_equal_stream", "lines_equal_payers", "statement_equals_payers"}),
        ("municipal_shares", {"lines_equal_payers", "terms_equal_year", "lines_equal_order", "parties_equal_orders"}),
        ("terms", {"terms_equal_year", "declarations_equal_terms"}),
        ("monthly_declarations", {"declarations_equal_terms", "addressees_equal_declarations"}),
        ("declaration_addressees", {"addressees_equal_declarations"}),
        ("zorgkantoor_statement", {"statement_equals_payers"}),
    ],
)
def test_one_cent_too_many_anywhere_is_noticed(table: str, noticed_by: set[str]) -> None:
    """A proof that cannot fail proves nothing. The row changed is one of a zorgkantoor, which every table has."""
    tables = copy.deepcopy(small_year().figures().tables)
    changed = next(
        r
        for r in tables[table]
        if MIDDEN_BRABANT in (r.get("payer"), r.get("addressee"))
        or r.get("stream") == "wlz_zin"
        or r.get("law") == "wlz"
        or table == "doelgroep_budgets"
    )
    changed["amount_cents"] += 1
    failed = [proof for proof in prove(tables) if not proof.proved]
    assert {proof.invariant for proof in failed} == noticed_by
    with pytest.raises(NotProved, match="De verdeling sluit niet"):
        require(failed)


def test_a_row_that_is_missing_or_stands_alone_is_noticed() -> None:
    for table in ("funding_split", "share_details", "municipal_shares", "terms", "monthly_declarations"):
        tables = copy.deepcopy(small_year().figures().tables)
        tables[table].pop()
        assert not all(proof.proved for proof in prove(tables)), table


def test_a_rule_that_listens_to_the_order_of_the_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_row_moves(setup: SchoolYearSetup, inputs: PayerInputs) -> PayerOutcome:
        first, *others = inputs.registrations
        return decide_payers(setup, replace(inputs, registrations=[dict(first) | {"municipality": GOIRLE}, *others]))

    monkeypatch.setattr("zio_pipeline.figures.decide_payers", first_row_moves)
    failed = [proof.invariant for proof in small_year().figures().proofs if not proof.proved]
    assert failed == ["row_order_changes_nothing"]


Pupil = tuple[int, str, str]
"""Class, municipality or zorgkantoor, and what kind of pupil it is."""

KINDS = ("jeugdwet", "zin", "pgb", "adult", "no need")
PAYERS = (TILBURG, HEUSDEN, GOIRLE, BREDA, VUGHT)
pupils = st.tuples(st.integers(0, 3), st.sampled_from(PAYERS), st.sampled_from(KINDS))
policies = st.sampled_from(["buiten_sleutel", "zorgkantoor", "gemeente", "pgb_houders"])


def drawn_year(
    children: list[Pupil], tariff: int, hours: tuple[int, int], policy: str = "gemeente", contribution: int = 0
) -> Year:
    """Two orders; EMB has classes 0 and 1, MG class 2; class 3 is the EMB of the other order. No doelgroep is empty."""
    year = Year(empty=True, pgb_beleid=policy, achttien_plus="betaalbaar")
    year.order("LP", weeks=1, tariff_cents=tariff)
    year.order("BO", weeks=1, tariff_cents=tariff + 1, school=DE_BODDE)
    for order, doelgroep, granted in (("LP", "EMB", hours[0]), ("LP", "MG", hours[1]), ("BO", "EMB", hours[1])):
        year.doelgroep(order, doelgroep, granted)
    places = [("LP", "EMB", "02ZX00"), ("LP", "EMB", "02ZX00"), ("LP", "MG", "02ZX00"), ("BO", "EMB", DE_BODDE)]
    for n, (order, doelgroep, school) in enumerate(places):
        year.school_class(f"K{n}", order, doelgroep, school=school)
        year.pupil(f"guard {n}", f"K{n}", TILBURG, school=school)
    for n, (place, code, kind) in enumerate(children):
        born = date(2005, 1, 1) if kind == "adult" else date(2015, 1, 1)
        school = places[place][2]
        year.pupil(f"p{n}", f"K{place}", code, birth_date=born, needs_care=kind != "no need", school=school)
        if kind in ("zin", "pgb"):
            zorgkantoor = WEST_BRABANT if code == BREDA else MIDDEN_BRABANT
            year.wlz(f"p{n}", "7" if kind == "zin" else "2", zorgkantoor, parents_agree=True)
    if contribution:
        year.contribution("LP", "SWV", contribution)
    return year


tariffs = st.integers(1, 99_99)
hours = st.tuples(st.integers(1, 2_000), st.integers(1, 2_000))
children = st.lists(pupils, max_size=12)


@given(children=children, tariff=tariffs, hours=hours, policy=policies, contribute=st.booleans())
@settings(max_examples=60)
def test_every_year_adds_up_to_the_cent(
    children: list[Pupil], tariff: int, hours: tuple[int, int], policy: str, contribute: bool
) -> None:
    """SPEC 4, Invariants, whatever the pupils, hours, tariff and policy."""
    figures = drawn_year(
        children, tariff, hours, policy, contribution=1 if contribute and tariff > 100 else 0
    ).figures()
    require(figures.proofs)
    assert all(row["amount_cents"] >= 0 for rows in figures.tables.values() for row in rows)


@given(children=children, shuffle=st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_the_rows_changes_nothing(children: list[Pupil], shuffle: Any) -> None:
    """SPEC 4, Invariants: independent of row order, also of the sheets."""
    year = drawn_year(children, 60_01, (333, 777))
    before = year.figures()
    for rows in (year.registrations, year.indications, *year.sheets.values()):
        shuffle.shuffle(rows)
    after = year.figures()
    assert figures_hash(after.tables) == figures_hash(before.tables)
    assert after.outcome == before.outcome


@given(children=children, tariff=tariffs, hours=hours)
@settings(max_examples=60)
def test_joining_or_splitting_two_payers_moves_nobody_else_by_more_than_a_cent(
    children: list[Pupil], tariff: int, hours: tuple[int, int]
) -> None:
    """SPEC 4, Invariants: per order x doelgroep x stream. Read backwards, Heusden splits off from Tilburg."""
    apart = shares(drawn_year(children, tariff, hours))
    joined = shares(drawn_year([(n, TILBURG if c == HEUSDEN else c, k) for n, c, k in children], tariff, hours))
    others = {key for key in apart if key[3] not in (TILBURG, HEUSDEN)}
    assert others == {key for key in joined if key[3] != TILBURG}
    assert all(abs(apart[key] - joined[key]) <= 1 for key in others)
    for *where, _ in apart:
        both = sum(apart.get((*where, code), 0) for code in (TILBURG, HEUSDEN))
        assert abs(both - joined.get((*where, TILBURG), 0)) <= sum(key[:3] == tuple(where) for key in others)


@given(children=children, tariff=tariffs, hours=hours, newcomer=pupils)
@settings(max_examples=60)
def test_one_pupil_more_costs_nobody_else_anything(
    children: list[Pupil], tariff: int, hours: tuple[int, int], newcomer: Pupil
) -> None:
    """HvB report: hours are granted per class. In its own doelgroep nobody pays more (but for a cent of rounding in
    either step); no other doelgroep or order moves at all."""
    before = shares(drawn_year(children, tariff, hours))
    after = shares(drawn_year([*children, newcomer], tariff, hours))
    place, code, kind = newcomer
    own = {0: ("LP", "EMB"), 1: ("LP", "EMB"), 2: ("LP", "MG"), 3: ("BO", "EMB")}[place]
    payer = {BREDA: WEST_BRABANT}.get(code, MIDDEN_BRABANT) if kind == "zin" else code
    for key, cents in before.items():
        if key[:2] != own:
            assert after[key] == cents
        elif key[3] != payer:
            assert after[key] <= cents + 2


@given(children=children)
@settings(max_examples=30)
def test_each_half_and_each_month_is_its_share_of_the_year(children: list[Pupil]) -> None:
    """SPEC 4, Terms: equal terms; every cell is the floor or the ceiling of a tenth of its line."""
    figures = drawn_year(children, 60_01, (333, 777)).figures()
    for row in figures.tables["terms"]:
        year_cents = year_amounts(figures)[row["order_id"], row["stream"], row["payer"]]
        assert row["amount_cents"] in (year_cents // 10, -(-year_cents // 10))


@pytest.mark.parametrize(
    "change",
    [
        lambda year: year.pupil("one more"),
        lambda year: year.sheets["orders"][0].update(tariff_cents=60_01),
        lambda year: year.registrations[0].update(municipality=GOIRLE),
    ],
)
def test_the_hash_of_the_figures_follows_every_change(change: Callable[[Year], Any]) -> None:
    year = small_year()
    before = figures_hash(year.figures().tables)
    assert figures_hash(small_year().figures().tables) == before
    change(year)
    assert figures_hash(year.figures().tables) != before
