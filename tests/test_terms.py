"""Terms: every line adds up to its year, every declaration is the largest-remainder split, and paper agrees."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zio_pipeline.money import largest_remainder
from zio_pipeline.terms import LAW_OF_STREAM, STREAM_ORDER, TermLine, spread_terms

TEN = [1] * 10
PAYERS = {
    "jeugdwet": ["0855", "0785", "0758"],
    "adult": ["0855", "0785"],
    "contribution": ["0855", "SWV"],
    "wlz_zin": ["5526", "5527"],
    "wlz_pgb": ["5527", "PGB"],
}


def line(order: str, stream: str, payer: str, cents: int) -> TermLine:
    return TermLine(order, LAW_OF_STREAM[stream], stream, payer, cents)


@st.composite
def some_lines(draw: st.DrawFn) -> list[TermLine]:
    places = [(o, s, p) for o in ("A", "B") for s in STREAM_ORDER for p in PAYERS[s]]
    chosen = draw(st.lists(st.sampled_from(places), unique=True))
    return [line(*place, draw(st.one_of(st.integers(0, 40), st.integers(0, 10**9)))) for place in chosen]


ANY_WEIGHTS = st.one_of(st.just(TEN), st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any))


def test_every_stream_has_a_law() -> None:
    assert set(LAW_OF_STREAM) == set(STREAM_ORDER)


def test_three_lines_by_hand() -> None:
    first, second, third = (
        line("A", "jeugdwet", "0785", 1005),
        line("A", "jeugdwet", "0855", 7),
        line("A", "adult", "0855", 300),
    )
    assert spread_terms([third, second, first], TEN) == {
        # 10,05 is 1,00 a term; its five odd cents fall in September to January.
        first: [101, 101, 101, 101, 101, 100, 100, 100, 100, 100],
        # 0,07 goes on in February: five cents up to June, and after June comes September.
        second: [1, 1, 0, 0, 0, 1, 1, 1, 1, 1],
        # 3,00 leaves nothing over. The twelve odd cents: two in September and October, one in every other term.
        third: [30] * 10,
    }


def test_payer_code_goes_before_stream() -> None:
    lines = [
        line("A", "jeugdwet", "0855", 1),
        line("A", "adult", "0785", 1),
        line("A", "contribution", "0855", 1),
        line("A", "adult", "0855", 1),
    ]
    at = {(i.payer, i.stream): row.index(1) for i, row in spread_terms(lines, TEN).items()}
    assert at == {("0785", "adult"): 0, ("0855", "jeugdwet"): 1, ("0855", "adult"): 2, ("0855", "contribution"): 3}


def test_orders_and_laws_do_not_touch_each_other() -> None:
    lines = [
        line("A", "jeugdwet", "0855", 3),
        line("B", "jeugdwet", "0855", 4),
        line("A", "wlz_zin", "5527", 5),
        line("A", "wlz_pgb", "5527", 6),
    ]
    for each, row in spread_terms(lines, TEN).items():
        assert row == [1] * each.year_cents + [0] * (10 - each.year_cents)


@settings(deadline=None)
@given(some_lines(), ANY_WEIGHTS)
def test_lines_and_declarations_are_exact(lines: list[TermLine], weights: list[int]) -> None:
    spread = spread_terms(lines, weights)
    assert set(spread) == set(lines)
    declared: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(weights))
    year: dict[tuple[str, str], int] = defaultdict(int)
    for each, row in spread.items():
        assert sum(row) == each.year_cents
        year[each.order_id, each.law] += each.year_cents
        declared[each.order_id, each.law] = [a + b for a, b in zip(declared[each.order_id, each.law], row, strict=True)]
    assert {key: largest_remainder(total, weights) for key, total in year.items()} == dict(declared)


@settings(deadline=None)
@given(some_lines(), ANY_WEIGHTS, st.randoms())
def test_the_order_of_the_rows_never_matters(lines: list[TermLine], weights: list[int], chance: object) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert list(spread_terms(shuffled, weights).items()) == list(spread_terms(lines, weights).items())


@settings(deadline=None)
@given(some_lines())
def test_in_equal_terms_every_cell_is_its_share_down_or_up(lines: list[TermLine]) -> None:
    for each, row in spread_terms(lines, TEN).items():
        assert {cell - each.year_cents // 10 for cell in row} <= ({0, 1} if each.year_cents % 10 else {0})


def test_nothing_to_spread() -> None:
    assert spread_terms([], TEN) == {}


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown stream zvw"):
        spread_terms([TermLine("A", "zvw", "zvw", "0855", 1)], TEN)
    with pytest.raises(ValueError, match="two lines"):
        spread_terms([line("A", "adult", "0855", 1), line("A", "adult", "0855", 2)], TEN)
    with pytest.raises(ValueError, match="negative"):
        spread_terms([line("A", "adult", "0855", -1)], TEN)
    with pytest.raises(ValueError, match="no weight"):
        spread_terms([line("A", "adult", "0855", 1)], [0, 0])
