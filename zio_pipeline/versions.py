"""A new version of an established year beside its base: what of the earlier version stays as it was signed (SPEC section 5).

Belongs here: the base as data, which shares are kept from it, which orders a besluit changed from which term, and what an
order change may not touch. Does not belong here: which terms stay (`kept_terms`), dividing and rounding (`money`, `shares`,
`terms`), which files count, who signs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.money import format_euro
from zio_pipeline.order_history import OrderChange
from zio_pipeline.settings import Settings
from zio_pipeline.setup import SchoolYearSetup

ORDER_CHANGE = "order_change"
BASE_TABLES = ("doelgroep_budgets", "funding_split", "share_details", "municipal_shares", "terms")
"""The tables of the earlier version that a new one is computed beside."""

StreamKey = tuple[str, str, str]
"""Order, doelgroep, stream."""
LineKey = tuple[str, str, str]
"""Order, stream, payer."""
Calendar = tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]
"""The terms of a year: their months, their weights, and the months of the first half."""
Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Base:
    """The version in force, as the new one takes it.

    `known_changes` are the besluiten `order_change` its workbook held already; `posted` the (payer, period) in which a document
    stands; `reason` and `explanation` are those of the new version.
    """

    version: int
    receipt_hash: str
    reason: str
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    calendar: Calendar
    known_changes: frozenset[str] = frozenset()
    posted: frozenset[tuple[str, str]] = frozenset()
    explanation: str = ""
    history: tuple[OrderChange, ...] = ()
    """The order changes up to the base, the oldest first."""
    taken: tuple[str, ...] = ()
    """Rows (row_ref) of later files that the new version takes where they differ from the established ones."""

    def stream_cents(self, key: StreamKey, weight: int, share: Fraction) -> int | None:
        """What a stream of a doelgroep had, when weight and exact share are what they were; else None."""
        found = self._streams.get(key)
        return found[2] if found is not None and found[:2] == (weight, share) else None

    def payer_cents(self, key: StreamKey, payer: tuple[str, str], pupils: int, share: Fraction) -> int | None:
        """What a payer (kind, code) had in a stream, when pupils and exact share are what they were; else None."""
        found = self._payers.get((*key, *payer))
        return found[2] if found is not None and found[:2] == (pupils, share) else None

    @cached_property
    def _amounts(self) -> dict[tuple[str, str], int]:
        return {(r["order_id"], r["doelgroep"]): r["amount_cents"] for r in self.tables["doelgroep_budgets"]}

    @cached_property
    def _streams(self) -> dict[StreamKey, tuple[int, Fraction, int]]:
        """Weight, exact share and cents of every stream."""
        weights: dict[tuple[str, str], int] = defaultdict(int)
        for row in self.tables["funding_split"]:
            weights[row["order_id"], row["doelgroep"]] += row["weight"]
        found = {}
        for row in self.tables["funding_split"]:
            place = row["order_id"], row["doelgroep"]
            share = Fraction(self._amounts[place] * row["weight"], weights[place])
            found[*place, row["stream"]] = (row["weight"], share, row["amount_cents"])
        return found

    @cached_property
    def _payers(self) -> dict[tuple[str, str, str, str, str], tuple[int, Fraction, int]]:
        """Pupils, exact share and cents of every payer in a stream."""
        pupils: dict[StreamKey, int] = defaultdict(int)
        for row in self.tables["share_details"]:
            pupils[row["order_id"], row["doelgroep"], row["stream"]] += row["pupils"]
        found = {}
        for row in self.tables["share_details"]:
            place = row["order_id"], row["doelgroep"], row["stream"]
            share = self._streams[place][1] * Fraction(row["pupils"], pupils[place])
            found[*place, row["payer_kind"], row["payer"]] = (row["pupils"], share, row["amount_cents"])
        return found

    @cached_property
    def terms(self) -> dict[LineKey, dict[str, int]]:
        """Cents per month of every line."""
        found: dict[LineKey, dict[str, int]] = defaultdict(dict)
        for row in self.tables["terms"]:
            found[row["order_id"], row["stream"], row["payer"]][row["month"]] = row["amount_cents"]
        return dict(found)


def calendar_of(settings: Settings) -> Calendar:
    """The terms of a year as its settings lay them."""
    return settings.term_keys, settings.term_weights, tuple(sorted(settings.first_half_keys))


def changed_orders(setup: SchoolYearSetup, tables: Mapping[str, Rows], base: Base) -> dict[str, str]:
    """The orders that a new besluit changed, each with the month of the first term that bears the difference.

    Empty for every other reason than `order_change`: then the whole year is computed anew. An order differs when a doelgroep
    has other hours, another budget or another contribution, or when any of its year lines differs: with equal totals, too.

    Args:
        setup: of the new version.
        tables: of the new version: `doelgroep_budgets` and `municipal_shares`.
        base: the version in force.

    Raises:
        EstablishmentBlocked: an order differs without such a besluit, a besluit names a month that is no term or an order
            twice, nothing changed, or the terms of the year are not those of the base.
    """
    if base.reason != ORDER_CHANGE:
        return {}
    problems = [] if calendar_of(setup.settings) == base.calendar else [_OTHER_CALENDAR]
    named: dict[str, str] = {}
    for besluit in _new_changes(setup, base):
        order_id, month = besluit.order_id or "", besluit.month or ""
        if month not in setup.settings.term_keys:
            problems.append(f"besluit {besluit.decision_id}: {month} is geen termijn van dit schooljaar.")
        if order_id in named:
            problems.append(f"opdracht {order_id}: meer dan één nieuw besluit 'opdracht gewijzigd'.")
        named[order_id] = month
    then, now = (_content(of) for of in (base.tables, tables))
    different = sorted(o for o in then.keys() | now.keys() if then.get(o) != now.get(o))
    cents = [order_totals(of["doelgroep_budgets"]) for of in (base.tables, tables)]
    problems += [_without_besluit(o, cents[0].get(o, 0), cents[1].get(o, 0)) for o in different if o not in named]
    if not different:
        problems.append("geen enkele opdracht is veranderd; een opdrachtwijziging verandert dan niets.")
    if problems:
        raise EstablishmentBlocked(problems)
    return {order_id: named[order_id] for order_id in different}


def _content(tables: Mapping[str, Rows]) -> dict[str, set[tuple[Any, ...]]]:
    """Per order all that says what it costs and who bears it."""
    names = {
        "doelgroep_budgets": ("doelgroep", "granted_hours_hundredths", "budget_cents", "contribution_cents"),
        "municipal_shares": ("stream", "payer", "payer_kind", "rhythm", "amount_cents"),
    }
    found: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for table, columns in names.items():
        for row in tables[table]:
            found[row["order_id"]].add((table, *(row[name] for name in columns)))
    return found


def require_same_rhythm(lines: Rows, base: Base | None) -> None:
    """A changed order leaves everybody's membership and rhythm: another period would take back what was posted.

    Args:
        lines: rows of `municipal_shares` of the new version.
        base: the version in force; nothing is asked for another reason than `order_change`.

    Raises:
        EstablishmentBlocked: a payer pays in another rhythm, or is a member in one and not in the other.
    """
    if base is None or base.reason != ORDER_CHANGE:
        return
    then, now = (_rhythms(rows) for rows in (base.tables["municipal_shares"], lines))
    moved = sorted({key[-1] for key in then.keys() & now.keys() if then[key] != now[key]})
    if moved:
        raise EstablishmentBlocked(
            [
                f"betaler {payer}: lidmaatschap of ritme (per maand, per half jaar) is anders dan vastgesteld; bij een "
                "opdrachtwijziging blijven geboekte termijnen staan en kan dat niet. Stel dit apart voor met reden parameterfout."
                for payer in moved
            ]
        )


def _rhythms(lines: Rows) -> dict[tuple[str, ...], tuple[str, bool]]:
    """Rhythm and membership of every payer, by its kind and by each of its lines: a kind may have changed as well."""
    found: dict[tuple[str, ...], tuple[str, bool]] = {}
    for row in lines:
        for key in ((row["payer_kind"], row["payer"]), (row["order_id"], row["stream"], row["payer"])):
            found[key] = (row["rhythm"], row["member"])
    return found


def require_same_pupils(details: Rows, budgets: Rows, base: Base | None) -> None:
    """A changed order changes hours and tariffs, never who was counted: posted terms stay, so an error could not be mended so.

    Args:
        details: rows of `share_details` of the new version.
        budgets: rows of `doelgroep_budgets` of the new version.
        base: the version in force; nothing is asked for another reason than `order_change`.

    Raises:
        EstablishmentBlocked: in a doelgroep that has hours in both, a payer has another number of pupils.
    """
    if base is None or base.reason != ORDER_CHANGE:
        return
    had, have = (
        {(r["order_id"], r["doelgroep"]) for r in rows if r["granted_hours_hundredths"]}
        for rows in (base.tables["doelgroep_budgets"], budgets)
    )
    then, now = (_pupils(rows, had & have) for rows in (base.tables["share_details"], details))
    moved = sorted({key[:2] for key in then.keys() | now.keys() if then.get(key) != now.get(key)})
    if moved:
        raise EstablishmentBlocked(
            [
                f"opdracht {order_id}, doelgroep {doelgroep}: er tellen andere leerlingen of betalers dan vastgesteld. Een "
                "opdrachtwijziging verandert alleen uren, tarieven en bedragen; stel dit apart voor met reden peildatumfout."
                for order_id, doelgroep in moved
            ]
        )


def _pupils(rows: Iterable[Mapping[str, Any]], places: AbstractSet[tuple[str, str]]) -> dict[tuple[str, ...], int]:
    names = ("order_id", "doelgroep", "stream", "payer_kind", "payer")
    return {tuple(r[n] for n in names): r["pupils"] for r in rows if (r["order_id"], r["doelgroep"]) in places}


def idle_changes(setup: SchoolYearSetup, base: Base | None, first_terms: Iterable[str] = ()) -> list[str]:
    """The besluiten `order_change` that change nothing: they are reported as 'nergens voor nodig'.

    Args:
        setup: of this version.
        base: beside which it stands, if any.
        first_terms: the orders that changed in it (`changed_orders`, or what its receipt says of them).
    """
    if base is None:
        return sorted(b.decision_id for b in setup.decisions_of(ORDER_CHANGE))
    return sorted(b.decision_id for b in _new_changes(setup, base) if b.order_id not in set(first_terms))


def _new_changes(setup: SchoolYearSetup, base: Base) -> list[Any]:
    return [b for b in setup.decisions_of(ORDER_CHANGE) if b.decision_id not in base.known_changes]


def order_totals(budgets: Rows) -> dict[str, int]:
    """K in cents per order, out of rows of `doelgroep_budgets`."""
    totals: dict[str, int] = defaultdict(int)
    for row in budgets:
        totals[row["order_id"]] += row["budget_cents"]
    return dict(sorted(totals.items()))


_OTHER_CALENDAR = (
    "termijnmaanden, termijngewichten of eerste helft zijn anders dan vastgesteld; bij een opdrachtwijziging blijven geboekte "
    "termijnen staan en kan dat niet. Stel dit apart voor met reden parameterfout."
)


def _without_besluit(order_id: str, before: int, now: int) -> str:
    what = f"het bedrag gaat van € {format_euro(before)} naar € {format_euro(now)}"
    if before == now:
        what = f"uren, bijdragen of de verdeling zijn anders dan vastgesteld (het bedrag blijft € {format_euro(now)})"
    return (
        f"opdracht {order_id}: {what} zonder nieuw besluit 'opdracht gewijzigd'. "
        "Neem het besluit op met opdracht en ingaande termijn, of herstel de Inrichting."
    )


@dataclass(frozen=True)
class PayerChange:
    """The year of one payer in the base and in the new version, all orders and streams together."""

    payer: str
    before_cents: int
    after_cents: int

    @property
    def difference_cents(self) -> int:
        return self.after_cents - self.before_cents


def payer_changes(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[PayerChange]:
    """Rows of `municipal_shares` of two versions side by side, per payer whose year differs, in order of code."""
    old, new = _by_payer(before), _by_payer(after)
    changes = [PayerChange(payer, old.get(payer, 0), new.get(payer, 0)) for payer in sorted(old.keys() | new.keys())]
    return [change for change in changes if change.difference_cents]


def _by_payer(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row["payer"]] += row["amount_cents"]
    return dict(totals)
