"""A new version beside its base: bystanders keep their cents and terms, posted terms stay, the difference goes over the rest.

SPEC section 5, second bullet. Every figure is fictief; the tables are written out so that paper agrees.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.year_builder import BREDA, HEUSDEN, TILBURG, VUGHT, WAALWIJK, Year, small_year, year_amounts
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.money import largest_remainder, largest_remainder_beside
from zio_pipeline.terms import LAW_OF_STREAM, TermLine, spread_terms
from zio_pipeline.versions import Base, calendar_of, changed_orders, idle_changes, payer_changes

MONTHS = ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
FIRST_FOUR = MONTHS[:4]
TEN = [1] * 10
Places = Iterable[tuple[str, str]]


def year_of_cents(cents: int) -> Year:
    """One doelgroep of one class that costs exactly so many cents."""
    year = Year(empty=True)
    year.order("LP", weeks=1, tariff_cents=cents)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    return year


def base_of(figures: YearFigures, reason: str, posted: Places = (), version: int = 1) -> Base:
    known = frozenset(b.decision_id for b in figures.setup.decisions_of("order_change"))
    calendar = calendar_of(figures.setup.settings)
    return Base(version, "a" * 64, reason, figures.tables, calendar, known, frozenset(posted))


def beside(base: Base, year: Year) -> YearFigures:
    return compute_year(replace(year.inputs(), base=base), base.version + 1)


def terms(figures: YearFigures, payer: str, order: str = "LP") -> list[int]:
    rows = {
        r["month"]: r["amount_cents"] for r in figures.tables["terms"] if (r["payer"], r["order_id"]) == (payer, order)
    }
    return [rows[month] for month in MONTHS]


def years(figures: YearFigures) -> dict[str, int]:
    return {payer: cents for (_, _, payer), cents in year_amounts(figures).items()}


def proved(figures: YearFigures) -> bool:
    return all(proof.proved for proof in figures.proofs)


# --- peildatum error --------------------------------------------------------------------------------------------------


def four_pupils(*municipalities: str) -> Year:
    """100,03 over four pupils: 25,0075 each."""
    year = year_of_cents(100_03)
    for n, code in enumerate(municipalities):
        year.pupil(f"p{n}", municipality=code)
    return year


def test_a_bystander_keeps_its_cents_and_its_terms() -> None:
    """One of two pupils of Heusden turns out to be of Breda. Tilburg and Waalwijk have nothing to do with it."""
    first = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()
    assert years(first) == {HEUSDEN: 50_01, TILBURG: 25_01, WAALWIJK: 25_01}
    corrected = four_pupils(BREDA, HEUSDEN, TILBURG, WAALWIJK)
    # Afresh the three odd cents would go to the three lowest codes, and Waalwijk would lose one.
    assert years(corrected.figures()) == {BREDA: 25_01, HEUSDEN: 25_01, TILBURG: 25_01, WAALWIJK: 25_00}

    second = beside(base_of(first, "peildatum_error"), corrected)
    assert years(second) == {BREDA: 25_01, HEUSDEN: 25_00, TILBURG: 25_01, WAALWIJK: 25_01}
    for payer in (TILBURG, WAALWIJK):
        assert terms(second, payer) == terms(first, payer)
    assert terms(second, TILBURG) == [250, 251, *[250] * 8]
    assert terms(second, WAALWIJK) == [250, 250, 251, *[250] * 7]
    # A declaration is exactly 10,003; October and November have their cent, so the one of Breda goes to September.
    assert terms(second, BREDA) == [251, *[250] * 9]
    assert terms(second, HEUSDEN) == [250] * 10
    assert proved(second)
    changes = payer_changes(first.tables["municipal_shares"], second.tables["municipal_shares"])
    assert [(c.payer, c.before_cents, c.after_cents, c.difference_cents) for c in changes] == [
        (BREDA, 0, 25_01, 25_01),
        (HEUSDEN, 50_01, 25_00, -25_01),
    ]


def test_a_pupil_that_turns_out_to_be_wlz_moves_nobody_else() -> None:
    """100,03 over four pupils; one of two of Heusden is Wlz after all. What a pupil costs is the same for the others."""
    first = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()
    corrected = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK)
    corrected.wlz("p0")
    second = beside(base_of(first, "peildatum_error"), corrected)
    assert {p: years(second)[p] for p in (TILBURG, WAALWIJK)} == {TILBURG: 25_01, WAALWIJK: 25_01}
    assert sum(years(second).values()) == 100_03
    assert [terms(second, p) for p in (TILBURG, WAALWIJK)] == [terms(first, p) for p in (TILBURG, WAALWIJK)]


def test_another_tariff_is_another_share_for_everybody() -> None:
    first = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()
    corrected = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK)
    corrected.sheets["orders"][0]["tariff_cents"] = 120_00
    second = beside(base_of(first, "parameter_error"), corrected)
    assert years(second) == years(corrected.figures()) == {HEUSDEN: 60_00, TILBURG: 30_00, WAALWIJK: 30_00}
    assert terms(second, TILBURG) == [300] * 10


def test_nothing_changed_gives_the_same_figures_under_another_version() -> None:
    first = small_year().figures()
    second = beside(base_of(first, "objection"), small_year())
    for name, rows in first.tables.items():
        assert second.tables[name] == [row | {"version": 2} for row in rows]


def test_a_third_version_keeps_what_the_second_made() -> None:
    first = four_pupils(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()
    second = beside(base_of(first, "peildatum_error"), four_pupils(BREDA, HEUSDEN, TILBURG, WAALWIJK))
    third = beside(base_of(second, "objection", version=2), four_pupils(BREDA, HEUSDEN, VUGHT, WAALWIJK))
    assert years(third) == {BREDA: 25_01, HEUSDEN: 25_00, VUGHT: 25_01, WAALWIJK: 25_01}
    for payer in (BREDA, HEUSDEN, WAALWIJK):
        assert terms(third, payer) == terms(second, payer)


def test_other_term_weights_are_spread_anew_for_every_reason_but_an_order_change() -> None:
    first = small_year().figures()
    heavier = small_year(termijngewichten="2 1 1 1 1 1 1 1 1 1")
    assert beside(base_of(first, "parameter_error"), heavier).tables["terms"] == [
        row | {"version": 2} for row in heavier.figures().tables["terms"]
    ]
    with pytest.raises(EstablishmentBlocked, match="termijngewichten"):
        beside(base_of(first, "order_change"), heavier)


# --- order change -----------------------------------------------------------------------------------------------------


def order_of(cents: int, *besluiten: dict[str, Any]) -> Year:
    """Tilburg two pupils, Heusden one, Breda (outside the region, twice a year) one."""
    year = year_of_cents(cents)
    year.pupils(2, municipality=TILBURG)
    year.pupil("h", municipality=HEUSDEN)
    year.pupil("b", municipality=BREDA)
    for besluit in besluiten:
        year.besluit("order_change", **besluit)
    return year


FROM_JANUARY = {"decision_id": "W1", "order_id": "LP", "month": "2026-01"}
UP_TO_DECEMBER = [(payer, month) for payer in (TILBURG, HEUSDEN) for month in FIRST_FOUR]


def test_an_order_change_from_january_leaves_what_was_and_spreads_the_rest() -> None:
    """40.000,00 becomes 66.000,00 (+26.000,00) from January on; September to December are posted."""
    first = order_of(40_000_00).figures()
    assert terms(first, TILBURG) == [2_000_00] * 10
    second = beside(base_of(first, "order_change", UP_TO_DECEMBER), order_of(66_000_00, FROM_JANUARY))
    assert years(second) == {BREDA: 16_500_00, HEUSDEN: 16_500_00, TILBURG: 33_000_00}
    # Breda: 16.500,00 - 4 x 1.000,00 = 12.500,00 over six terms is 2.083,33 with two odd cents: January, February.
    assert terms(second, BREDA) == [1_000_00] * 4 + [2_083_34, 2_083_34, 2_083_33, 2_083_33, 2_083_33, 2_083_33]
    # Heusden the same; the declaration of March and April lies furthest behind now.
    assert terms(second, HEUSDEN) == [1_000_00] * 4 + [2_083_33, 2_083_33, 2_083_34, 2_083_34, 2_083_33, 2_083_33]
    # Tilburg: 25.000,00 over six is 4.166,66 with four odd cents: May, June, and then January and February again.
    assert terms(second, TILBURG) == [2_000_00] * 4 + [4_166_67, 4_166_67, 4_166_66, 4_166_66, 4_166_67, 4_166_67]
    declared = [row["amount_cents"] for row in second.tables["monthly_declarations"]]
    assert declared == [4_000_00] * 4 + [8_333_34, 8_333_34, 8_333_33, 8_333_33, 8_333_33, 8_333_33]
    assert proved(second)
    assert [p.scope for p in second.proofs if p.invariant == "fixed_terms_stay"] == ["LP"]
    assert [p.scope for p in second.proofs if p.invariant == "posted_documents_stay"] == ["regio"]


def test_a_half_year_payer_bears_the_difference_from_the_effective_term_or_from_what_is_not_billed() -> None:
    first = order_of(40_000_00).figures()
    more = order_of(66_000_00, FROM_JANUARY)
    second = beside(base_of(first, "order_change", UP_TO_DECEMBER), more)
    halves = {r["period"]: 0 for r in second.tables["terms"] if r["payer"] == BREDA}
    for row in second.tables["terms"]:
        if row["payer"] == BREDA:
            halves[row["period"]] += row["amount_cents"]
    # Not billed yet: the first half is 4 x 1.000,00 and the new January.
    assert halves == {"2025-2026-H1": 6_083_34, "2025-2026-H2": 10_416_66}
    billed = beside(base_of(first, "order_change", [*UP_TO_DECEMBER, (BREDA, "2025-2026-H1")]), more)
    # Billed: January stays 1.000,00, and 11.500,00 goes over February to June.
    assert terms(billed, BREDA) == [1_000_00] * 5 + [2_300_00] * 5
    assert proved(billed)


def test_a_posted_january_stays_although_january_is_the_effective_term() -> None:
    first = order_of(40_000_00).figures()
    posted = [*UP_TO_DECEMBER, (TILBURG, "2026-01")]
    second = beside(base_of(first, "order_change", posted), order_of(66_000_00, FROM_JANUARY))
    assert terms(second, TILBURG) == [2_000_00] * 5 + [4_600_00] * 5
    assert terms(second, HEUSDEN)[4] > 1_000_00, "for Heusden January is still open"
    assert years(second)[TILBURG] == 33_000_00


def test_an_ended_contract_that_needs_a_negative_term_stops() -> None:
    """Of Tilburg 8.000,00 is posted up to December and the year becomes 7.000,00."""
    base = base_of(order_of(40_000_00).figures(), "order_change", UP_TO_DECEMBER)
    with pytest.raises(EstablishmentBlocked) as stopped:
        beside(base, order_of(14_000_00, FROM_JANUARY))
    said = str(stopped.value)
    assert "betaler 0855" in said
    assert "€ 7.000,00, en € 8.000,00 is al geboekt" in said
    assert "negatief" in said
    assert "parameterfout" in said
    again = beside(replace(base, reason="parameter_error"), order_of(14_000_00, FROM_JANUARY))
    assert terms(again, TILBURG) == [700_00] * 10


def test_a_year_that_ends_at_what_was_posted_needs_no_more_terms() -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change", UP_TO_DECEMBER)
    second = beside(base, order_of(16_000_00, FROM_JANUARY))
    assert terms(second, TILBURG) == [2_000_00] * 4 + [0] * 6
    assert proved(second)


def test_a_difference_without_an_open_term_stops() -> None:
    posted = [(payer, month) for payer in (TILBURG, HEUSDEN) for month in MONTHS]
    base = base_of(order_of(40_000_00).figures(), "order_change", posted)
    with pytest.raises(EstablishmentBlocked, match="geen termijn meer open"):
        beside(base, order_of(66_000_00, FROM_JANUARY))


def test_a_payer_that_disappears_with_posted_terms_stops() -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change", UP_TO_DECEMBER)
    gone = order_of(66_000_00, FROM_JANUARY)
    gone.registrations = [row for row in gone.registrations if row["pupil"] != "h"]
    with pytest.raises(EstablishmentBlocked, match="peildatumfout"):
        beside(base, gone)


def test_a_changed_order_never_carries_an_error_of_the_peildatum_along() -> None:
    """Posted terms stay with an order change: Heusden would go on paying for a pupil of Tilburg."""
    base = base_of(order_of(40_000_00).figures(), "order_change", UP_TO_DECEMBER)
    moved = order_of(66_000_00, FROM_JANUARY)
    moved.registrations[2]["municipality"] = TILBURG
    with pytest.raises(EstablishmentBlocked, match="peildatumfout"):
        beside(base, moved)
    assert proved(beside(replace(base, reason="peildatum_error"), moved))


def test_a_doelgroep_that_loses_its_hours_is_no_error_of_the_peildatum() -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change", UP_TO_DECEMBER)
    ended = order_of(66_000_00, FROM_JANUARY)
    ended.doelgroep("LP", "MG", 10_00)
    ended.school_class("MG1", "LP", "MG", weeks=1)
    for row in ended.sheets["classes"]:
        if row["doelgroep"] == "EMB":
            row["weeks"] = 0
    ended.pupil("m", "MG1", HEUSDEN)
    with pytest.raises(EstablishmentBlocked, match=r"betaler 0758: het jaarbedrag wordt € 0,00"):
        beside(base, ended)


def test_an_order_that_differs_without_a_new_besluit_stops() -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change")
    with pytest.raises(EstablishmentBlocked, match=r"van € 40\.000,00 naar € 66\.000,00 zonder nieuw besluit"):
        beside(base, order_of(66_000_00))
    # Nor does the besluit of an earlier change cover the next one.
    second = beside(replace(base, posted=frozenset(UP_TO_DECEMBER)), order_of(66_000_00, FROM_JANUARY))
    with pytest.raises(EstablishmentBlocked, match="zonder nieuw besluit"):
        beside(base_of(second, "order_change", version=2), order_of(70_000_00, FROM_JANUARY))
    third = order_of(70_000_00, FROM_JANUARY, {"decision_id": "W2", "order_id": "LP", "month": "2026-04"})
    figures = beside(base_of(second, "order_change", UP_TO_DECEMBER, version=2), third)
    assert terms(figures, TILBURG)[:7] == terms(second, TILBURG)[:7]
    assert years(figures)[TILBURG] == 35_000_00


@pytest.mark.parametrize(
    ("besluiten", "said"),
    [
        ([FROM_JANUARY | {"month": "2026-07"}], "2026-07 is geen termijn"),
        ([FROM_JANUARY, FROM_JANUARY | {"decision_id": "W2"}], "meer dan één nieuw besluit"),
    ],
)
def test_a_besluit_that_cannot_be_carried_out_stops(besluiten: list[dict[str, Any]], said: str) -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change")
    with pytest.raises(EstablishmentBlocked, match=said):
        beside(base, order_of(66_000_00, *besluiten))


def test_an_order_change_that_changes_no_order_stops() -> None:
    base = base_of(order_of(40_000_00).figures(), "order_change")
    with pytest.raises(EstablishmentBlocked, match="geen enkele opdracht is veranderd"):
        beside(base, order_of(40_000_00, FROM_JANUARY))


def two_orders(first_cents: int, second_cents: int, *besluiten: dict[str, Any]) -> Year:
    year = order_of(first_cents, *besluiten)
    year.order("DB", weeks=1, tariff_cents=second_cents)
    year.doelgroep("DB", "MG", 1_00)
    year.school_class("MG1", "DB", "MG")
    year.pupil("m", "MG1", HEUSDEN)
    year.pupil("n", "MG1", VUGHT)
    return year


def test_another_order_keeps_every_cell_and_its_besluit_is_reported() -> None:
    first = two_orders(40_000_00, 99_99).figures()
    base = base_of(first, "order_change", UP_TO_DECEMBER)
    year = two_orders(66_000_00, 99_99, FROM_JANUARY, {"decision_id": "W9", "order_id": "DB", "month": "2026-02"})
    second = beside(base, year)
    for payer in (HEUSDEN, VUGHT):
        assert terms(second, payer, "DB") == terms(first, payer, "DB")
    changed = changed_orders(second.setup, second.tables, base)
    assert changed == {"LP": "2026-01"}
    assert idle_changes(second.setup, base, changed) == ["W9"]
    assert idle_changes(second.setup, None) == ["W1", "W9"], "a first version has no use for them"
    objection = replace(base, reason="objection")
    assert idle_changes(second.setup, objection, changed_orders(second.setup, second.tables, objection)) == ["W1", "W9"]


def test_an_order_that_comes_later_leaves_posted_periods_alone() -> None:
    """SPEC 4: an order left out by besluit is established later; what was posted for other orders stays as it is."""
    later = two_orders(40_000_00, 60_00)
    later.besluit("order_later", order_id="DB")
    first = later.figures()
    year = two_orders(40_000_00, 60_00, {"decision_id": "W1", "order_id": "DB", "month": "2025-09"})
    second = beside(base_of(first, "order_change", UP_TO_DECEMBER), year)
    # Heusden has documents up to December; Vught, outside the region, has none yet.
    assert terms(second, HEUSDEN, "DB") == [0] * 4 + [5_00] * 6
    assert terms(second, VUGHT, "DB") == [3_00] * 10
    assert terms(second, TILBURG) == terms(first, TILBURG)


# --- what always holds ------------------------------------------------------------------------------------------------

CODES = [BREDA, HEUSDEN, TILBURG, VUGHT, WAALWIJK]


@settings(max_examples=25, deadline=None)
@given(
    cents=st.integers(1, 10_000_000),
    pupils=st.lists(st.sampled_from(CODES), min_size=3, max_size=12),
    moved=st.sampled_from(CODES),
    chance=st.randoms(use_true_random=False),
)
def test_sums_are_exact_and_bystanders_do_not_move(cents: int, pupils: list[str], moved: str, chance: Any) -> None:
    """One pupil changes municipality: only the two municipalities concerned differ, whatever the order of the rows."""

    def year(codes: list[str]) -> Year:
        made = year_of_cents(cents)
        for n, code in enumerate(codes):
            made.pupil(f"p{n}", municipality=code)
        return made

    first = year(pupils).figures()
    corrected = year([moved, *pupils[1:]])
    second = beside(base_of(first, "peildatum_error"), corrected)
    assert sum(years(second).values()) == cents
    assert proved(second)
    for payer in set(pupils) - {pupils[0], moved}:
        assert years(second)[payer] == years(first)[payer]
        assert terms(second, payer) == terms(first, payer)
    chance.shuffle(corrected.registrations)
    shuffled = {name: sorted(rows, key=repr) for name, rows in first.tables.items()}
    assert beside(replace(base_of(first, "peildatum_error"), tables=shuffled), corrected).tables == second.tables


@pytest.mark.parametrize(
    ("total", "weights", "kept", "divided"),
    [
        # What is kept leaves 33, and the one that is free bears it.
        (100, [1, 1, 1], [34, 33, None], [34, 33, 33]),
        # 100 over three who keep 33: the cent goes to the first of those that lie a third below their exact share.
        (100, [1, 1, 1], [33, 33, 33], [34, 33, 33]),
        # 100 over three who keep 34, 34 and 33: the last of the two that lie two thirds above theirs gives one.
        (100, [1, 1, 1], [34, 34, 33], [34, 33, 33]),
        # The same beside somebody without weight any more.
        (100, [1, 1, 1, 0], [34, 34, 34, None], [34, 33, 33, 0]),
        # 7 over 3 and 1 (5,25 and 1,75), kept at 6 and 2: who lies furthest above gives.
        (7, [3, 1], [6, 2], [5, 2]),
        # Nothing of this belongs to these weights.
        (100, [1, 1], [90, 90], [50, 50]),
    ],
)
def test_only_the_cents_that_do_not_fit_move(
    total: int, weights: list[int], kept: list[int | None], divided: list[int]
) -> None:
    assert largest_remainder_beside(total, weights, kept) == divided


amounts = st.integers(0, 10**7)


@given(amounts, st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(0, 10**6)), min_size=1))
def test_kept_parts_stay_or_nothing_does(total: int, parts: list[tuple[int, int | None]]) -> None:
    weights, kept = [weight for weight, _ in parts], [cents for _, cents in parts]
    if total and not any(weights):
        return
    divided = largest_remainder_beside(total, weights, kept)
    rest = total - sum(cents for cents in kept if cents is not None)
    free = [weight for weight, cents in parts if cents is None]
    if rest >= 0 and (not rest or any(free)):
        assert all(cents in (None, found) for cents, found in zip(kept, divided, strict=True))
        assert [f for f, c in zip(divided, kept, strict=True) if c is None] == largest_remainder(rest, free)
        assert sum(divided) == total
    elif divided != largest_remainder(total, weights):
        moved = [found - (cents or 0) for cents, found in zip(kept, divided, strict=True)]
        assert sum(moved) == rest
        assert sum(map(abs, moved)) == abs(rest), "no more cents than those that did not fit, in one direction"
        assert max(map(abs, moved)) == 1
        assert all(found == 0 for cents, found in zip(kept, divided, strict=True) if cents is None)
    assert sum(divided) == total
    assert largest_remainder_beside(total, weights, [None] * len(weights)) == largest_remainder(total, weights)


@st.composite
def lines_and_fixed(draw: st.DrawFn) -> tuple[list[TermLine], dict[TermLine, list[int | None]]]:
    places = [(stream, payer) for stream in ("jeugdwet", "adult") for payer in CODES]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    lines = [TermLine("A", LAW_OF_STREAM[s], s, p, draw(st.integers(0, 10**6))) for s, p in chosen]
    kept = [line for line in lines if draw(st.booleans())]
    fixed: dict[TermLine, list[int | None]] = {}
    for line in kept:
        row = largest_remainder(line.year_cents, draw(st.lists(st.integers(1, 9), min_size=10, max_size=10)))
        whole = draw(st.booleans())
        fixed[line] = [cents if whole or j < 4 else None for j, cents in enumerate(row)]
    return lines, fixed


@given(lines_and_fixed(), st.sampled_from([TEN, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1], [7, 7, 6, 6, 1, 2, 0, 1, 1, 1]]))
def test_what_is_fixed_stays_and_every_other_cell_is_its_share_down_or_up(
    given_lines: tuple[list[TermLine], dict[TermLine, list[int | None]]], weights: list[int]
) -> None:
    lines, fixed = given_lines
    spread = spread_terms(lines, weights, fixed)
    assert spread == spread_terms(lines[::-1], weights, fixed)
    for line, row in spread.items():
        assert sum(row) == line.year_cents
        stays = fixed.get(line, [None] * 10)
        assert all(cents in (None, cell) for cents, cell in zip(stays, row, strict=True))
        open_weights = [w for w, cents in zip(weights, stays, strict=True) if cents is None]
        rest = line.year_cents - sum(cents for cents in stays if cents is not None)
        if fixed:
            for cell, weight, cents in zip(row, weights, stays, strict=True):
                if cents is None:
                    assert abs(cell - Fraction(rest * weight, sum(open_weights))) < 1


@given(lines_and_fixed())
def test_with_nothing_kept_it_is_the_rule_of_the_first_version(
    given_lines: tuple[list[TermLine], dict[TermLine, list[int | None]]],
) -> None:
    """Equal terms: the odd cents that go where the declaration lies furthest behind go to consecutive terms."""
    lines, _ = given_lines
    nothing: dict[TermLine, list[int | None]] = {line: [None] * 10 for line in lines}
    assert spread_terms(lines, TEN, nothing) == spread_terms(lines, TEN)


def test_more_fixed_than_the_year_is_refused() -> None:
    line = TermLine("A", "jw", "jeugdwet", TILBURG, 5)
    with pytest.raises(ValueError, match="more is fixed"):
        spread_terms([line], TEN, {line: [6, *[None] * 9]})
    with pytest.raises(ValueError, match="no open term"):
        spread_terms([line], TEN, {line: [1] * 4 + [0] * 6})
