"""Who carries which part of a doelgroep: step 1 over the streams, step 2 over the payers (SPEC section 4).

Belongs here: the two largest-remainder splits, per order and doelgroep, never averaged; the rhythm of a payer.
Does not belong here: why a pupil has its payer (payer), the ten terms (terms).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from zio_pipeline.budget import DoelgroepBudget
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.money import largest_remainder_beside
from zio_pipeline.payer import PayerOutcome
from zio_pipeline.reference import municipalities
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.terms import LAW_OF_STREAM, STREAM_ORDER
from zio_pipeline.versions import Base

SPLIT_STREAMS = tuple(stream for stream in STREAM_ORDER if stream != "contribution")

Payers = Mapping[tuple[str, str], int]
"""(payer kind, payer) -> pupils, of one stream."""
DetailKey = tuple[str, str, str, str]
"""Order, doelgroep, stream, payer."""
Key = Mapping[str, Payers]
"""Stream -> its payers: the key by which one doelgroep is split."""


@dataclass(frozen=True)
class StreamSplit:
    """Step 1: one stream of one doelgroep, in cents; `weight` is pupils or the agreed ratio."""

    order_id: str
    doelgroep: str
    stream: str
    weight: int
    amount_cents: int


@dataclass(frozen=True)
class ShareDetail:
    """Step 2: one payer within one stream of one doelgroep, in cents."""

    order_id: str
    doelgroep: str
    stream: str
    payer: str
    payer_kind: str
    pupils: int
    amount_cents: int


@dataclass(frozen=True)
class ShareLine:
    """The year of one payer, order and stream, summed over doelgroepen: what the terms are made of."""

    order_id: str
    stream: str
    law: str
    payer: str
    payer_kind: str
    rhythm: str
    member: bool
    year_cents: int


def split_over_streams(
    setup: SchoolYearSetup, budgets: Iterable[DoelgroepBudget], outcome: PayerOutcome, base: Base | None = None
) -> list[StreamSplit]:
    """Step 1, by pupils (`head_count`) or by integer weights (`agreed_ratio`); ties in stream order.

    Beside a base a stream whose weight and exact share are those of the base keeps its cents (SPEC section 5).

    Raises:
        EstablishmentBlocked: a point on the worklist is open, or a doelgroep with hours has no key.
    """
    keys = _keys(setup, budgets := list(budgets), outcome)
    result = []
    for budget in budgets:
        weights = _weights(setup, budget, keys[budget.order_id, budget.doelgroep])
        whole = sum(weights) or 1
        kept = [
            base.stream_cents((budget.order_id, budget.doelgroep, s), w, Fraction(budget.amount_cents * w, whole))
            if base
            else None
            for s, w in zip(SPLIT_STREAMS, weights, strict=True)
        ]
        amounts = largest_remainder_beside(budget.amount_cents, weights, kept)
        result += [
            StreamSplit(budget.order_id, budget.doelgroep, stream, weight, amount)
            for stream, weight, amount in zip(SPLIT_STREAMS, weights, amounts, strict=True)
            if weight
        ]
    return result


def split_over_payers(
    setup: SchoolYearSetup, budgets: Iterable[DoelgroepBudget], outcome: PayerOutcome, base: Base | None = None
) -> list[ShareDetail]:
    """Step 2, each stream over its payers by pupils; ties by ascending payer code.

    Beside a base a payer whose pupils and exact share (of K minus contributions) are those of the base keeps its cents.
    """
    keys = _keys(setup, budgets := list(budgets), outcome)
    splits = split_over_streams(setup, budgets, outcome, base)
    exact = _exact_streams(budgets, splits)
    result = []
    for split in splits:
        place = (split.order_id, split.doelgroep, split.stream)
        payers = sorted(keys[split.order_id, split.doelgroep][split.stream].items(), key=lambda item: item[0][1])
        counts = [pupils for _, pupils in payers]
        kept = [
            base.payer_cents(place, payer, pupils, exact[place] * Fraction(pupils, sum(counts))) if base else None
            for payer, pupils in payers
        ]
        amounts = largest_remainder_beside(split.amount_cents, counts, kept)
        result += [
            ShareDetail(split.order_id, split.doelgroep, split.stream, payer, kind, pupils, amount)
            for ((kind, payer), pupils), amount in zip(payers, amounts, strict=True)
        ]
    return result


def _exact_streams(
    budgets: Iterable[DoelgroepBudget], splits: Iterable[StreamSplit]
) -> dict[tuple[str, str, str], Fraction]:
    amounts = {(b.order_id, b.doelgroep): b.amount_cents for b in budgets}
    weights: dict[tuple[str, str], int] = defaultdict(int)
    for s in splits:
        weights[s.order_id, s.doelgroep] += s.weight
    return {
        (s.order_id, s.doelgroep, s.stream): Fraction(
            amounts[s.order_id, s.doelgroep] * s.weight, weights[s.order_id, s.doelgroep]
        )
        for s in splits
    }


def exact_shares(
    budgets: Iterable[DoelgroepBudget], splits: Iterable[StreamSplit], details: Iterable[ShareDetail]
) -> dict[DetailKey, Fraction]:
    """The exact share of every payer in a stream, in cents: of K minus contributions, never rounded."""
    streams, details = _exact_streams(budgets, splits), list(details)
    pupils: dict[tuple[str, str, str], int] = defaultdict(int)
    for d in details:
        pupils[d.order_id, d.doelgroep, d.stream] += d.pupils
    return {
        (*place, d.payer): streams[place] * Fraction(d.pupils, pupils[place])
        for d in details
        for place in [(d.order_id, d.doelgroep, d.stream)]
    }


def streams_of(splits: Iterable[StreamSplit], details: Iterable[ShareDetail]) -> list[StreamSplit]:
    """The streams as the sums of their payers, where cents moved between those."""
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    for d in details:
        totals[d.order_id, d.doelgroep, d.stream] += d.amount_cents
    return [replace(s, amount_cents=totals[s.order_id, s.doelgroep, s.stream]) for s in splits]


def share_lines(setup: SchoolYearSetup, details: Iterable[ShareDetail]) -> list[ShareLine]:
    """Year lines per order, stream and payer, the contributions among them, sorted by order, payer and stream."""
    totals: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for d in details:
        totals[d.order_id, d.stream, d.payer_kind, d.payer] += d.amount_cents
    for c in setup.contributions:
        kind = "municipality" if municipalities().exists(c.payer, setup.settings.reference_date) else "contributor"
        totals[c.order_id, "contribution", kind, c.payer] += c.amount_cents
    lines = []
    for (order_id, stream, kind, payer), cents in totals.items():
        member = kind == "municipality" and setup.is_member(payer)
        rhythm = _rhythm(kind, member)
        lines.append(ShareLine(order_id, stream, LAW_OF_STREAM[stream], payer, kind, rhythm, member, cents))
    return sorted(lines, key=lambda line: (line.order_id, line.payer, STREAM_ORDER.index(line.stream)))


def _rhythm(kind: str, member: bool) -> str:
    """Members, zorgkantoren and contributors monthly, municipalities outside twice a year, pgb holders not by us."""
    if kind == "pgb_holders":
        return "none"
    return "half_year" if kind == "municipality" and not member else "monthly"


def _keys(setup: SchoolYearSetup, budgets: list[DoelgroepBudget], outcome: PayerOutcome) -> dict[tuple[str, str], Key]:
    """The key of every doelgroep: its own counts, or by besluit those of another doelgroep of the order."""
    counts: dict[tuple[str, str], dict[str, dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
    for (order_id, doelgroep, stream, kind, payer), pupils in outcome.counts().items():
        counts[order_id, doelgroep][stream][kind, payer] = pupils
    keys: dict[tuple[str, str], Key] = {}
    reasons = outcome.blocking(setup)
    for b in budgets:
        own = (b.order_id, b.doelgroep)
        keys[own] = counts[b.order_id, key_doelgroep(setup, *own, outcome)]
        if b.granted_hours_hundredths and not keys[own]:
            reasons.append(
                f"{b.order_id}, doelgroep {b.doelgroep}: er zijn uren maar geen leerlingen die meetellen; "
                "neem een besluit 'sleutel van' dat de doelgroep noemt waarvan de verdeling geldt."
            )
    if reasons:
        raise EstablishmentBlocked(reasons)
    return keys


def key_doelgroep(setup: SchoolYearSetup, order_id: str, doelgroep: str, outcome: PayerOutcome) -> str:
    """The doelgroep whose counts are the key: its own, or when nobody counts in it the one a besluit names."""
    if any((d.order_id, d.doelgroep) == (order_id, doelgroep) and d.stream for d in outcome.decisions):
        return doelgroep
    named = [b for b in setup.decisions_of("key_of") if (b.order_id, b.doelgroep) == (order_id, doelgroep)]
    return (named[0].key_doelgroep if named else None) or doelgroep


def _weights(setup: SchoolYearSetup, budget: DoelgroepBudget, key: Key) -> list[int]:
    pupils = [sum(key.get(stream, {}).values()) for stream in SPLIT_STREAMS]
    if setup.settings.split_key == "head_count" or not any(pupils):
        return pupils
    agreed = dict(setup.doelgroep(budget.order_id, budget.doelgroep).weights)
    weights = [agreed.get(stream, 0) for stream in SPLIT_STREAMS]
    odd = [
        stream
        for stream, weight, count in zip(SPLIT_STREAMS, weights, pupils, strict=True)
        if bool(weight) != bool(count)
    ]
    if odd:
        where = f"{budget.order_id}, doelgroep {budget.doelgroep}"
        what = "gewicht zonder leerlingen, of leerlingen zonder gewicht"
        raise EstablishmentBlocked([f"{where}: {what}, bij {', '.join(odd)}."])
    return weights
