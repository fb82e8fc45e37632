"""Largest remainder as a person does it: exact part, rounded down, rank of what was cut off, and who gets a cent more.

Belongs here: redoing one split with fractions, the table that shows it, and the check of one party's amount in it.
Does not belong here: the rule that bills (`money.largest_remainder`); this is the second opinion on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from zio_pipeline.money import format_euro


@dataclass(frozen=True)
class Part:
    """One party of a split. `rank` is 1 for the largest fraction cut off; `extra` when that earned a cent."""

    label: str
    weight: int
    exact: Fraction
    rank: int
    extra: bool

    @property
    def amount(self) -> int:
        return floor(self.exact) + self.extra


def split(whole: int, weights: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """Divide whole cents over labelled weights; between equal fractions the one that comes first goes first (SPEC 4)."""
    total = sum(weight for _, weight in weights)
    exact = [Fraction(whole * weight, total) if total else Fraction(0) for _, weight in weights]
    cut_off = [part - floor(part) for part in exact]
    order = sorted(range(len(exact)), key=lambda i: (-cut_off[i], i))
    left = whole - sum(floor(part) for part in exact)
    ranks = {i: position for position, i in enumerate(order, start=1)}
    return tuple(Part(label, weight, exact[i], ranks[i], ranks[i] <= left) for i, (label, weight) in enumerate(weights))


def cents_of_the_kept(whole: int, weights: Sequence[int], kept: Mapping[int, int]) -> dict[int, int]:
    """The cents that leave or reach parties that keep what they had, because the whole does not fit otherwise (ADR 0021).

    Args:
        whole: cents to divide.
        weights: of every party.
        kept: the cents of those that keep theirs, by their place.

    Returns:
        A cent more or less by place; nobody when the others can bear the rest.
    """
    rest, total = whole - sum(kept.values()), sum(weights)
    if rest == 0 or (rest > 0 and any(weight for i, weight in enumerate(weights) if i not in kept)):
        return {}
    sign = 1 if rest > 0 else -1
    behind = {i: sign * (Fraction(whole * weights[i], total) - cents) for i, cents in kept.items() if weights[i]}
    if sign < 0:
        behind = {i: lag for i, lag in behind.items() if kept[i]}
    furthest = sorted(behind, key=lambda i: (-behind[i], sign * i))
    return dict.fromkeys(furthest[: abs(rest)], sign)


@dataclass(frozen=True)
class Remainder:
    """A split of the first part of a node by weights; the second part is the weight of the party the node is about."""

    parties: tuple[Part, ...]
    own: int
    by: str

    @property
    def words(self) -> str:
        mine, total = self.parties[self.own], sum(party.weight for party in self.parties)
        left = sum(party.extra for party in self.parties)
        over = f"; {left} {'cent' if left == 1 else 'centen'} over voor de grootste afgekapte delen" if left else ""
        return f"grootste rest, {number(mine.weight)} van {number(total)} {self.by}{over}"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        if len(parts) != 2:
            return False
        whole, weight = parts
        again = split(whole, [(party.label, party.weight) for party in self.parties])
        mine = again[self.own]
        return (
            again == self.parties
            and sum(p.amount for p in again) == whole
            and (mine.amount, mine.weight) == (value, weight)
        )

    def table(self) -> tuple[str, ...]:
        head = ("", "wie", "gewicht", "exact deel", "naar beneden", "rang", "extra cent", "bedrag")
        rows = [head]
        for i, party in enumerate(self.parties):
            rows.append(
                (
                    ">" if i == self.own else "",
                    party.label,
                    number(party.weight),
                    exact_euro(party.exact),
                    format_euro(floor(party.exact)),
                    str(party.rank) if party.exact != floor(party.exact) else "-",
                    "ja" if party.extra else "nee",
                    format_euro(party.amount),
                )
            )
        return aligned(rows, left=2)


def aligned(rows: Sequence[Sequence[str]], left: int) -> tuple[str, ...]:
    """Rows of cells as lines of text; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return tuple(lines)


def exact_euro(cents: Fraction) -> str:
    """An exact amount: '9.426,08 + 14/23 cent', without a fraction where there is none."""
    whole = floor(cents)
    rest = cents - whole
    return format_euro(whole) + (f" + {rest.numerator}/{rest.denominator} cent" if rest else "")


def number(value: int) -> str:
    """A whole number as a Dutch reader writes it."""
    return f"{value:,}".replace(",", ".")
