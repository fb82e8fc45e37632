"""Money in whole cents: how an amount is divided and rounded, so that every part adds up to its whole.

Belongs here: largest remainder, controlled rounding of a table, rounding half up, writing an amount the Dutch way.
Does not belong here: what is divided over whom (`budget`, `shares`, `terms`); anything with a date, a file or a float.
Every amount and weight is an `int`; a float is refused with TypeError, also when it happens to be whole.
"""

from collections import deque
from collections.abc import Callable, Sequence
from operator import index

Range = tuple[int, int]
"""The lowest and the highest whole number of cents a cell may hold."""


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` in proportion to `weights` (SPEC section 4).

    Everyone first gets his share rounded down; the cents left over go one each to the largest fractions that were cut
    off, and between equal fractions to the one that comes first.

    Args:
        total: cents to divide, 0 or more.
        weights: one whole number of 0 or more per part. The parts come back in this order.

    Raises:
        ValueError: a negative number, or something to divide and no weight above 0.
        TypeError: a number that is not an integer.
    """
    total, parts = index(total), [index(weight) for weight in weights]
    if total < 0 or any(weight < 0 for weight in parts):
        raise ValueError("an amount or a weight is negative")
    weight_sum = sum(parts)
    if weight_sum == 0:
        if total:
            raise ValueError("there is an amount to divide and no weight above 0")
        return [0] * len(parts)
    shares = [total * weight // weight_sum for weight in parts]
    by_fraction = sorted(range(len(parts)), key=lambda j: (-(total * parts[j] % weight_sum), j))
    for j in by_fraction[: total - sum(shares)]:
        shares[j] += 1
    return shares


def largest_remainder_beside(total: int, weights: Sequence[int], kept: Sequence[int | None]) -> list[int]:
    """Divide `total` as `largest_remainder` does, while some parts keep the cents they have (SPEC section 5, a new version).

    What the kept parts leave goes over the others, by their weights. Where they leave less than nothing, or leave something and
    nobody to bear it, the others get nothing and only the cents by which it does not fit move, one each: less for who lies
    furthest above his exact share (the last of equals first), or more for who lies furthest below it (the first of equals
    first). Every other part keeps what it has. When that would be more than one cent for somebody, what was kept does not belong
    to these weights, and the whole is divided afresh. With nothing kept this is `largest_remainder`.

    Args:
        total: cents to divide, 0 or more.
        weights: one whole number of 0 or more per part.
        kept: per part the cents it keeps, or None.

    Raises:
        ValueError, TypeError: as `largest_remainder`.
    """
    free = [weight for weight, cents in zip(weights, kept, strict=True) if cents is None]
    rest = total - sum(cents for cents in kept if cents is not None)
    if rest < 0 or (rest and not any(free)):
        return _cents_of_the_kept(total, weights, kept, rest)
    parts = iter(largest_remainder(rest, free))
    return [next(parts) if cents is None else cents for cents in kept]


def _cents_of_the_kept(total: int, weights: Sequence[int], kept: Sequence[int | None], rest: int) -> list[int]:
    whole, cents = sum(weights), [part or 0 for part in kept]
    able = [j for j, part in enumerate(kept) if part is not None and weights[j] and (rest > 0 or part)]
    if abs(rest) > len(able):
        return largest_remainder(total, weights)

    def below(j: int) -> int:
        """How far a part lies below its exact share, times the sum of the weights."""
        return total * weights[j] - cents[j] * whole

    moving = sorted(able, key=lambda j: (-below(j), j) if rest > 0 else (below(j), -j))[: abs(rest)]
    for j in moving:
        cents[j] += 1 if rest > 0 else -1
    return cents


def controlled_rounding(row_totals: Sequence[int], column_weights: Sequence[int]) -> list[list[int]]:
    """Spread each row over the columns in whole cents, so that rows and columns are both exact (SPEC section 4, Terms).

    Always: each row adds up to its total, each column to `largest_remainder(sum(row_totals), column_weights)`, a column
    of weight 0 holds only zeros, no cell is negative, and the same input gives the same table. The exact share of a
    cell is row total x weight / sum of the weights.

    Equal weights (columns of weight 0 do not take part): each line gets its total divided by the number of columns,
    rounded down, in every column. Its odd cents go one each to consecutive columns, starting after the column where the
    previous line stopped; the first line starts at the first column, and after the last column comes the first. So
    every cell is its exact share rounded down or up.

    Unequal weights: each line starts with its exact shares rounded down. Its odd cents are placed line by line, each in
    the column that lacks most of its total (the first of equals) and where this line may still get one. Where none of
    those lacks any, an earlier line moves a cent to make room, by the shortest chain of moves, first columns first.
    A cell may become its exact share rounded down or up; when no table exists that way, a cell whose exact share is
    whole may be one cent off; and when that does not exist either (rows 1 and 9, weights 11 11 1 1 1), a cell may
    become what the *column's* own total gives its line, column total x row total / sum of the rows, rounded down or up.
    So no cell is more than one cent from its exact share when a table of the first or second kind exists. The third
    always exists, and a cell is then less than two cents off: less than 1 + row total / sum of the rows.

    Why the third always exists: the shares column total x row total / sum of the rows add up to both totals already,
    and a table of fractions with whole totals can always be rounded, each cell down or up, keeping those totals (it is
    a flow in a network with whole capacities). A column total is less than one cent from exact, so such a share is less
    than row total / sum of the rows from the cell's exact share, and rounding it adds less than one.

    Args:
        row_totals: cents per line, 0 or more. The order of the lines matters: sort them first.
        column_weights: a whole number of 0 or more per column.

    Returns:
        One list per row, one amount per column.

    Raises:
        ValueError: a negative number, or something to spread and no weight above 0.
        TypeError: a number that is not an integer.
        RuntimeError: a fault in this function: the table it made is wrong, and is not returned.
    """
    rows, weights = [index(row) for row in row_totals], [index(weight) for weight in column_weights]
    if any(row < 0 for row in rows):
        raise ValueError("an amount is negative")
    columns = largest_remainder(sum(rows), weights)
    if sum(rows) == 0:
        return [[0] * len(weights) for _ in rows]
    equal = len({weight for weight in weights if weight}) == 1
    cells = _odd_cents_in_turn(rows, weights) if equal else _nearest_table(rows, columns, weights)
    _require_exact(cells, rows, columns, weights)
    return cells


def _odd_cents_in_turn(rows: list[int], weights: list[int]) -> list[list[int]]:
    taking_part = [j for j, weight in enumerate(weights) if weight]
    cells, turn = [[0] * len(weights) for _ in rows], 0
    for row, line in zip(rows, cells, strict=True):
        each, odd_cents = divmod(row, len(taking_part))
        for j in taking_part:
            line[j] = each
        for step in range(odd_cents):
            line[taking_part[(turn + step) % len(taking_part)]] += 1
        turn += odd_cents
    return cells


def _nearest_table(rows: list[int], columns: list[int], weights: list[int]) -> list[list[int]]:
    weight_sum, total = sum(weights), sum(rows)

    def down_or_up(i: int, j: int) -> Range:
        return _down_or_up(rows[i] * weights[j], weight_sum)

    def within_a_cent(i: int, j: int) -> Range:
        low, high = down_or_up(i, j)
        return (low - 1, high + 1) if low == high > 0 else (low, high)

    def as_the_column_went(i: int, j: int) -> Range:
        near, column = within_a_cent(i, j), _down_or_up(rows[i] * columns[j], total)
        return min(near[0], column[0]), max(near[1], column[1])

    for allowed in (down_or_up, within_a_cent, as_the_column_went):
        cells = _fill(rows, columns, allowed)
        if cells is not None:
            return cells
    raise RuntimeError("no table adds up to both totals")


def _down_or_up(numerator: int, denominator: int) -> Range:
    whole, remainder = divmod(numerator, denominator)
    return whole, whole + bool(remainder)


def _fill(rows: list[int], columns: list[int], allowed: Callable[[int, int], Range]) -> list[list[int]] | None:
    """A table with these totals and every cell in its range, or None when there is none.

    No range begins above the exact share rounded down, so neither a row nor a column starts above its total.
    """
    ranges = [[allowed(i, j) for j in range(len(columns))] for i in range(len(rows))]
    cells = [[low for low, _ in line] for line in ranges]
    lacking = [column - sum(line[j] for line in cells) for j, column in enumerate(columns)]
    odd_cents = [row - sum(line) for row, line in zip(rows, cells, strict=True)]
    for i, count in enumerate(odd_cents):
        for _ in range(count):
            # A line that finds no chain of moves now would find none later: then no table exists.
            if not _place_cent(i, cells, ranges, lacking):
                return None
    return cells


def _place_cent(i: int, cells: list[list[int]], ranges: list[list[Range]], lacking: list[int]) -> bool:
    """Give line `i` one cent more, moving cents of other lines along when that is needed; False when it cannot be."""

    def has_room(line: int, column: int) -> bool:
        return cells[line][column] < ranges[line][column][1]

    columns = range(len(lacking))
    first = sorted((j for j in columns if has_room(i, j)), key=lambda j: (-lacking[j], j))
    came_from: dict[int, tuple[int, int | None]] = dict.fromkeys(first, (i, None))
    queue = deque(first)
    while queue:
        full = queue.popleft()
        if lacking[full] > 0:
            _follow_back(full, cells, came_from)
            lacking[full] -= 1
            return True
        for line, ranges_of_line in enumerate(ranges):
            if cells[line][full] > ranges_of_line[full][0]:
                for j in columns:
                    if j not in came_from and has_room(line, j):
                        came_from[j] = (line, full)
                        queue.append(j)
    return False


def _follow_back(column: int, cells: list[list[int]], came_from: dict[int, tuple[int, int | None]]) -> None:
    gaining: int | None = column
    while gaining is not None:
        line, losing = came_from[gaining]
        cells[line][gaining] += 1
        if losing is not None:
            cells[line][losing] -= 1
        gaining = losing


def _require_exact(cells: list[list[int]], rows: list[int], columns: list[int], weights: list[int]) -> None:
    weight_sum = sum(weights)
    adds_up = [sum(line) for line in cells] == rows and [sum(column) for column in zip(*cells, strict=True)] == columns
    near = all(
        cell >= 0 and abs(cell * weight_sum - row * weight) < 2 * weight_sum and (weight > 0 or cell == 0)
        for row, line in zip(rows, cells, strict=True)
        for cell, weight in zip(line, weights, strict=True)
    )
    if not (adds_up and near):
        raise RuntimeError("the rounded table does not add up to its totals")


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, a half away from zero (SPEC section 4); exact.

    Raises:
        ZeroDivisionError: the denominator is 0.
        TypeError: a number that is not an integer.
    """
    numerator, denominator = index(numerator), index(denominator)
    rounded = (2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator))
    return rounded if (numerator < 0) == (denominator < 0) else -rounded


def format_euro(cents: int) -> str:
    """An amount in cents as a Dutch reader writes it, without a currency sign: 123456 -> '1.234,56', -5 -> '-0,05'."""
    euros, rest = divmod(abs(index(cents)), 100)
    return f"{'-' if cents < 0 else ''}{euros:,}".replace(",", ".") + f",{rest:02d}"
