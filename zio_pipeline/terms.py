"""The terms: a year amount per payer, spread over the months so that lines and declarations both add up.

Belongs here: which lines are rounded together, in which order, over which weights (SPEC section 4, Terms), and how a new
version spreads what is not fixed any more (section 5).
Does not belong here: the rounding itself (`money`), which months the terms are and when a payer is billed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from zio_pipeline.money import controlled_rounding

STREAM_ORDER = ("jeugdwet", "wlz_zin", "wlz_pgb", "adult", "contribution")
"""The streams in the order that settles ties."""

LAW_OF_STREAM = {"jeugdwet": "jw", "adult": "jw", "contribution": "jw", "wlz_zin": "wlz", "wlz_pgb": "pgb"}
"""Under which law a stream is declared: one declaration per order, law and month."""


@dataclass(frozen=True)
class TermLine:
    """What one payer owes for one order and stream over the school year, all doelgroepen together."""

    order_id: str
    law: str
    stream: str
    payer: str
    year_cents: int


Fixed = Mapping[TermLine, Sequence[int | None]]
"""Of some lines, per term, the cents that stay as they are; None is a term that is still open."""
Again = Mapping[tuple[str, str], Sequence[int]]
"""Per order and law, weights of its own for the lines of which nothing is fixed."""


def spread_terms(
    lines: Sequence[TermLine],
    weights: Sequence[int],
    fixed: Fixed = MappingProxyType({}),
    again: Again = MappingProxyType({}),
) -> dict[TermLine, list[int]]:
    """Spread every line over the terms (SPEC section 4, Terms; the rule itself is in `money.controlled_rounding`).

    The lines of one order and one law are rounded together, in ascending payer code and then stream order, so that each
    line adds up to its year and each declaration (order, law, term) is the largest-remainder split of their sum.
    Nothing an order or a law does moves a cent of another one.

    Where something of an order and law is fixed (a new version beside its base), what is left of each line goes over its open
    terms by weight, rounded down; its odd cents go one each to the terms it was rounded in where the declaration lies furthest
    below its exact part, the earliest of equals first. With equal weights and nothing fixed that gives the same table.

    Args:
        lines: at most one per order, law, stream and payer, in any order.
        weights: one whole number of 0 or more per term.
        fixed: what stays, at most the year of its line; an amount that is left needs an open term with a weight.
        again: of an order and law in which every line is fixed whole or not at all: the weights by which the latter are
            rounded together instead (an order that changed during the year, `order_history`).

    Returns:
        Cents per term for every line, ordered by order, law, payer and stream.

    Raises:
        ValueError: a stream that is not in `STREAM_ORDER`, a line that occurs twice, or what `controlled_rounding`
            refuses.
    """
    unknown = sorted({line.stream for line in lines} - set(STREAM_ORDER))
    if unknown:
        raise ValueError(f"unknown stream {', '.join(unknown)}")
    if len({_place(line) for line in lines}) != len(lines):
        raise ValueError("a payer has two lines for the same order, law and stream")
    together: dict[tuple[str, str], list[TermLine]] = {}
    for line in sorted(lines, key=_place):
        together.setdefault((line.order_id, line.law), []).append(line)
    spread: dict[TermLine, list[int]] = {}
    for place, group in together.items():
        if place in again:
            free = [line for line in group if line not in fixed]
            rows = controlled_rounding([line.year_cents for line in free], again[place])
            rounded = dict(zip(free, rows, strict=True))
            spread.update({line: rounded[line] if line in rounded else _whole(fixed[line]) for line in group})
        elif any(line in fixed for line in group):
            spread.update(_spread_beside(group, weights, fixed))
        else:
            rows = controlled_rounding([line.year_cents for line in group], weights)
            spread.update(zip(group, rows, strict=True))
    return spread


def _whole(stays: Sequence[int | None]) -> list[int]:
    cells = [cents for cents in stays if cents is not None]
    if len(cells) != len(stays):
        raise ValueError("a line is fixed in part where others are spread again")
    return cells


def _spread_beside(group: Sequence[TermLine], weights: Sequence[int], fixed: Fixed) -> dict[TermLine, list[int]]:
    none: Sequence[int | None] = [None] * len(weights)
    stays = {line: fixed.get(line, none) for line in group}
    exact = {line: _exact(line, weights, stays[line]) for line in group}
    cells = {line: [int(share // 1) for share in exact[line]] for line in group}
    lacking = [
        sum((_part(line, exact[line], weights, stays[line], j) for line in group), Fraction())
        - sum(c[j] for c in cells.values())
        for j in range(len(weights))
    ]
    for line in group:
        odd_cents = line.year_cents - sum(cells[line])
        # A cell is its exact share rounded down or up, so what is whole already (what is fixed, too) gets no odd cent.
        rounded = [j for j, share in enumerate(exact[line]) if share.denominator > 1]
        for j in sorted(rounded, key=lambda j: (-lacking[j], j))[:odd_cents]:
            cells[line][j] += 1
            lacking[j] -= 1
    return cells


def _exact(line: TermLine, weights: Sequence[int], stays: Sequence[int | None]) -> list[Fraction]:
    """Per term what is fixed, and of what is left its exact share."""
    rest = line.year_cents - sum(cents for cents in stays if cents is not None)
    weight_sum = sum(weight for weight, cents in zip(weights, stays, strict=True) if cents is None)
    if rest < 0 or (rest and not weight_sum):
        raise ValueError("more is fixed than the year holds, or no open term is left for the rest")
    return [
        Fraction(rest * weight, weight_sum or 1) if cents is None else Fraction(cents)
        for weight, cents in zip(weights, stays, strict=True)
    ]


def _part(
    line: TermLine, exact: Sequence[Fraction], weights: Sequence[int], stays: Sequence[int | None], j: int
) -> Fraction:
    """The part of a line in the exact declaration of a term. A line that is kept whole counts by its weights: what it was
    rounded up or down is for the others to make good.
    """
    return Fraction(line.year_cents * weights[j], sum(weights)) if None not in stays else exact[j]


def _place(line: TermLine) -> tuple[str, str, str, int]:
    return line.order_id, line.law, line.payer, STREAM_ORDER.index(line.stream)
