"""An order that changes leaves what was posted, whatever else changed with it; and later versions keep the month it changed.

SPEC section 5, `order_change`. Every figure is fictief; the tables are written out so that paper agrees.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import BREDA, HEUSDEN, MEMBERS, TILBURG, VUGHT, Year
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.kept_terms import with_what_stays
from zio_pipeline.order_history import OrderChange, segment_weights
from zio_pipeline.proofs import prove_beside
from zio_pipeline.shares import ShareDetail
from zio_pipeline.versions import Base, calendar_of

MONTHS = ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
TEN = [1] * 10
LP_JANUARY = {"decision_id": "W1", "order_id": "LP", "month": "2026-01"}
DB_JANUARY = {"decision_id": "W2", "order_id": "DB", "month": "2026-01"}
CHANGE = OrderChange("LP", "2026-01", 40_000_00, 66_000_00)


def base_of(figures: YearFigures, reason: str, posted: Iterable[tuple[str, str]] = (), **more: Any) -> Base:
    known = frozenset(b.decision_id for b in figures.setup.decisions_of("order_change"))
    calendar = calendar_of(figures.setup.settings)
    version = figures.tables["terms"][0]["version"]
    return Base(version, "a" * 64, reason, figures.tables, calendar, known, frozenset(posted), **more)


def beside(base: Base, year: Year) -> YearFigures:
    return compute_year(replace(year.inputs(), base=base), base.version + 1)


def terms(figures: YearFigures, payer: str, order: str = "LP", stream: str = "jeugdwet") -> list[int]:
    found = {
        r["month"]: r["amount_cents"]
        for r in figures.tables["terms"]
        if (r["payer"], r["order_id"], r["stream"]) == (payer, order, stream)
    }
    return [found[month] for month in MONTHS]


def declared(figures: YearFigures, order: str = "LP") -> list[int]:
    totals: Counter[str] = Counter()
    for row in figures.tables["terms"]:
        if row["order_id"] == order:
            totals[row["month"]] += row["amount_cents"]
    return [totals[month] for month in MONTHS]


def failed(figures: YearFigures) -> list[str]:
    return [proof.invariant for proof in figures.proofs if not proof.proved]


# --- what belongs to a change -----------------------------------------------------------------------------------------


def two_orders(
    *besluiten: dict[str, Any], lp: int = 60_00, emb: int = 6_00, mg: int = 4_00, contribution: int = 1_000_00
) -> Year:
    """LP with one doelgroep; DB with two of ten hours together (40 weeks, 50,00: 20.000,00) and a contribution."""
    year = Year(empty=True)
    year.order("LP", tariff_cents=lp)
    year.doelgroep("LP", "EMB", 10_00)
    year.school_class("EMB1")
    year.order("DB", tariff_cents=50_00)
    year.doelgroep("DB", "EMB", emb)
    year.doelgroep("DB", "MG", mg)
    year.school_class("E1", "DB", "EMB")
    year.school_class("M1", "DB", "MG")
    for n, (code, where) in enumerate(((TILBURG, "EMB1"), (HEUSDEN, "EMB1"), (HEUSDEN, "E1"), (TILBURG, "M1"))):
        year.pupil(f"p{n}", where, code)
    year.contribution("DB", "SWV", contribution)
    for besluit in besluiten:
        year.besluit("order_change", **besluit)
    return year


POSTED = [(payer, month) for payer in (TILBURG, HEUSDEN, "SWV") for month in MONTHS[:4]]


def test_hours_that_move_within_another_order_need_a_besluit_of_their_own() -> None:
    """DB stays 20.000,00: 6 + 4 hours become 5 + 5. Heusden (EMB) would pay less and Tilburg (MG) more from September on."""
    base = base_of(two_orders().figures(), "order_change", POSTED)
    with pytest.raises(EstablishmentBlocked, match=r"DB: uren, bijdragen of de verdeling .* blijft € 20\.000,00"):
        beside(base, two_orders(LP_JANUARY, lp=65_00, emb=5_00, mg=5_00))


def test_a_contribution_of_another_order_needs_a_besluit_of_its_own() -> None:
    base = base_of(two_orders().figures(), "order_change", POSTED)
    with pytest.raises(EstablishmentBlocked, match="opdracht DB: uren, bijdragen"):
        beside(base, two_orders(LP_JANUARY, lp=65_00, contribution=2_000_00))


def test_hours_that_move_by_besluit_are_borne_from_its_first_term() -> None:
    """Less contributions DB is 19.000,00: EMB 11.400,00 and MG 7.600,00. From January 5 + 5 hours: 9.500,00 each."""
    first = two_orders().figures()
    assert terms(first, HEUSDEN, "DB") == [1_140_00] * 10
    assert terms(first, TILBURG, "DB") == [760_00] * 10
    second = beside(base_of(first, "order_change", POSTED), two_orders(DB_JANUARY, emb=5_00, mg=5_00))
    # 9.500,00 - 4 x 1.140,00 = 4.940,00 over six is 823,33 and two cents; 9.500,00 - 4 x 760,00 = 6.460,00: 1.076,66 and four.
    assert terms(second, HEUSDEN, "DB") == [1_140_00] * 4 + [823_34] * 2 + [823_33] * 4
    assert terms(second, TILBURG, "DB") == [760_00] * 4 + [1_076_66] * 2 + [1_076_67] * 4
    assert terms(second, "SWV", "DB", "contribution") == [100_00] * 10
    assert terms(second, TILBURG) == terms(first, TILBURG)
    assert failed(second) == []


def test_a_contribution_that_changes_by_besluit_leaves_what_was_posted() -> None:
    first = two_orders().figures()
    second = beside(base_of(first, "order_change", POSTED), two_orders(DB_JANUARY, contribution=2_000_00))
    # 2.000,00 - 400,00 = 1.600,00 over six is 266,66 and four odd cents; the last of the payers gets them.
    assert terms(second, "SWV", "DB", "contribution")[:4] == [100_00] * 4
    assert sorted(terms(second, "SWV", "DB", "contribution")[4:]) == [266_66] * 2 + [266_67] * 4
    for payer in (TILBURG, HEUSDEN):
        assert terms(second, payer, "DB")[:4] == terms(first, payer, "DB")[:4]
    assert failed(second) == []


def test_a_changed_order_never_changes_membership_or_rhythm() -> None:
    base = base_of(two_orders().figures(), "order_change", POSTED)
    outside = two_orders(LP_JANUARY, lp=65_00)
    outside.sheets["municipalities"][MEMBERS.index(HEUSDEN)]["member_from"] = None
    outside.besluit("membership", decision_id="L1", subject=HEUSDEN)
    with pytest.raises(EstablishmentBlocked, match=r"betaler 0797: lidmaatschap of ritme .* parameterfout"):
        beside(base, outside)
    assert failed(beside(replace(base, reason="parameter_error"), outside)) == []


def test_the_proofs_see_every_posted_document_that_a_change_would_take_back() -> None:
    first = two_orders().figures()
    base = base_of(first, "order_change", POSTED)
    second = beside(base, two_orders(LP_JANUARY, lp=65_00))
    settings = second.setup.settings

    def wrong(table: list[dict[str, Any]]) -> list[tuple[str, str]]:
        proofs = prove_beside(second.tables | {"terms": table}, base, settings, {"LP": "2026-01"})
        return [(p.invariant, p.scope) for p in proofs if not p.proved]

    rows = second.tables["terms"]
    assert wrong(rows) == []
    (place,) = [n for n, r in enumerate(rows) if (r["payer"], r["order_id"], r["month"]) == (HEUSDEN, "DB", "2026-03")]
    other = [*rows[:place], rows[place] | {"amount_cents": 0}, *rows[place + 1 :]]
    assert ("fixed_terms_stay", "DB") in wrong(other), "an order that did not change moved in a term that is open"
    half = [r | {"period": "2025-2026-H1", "rhythm": "half_year"} if r["payer"] == HEUSDEN else r for r in rows]
    assert wrong(half) == [("posted_documents_stay", "regio")]


# --- what came after --------------------------------------------------------------------------------------------------


def order_of(cents: int, *besluiten: dict[str, Any], third: str = TILBURG, **settings: str) -> Year:
    """One order of four pupils: Breda, Heusden, Tilburg, and a third one of Tilburg."""
    year = Year(empty=True, **settings)
    year.order("LP", weeks=1, tariff_cents=cents)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    for n, code in enumerate((BREDA, HEUSDEN, TILBURG, third)):
        year.pupil(f"p{n}", municipality=code)
    for besluit in besluiten:
        year.besluit("order_change", **besluit)
    return year


def dearer_from_january() -> YearFigures:
    """40.000,00 becomes 66.000,00 from January on: a pupil 1.000,00 a term, and then 12.500,00 over six."""
    first = order_of(40_000_00).figures()
    return beside(base_of(first, "order_change"), order_of(66_000_00, LP_JANUARY))


def test_an_error_at_the_peildatum_leaves_the_declarations_of_a_changed_order() -> None:
    """One of the pupils of Tilburg was of Heusden. What the two bore together in a month they still bear together."""
    second = dearer_from_january()
    assert declared(second) == [4_000_00] * 4 + [8_333_34] * 2 + [8_333_33] * 4
    base = base_of(second, "peildatum_error", history=(CHANGE,))
    third = beside(base, order_of(66_000_00, LP_JANUARY, third=HEUSDEN))
    assert declared(third) == declared(second)
    assert terms(third, BREDA) == terms(second, BREDA)
    # Together 3.000,00 and 6.250,00; of the 49.500,00 Heusden bears two thirds: 2.000,00, and 4.166,67 less two odd cents.
    assert terms(third, HEUSDEN)[:4] == [2_000_00] * 4
    assert sorted(terms(third, HEUSDEN)[4:]) == [4_166_66] * 2 + [4_166_67] * 4
    assert terms(third, TILBURG)[:4] == [1_000_00] * 4
    assert sorted(terms(third, TILBURG)[4:]) == [2_083_33] * 4 + [2_083_34] * 2
    assert "unchanged_years_keep_declarations" in {proof.invariant for proof in third.proofs}
    assert failed(third) == []


def test_without_its_history_the_proof_still_sees_the_increase_in_september() -> None:
    base = base_of(dearer_from_january(), "peildatum_error")
    third = beside(base, order_of(66_000_00, LP_JANUARY, third=HEUSDEN))
    assert terms(third, HEUSDEN)[0] == 3_300_00
    assert failed(third) == ["unchanged_years_keep_declarations"]


def test_a_tariff_that_was_wrong_all_year_moves_every_stretch_in_proportion() -> None:
    """66.000,00 should have been 33.000,00: half of 4.000,00 a term, and half of 50.000,00 over six."""
    base = base_of(dearer_from_january(), "parameter_error", history=(CHANGE,))
    third = beside(base, order_of(33_000_00, LP_JANUARY))
    assert declared(third) == [2_000_00] * 4 + [4_166_67] * 4 + [4_166_66] * 2
    assert terms(third, TILBURG)[:4] == [1_000_00] * 4
    assert terms(third, HEUSDEN)[:4] == [500_00] * 4
    assert failed(third) == []


def test_other_terms_keep_the_month_in_which_an_order_changed() -> None:
    """September counts double: 11 parts of 40.000,00 up to December (5 of 11), and from January six of what is left."""
    base = base_of(dearer_from_january(), "parameter_error", history=(CHANGE,))
    third = beside(base, order_of(66_000_00, LP_JANUARY, termijngewichten="2 1 1 1 1 1 1 1 1 1"))
    # 40.000,00 x 5/11 = 18.181,82 up to December; 47.818,18 over six is 7.969,70.
    assert [cents // 100 for cents in declared(third)] == [7_272, 3_636, 3_636, 3_636, *[7_969] * 6]


def test_a_stream_that_is_new_in_a_changed_order_follows_the_change() -> None:
    """A pupil of Tilburg has Wlz after all: the zorgkantoor pays a quarter of every term, from September on."""
    wlz = order_of(66_000_00, LP_JANUARY)
    wlz.wlz("p3")
    third = beside(base_of(dearer_from_january(), "peildatum_error", history=(CHANGE,)), wlz)
    assert terms(third, "5527", stream="wlz_zin") == [1_000_00] * 4 + [2_083_34] * 2 + [2_083_33] * 4
    assert terms(third, HEUSDEN) == terms(dearer_from_january(), HEUSDEN)
    assert failed(third) == []


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ((), TEN),
        ((CHANGE,), [12] * 4 + [25] * 6),
        ((OrderChange("LP", "2026-02", 0, 500),), [0] * 5 + [1] * 5),
        ((OrderChange("LP", "2026-02", 1_000, 500),), [1] * 5 + [0] * 5),
        # 100 a term, 200 from January, and then half of all of it is not asked any more from April.
        (
            (OrderChange("LP", "2026-01", 1_000, 1_600), OrderChange("LP", "2026-04", 1_600, 1_300)),
            [1] * 4 + [2] * 3 + [1] * 3,
        ),
        # Between the two changes everything turned out to be twice as dear.
        (
            (OrderChange("LP", "2026-01", 1_000, 1_600), OrderChange("LP", "2026-04", 3_200, 2_600)),
            [1] * 4 + [2] * 3 + [1] * 3,
        ),
        # Ended before the first term of other terms: what there is keeps its proportion.
        ((OrderChange("LP", "2026-07", 1_000, 500),), TEN),
    ],
)
def test_the_terms_of_an_order_in_proportion(changes: tuple[OrderChange, ...], weights: list[int]) -> None:
    found = segment_weights(changes, MONTHS, TEN)
    assert [w * sum(found) for w in weights] == [f * sum(weights) for f in found]


@given(
    st.lists(st.tuples(st.sampled_from(MONTHS), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=4),
    st.lists(st.integers(0, 5), min_size=10, max_size=10).filter(any),
)
def test_the_weights_of_a_history_are_usable(changes: list[tuple[str, int, int]], weights: list[int]) -> None:
    found = segment_weights([OrderChange("LP", *change) for change in changes], MONTHS, weights)
    assert len(found) == 10
    assert any(found)
    assert all(cell >= 0 for cell in found)


# --- odd cents of what stays ------------------------------------------------------------------------------------------

NOVEMBER = {"decision_id": "W1", "order_id": "LP", "month": "2025-11"}
SEPTEMBER_AND_OCTOBER = [(payer, month) for payer in (HEUSDEN, TILBURG) for month in MONTHS[:2]]


def order_of_two(cents: int, *besluiten: dict[str, Any]) -> Year:
    """Heusden and Tilburg, a pupil each."""
    year = Year(empty=True)
    year.order("LP", weeks=1, tariff_cents=cents)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    for code in (HEUSDEN, TILBURG):
        year.pupil(f"p {code}", municipality=code)
    for besluit in besluiten:
        year.besluit("order_change", **besluit)
    return year


def ended_after_october(cents: int) -> YearFigures:
    """100,04 is 50,02 each: Heusden pays 5,01 in September and October, Tilburg only from November on."""
    first = order_of_two(100_04).figures()
    assert (terms(first, HEUSDEN)[:2], terms(first, TILBURG)[:2]) == ([5_01, 5_01], [5_00, 5_00])
    base = base_of(first, "order_change", SEPTEMBER_AND_OCTOBER)
    return beside(base, order_of_two(cents, NOVEMBER))


def test_a_contract_that_ends_at_what_was_posted_moves_an_odd_cent() -> None:
    """20,02 is 10,01 each, and Heusden has been billed 10,02: the cent comes from Tilburg, which has been billed 10,00."""
    second = ended_after_october(20_02)
    assert terms(second, HEUSDEN) == [5_01, 5_01, *[0] * 8]
    assert terms(second, TILBURG) == [5_00, 5_00, *[0] * 8]
    assert failed(second) == []


def test_a_contract_that_ends_below_what_was_posted_says_at_which_amount_it_fits() -> None:
    """Two of ten terms of 100,04 is 20,01 (20,008); the odd cents of the first terms make it 20,02."""
    with pytest.raises(EstablishmentBlocked, match=r"samen € 20,02, 1 cent meer .* neem dan € 20,02 op"):
        ended_after_october(20_01)


def test_more_than_odd_cents_is_refused_as_it_was() -> None:
    """2,00 less than was posted is no rounding: nobody else bears it."""
    with pytest.raises(EstablishmentBlocked, match=r"0797: het jaarbedrag wordt € 9,01, en € 10,02") as stopped:
        ended_after_october(18_02)
    assert "afgesproken bedrag" not in str(stopped.value)


def test_an_error_after_it_keeps_the_moved_cent() -> None:
    second = ended_after_october(20_02)
    change = OrderChange("LP", "2025-11", 100_04, 20_02)
    third = beside(base_of(second, "objection", history=(change,)), order_of_two(20_02, NOVEMBER))
    assert terms(third, HEUSDEN) == terms(second, HEUSDEN)


@st.composite
def short_lines(draw: st.DrawFn) -> tuple[list[ShareDetail], dict[str, int]]:
    """Tilburg in every doelgroep, others in some; and per payer what stays, within a cent or two of its year."""
    details = []
    for doelgroep in ("EMB", "LG", "MG")[: draw(st.integers(1, 3))]:
        for code in [TILBURG, *draw(st.lists(st.sampled_from([BREDA, HEUSDEN, VUGHT]), unique=True))]:
            cents = draw(st.integers(10, 30))
            details.append(
                ShareDetail("LP", doelgroep, "jeugdwet", code, "municipality", draw(st.integers(1, 4)), cents)
            )
    payers = {d.payer for d in details}
    stays = {p: sum(d.amount_cents for d in details if d.payer == p) + draw(st.integers(-2, 2)) for p in sorted(payers)}
    return details, stays


@given(short_lines())
def test_odd_cents_move_within_a_doelgroep_and_suffice_whenever_the_order_does(
    given_lines: tuple[list[ShareDetail], dict[str, int]],
) -> None:
    details, stays = given_lines
    settings = Year().setup().settings
    rows = [
        {"order_id": "LP", "stream": "jeugdwet", "payer": payer, "month": month, "amount_cents": cents}
        for payer, stay in stays.items()
        for month, cents in zip(MONTHS[:2], (stay - 1, 1), strict=True)
    ]
    base = Base(1, "a" * 64, "order_change", {"terms": rows}, calendar_of(settings))
    exact = {(d.order_id, d.doelgroep, d.stream, d.payer): Fraction(d.amount_cents) for d in details}
    made = with_what_stays(base, settings, details, exact, {"LP": "2025-11"})

    def sums(of: list[ShareDetail], name: str) -> Counter[str]:
        totals: Counter[str] = Counter()
        for d in of:
            totals[getattr(d, name)] += d.amount_cents
        return totals

    assert sums(made, "doelgroep") == sums(details, "doelgroep")
    assert all(d.amount_cents >= 0 for d in made)
    before, after = sums(details, "payer"), sums(made, "payer")
    assert sum(abs(after[p] - before[p]) for p in stays) <= 2 * sum(max(0, stays[p] - before[p]) for p in stays)
    if sum(stays.values()) <= sum(before.values()):
        assert all(after[payer] >= stay for payer, stay in stays.items())
