"""Money: parts add up to their whole, whatever the numbers; and the rules are the ones SPEC section 4 describes."""

import random
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zio_pipeline import money
from zio_pipeline.money import controlled_rounding, format_euro, largest_remainder, round_half_up

Table = list[list[int]]

AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**12))
SMALL_WEIGHTS = st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(any)
WEIGHTS = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 10**6)), min_size=1, max_size=12).filter(any)


@st.composite
def big_rows(draw: st.DrawFn) -> list[int]:
    """Up to 400 rows from a seed, because drawing 400 numbers one by one is slow."""
    seeded = random.Random(draw(st.integers(0, 2**32)))
    top = draw(st.sampled_from([1, 9, 40, 1000, 10**12]))
    zero_share = draw(st.sampled_from([0.0, 0.0, 0.5]))
    count = draw(st.integers(0, 400))
    return [0 if seeded.random() < zero_share else seeded.randint(0, top) for _ in range(count)]


# --- largest remainder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (0, [], []),
        (0, [0, 0], [0, 0]),
        (0, [3, 1], [0, 0]),
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [0, 1, 0], [0, 10, 0]),
        (7, [1, 2, 4], [1, 2, 4]),
        # Exact 6,5 6,5 5,57 5,57 0 1,86: three cents over, for the last and the two of 5,57.
        (26, [7, 7, 6, 6, 0, 2], [6, 6, 6, 6, 0, 2]),
        (10**12 + 1, [1, 1], [500_000_000_001, 500_000_000_000]),
    ],
)
def test_largest_remainder_by_hand(total: int, weights: list[int], expected: list[int]) -> None:
    assert largest_remainder(total, weights) == expected


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (5, [2, -1]), (0, [-1])])
def test_largest_remainder_refuses(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"negative|no weight"):
        largest_remainder(total, weights)


def test_a_float_is_never_money() -> None:
    with pytest.raises(TypeError):
        largest_remainder(10.0, [1, 1])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        largest_remainder(10, [1.0, 1])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        controlled_rounding([10.0], [1])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        round_half_up(1.5, 1)  # type: ignore[arg-type]


