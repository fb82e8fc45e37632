"""Orders that changed during the year: what a later version of the year keeps of the moment from which they did.

Belongs here: the history of order changes that a receipt hands on, and by which weights the terms of such an order are spread
when they are computed again for another reason (SPEC section 5). Does not belong here: an order change itself (`versions`),
the rounding (`terms`, `money`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from zio_pipeline.terms import TermLine


@dataclass(frozen=True)
class OrderChange:
    """An order that changed: the first term that bore the difference, and its year (K) in cents before and after."""

    order_id: str
    first_term: str
    before_cents: int
    after_cents: int


def history_with(
    history: Iterable[OrderChange], first_terms: Mapping[str, str], before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[OrderChange, ...]:
    """The history with the changes of a new version: order -> first term, and cents per order before and after."""
    new = (OrderChange(o, first, before.get(o, 0), after.get(o, 0)) for o, first in sorted(first_terms.items()))
    return (*history, *new)


def segment_weights(history: Iterable[OrderChange], months: Sequence[str], weights: Sequence[int]) -> list[int]:
    """The terms of an order in proportion, as its changes left them: an increase from January weighs from January on.

    By the term weights at first. From each change on, its year less what then lay before its first term goes over the terms from
    that one on, by their weights. So when K itself was wrong, every stretch between two changes moves in proportion.

    Args:
        history: the changes of one order, the oldest first.
        months: the terms of the year.
        weights: of those terms, not all 0.

    Returns:
        One whole number per term, not all 0.
    """
    cells = [Fraction(weight) for weight in weights]
    for change in history:
        whole = sum(cells)
        cells = [Fraction(cell * change.before_cents, whole) if whole else cell for cell in cells]
        is_open = [month >= change.first_term for month in months]
        rest = max(
            change.after_cents - sum(c for c, later in zip(cells, is_open, strict=True) if not later), Fraction()
        )
        over = sum(w for w, later in zip(weights, is_open, strict=True) if later)
        if over:
            cells = [
                Fraction(rest * weight, over) if later else cell
                for cell, weight, later in zip(cells, weights, is_open, strict=True)
            ]
    if not any(cells):
        return list(weights)
    common = lcm(*(cell.denominator for cell in cells))
    return [int(cell * common) for cell in cells]


def again_weights(
    free: Mapping[tuple[str, str], Sequence[TermLine]],
    replaced: Mapping[tuple[str, str], Sequence[int]],
    history: Sequence[OrderChange],
    months: Sequence[str],
    weights: Sequence[int],
) -> dict[tuple[str, str], list[int]]:
    """By which weights lines are spread that are computed again, of the orders that changed before.

    When they take the place of what they replace to the cent, by what that had in each term: then the declarations of the order
    and law stay what they are. Otherwise by the changes of their order (`segment_weights`).

    Args:
        free: per order and law the lines that are computed again.
        replaced: per order and law, per term, the cents of the base that they replace; empty when its terms were others.
        history: all order changes up to the base, the oldest first.
        months: the terms of the year.
        weights: of those terms.

    Returns:
        Weights per order and law, of orders with a history only.
    """
    found = {}
    for (order_id, law), lines in free.items():
        changes = [change for change in history if change.order_id == order_id]
        before = replaced.get((order_id, law), ())
        if changes and before and sum(before) == sum(line.year_cents for line in lines):
            found[order_id, law] = list(before)
        elif changes:
            found[order_id, law] = segment_weights(changes, months, weights)
    return found
