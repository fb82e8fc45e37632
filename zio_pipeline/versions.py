"""A new version of an established year beside its base: what of the earlier version stays as it was signed (SPEC section 5).

Belongs here: the base as data, which shares and terms are kept from it, and which orders a besluit changed from which term.
Does not belong here: dividing and rounding (`money`, `shares`, `terms`), which files count, who signs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from zio_pipeline.budget import DoelgroepBudget
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.money import format_euro
from zio_pipeline.settings import Settings
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.terms import TermLine

ORDER_CHANGE = "order_change"
BASE_TABLES = ("doelgroep_budgets", "funding_split", "share_details", "municipal_shares", "terms")
"""The tables of the earlier version that a new one is computed beside."""

StreamKey = tuple[str, str, str]
"""Order, doelgroep, stream."""
LineKey = tuple[str, str, str]
"""Order, stream, payer."""
Calendar = tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]
"""The terms of a year: their months, their weights, and the months of the first half."""


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
    def order_cents(self) -> dict[str, int]:
        """What every order cost."""
        totals: dict[str, int] = defaultdict(int)
        for row in self.tables["doelgroep_budgets"]:
            totals[row["order_id"]] += row["budget_cents"]
        return dict(totals)

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


def changed_orders(setup: SchoolYearSetup, budgets: Iterable[DoelgroepBudget], base: Base) -> dict[str, str]:
    """The orders that a new besluit changed, each with the month of the first term that bears the difference.

    Empty for every other reason than `order_change`: then the whole year is computed anew.

    Raises:
        EstablishmentBlocked: an amount differs without such a besluit, a besluit names a month that is no term or an order
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
    now = order_totals(budgets)
    different = sorted(o for o in now.keys() | base.order_cents.keys() if now.get(o) != base.order_cents.get(o))
    problems += [_without_besluit(o, base.order_cents.get(o, 0), now.get(o, 0)) for o in different if o not in named]
    if not different:
        problems.append("van geen enkele opdracht is het bedrag veranderd; een opdrachtwijziging verandert dan niets.")
    if problems:
        raise EstablishmentBlocked(problems)
    return {order_id: named[order_id] for order_id in different}


def require_same_pupils(
    details: Iterable[Mapping[str, Any]], budgets: Iterable[DoelgroepBudget], base: Base | None
) -> None:
    """A changed order changes hours and tariffs, never who was counted: posted terms stay, so an error could not be mended so.

    Args:
        details: rows of `share_details` of the new version.
        budgets: of the new version.
        base: the version in force; nothing is asked for another reason than `order_change`.

    Raises:
        EstablishmentBlocked: in a doelgroep that has hours in both, a payer has another number of pupils.
    """
    if base is None or base.reason != ORDER_CHANGE:
        return
    before = base.tables["doelgroep_budgets"]
    had_hours = {(r["order_id"], r["doelgroep"]) for r in before if r["granted_hours_hundredths"]}
    both = had_hours & {(b.order_id, b.doelgroep) for b in budgets if b.granted_hours_hundredths}
    then, now = (_pupils(rows, both) for rows in (base.tables["share_details"], details))
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


def idle_changes(setup: SchoolYearSetup, budgets: Iterable[DoelgroepBudget], base: Base | None) -> list[str]:
    """The besluiten `order_change` that change nothing: they are reported as 'nergens voor nodig'."""
    if base is None:
        return sorted(b.decision_id for b in setup.decisions_of(ORDER_CHANGE))
    changed = changed_orders(setup, budgets, base)
    return sorted(b.decision_id for b in _new_changes(setup, base) if b.order_id not in changed)


def _new_changes(setup: SchoolYearSetup, base: Base) -> list[Any]:
    return [b for b in setup.decisions_of(ORDER_CHANGE) if b.decision_id not in base.known_changes]


def order_totals(budgets: Iterable[DoelgroepBudget]) -> dict[str, int]:
    """Cents per order."""
    totals: dict[str, int] = defaultdict(int)
    for budget in budgets:
        totals[budget.order_id] += budget.budget_cents
    return dict(totals)


