"""A document on its way into the ledger and in it: ready, numbered, chained.

Belongs here: number and series of a document, the hash that ties it to the one before, and its rows in the finance
products. Does not belong here: storing it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.billing.documents import DesiredDocument, Line
from zio_pipeline.billing.standing import Debtor
from zio_pipeline.errors import ZioError

LETTER_OF_KIND = {"invoice": "F", "wlz_statement": "W", "internal_booking": "B"}
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
    successor_of: str | None = None

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
    amount_cents: int
    previous_hash: str
    hash: str
    lines: tuple[Line, ...]

    def header(self) -> dict[str, str | int | date | None]:
        """Every field that the hash covers, the lines apart."""
        return {name: value for name, value in vars(self).items() if name not in NOT_IN_HEADER}


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
    """The rows of the three products a posted line can belong to: by payer kind, and by rhythm for the others."""
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
                    "amount_cents": line.amount_cents,
                }
            )
    return rows


def _product(document: PostedDocument) -> str:
    if document.payer_kind == "zorgkantoor":
        return "wlz_documents"
    return "out_of_region_invoices" if document.rhythm == "half_year" else "in_region_invoices"
