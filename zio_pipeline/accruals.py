"""Cost to date: which part of the year of each payer and order has been used on a day, beside what was posted by then.

Belongs here: the three bases of the setting `toerekening`, and cost minus posted per payer and order.
Does not belong here: the year amounts themselves (`shares`), open days (`open_days`), what is still to be billed
(`year_statement`). Rounded once, per payer and order: a total of the region is a sum and is never rounded again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from zio_pipeline.billing import PostedDocument
from zio_pipeline.errors import NotProved
from zio_pipeline.money import round_half_up
from zio_pipeline.open_days import open_days
from zio_pipeline.settings import Settings
from zio_pipeline.setup import SchoolYearSetup

Row = dict[str, Any]
Place = tuple[str, str]
"""Payer and order."""

NOTHING_BILLED = "pgb_holders"
"""The kind of payer from whom the provider collects himself: no document of ours, so nothing of ours is open."""


class Part(NamedTuple):
    """`passed` of `total`: 4 of 10 terms, 5 of 12 months, 84 of 204 school days."""

    passed: int
    total: int

    def of(self, year_cents: int) -> int:
        """This part of a year amount in cents, rounded half up."""
        return round_half_up(year_cents * self.passed, self.total)


NO_PART = Part(0, 1)
"""Of an order that the version in force has no longer: nobody has a share in it, so no part of it costs anything."""


@dataclass(frozen=True)
class YearAmount:
    """The year of one payer and order in cents, all streams together; `member` as on 1 August."""

    payer: str
    order_id: str
    payer_kind: str
    member: bool
    year_cents: int

    @property
    def place(self) -> Place:
        return self.payer, self.order_id


def accrual_rows(
    setup: SchoolYearSetup,
    version: int,
    on: date,
    shares: Iterable[Mapping[str, Any]],
    documents: Iterable[PostedDocument],
) -> list[Row]:
    """Rows of `accruals`: cost to date minus posted (SPEC section 5; BBV: cost belongs to the year in which care was given).

    A positive difference is 'nog te betalen' by the payer, a negative one 'vooruitbetaald'. What pgb holders pay is left
    out. A payer who was billed and no longer has a share stands with a year of 0.

    Args:
        setup: the established year: basis, terms, calendars.
        version: of the shares.
        on: the day up to and including which is counted.
        shares: rows of `municipal_shares` of that version.
        documents: everything the ledger holds of the year, credits too.
    """
    documents = list(documents)
    posted, parts = posted_cents(documents, until=on), parts_of_orders(setup, on)
    rows = []
    for amount in with_documents(year_amounts(shares), documents):
        if amount.payer_kind == NOTHING_BILLED:
            continue
        part, booked = parts.get(amount.order_id, NO_PART), posted[amount.place]
        difference = part.of(amount.year_cents) - booked
        rows.append(
            {
                "school_year": setup.settings.school_year.key,
                "version": version,
                "as_of": on,
                "payer": amount.payer,
                "order_id": amount.order_id,
                "payer_kind": amount.payer_kind,
                "member": amount.member,
                "basis": setup.settings.accrual_basis,
                "parts_passed": part.passed,
                "parts_total": part.total,
                "year_cents": amount.year_cents,
                "cost_cents": part.of(amount.year_cents),
                "posted_cents": booked,
                "difference_cents": difference,
                "position": "payable" if difference > 0 else "prepaid" if difference < 0 else "settled",
            }
        )
    return rows


def parts_of_orders(setup: SchoolYearSetup, on: date) -> dict[str, Part]:
    """Per order which part of its year has passed by the end of a day; only school days differ from order to order.

    Raises:
        SetupError: counted by school days, a school has no calendar.
    """
    if setup.settings.accrual_basis != "school_days":
        return {order.order_id: _calendar_part(setup.settings, on) for order in setup.orders}
    schools = {order.school for order in setup.orders}
    days = {school: open_days(setup.settings, setup.sheets["calendar"], school) for school in schools}
    return {o.order_id: Part(days[o.school].up_to(on), len(days[o.school])) for o in setup.orders}


def _calendar_part(settings: Settings, on: date) -> Part:
    """The part of the year by terms or by months: nothing before 1 August, the whole on 31 July."""
    year = settings.school_year
    total = 12 if settings.accrual_basis == "months" else sum(settings.term_weights)
    if on < year.first_day:
        return Part(0, total)
    if on >= year.last_day:
        return Part(total, total)
    if settings.accrual_basis == "months":
        # A month counts once its last day is over: by the day after, we are in another month.
        after = on + timedelta(days=1)
        return Part((after.year - year.first_day.year) * 12 + after.month - year.first_day.month, total)
    terms = zip(settings.term_keys, settings.term_weights, strict=True)
    return Part(sum(weight for month, weight in terms if month <= f"{on:%Y-%m}"), total)


def year_amounts(shares: Iterable[Mapping[str, Any]]) -> list[YearAmount]:
    """Year amounts per payer and order, by payer and order, out of rows of `municipal_shares`.

    Raises:
        NotProved: a payer has two kinds within one order, so that it is not one payer.
    """
    totals: Counter[tuple[str, str, str, bool]] = Counter()
    for row in shares:
        totals[row["payer"], row["order_id"], row["payer_kind"], row["member"]] += row["amount_cents"]
    found = {key[:2]: YearAmount(*key, cents) for key, cents in sorted(totals.items())}
    if len(found) < len(totals):
        raise NotProved("Een betaler heeft binnen één opdracht meer dan één soort; zie tabel municipal_shares.")
    return list(found.values())


def with_documents(amounts: Iterable[YearAmount], documents: Iterable[PostedDocument]) -> list[YearAmount]:
    """The amounts, and a year of 0 for who was billed for an order of which he has no share (any more)."""
    found = {amount.place: amount for amount in amounts}
    for document in documents:
        for line in document.lines:
            place = document.payer, line.order_id
            member = document.payer_kind == "municipality" and document.rhythm == "monthly"
            found.setdefault(place, YearAmount(*place, document.payer_kind, member, 0))
    return [found[place] for place in sorted(found)]


def posted_cents(documents: Iterable[PostedDocument], *, until: date = date.max) -> Counter[Place]:
    """Per payer and order the cents of the documents dated up to and including a day, a credit negative."""
    totals: Counter[Place] = Counter()
    for document in documents:
        if document.document_date <= until:
            for line in document.lines:
                totals[document.payer, line.order_id] += -line.amount_cents if document.credits else line.amount_cents
    return totals
