"""What an established school year asks for: one document per payer and period, due on one day.

Belongs here: the calendar of billing, and grouping the terms into documents. Does not belong here: whether a document
may go out (`standing`), and what has been posted already (`planning`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from zio_pipeline.errors import ZioError
from zio_pipeline.school_year import SchoolYear, first_working_day
from zio_pipeline.terms import STREAM_ORDER

KIND_OF_PAYER = {"municipality": "invoice", "contributor": "invoice", "zorgkantoor": "wlz_statement"}
"""Which document a payer gets; pgb holders get none of ours (SPEC section 4)."""


@dataclass(frozen=True)
class TermAmount:
    """One term of one payer, order and stream, in cents; `month` as 2025-09, `rhythm` monthly, half_year or none."""

    order_id: str
    stream: str
    payer: str
    payer_kind: str
    rhythm: str
    month: str
    amount_cents: int


@dataclass(frozen=True)
class Line:
    """One line of a document: an order and a stream, in cents."""

    order_id: str
    stream: str
    amount_cents: int


@dataclass(frozen=True)
class DesiredDocument:
    """What a payer owes over a period; `months` are the service months it covers, `kind` that of the document."""

    school_year: str
    version: int
    payer: str
    payer_kind: str
    rhythm: str
    kind: str
    period: str
    due_on: date
    months: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def amount_cents(self) -> int:
        """Total of the lines."""
        return sum(line.amount_cents for line in self.lines)


@dataclass(frozen=True)
class BillingCalendar:
    """When what falls due: the terms as month keys, which of them are the first half, and the due day of each half."""

    school_year: SchoolYear
    term_months: tuple[str, ...]
    first_half: frozenset[str]
    half_due: tuple[date, date]

    @classmethod
    def of(
        cls,
        school_year: SchoolYear,
        term_months: Sequence[int],
        first_half: Iterable[int],
        half_due_months: tuple[int, int],
    ) -> Self:
        """From calendar months 1 to 12, as the settings give them."""
        due = [first_working_day(*_year_and_month(school_year.month_key(month))) for month in half_due_months]
        return cls(
            school_year=school_year,
            term_months=tuple(school_year.month_key(month) for month in term_months),
            first_half=frozenset(school_year.month_key(month) for month in first_half),
            half_due=(due[0], due[1]),
        )

    def period(self, rhythm: str, month: str) -> str:
        """The period a term is billed in: its month, or the half it falls in.

        Raises:
            ZioError: the month is no term of this school year, or the rhythm is unknown.
        """
        if month not in self.term_months:
            raise ZioError(f"Maand {month} is geen termijn van schooljaar {self.school_year.key}.")
        if rhythm == "monthly":
            return month
        if rhythm == "half_year":
            return self.school_year.half_key(1 if month in self.first_half else 2)
        raise ZioError(f"Het ritme {rhythm!r} is onbekend.")

    def due_on(self, period: str) -> date:
        """First working day of the month of a term, or the due day of a half (SPEC section 5)."""
        for half in (1, 2):
            if period == self.school_year.half_key(half):
                return self.half_due[half - 1]
        return first_working_day(*_year_and_month(period))


def desired_documents(version: int, terms: Iterable[TermAmount], calendar: BillingCalendar) -> list[DesiredDocument]:
    """One document per payer and period, one line per order and stream; nothing of 0, nothing for rhythm `none`.

    A payer that carries both its own share and a contribution gets them in one document when they share a period.

    Args:
        version: version of the establishment the terms belong to.
        terms: every term of the year, in any order.
        calendar: months, halves and due days.

    Returns:
        Ordered by due day, then period, then payer: the order in which they are posted.

    Raises:
        ZioError: a term is negative or outside the year, or a payer has two kinds or two rhythms at once.
    """
    cells: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    months: dict[tuple[str, str], set[str]] = defaultdict(set)
    natures: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for term in terms:
        if term.amount_cents < 0:
            raise ZioError(f"Betaler {term.payer} heeft in {term.month} een negatieve termijn.")
        if term.rhythm == "none" or term.amount_cents == 0:
            continue
        place = (term.payer, calendar.period(term.rhythm, term.month))
        cells[place][term.order_id, term.stream] += term.amount_cents
        months[place].add(term.month)
        natures[term.payer].add((term.payer_kind, term.rhythm))
    documents = []
    for (payer, period), amounts in cells.items():
        payer_kind, rhythm = _nature(payer, natures[payer])
        documents.append(
            DesiredDocument(
                school_year=calendar.school_year.key,
                version=version,
                payer=payer,
                payer_kind=payer_kind,
                rhythm=rhythm,
                kind=KIND_OF_PAYER[payer_kind],
                period=period,
                due_on=calendar.due_on(period),
                months=tuple(sorted(months[payer, period])),
                lines=_lines(amounts),
            )
        )
    return sorted(documents, key=posting_order)


def posting_order(document: DesiredDocument) -> tuple[date, str, str]:
    """Due day, then period, then payer code (SPEC section 5)."""
    return document.due_on, document.period, document.payer


def due_dates(desired: Iterable[DesiredDocument]) -> list[date]:
    """Every day on which something falls due, ascending."""
    return sorted({document.due_on for document in desired})


def _nature(payer: str, natures: set[tuple[str, str]]) -> tuple[str, str]:
    if len(natures) != 1:
        raise ZioError(f"Betaler {payer} heeft meer dan één soort of ritme: {sorted(natures)}.")
    ((payer_kind, rhythm),) = natures
    if payer_kind not in KIND_OF_PAYER:
        raise ZioError(f"Voor betaler {payer} van soort {payer_kind!r} bestaat geen document.")
    return payer_kind, rhythm


def _lines(amounts: dict[tuple[str, str], int]) -> tuple[Line, ...]:
    ordered = sorted(amounts.items(), key=lambda item: (item[0][0], STREAM_ORDER.index(item[0][1])))
    return tuple(Line(order_id, stream, cents) for (order_id, stream), cents in ordered)


def _year_and_month(month_key: str) -> tuple[int, int]:
    year, month = month_key.split("-")
    return int(year), int(month)
