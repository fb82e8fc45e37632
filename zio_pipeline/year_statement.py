"""The year statement: of each payer and order the share, what was posted, what is still to be billed, and the cost per
calendar year; and what still keeps the year from being closed.

Belongs here: both, on plain data (SPEC section 5, `close`). Does not belong here: cost to date (`accruals`), storing a
closure (`resources.closing`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.accruals import (
    NO_PART,
    NOTHING_BILLED,
    Place,
    Row,
    YearAmount,
    parts_of_orders,
    posted_cents,
    with_documents,
    year_amounts,
)
from zio_pipeline.billing import Parked, PostedDocument, ReadyDocument, standing_documents
from zio_pipeline.claims import SETTLED
from zio_pipeline.money import format_euro
from zio_pipeline.setup import SchoolYearSetup

Declaration = tuple[str, str, str]
"""Order, law and month: what a provider declares at once."""


@dataclass(frozen=True)
class YearBooks:
    """What a year stands on, on a day.

    `shares` and `terms` are rows of those tables, of one version; `documents` everything in the ledger, credits too;
    `parked` what is due and waits; `unposted` what a billing run would post or take back now.
    """

    version: int
    on: date
    shares: Sequence[Mapping[str, Any]]
    terms: Sequence[Mapping[str, Any]]
    documents: Sequence[PostedDocument]
    parked: Sequence[Parked]
    unposted: Sequence[ReadyDocument | PostedDocument]

    def not_due(self) -> list[Mapping[str, Any]]:
        """Terms that fall due after the day and are not posted."""
        standing = {(d.payer, d.period) for d in standing_documents(self.documents)}
        return [
            term
            for term in self.terms
            if term["due_on"] is not None
            and term["due_on"] > self.on
            and term["amount_cents"]
            and (term["payer"], term["period"]) not in standing
        ]

    def waiting(self) -> list[Mapping[str, Any]]:
        """Terms of the periods that are parked."""
        places = {(parked.payer, parked.period) for parked in self.parked}
        return [term for term in self.terms if (term["payer"], term["period"]) in places]


def statement_rows(setup: SchoolYearSetup, books: YearBooks) -> list[Row]:
    """Rows of `year_statement`, by payer and order; a member without pupils stands with 0 at every order.

    The share is posted + parked + not due + to post + collected by the provider; `to_post_cents` is negative where a
    credit is due. The first calendar year bears the part of the share that has passed at 31 December, rounded half up; the
    second bears the rest, so that both add up to the share. What was posted counts in the year of its date, later
    corrections in the second.
    """
    year = setup.settings.school_year
    end_of_first = date(year.first_calendar_year, 12, 31)
    parts = parts_of_orders(setup, end_of_first)
    debit = posted_cents(d for d in books.documents if not d.credits)
    net, first_year = posted_cents(books.documents), posted_cents(books.documents, until=end_of_first)
    parked, not_due = _by_place(books.waiting()), _by_place(books.not_due())
    rows = []
    for amount in _everybody(setup, books):
        place, share = amount.place, amount.year_cents
        by_provider = share if amount.payer_kind == NOTHING_BILLED else 0
        first_cost = parts.get(amount.order_id, NO_PART).of(share)
        rows.append(
            {
                "school_year": year.key,
                "version": books.version,
                "payer": amount.payer,
                "order_id": amount.order_id,
                "payer_kind": amount.payer_kind,
                "member": amount.member,
                "as_of": books.on,
                "basis": setup.settings.accrual_basis,
                "share_cents": share,
                "debit_cents": debit[place],
                "credit_cents": debit[place] - net[place],
                "posted_cents": net[place],
                "parked_cents": parked[place],
                "not_due_cents": not_due[place],
                "to_post_cents": share - by_provider - net[place] - parked[place] - not_due[place],
                "by_provider_cents": by_provider,
                "first_year": end_of_first.year,
                "first_year_cost_cents": first_cost,
                "first_year_posted_cents": first_year[place],
                "second_year": end_of_first.year + 1,
                "second_year_cost_cents": share - first_cost,
                "second_year_posted_cents": net[place] - first_year[place],
            }
        )
    return rows


def _everybody(setup: SchoolYearSetup, books: YearBooks) -> list[YearAmount]:
    """Who has a share or was billed, and every member of the region for every order."""
    amounts = year_amounts(books.shares)
    known = {amount.place for amount in amounts}
    members = {row["municipality"] for row in setup.sheets["municipalities"] if setup.is_member(row["municipality"])}
    amounts += [
        YearAmount(payer, order.order_id, "municipality", True, 0)
        for payer in members
        for order in setup.orders
        if (payer, order.order_id) not in known
    ]
    return with_documents(amounts, books.documents)


def _by_place(terms: Iterable[Mapping[str, Any]]) -> Counter[Place]:
    totals: Counter[Place] = Counter()
    for term in terms:
        totals[term["payer"], term["order_id"]] += term["amount_cents"]
    return totals


# --- closing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """What became of the declaration of one order, law and month: its verdict, and the net cents of the claims that count."""

    order_id: str
    law: str
    month: str
    status: str
    claimed_cents: int

    @property
    def declaration(self) -> Declaration:
        return self.order_id, self.law, self.month


def closing_reasons(
    setup: SchoolYearSetup,
    books: YearBooks,
    settled_payers: Iterable[str],
    claims: Sequence[Claim],
    statements: Mapping[str, int],
) -> list[str]:
    """Everything that keeps the year from being closed, in Dutch; empty when nothing does (SPEC section 5, `close`).

    Args:
        setup: the established year.
        books: the year on the closing day.
        settled_payers: payers of whom a besluit 'openstaand bij afsluiting' says that what is parked may stay open.
        claims: what became of every declaration that was compared.
        statements: per provider the cents of its registered year statement.
    """
    last_day = setup.settings.school_year.last_day
    reasons = []
    if books.on < last_day:
        reasons.append(f"Het schooljaar loopt tot en met {last_day:%d-%m-%Y}; sluit het op die dag of later.")
    reasons += _unposted(books)
    reasons += _parked(books, set(settled_payers))
    reasons += _claims(books, claims)
    return reasons + _statements(setup, claims, statements)


def _unposted(books: YearBooks) -> list[str]:
    reasons = []
    to_post = _periods((d.payer, d.period) for d in books.unposted)
    for payer, periods in to_post.items():
        reasons.append(f"Betaler {payer}: nog te boeken of te crediteren over {', '.join(periods)}; boek eerst.")
    not_due = _periods((term["payer"], term["period"]) for term in books.not_due())
    for payer, periods in not_due.items():
        reasons.append(f"Betaler {payer}: op {books.on:%d-%m-%Y} nog niet vervallen is {', '.join(periods)}.")
    return reasons


def _parked(books: YearBooks, settled: set[str]) -> list[str]:
    return [
        f"Betaler {payer}: nog te factureren over {', '.join(periods)}; factureer, of neem een besluit "
        "'openstaand bij afsluiting' op dat deze betaler noemt."
        for payer, periods in _periods((p.payer, p.period) for p in books.parked).items()
        if payer not in settled
    ]


def _periods(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Per payer its periods, both in ascending order."""
    found: dict[str, set[str]] = defaultdict(set)
    for payer, period in places:
        found[payer].add(period)
    return {payer: sorted(found[payer]) for payer in sorted(found)}


