"""A document on its way into the ledger and in it: ready, numbered, chained.

Belongs here: number and series of a document, the hash that ties it to the one before, and its rows in the finance
products. Does not belong here: storing it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from zio_pipeline.billing.documents import DesiredDocument, Line
from zio_pipeline.billing.standing import Debtor, Standing
from zio_pipeline.errors import ZioError

CREDIT_OF_KIND = {"invoice": "credit_note", "wlz_statement": "wlz_credit", "internal_booking": "internal_reversal"}
"""Which kind of document takes back another one (SPEC section 5: credited in full, once)."""

LETTER_OF_KIND = {
    "invoice": "F",
    "wlz_statement": "W",
    "internal_booking": "B",
    "credit_note": "C",
    "wlz_credit": "V",
    "internal_reversal": "T",
}
"""The letter in the number of a document."""

GENESIS = "0" * 64
"""What the first document of a series has as the hash of the one before."""

NOT_IN_HEADER = ("hash", "previous_hash", "lines")


@dataclass(frozen=True)
class ReadyDocument:
    """A desired document that may be posted: to whom, on which day, as what."""

    desired: DesiredDocument
    sender: str
    kind: str
    document_date: date
    debtor: Debtor
    vat_category: str
    successor_of: str | None = None
    credits: str | None = None
    """Number of the document that this one takes back; None for every other kind."""

    @property
    def series(self) -> str:
        """Numbers are gap-free per sender, kind and calendar year of the document date (SPEC section 5)."""
        return series_name(self.sender, self.kind, self.document_date.year)

    @property
    def school_year(self) -> str:
        return self.desired.school_year

    @property
    def payer(self) -> str:
        return self.desired.payer

    @property
    def period(self) -> str:
        return self.desired.period

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.desired.lines

    @property
    def amount_cents(self) -> int:
        return self.desired.amount_cents


@dataclass(frozen=True)
class PostedDocument:
    """A document as it stands in the ledger; the debtor's data are those of the day it was posted."""

    number: str
    series: str
    sequence: int
    sender: str
    kind: str
    school_year: str
    version: int
    payer: str
    payer_kind: str
    rhythm: str
    period: str
    due_on: date
    document_date: date
    debtor: str
    debtor_name: str
    address: str
    buyer_reference: str
    successor_of: str | None
    credits: str | None
    vat_category: str
    amount_cents: int
    previous_hash: str
    hash: str
    lines: tuple[Line, ...]

    def header(self) -> dict[str, str | int | date | None]:
        """Every field that the hash covers, the lines apart."""
        return {name: value for name, value in vars(self).items() if name not in NOT_IN_HEADER}

    @property
    def signed_cents(self) -> int:
        """The amount as it counts: a credit is negative. What is stored has no sign, its kind has."""
        return -self.amount_cents if self.credits else self.amount_cents


def standing_documents(posted: Iterable[PostedDocument]) -> list[PostedDocument]:
    """What counts as billed: no credit, and not credited; in the given order."""
    posted = list(posted)
    taken_back = {document.credits for document in posted if document.credits}
    return [document for document in posted if not document.credits and document.number not in taken_back]


def debtor_of(document: PostedDocument) -> Debtor:
    """To whom a document went, as it stands on it."""
    address = tuple(document.address.split("\n"))
    return Debtor(document.debtor, document.debtor_name, address, document.buyer_reference)


def credit_of(original: PostedDocument, version: int, on: date, standing: Standing) -> ReadyDocument:
    """The document that takes back another one in full, on a day of its own (SPEC section 5).

    Args:
        original: a posted document that stands.
        version: the version of the school year that asks for it.
        on: the business date.
        standing: who has come in the place of whom since.
    """
    debtor, successor_of = standing.creditor(original.payer, original.payer_kind, debtor_of(original), on)
    return ReadyDocument(
        desired=DesiredDocument(
            school_year=original.school_year,
            version=version,
            payer=original.payer,
            payer_kind=original.payer_kind,
            rhythm=original.rhythm,
            kind=CREDIT_OF_KIND[original.kind],
            period=original.period,
            due_on=original.due_on,
            months=(),
            lines=original.lines,
        ),
        sender=original.sender,
        kind=CREDIT_OF_KIND[original.kind],
        document_date=on,
        debtor=debtor,
        vat_category=original.vat_category,
        successor_of=successor_of,
        credits=original.number,
    )


