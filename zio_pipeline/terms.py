"""The terms: a year amount per payer, spread over the months so that lines and declarations both add up.

Belongs here: which lines are rounded together, in which order, and over which weights (SPEC section 4, Terms).
Does not belong here: the rounding itself (`money`), which months the terms are and when a payer is billed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def spread_terms(lines: Sequence[TermLine], weights: Sequence[int]) -> dict[TermLine, list[int]]:
    """Spread every line over the terms (SPEC section 4, Terms; the rule itself is in `money.controlled_rounding`).

    The lines of one order and one law are rounded together, in ascending payer code and then stream order, so that each
    line adds up to its year and each declaration (order, law, term) is the largest-remainder split of their sum.
    Nothing an order or a law does moves a cent of another one.

    Args:
        lines: at most one per order, law, stream and payer, in any order.
        weights: one whole number of 0 or more per term.

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
    for group in together.values():
        rows = controlled_rounding([line.year_cents for line in group], weights)
        spread.update(zip(group, rows, strict=True))
    return spread


def _place(line: TermLine) -> tuple[str, str, str, int]:
    return line.order_id, line.law, line.payer, STREAM_ORDER.index(line.stream)