@given(AMOUNTS, WEIGHTS)
def test_largest_remainder_gives_the_cents_to_the_largest_fractions(total: int, weights: list[int]) -> None:
    shares = largest_remainder(total, weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert sum(shares) == total
    assert all(share - e < 1 and e - share < 1 for share, e in zip(shares, exact, strict=True))
    up = [j for j, (share, e) in enumerate(zip(shares, exact, strict=True)) if share > e // 1]
    down = [j for j in range(len(weights)) if j not in up]
    # Whoever got a cent had a larger fraction than whoever did not, or an equal one and came earlier.
    assert all((-(exact[u] % 1), u) < (-(exact[d] % 1), d) for u, d in product(up, down))


# --- controlled rounding: what always holds ---------------------------------------------------------------------------


def assert_always(rows: list[int], weights: list[int], table: Table) -> None:
    weight_sum, total = sum(weights), sum(rows)
    assert [sum(line) for line in table] == rows
    columns = [sum(line[j] for line in table) for j in range(len(weights))]
    assert columns == largest_remainder(total, weights)
    for row, line in zip(rows, table, strict=True):
        for weight, cell in zip(weights, line, strict=True):
            assert type(cell) is int
            assert cell >= 0
            if row == 0 or weight == 0:
                assert cell == 0
            else:
                assert abs(cell - Fraction(row * weight, weight_sum)) < 1 + Fraction(row, total)


@settings(max_examples=60, deadline=None)
@given(big_rows(), WEIGHTS)
def test_rows_and_columns_are_exact_and_cells_near(rows: list[int], weights: list[int]) -> None:
    table = controlled_rounding(rows, weights)
    assert_always(rows, weights, table)
    assert controlled_rounding(tuple(rows), tuple(weights)) == table


@given(st.lists(AMOUNTS, max_size=8), WEIGHTS)
def test_few_rows(rows: list[int], weights: list[int]) -> None:
    assert_always(rows, weights, controlled_rounding(rows, weights))


@pytest.mark.parametrize(
    ("rows", "weights", "expected"),
    [
        ([], [1, 2], []),
        ([], [], []),
        ([0, 0], [], [[], []]),
        ([0, 0], [0, 0], [[0, 0], [0, 0]]),
        ([0], [3, 1], [[0, 0]]),
        ([5], [0, 1], [[0, 5]]),
        ([5], [2, 1], [[3, 2]]),
    ],
)
def test_small_tables(rows: list[int], weights: list[int], expected: Table) -> None:
    assert controlled_rounding(rows, weights) == expected


@pytest.mark.parametrize(("rows", "weights"), [([1], []), ([1], [0, 0]), ([-1, 2], [1]), ([0], [-1]), ([-1, 1], [1])])
def test_controlled_rounding_refuses(rows: list[int], weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"negative|no weight"):
        controlled_rounding(rows, weights)


def test_the_largest_table_takes_no_time() -> None:
    seeded = random.Random(20250801)
    rows = [seeded.randrange(10**12) for _ in range(400)]
    weights = [seeded.randrange(1, 10**6) for _ in range(12)]
    start = time.perf_counter()
    table = controlled_rounding(rows, weights)
    assert time.perf_counter() - start < 1
    assert_always(rows, weights, table)


def test_a_wrong_table_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "_odd_cents_in_turn", lambda rows, weights: [[1, 0], [2, 0]])
    with pytest.raises(RuntimeError, match="does not add up"):
        controlled_rounding([1, 2], [1, 1])
    monkeypatch.setattr(money, "_fill", lambda rows, columns, allowed: None)
    with pytest.raises(RuntimeError, match="no table"):
        controlled_rounding([1, 2], [1, 2])


# --- controlled rounding: equal weights -------------------------------------------------------------------------------


def by_hand(rows: list[int], columns: int) -> Table:
    """The hand rule, cent by cent, as somebody would do it on paper."""
    table, next_column = [], 0
    for row in rows:
        line = [0] * columns
        while row - sum(line) >= columns:
            line = [cell + 1 for cell in line]
        while sum(line) < row:
            line[next_column] += 1
            next_column = 0 if next_column == columns - 1 else next_column + 1
        table.append(line)
    return table


@given(st.lists(st.integers(0, 60), max_size=20), st.integers(1, 12), st.integers(1, 9))
def test_equal_weights_follow_the_hand_rule(rows: list[int], columns: int, weight: int) -> None:
    assert controlled_rounding(rows, [weight] * columns) == by_hand(rows, columns)


@settings(max_examples=40, deadline=None)
@given(big_rows(), st.integers(1, 12))
def test_equal_weights_round_every_cell_down_or_up(rows: list[int], columns: int) -> None:
    table = controlled_rounding(rows, [1] * columns)
    assert_always(rows, [1] * columns, table)
    assert all(
        row // columns <= cell <= -(-row // columns) for row, line in zip(rows, table, strict=True) for cell in line
    )


@given(
    st.lists(st.integers(0, 60), max_size=20), st.lists(st.sampled_from([0, 4]), min_size=1, max_size=12).filter(any)
)
def test_columns_of_weight_zero_stand_aside(rows: list[int], weights: list[int]) -> None:
    table = controlled_rounding(rows, weights)
    assert_always(rows, weights, table)
    taking_part = [[cell for cell, weight in zip(line, weights, strict=True) if weight] for line in table]
    assert taking_part == by_hand(rows, sum(1 for weight in weights if weight))


def test_ten_terms_by_hand() -> None:
    # 10,05: ten times 1,00 and five odd cents from September. 0,07: seven odd cents from February, so the last two are
    # back in September and October. 3,00: nothing over.
    assert controlled_rounding([1005, 7, 300], [1] * 10) == [
        [101, 101, 101, 101, 101, 100, 100, 100, 100, 100],
        [1, 1, 0, 0, 0, 1, 1, 1, 1, 1],
        [30] * 10,
    ]


# --- controlled rounding: unequal weights -----------------------------------------------------------------------------


def table_exists(rows: list[int], weights: list[int], cell_range: Callable[[int, int], tuple[int, int]]) -> bool:
    """Whether any table has these totals and every cell in its range, by Gale's theorem and not by making one.

    It exists exactly when no set of columns asks for more than the rows can give it.
    """
    columns = largest_remainder(sum(rows), weights)
    ranges = [[cell_range(row, weight) for weight in weights] for row in rows]
    for chosen in product([False, True], repeat=len(columns)):
        asked = sum(column for column, yes in zip(columns, chosen, strict=True) if yes)
        given_at_most = 0
        for row, line in zip(rows, ranges, strict=True):
            room = sum(high for (_, high), yes in zip(line, chosen, strict=True) if yes)
            kept_elsewhere = sum(low for (low, _), yes in zip(line, chosen, strict=True) if not yes)
            given_at_most += min(room, row - kept_elsewhere)
        if asked > given_at_most:
            return False
    return True


def furthest(rows: list[int], weights: list[int], table: Table) -> Fraction:
    return max(
        abs(cell - Fraction(row * weight, sum(weights)))
        for row, line in zip(rows, table, strict=True)
        for weight, cell in zip(weights, line, strict=True)
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), SMALL_WEIGHTS)
@example([12, 14], [7, 7, 6, 6, 0, 2])
@example([1, 9], [11, 11, 1, 1, 1])
@example([7, 13], [7, 7, 7, 2, 2])
@example([4, 13], [7, 7, 4, 4, 4])  # here the third kind of table would be further off than the second
def test_no_cell_is_further_from_exact_than_it_has_to_be(rows: list[int], weights: list[int]) -> None:
    weight_sum = sum(weights)

    def down_or_up(row: int, weight: int) -> tuple[int, int]:
        return row * weight // weight_sum, -(-row * weight // weight_sum)

    def one_cent(row: int, weight: int) -> tuple[int, int]:
        # Whole numbers within one of the exact share: for a fraction the same two, for a whole number three.
        exact = Fraction(row * weight, weight_sum)
        near = [c for c in range(int(exact) - 1, int(exact) + 3) if abs(c - exact) <= 1 and (c == 0 or exact > 0)]
        return max(min(near), 0), max(near)

    off = furthest(rows, weights, controlled_rounding(rows, weights))
    assert (off < 1) == table_exists(rows, weights, down_or_up)
    assert (off <= 1) == table_exists(rows, weights, one_cent)