def posted_as(document: ReadyDocument, sequence: int, previous_hash: str) -> PostedDocument:
    """The document as it stands under that number of its series, after the one whose hash is given."""
    desired, debtor = document.desired, document.debtor
    unsigned = PostedDocument(
        number=document_number(document.series, sequence),
        series=document.series,
        sequence=sequence,
        sender=document.sender,
        kind=document.kind,
        school_year=desired.school_year,
        version=desired.version,
        payer=desired.payer,
        payer_kind=desired.payer_kind,
        rhythm=desired.rhythm,
        period=desired.period,
        due_on=desired.due_on,
        document_date=document.document_date,
        debtor=debtor.code,
        debtor_name=debtor.name,
        address="\n".join(debtor.address),
        buyer_reference=debtor.buyer_reference,
        successor_of=document.successor_of,
        credits=document.credits,
        vat_category=document.vat_category,
        amount_cents=desired.amount_cents,
        previous_hash=previous_hash,
        hash="",
        lines=desired.lines,
    )
    return replace(unsigned, hash=document_hash(previous_hash, unsigned.header(), unsigned.lines))


def series_name(sender: str, kind: str, calendar_year: int) -> str:
    """`GR-HVB-F-2026`: the series of a sender, a kind and a calendar year.

    Raises:
        ZioError: the kind has no series.
    """
    if kind not in LETTER_OF_KIND:
        raise ZioError(f"Voor documentsoort {kind!r} bestaat geen nummerreeks.")
    return f"{sender}-{LETTER_OF_KIND[kind]}-{calendar_year:04d}"


def document_number(series: str, sequence: int) -> str:
    """`GR-HVB-F-2026-00001`."""
    return f"{series}-{sequence:05d}"


def document_hash(previous_hash: str, header: Mapping[str, str | int | date | None], lines: Iterable[Line]) -> str:
    """SHA-256 over the hash before, the header and the lines in canonical JSON (sorted keys, no spaces, UTF-8)."""
    content = {
        "previous_hash": previous_hash,
        "header": {name: value.isoformat() if isinstance(value, date) else value for name, value in header.items()},
        "lines": [[line.order_id, line.stream, line.amount_cents] for line in lines],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def invoice_rows(posted: Iterable[PostedDocument]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the three products a posted line can belong to: by payer kind, and by rhythm for the others.

    Amounts are signed here, so that a column adds up: a line of a credit is negative.
    """
    rows: dict[str, list[dict[str, Any]]] = {
        "in_region_invoices": [],
        "out_of_region_invoices": [],
        "wlz_documents": [],
    }
    for document in posted:
        for line_number, line in enumerate(document.lines, start=1):
            rows[_product(document)].append(
                {
                    "document_number": document.number,
                    "line_number": line_number,
                    "school_year": document.school_year,
                    "version": document.version,
                    "kind": document.kind,
                    "payer": document.payer,
                    "debtor": document.debtor,
                    "debtor_name": document.debtor_name,
                    "period": document.period,
                    "due_on": document.due_on,
                    "document_date": document.document_date,
                    "order_id": line.order_id,
                    "stream": line.stream,
                    "vat_category": document.vat_category,
                    "credits": document.credits,
                    "amount_cents": -line.amount_cents if document.credits else line.amount_cents,
                }
            )
    return rows


def _product(document: PostedDocument) -> str:
    if document.payer_kind == "zorgkantoor":
        return "wlz_documents"
    return "out_of_region_invoices" if document.rhythm == "half_year" else "in_region_invoices"
