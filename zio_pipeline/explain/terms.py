"""The tree of a term: a year amount over the months, the odd cents in turn (SPEC section 4, Terms).

Belongs here: explaining one row of `terms`, also of a version that keeps what was. Does not belong here: documents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from zio_pipeline.errors import NotProved
from zio_pipeline.explain.books import Row
from zio_pipeline.explain.nodes import Node, Plain, TakenOver, Unit, proved
from zio_pipeline.explain.remainder import aligned
from zio_pipeline.explain.sharing import ShareTrees
from zio_pipeline.explain.words import STREAM, month_name, payer_name
from zio_pipeline.money import controlled_rounding, format_euro
from zio_pipeline.terms import STREAM_ORDER

Line = tuple[str, str, str]
"""Order, stream, payer."""


@dataclass(frozen=True)
class InTurn:
    """A term out of a year with equal terms: an equal part, and one odd cent or none.

    `before` are the odd cents of the lines that come earlier in the same order and law: this line starts where they stopped.
    `months` are the terms that take part, `own` the place of this one among them.
    """

    months: tuple[str, ...]
    own: int
    before: tuple[tuple[str, int], ...]
    year: int

    @property
    def words(self) -> str:
        return f"een gelijk deel van het jaarbedrag ({len(self.months)} termijnen), en de losse centen om de beurt"

    @property
    def odd(self) -> int:
        """Cents left over after the equal parts."""
        return self.year % len(self.months)

    @property
    def _first(self) -> int:
        return sum(odd for _, odd in self.before) % len(self.months)

    def amount(self, own: int) -> int:
        """Cents of a term, done again by hand."""
        each, odd = divmod(self.year, len(self.months))
        return each + ((own - self._first) % len(self.months) < odd)

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return list(parts) == [self.year] and value == self.amount(self.own)

    def table(self) -> tuple[str, ...]:
        number = len(self.months)
        each, odd = divmod(self.year, number)
        total = sum(cents for _, cents in self.before)
        lines = [f"gelijk deel € {format_euro(each)}, losse centen {odd}"]
        if odd:
            earlier = ", ".join(f"{who} {cents}" for who, cents in self.before if cents) or "geen"
            lines.append(f"losse centen van de regels ervoor: {earlier}; samen {total}")
            taken = [month_name(self.months[(self._first + step) % number]) for step in range(odd)]
            lines.append(f"begin bij termijn {total % number + 1}; een cent extra in: {', '.join(taken)}")
        lines.append(f"in deze termijn een cent extra: {'ja' if self.amount(self.own) > each else 'nee'}")
        return tuple(lines)


@dataclass(frozen=True)
class Spread:
    """A year over terms that do not take turns: unequal terms, or what is left after terms that stay.

    Its proof is that all terms make the year. `before` are those of the version before, if there is one.
    """

    months: tuple[str, ...]
    cells: tuple[int, ...]
    before: tuple[int, ...] | None

    @property
    def words(self) -> str:
        if self.before is None:
            return "naar gewicht van de termijnen, zodat termijnen en declaraties beide sluiten"
        return "het nieuwe jaarbedrag over de termijnen die nog open staan"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return list(parts) == [value] and value == sum(self.cells)

    def table(self) -> tuple[str, ...]:
        if self.before is None:
            rows = [("termijn", "bedrag")]
            rows += [(month_name(month), format_euro(now)) for month, now in zip(self.months, self.cells, strict=True)]
            return aligned(rows, left=1)
        changes = [("termijn", "was", "wordt", "verschil")]
        for month, was, now in zip(self.months, self.before, self.cells, strict=True):
            changes.append((month_name(month), format_euro(was), format_euro(now), format_euro(now - was)))
        return aligned(changes, left=1)


@dataclass(frozen=True)
class OneOf(Plain):
    """One term of a spread year."""

    cents: int

    @property
    def words(self) -> str:
        return "één termijn van het verdeelde jaarbedrag"

    def holds(self, value: int, parts: Sequence[int]) -> bool:
        return len(parts) == 1 and value == self.cents


class TermTrees:
    """Terms of one version; `base` are those of the version before."""

    def __init__(self, shares: ShareTrees, base: "TermTrees | None"):
        self.shares, self.base = shares, base
        self._books, self._months = shares.books, shares.books.setup.settings.term_keys
        self._cells = _cells_by_line(self._books.tables["terms"], self._months)
        self._spread: dict[Line, Node] = {}
        self._turns: dict[tuple[str, str], dict[Line, InTurn] | None] = {}

    def term(self, order_id: str, stream: str, payer: str, month: str) -> Node:
        """One term of one payer, order and stream, in cents.

        Raises:
            NotProved: it does not follow from the year of the payer.
        """
        row = self._books.row("terms", order_id=order_id, stream=stream, payer=payer, month=month)
        line, own, cents = (order_id, stream, payer), self._months.index(month), row["amount_cents"]
        label = f"Termijn {month_name(month)}"
        turn = self._in_turn(order_id, row["law"], line)
        if turn is not None and month in turn.months:
            how = replace(turn, own=turn.months.index(month))
            return proved(Node(label, cents, Unit.CENTS, how, (self.shares.year(*line),), "T1"))
        before = None
        if self.base is not None and self.base._months == self._months:
            before = self.base._cells.get(line, (0,) * len(self._months))
            if line in self.base._cells and before[own] == cents:
                taken, kept = TakenOver(self.base._books.version), self.base.term(*line, month)
                return proved(Node(label, cents, Unit.CENTS, taken, (kept,), "S4"))
        one = OneOf(self._cells[line][own])
        return proved(Node(label, cents, Unit.CENTS, one, (self._spread_year(line, before),)))

    def _spread_year(self, line: Line, before: tuple[int, ...] | None) -> Node:
        if line not in self._spread:
            year = self.shares.year(*line)
            spread = Spread(self._months, self._cells[line], before)
            clause = "S5" if before is not None and self._books.reason == "order_change" else "T1"
            made = Node("Jaarbedrag over de termijnen", year.value, Unit.CENTS, spread, (year,), clause)
            self._spread[line] = proved(made)
        return self._spread[line]

    def _in_turn(self, order_id: str, law: str, line: Line) -> InTurn | None:
        """The rule of equal terms for a line, when all lines of its order and law follow it; None when they do not."""
        if (order_id, law) not in self._turns:
            self._turns[order_id, law] = self._all_in_turn(order_id, law)
        turns = self._turns[order_id, law]
        return turns[line] if turns is not None else None

    def _all_in_turn(self, order_id: str, law: str) -> dict[Line, InTurn] | None:
        weights = self._books.setup.settings.term_weights
        lines = self._books.rows("municipal_shares", order_id=order_id, law=law)
        lines.sort(key=lambda line: (line["payer"], STREAM_ORDER.index(line["stream"])))
        equal = len({weight for weight in weights if weight}) == 1
        found = self._taking_turns(lines) if equal else None
        if found is None and self.base is None:
            # A first version keeps nothing, so its terms are the rule and nothing else.
            self._require_rule(lines, weights)
        return found

    def _taking_turns(self, lines: Iterable[Row]) -> dict[Line, InTurn] | None:
        weights = self._books.setup.settings.term_weights
        months = tuple(month for month, weight in zip(self._months, weights, strict=True) if weight)
        turns: dict[Line, InTurn] = {}
        before: list[tuple[str, int]] = []
        for row in lines:
            line = (row["order_id"], row["stream"], row["payer"])
            turns[line] = turn = InTurn(months, 0, tuple(before), row["amount_cents"])
            cells = dict(zip(self._months, self._cells.get(line, ()), strict=False))
            if any(cells.get(month) != turn.amount(place) for place, month in enumerate(months)):
                return None
            before.append((f"{payer_name(row['payer_kind'], row['payer'])} {STREAM[row['stream']]}", turn.odd))
        return turns

    def _require_rule(self, lines: Sequence[Row], weights: Sequence[int]) -> None:
        expected = controlled_rounding([line["amount_cents"] for line in lines], weights)
        for line, cells in zip(lines, expected, strict=True):
            if self._cells.get((line["order_id"], line["stream"], line["payer"])) != tuple(cells):
                who = payer_name(line["payer_kind"], line["payer"])
                raise NotProved(
                    f"De uitleg sluit niet bij de termijnen van {who}, opdracht {line['order_id']}: zo verdeelt de regel "
                    "dit jaarbedrag niet. Maak de tabellen van het schooljaar opnieuw aan en voer 'zio verify' uit."
                )


def _cells_by_line(rows: Iterable[Row], months: Sequence[str]) -> dict[Line, tuple[int, ...]]:
    """Cents per term of every line, in the order of the terms."""
    found: dict[Line, dict[str, int]] = {}
    for row in rows:
        found.setdefault((row["order_id"], row["stream"], row["payer"]), {})[row["month"]] = row["amount_cents"]
    return {line: tuple(cells.get(month, 0) for month in months) for line, cells in found.items()}
