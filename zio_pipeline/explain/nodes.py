"""A figure and how it follows from other figures: the node of an explanation, which can prove itself.

Belongs here: the node, the plain ways in which a figure follows from its parts, and refusing one that does not.
Does not belong here: what the figures are about, and largest remainder (`remainder`, `terms`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Protocol

from zio_pipeline.errors import NotProved


class Unit(Enum):
    """What a whole number counts."""

    CENTS = "cents"
    EXACT = "hundredths of a cent"
    HOURS = "hundredths of an hour"
    TARIFF = "cents per hour"
    WEEKS = "weeks"
    PUPILS = "pupils"
    WEIGHT = "weight"


class How(Protocol):
    """How a figure follows from its parts."""

    @property
    def words(self) -> str:
        """In Dutch, behind the sign '='."""

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        """Whether the parts give exactly this figure."""

    def table(self) -> tuple[str, ...]:
        """Lines by which a person can redo it; none where the parts say it all."""


@dataclass(frozen=True)
class Plain:
    """A way that needs no table."""

    @property
    def words(self) -> str:
        raise NotImplementedError

    def table(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Given(Plain):
    """A leaf: a parameter, a count, a row of the books. It follows from nothing."""

    said: str

    @property
    def words(self) -> str:
        return self.said

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return not parts


@dataclass(frozen=True)
class Sum(Plain):
    """The sum of all parts."""

    said: str = "de som van"

    @property
    def words(self) -> str:
        return self.said

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return value == sum(parts)


@dataclass(frozen=True)
class Less(Plain):
    """The first part less all others."""

    said: str = "het eerste min de rest"

    @property
    def words(self) -> str:
        return self.said

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return bool(parts) and value == parts[0] - sum(parts[1:])


@dataclass(frozen=True)
class Product(Plain):
    """The product of all parts."""

    said: str = "vermenigvuldigd"

    @property
    def words(self) -> str:
        return self.said

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return bool(parts) and value == prod(parts)


@dataclass(frozen=True)
class HalfUp(Plain):
    """The sum of parts in hundredths of a cent, once rounded to whole cents, a half up (SPEC section 4)."""

    @property
    def words(self) -> str:
        return "de som van, één keer afgerond op hele centen (een halve cent naar boven)"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return value == (sum(parts) + 50) // 100


@dataclass(frozen=True)
class TakenOver(Plain):
    """The figure of an earlier version, kept (SPEC section 5)."""

    version: int

    @property
    def words(self) -> str:
        return f"overgenomen uit versie {self.version}"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return list(parts) == [value]


@dataclass(frozen=True)
class TakenBack(Plain):
    """The opposite of its one part: a credit."""

    @property
    def words(self) -> str:
        return "het hele document, teruggenomen"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return list(parts) == [-value]


@dataclass(frozen=True)
class Node:
    """One figure: what it is, how it follows from its parts, and where that is agreed.

    `clause` is an id of `zio_pipeline.clauses`, `source` the clause or page that the workbook of the year names. Parts are
    shared between nodes: one budget stands under every share of it.
    """

    label: str
    value: int
    unit: Unit
    how: How
    parts: tuple["Node", ...] = ()
    clause: str | None = None
    source: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether this figure follows exactly from its parts; that of the parts is their own affair."""
        return self.how.holds(self.value, [part.value for part in self.parts])


def proved(node: Node) -> Node:
    """The node, when it adds up.

    Raises:
        NotProved: naming the figure and its parts.
    """
    if not node.adds_up:
        parts = ", ".join(str(part.value) for part in node.parts) or "geen"
        raise NotProved(
            f"De uitleg sluit niet bij '{node.label}': {node.value} is niet {node.how.words} (delen: {parts}). "
            "Maak de tabellen van het schooljaar opnieuw aan en voer 'zio verify' uit."
        )
    return node


def walk(node: Node) -> Iterator[Node]:
    """Every node of a tree once, also when it is part of several."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting.extend(reversed(current.parts))