def declarations(terms: Iterable[Mapping[str, Any]]) -> dict[Declaration, int]:
    """What may be declared to us or a zorgkantoor, in cents per order, law and month; nothing of 0."""
    totals: Counter[Declaration] = Counter()
    for term in terms:
        if term["payer_kind"] != NOTHING_BILLED and term["amount_cents"]:
            totals[term["order_id"], term["law"], term["month"]] += term["amount_cents"]
    return dict(sorted(totals.items()))


def _claims(books: YearBooks, claims: Sequence[Claim]) -> list[str]:
    expected = declarations(books.terms)
    if expected and not claims:
        return ["De declaraties van de aanbieders zijn nog niet vergeleken."]
    settled = {claim.declaration for claim in claims if claim.status in SETTLED}
    open_ones = {claim.declaration for claim in claims if claim.status not in SETTLED}
    months: dict[tuple[str, str], set[str]] = defaultdict(set)
    for order_id, law, month in open_ones | (expected.keys() - settled):
        months[order_id, law].add(month)
    return [
        f"Opdracht {order_id}, wet {law}: declaratie niet akkoord en niet afgeboekt over {', '.join(sorted(found))}."
        for (order_id, law), found in sorted(months.items())
    ]


def _statements(setup: SchoolYearSetup, claims: Iterable[Claim], statements: Mapping[str, int]) -> list[str]:
    """A provider's own year statement must say what it declared and what of that counts, to the cent."""
    provider_of = {order.order_id: order.provider for order in setup.orders}
    declared: Counter[str | None] = Counter()
    for claim in claims:
        # An order that this version does not have any more has no provider here.
        declared[provider_of.get(claim.order_id)] += claim.claimed_cents
    reasons = []
    for provider in sorted(set(provider_of.values())):
        if provider not in statements:
            reasons.append(f"De jaaropgave van aanbieder {provider} is niet geregistreerd (zio provider-statement).")
        elif difference := statements[provider] - declared[provider]:
            reasons.append(
                f"De jaaropgave van aanbieder {provider} is {format_euro(statements[provider])} euro; gedeclareerd is "
                f"{format_euro(declared[provider])} euro, een verschil van {format_euro(difference)} euro."
            )
    return reasons
