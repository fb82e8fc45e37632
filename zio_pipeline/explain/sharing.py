"""The tree of a share: a doelgroep over its streams, a stream over its payers, and the year of a payer (SPEC section 4).

Belongs here: explaining `funding_split`, `share_details` and `municipal_shares`, also of a version that keeps what was.
Does not belong here: the budget (`budgets`), the terms (`terms`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zio_pipeline.errors import NotProved
from zio_pipeline.explain.books import Row, VersionBooks
from zio_pipeline.explain.budgets import BudgetTrees
from zio_pipeline.explain.nodes import Given, Less, Node, Sum, TakenOver, Unit, proved
from zio_pipeline.explain.remainder import Remainder, cents_of_the_kept, split
from zio_pipeline.explain.words import REASON_OF_PAYER, STREAM, payer_name
from zio_pipeline.payer import Decision
from zio_pipeline.terms import STREAM_ORDER
from zio_pipeline.versions import ORDER_CHANGE


@dataclass(frozen=True)
class _Group:
    """A split as it was published: the whole, and per party its label, weight, amount and exact share.

    `kept` holds the cents of the version before of those whose weight and exact share have not changed.
    """

    whole: Node
    labels: list[str]
    weights: list[int]
    amounts: list[int]
    kept: dict[int, Node]
    by: str


class ShareTrees:
    """Shares of one version, each made once; `base` are those of the version before."""

    def __init__(self, books: VersionBooks, base: "ShareTrees | None"):
        self.books, self.base, self.budgets = books, base, BudgetTrees(books)
        self._made: dict[tuple[str, ...], Node] = {}

    def year(self, order_id: str, stream: str, payer: str) -> Node:
        """The year of a payer: what the terms are made of, in cents."""
        return self._once(("year", order_id, stream, payer), lambda: self._year(order_id, stream, payer))

    def share(self, order_id: str, doelgroep: str, stream: str, payer: str) -> Node:
        """The share of a payer in one doelgroep and stream (step 2), in cents."""
        key = (order_id, doelgroep, stream, payer)
        return self._once(("share", *key), lambda: self._share(*key))

    def stream(self, order_id: str, doelgroep: str, stream: str) -> Node:
        """The part of a stream in one doelgroep (step 1), in cents."""
        key = (order_id, doelgroep, stream)
        return self._once(("stream", *key), lambda: self._stream(*key))

    def exact(self, order_id: str, doelgroep: str, stream: str, payer: str | None = None) -> Fraction | None:
        """The exact share of a stream or of a payer in it, in cents; None where the version has none."""
        budget = self.books.find("doelgroep_budgets", order_id=order_id, doelgroep=doelgroep)
        streams = self._streams(order_id, doelgroep)
        weights = {row["stream"]: row["weight"] for row in streams}
        if budget is None or stream not in weights:
            return None
        share = Fraction(budget["amount_cents"] * weights[stream], sum(weights.values()))
        if payer is None:
            return share
        pupils = {row["payer"]: row["pupils"] for row in self._payers(order_id, doelgroep, stream)}
        return share * Fraction(pupils[payer], sum(pupils.values())) if payer in pupils else None

    def _once(self, key: tuple[str, ...], make: Callable[[], Node]) -> Node:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _year(self, order_id: str, stream: str, payer: str) -> Node:
        line = self.books.row("municipal_shares", order_id=order_id, stream=stream, payer=payer)
        name = payer_name(line["payer_kind"], payer)
        label = f"Jaarbedrag van {name}, opdracht {order_id}, {STREAM[stream]} (versie {self.books.version})"
        if stream == "contribution":
            agreed = self.budgets.contributions(order_id, payer)
            return proved(Node(label, line["amount_cents"], Unit.CENTS, Sum("de afgesproken bijdrage"), agreed, "B4"))
        details = self.books.rows("share_details", order_id=order_id, stream=stream, payer=payer)
        parts = tuple(self.share(order_id, row["doelgroep"], stream, payer) for row in details)
        how = Sum("de som over de doelgroepen")
        return proved(Node(label, line["amount_cents"], Unit.CENTS, how, parts, "V5"))

    def _share(self, order_id: str, doelgroep: str, stream: str, payer: str) -> Node:
        rows = self._payers(order_id, doelgroep, stream)
        own = [row["payer"] for row in rows].index(payer)
        group = _Group(
            whole=self.stream(order_id, doelgroep, stream),
            labels=[payer_name(row["payer_kind"], row["payer"]) for row in rows],
            weights=[row["pupils"] for row in rows],
            amounts=[row["amount_cents"] for row in rows],
            kept=self._kept("pupils", rows, lambda row: (order_id, doelgroep, stream, row["payer"])),
            by="leerlingen",
        )
        label = f"Aandeel van {group.labels[own]} in doelgroep {doelgroep}, {STREAM[stream]}"
        return self._part(group, own, label, self._count(rows[own]), "V3")

    def _stream(self, order_id: str, doelgroep: str, stream: str) -> Node:
        rows = self._streams(order_id, doelgroep)
        own = [row["stream"] for row in rows].index(stream)
        group = _Group(
            whole=self.budgets.to_divide(order_id, doelgroep),
            labels=[STREAM[row["stream"]] for row in rows],
            weights=[row["weight"] for row in rows],
            amounts=[row["amount_cents"] for row in rows],
            kept=self._kept("weight", rows, lambda row: (order_id, doelgroep, row["stream"])),
            by="leerlingen" if self.books.setup.settings.split_key == "head_count" else "delen",
        )
        label = f"Stroom {STREAM[stream]} in doelgroep {doelgroep}, opdracht {order_id}"
        return self._part(group, own, label, self._weight(order_id, doelgroep, stream), "V2")

    def _part(self, group: _Group, own: int, label: str, weight: Node, clause: str) -> Node:
        """One amount of a split: the plain largest remainder, or in a later version what was kept and the rest."""
        plain = split(group.whole.value, list(zip(group.labels, group.weights, strict=True)))
        if [part.amount for part in plain] == group.amounts:
            how = Remainder(plain, own, group.by)
            return proved(Node(label, group.amounts[own], Unit.CENTS, how, (group.whole, weight), clause))
        ruled = self._ruled(group, own, label, weight, clause)
        odd = group.amounts[own] - ruled.value
        self._require_odd_cents(group, label, odd)
        if not odd:
            return ruled
        said = Given("losse centen van termijnen die blijven staan, binnen de doelgroep verrekend")
        parts = (ruled, Node("Losse centen", odd, Unit.CENTS, said))
        return proved(Node(label, group.amounts[own], Unit.CENTS, Sum(), parts, "S9"))

    def _ruled(self, group: _Group, own: int, label: str, weight: Node, clause: str) -> Node:
        """What the rule of a new version gives, before odd cents of an order change."""
        moved = cents_of_the_kept(group.whole.value, group.weights, {i: n.value for i, n in group.kept.items()})
        if own in group.kept and self.base is not None:
            before = self.base.books.version
            note = f"Aantal en exact aandeel zijn die van versie {before}: het bedrag blijft."
            kept = group.kept[own]
            taken = Node(label, kept.value, Unit.CENTS, TakenOver(before), (kept,), "S4", notes=(note,))
            if own not in moved:
                return proved(taken)
            said = Given("wat gelijk blijft past anders niet in het geheel; deze lag het verst van zijn exacte deel")
            cent = Node("Eén cent", moved[own], Unit.CENTS, said)
            return proved(Node(label, kept.value + moved[own], Unit.CENTS, Sum(), (proved(taken), cent), "S4"))
        if moved:
            return Node(label, 0, Unit.CENTS, Given("wat gelijk blijft laat niets over"), (), "S4")
        others, left = [i for i in range(len(group.labels)) if i not in group.kept], self._rest(group)
        rest = split(left.value, [(group.labels[i], group.weights[i]) for i in others])
        how = Remainder(rest, others.index(own), group.by)
        return proved(Node(label, rest[others.index(own)].amount, Unit.CENTS, how, (left, weight), clause))

    def _require_odd_cents(self, group: _Group, label: str, odd: int) -> None:
        """Only an order change moves cents besides, no more than a line has terms, and never out of the doelgroep."""
        allowed = len(self.books.setup.settings.term_keys) if self.books.reason == ORDER_CHANGE else 0
        if abs(odd) > allowed or sum(group.amounts) != group.whole.value:
            raise NotProved(
                f"De uitleg sluit niet bij '{label}': de bedragen zijn niet de grootste rest over deze gewichten."
            )

    def _rest(self, group: _Group) -> Node:
        """What is left of a whole for those who keep nothing; of the others only the amount is shown."""
        if self.base is None or not group.kept:
            return group.whole
        said = Given(f"uit versie {self.base.books.version}, ongewijzigd")
        kept = [Node(group.labels[i], node.value, Unit.CENTS, said) for i, node in group.kept.items()]
        value = group.whole.value - sum(node.value for node in kept)
        label, how = "Over voor wie van aantal of aandeel veranderde", Less("het geheel min wat gelijk blijft")
        return proved(Node(label, value, Unit.CENTS, how, (group.whole, *kept), "S4"))

    def _kept(self, weight: str, rows: Sequence[Row], key: Callable[[Row], tuple[str, ...]]) -> dict[int, Node]:
        """Of a later version the parties that keep the cents of the version before, with their tree there."""
        if self.base is None:
            return {}
        kept = {}
        for i, row in enumerate(rows):
            names = ("order_id", "doelgroep", "stream", weight, *(("payer", "payer_kind") if "payer" in row else ()))
            table = "share_details" if "payer" in row else "funding_split"
            before = self.base.books.find(table, **{name: row[name] for name in names})
            if before is not None and self.base.exact(*key(row)) == self.exact(*key(row)):
                kept[i] = self.base.share(*key(row)) if "payer" in row else self.base.stream(*key(row))
        return kept

    def _streams(self, order_id: str, doelgroep: str) -> list[Row]:
        rows = self.books.rows("funding_split", order_id=order_id, doelgroep=doelgroep)
        return sorted(rows, key=lambda row: STREAM_ORDER.index(row["stream"]))

    def _payers(self, order_id: str, doelgroep: str, stream: str) -> list[Row]:
        return self.books.rows("share_details", order_id=order_id, doelgroep=doelgroep, stream=stream)

    def _weight(self, order_id: str, doelgroep: str, stream: str) -> Node:
        settings = self.books.setup.settings
        if settings.split_key == "head_count":
            counts = tuple(self._count(row) for row in self._payers(order_id, doelgroep, stream))
            label, source = f"Leerlingen {STREAM[stream]}", self.books.setting_source("verdeelsleutel")
            return proved(Node(label, sum(c.value for c in counts), Unit.PUPILS, Sum(), counts, "V2", source))
        group = self.books.setup.doelgroep(order_id, doelgroep)
        weight = dict(group.weights)[stream]
        label = f"Afgesproken gewicht van {STREAM[stream]}"
        return Node(label, weight, Unit.WEIGHT, Given("zoals afgesproken"), (), "V2", group.source)

    def _count(self, row: Row) -> Node:
        """The pupils of a payer in a stream: a number, or one by one when that was asked."""
        key = (row["order_id"], row["doelgroep"], row["stream"], row["payer"])
        return self._once(("count", *key), lambda: self._counted(row))

    def _counted(self, row: Row) -> Node:
        counted_in = self._counted_in(row["order_id"], row["doelgroep"])
        label = f"Leerlingen van {payer_name(row['payer_kind'], row['payer'])} in doelgroep {counted_in[0]}"
        if self.books.decisions is None:
            counted = Given("geteld op de startdatum")
            return Node(label, row["pupils"], Unit.PUPILS, counted, (), "L1", notes=counted_in[1:])
        key = (row["order_id"], counted_in[0], row["stream"], row["payer"])
        mine = [d for d in self.books.decisions if (d.order_id, d.doelgroep, d.stream, d.payer) == key]
        one_by_one = Sum("één voor één geteld")
        pupils = tuple(map(_pupil, mine))
        return proved(Node(label, row["pupils"], Unit.PUPILS, one_by_one, pupils, "L1", notes=counted_in[1:]))

    def _counted_in(self, order_id: str, doelgroep: str) -> tuple[str, ...]:
        """The doelgroep whose pupils are the key, and the besluit that says so where it is another one."""
        budget = self.books.row("doelgroep_budgets", order_id=order_id, doelgroep=doelgroep)
        besluiten = self.books.setup.decisions_of("key_of")
        named = [b for b in besluiten if (b.order_id, b.doelgroep) == (order_id, doelgroep) and b.key_doelgroep]
        if budget["pupils_counted"] or not named:
            return (doelgroep,)
        return named[0].key_doelgroep or doelgroep, f"Sleutel van een andere doelgroep: besluit {named[0].decision_id}."


def _pupil(decision: Decision) -> Node:
    besluit = f", besluit {decision.decision_id}" if decision.decision_id else ""
    notes = (f"Bewijs: {decision.evidence or 'geen'}{besluit}; rij {decision.row_ref}.",)
    label = f"Leerling {decision.pupil}, klas {decision.class_code}"
    return Node(label, 1, Unit.PUPILS, Given(REASON_OF_PAYER[decision.reason]), notes=notes)