_OTHER_CALENDAR = (
    "termijnmaanden, termijngewichten of eerste helft zijn anders dan vastgesteld; bij een opdrachtwijziging blijven geboekte "
    "termijnen staan en kan dat niet. Stel dit apart voor met reden parameterfout."
)


def _without_besluit(order_id: str, before: int, now: int) -> str:
    return (
        f"opdracht {order_id}: het bedrag gaat van € {format_euro(before)} naar € {format_euro(now)} zonder nieuw besluit "
        "'opdracht gewijzigd'. Neem het besluit op met opdracht en ingaande termijn, of herstel het bedrag."
    )


def fixed_terms(
    base: Base, settings: Settings, lines: Iterable[TermLine], changed: Mapping[str, str]
) -> dict[TermLine, list[int | None]]:
    """What of the terms stays: all of a line whose year is that of the base; of a changed order what is earlier or posted.

    Args:
        base: the version in force.
        settings: of the new version.
        lines: the lines of the new version.
        changed: as `changed_orders`.

    Returns:
        Of every line of which something stays, cents per term, None where it is open.

    Raises:
        EstablishmentBlocked: more stays than the new year amount, or nothing is open for the rest.
    """
    if calendar_of(settings) != base.calendar:
        return {}  # other terms: what was rounded over the old ones says nothing of these
    lines, problems = list(lines), []
    fixed: dict[TermLine, list[int | None]] = {}
    for line in [*lines, *_gone(base, lines, changed)]:
        before = base.terms.get((line.order_id, line.stream, line.payer))
        year = [] if before is None else [before[month] for month in settings.term_keys]
        if before is not None and sum(year) == line.year_cents:
            fixed[line] = list(year)
        elif line.order_id in changed:
            fixed[line] = _what_stays(base, settings, line, year, changed[line.order_id])
            problems += _impossible(line, fixed[line], settings.term_weights)
    if problems:
        raise EstablishmentBlocked(problems)
    return {line: fixed[line] for line in lines if line in fixed}


def _what_stays(base: Base, settings: Settings, line: TermLine, year: list[int], first: str) -> list[int | None]:
    cents = year or [0] * len(settings.term_keys)
    return [
        now if month < first or is_posted(base, settings, line.payer, month) else None
        for month, now in zip(settings.term_keys, cents, strict=True)
    ]


def is_posted(base: Base, settings: Settings, payer: str, month: str) -> bool:
    """Whether a document of this payer stands for the month, or for the half it lies in."""
    half = settings.school_year.half_key(1 if month in settings.first_half_keys else 2)
    return not base.posted.isdisjoint({(payer, month), (payer, half)})


def _gone(base: Base, lines: Sequence[TermLine], changed: Mapping[str, str]) -> list[TermLine]:
    """Lines of a changed order that the new version has no more: what stays of them would have nothing to stand on."""
    there = {(line.order_id, line.stream, line.payer) for line in lines}
    return [
        TermLine(o, "", stream, p, 0)
        for o, stream, p in sorted(base.terms)
        if o in changed and (o, stream, p) not in there
    ]


def _impossible(line: TermLine, fixed: Sequence[int | None], weights: Sequence[int]) -> list[str]:
    stays = sum(cents for cents in fixed if cents is not None)
    is_open = any(weight for weight, cents in zip(weights, fixed, strict=True) if cents is None)
    if stays == line.year_cents or (stays < line.year_cents and is_open):
        return []
    what = "er is geen termijn meer open" if stays < line.year_cents else "een termijn zou negatief worden"
    return [
        f"opdracht {line.order_id}, {line.stream}, betaler {line.payer}: het jaarbedrag wordt € {format_euro(line.year_cents)}, "
        f"en € {format_euro(stays)} is al geboekt of ligt vóór de ingaande termijn; {what}. Stel voor met reden parameterfout: "
        "dan wordt het jaar opnieuw gerekend, en wat geboekt is gecrediteerd en opnieuw geboekt."
    ]


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