def test_down_or_up_everywhere_is_not_always_possible() -> None:
    rows, weights = [12, 14], [7, 7, 6, 6, 0, 2]
    table = controlled_rounding(rows, weights)
    assert_always(rows, weights, table)
    assert furthest(rows, weights, table) == 1
    assert [line[4] for line in table] == [0, 0]


def test_one_cent_everywhere_is_not_always_possible_either() -> None:
    # Columns are 5 5 0 0 0. The line of 9 is to get 3,96 twice and 0,36 three times: 4 + 4 + 0 + 0 + 0 is not 9.
    rows, weights = [1, 9], [11, 11, 1, 1, 1]
    assert largest_remainder(10, weights) == [5, 5, 0, 0, 0]
    table = controlled_rounding(rows, weights)
    assert_always(rows, weights, table)
    assert furthest(rows, weights, table) == Fraction(26, 25)


# --- rounding and writing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 10, 1), (-5, 10, -1), (5, -10, -1), (-5, -10, 1), (4, 10, 0), (-4, 10, 0), (25, 10, 3), (0, -3, 0), (7, 7, 1)],
)
def test_round_half_up_by_hand(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


@given(st.integers(-(10**20), 10**20), st.integers(-(10**6), 10**6).filter(bool))
def test_round_half_up_is_the_nearest(numerator: int, denominator: int) -> None:
    exact, rounded = Fraction(numerator, denominator), round_half_up(numerator, denominator)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)


def test_round_half_up_refuses_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        round_half_up(1, 0)


@pytest.mark.parametrize(
    ("cents", "expected"),
    [
        (0, "0,00"),
        (5, "0,05"),
        (-5, "-0,05"),
        (99_999, "999,99"),
        (123_456, "1.234,56"),
        (-123_456, "-1.234,56"),
        (100_000_000_000, "1.000.000.000,00"),
    ],
)
def test_format_euro(cents: int, expected: str) -> None:
    assert format_euro(cents) == expected


@given(st.integers(-(10**15), 10**15))
def test_format_euro_can_be_read_back(cents: int) -> None:
    assert int(format_euro(cents).replace(".", "").replace(",", "")) == cents
