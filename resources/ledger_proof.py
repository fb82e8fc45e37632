"""`zio verify`: prove from the warehouse alone that the ledger is whole, and re-add every sum.

Belongs here: findings, as Dutch sentences, over one moment of the warehouse. It repairs nothing. What it cannot see:
the last documents of a series removed together with their counter by whoever owns the database; only the last hash of
each series, kept elsewhere, shows that.
Does not belong here: posting.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from resources import triggers
from resources.ledger import read_documents
from resources.tables import APPROVALS, LINES, PRODUCTS, PROPOSALS, SERIES
from resources.warehouse import Warehouse
from zio_pipeline.billing import (
    CREDIT_OF_KIND,
    GENESIS,
    PostedDocument,
    document_hash,
    document_number,
    series_name,
    standing_documents,
)
from zio_pipeline.errors import ZioError

ShareKey = tuple[str, str, str, str]
"""School year, order, stream, payer."""


def verify(warehouse: Warehouse) -> list[str]:
    """Everything that is not as it should be; empty when the ledger is sound.

    Proved: the guards, the two signatures under every establishment, per series the numbering, dates, counter and
    chain of hashes, per document its sum, that a credit takes back exactly one document whole, that one document at most
    stands per payer and period, and that the lines re-add to the terms and stay within the shares of their version.

    Raises:
        WarehouseError: the warehouse cannot be read.
    """
    with warehouse.database.reading() as connection:
        return findings(connection)


def findings(connection: Connection) -> list[str]:
    """What `verify` finds, as the given transaction sees the warehouse."""
    documents = read_documents(connection)
    return [
        *triggers.findings(connection),
        *_signatures(connection),
        *_series(connection, documents),
        *_documents(documents),
        *_credits(documents),
        *_one_per_place(documents),
        *_loose_lines(connection, documents),
        *_against_terms(connection, documents),
        *_against_shares(connection, documents),
    ]


def _signatures(connection: Connection) -> Iterator[str]:
    receipts = {}
    for row in connection.execute(select(PROPOSALS)):
        receipts[row.school_year, row.version, row.receipt_hash] = row.proposed_by
        if hashlib.sha256(row.receipt_json.encode()).hexdigest() != row.receipt_hash:
            yield f"Schooljaar {row.school_year} versie {row.version}: het bewijs is gewijzigd na het voorstel."
    for row in connection.execute(select(APPROVALS)):
        proposer = receipts.get((row.school_year, row.version, row.receipt_hash))
        if proposer is None or proposer != row.proposed_by:
            yield f"Schooljaar {row.school_year} versie {row.version}: de goedkeuring hoort bij geen voorstel."


def _series(connection: Connection, documents: Sequence[PostedDocument]) -> Iterator[str]:
    counters = {row.series: row.last_sequence for row in connection.execute(select(SERIES))}
    last = {document.series: document.sequence for document in documents}
    for series in sorted(counters.keys() | last.keys()):
        counter, sequence = counters.get(series, 0), last.get(series, 0)
        if counter != sequence:
            yield f"Reeks {series}: de teller staat op {counter}, het laatste document is {sequence}."
    for series, group in groupby(documents, key=lambda d: d.series):
        yield from _chain(series, list(group))


def _chain(series: str, documents: list[PostedDocument]) -> Iterator[str]:
    previous_hash, previous = GENESIS, None
    for document in documents:
        if document.sequence != (previous.sequence if previous else 0) + 1:
            yield f"Reeks {series}: vóór document {document.number} ontbreekt er een."
        if previous and document.document_date < previous.document_date:
            yield f"Document {document.number}: de datum ligt vóór die van {previous.number}."
        if document.previous_hash != previous_hash:
            yield f"Document {document.number}: de keten sluit niet aan op het vorige document."
        if document.hash != document_hash(document.previous_hash, document.header(), document.lines):
            yield f"Document {document.number}: de inhoud is gewijzigd na het boeken."
        previous_hash, previous = document.hash, document


def _documents(documents: Sequence[PostedDocument]) -> Iterator[str]:
    for document in documents:
        if document.number != document_number(document.series, document.sequence):
            yield f"Document {document.number}: het nummer past niet bij reeks en volgnummer {document.sequence}."
        if document.series != _expected_series(document):
            yield f"Document {document.number}: reeks {document.series} past niet bij afzender, soort en jaar."
        if document.amount_cents != sum(line.amount_cents for line in document.lines):
            yield f"Document {document.number}: de regels tellen niet op tot het bedrag."


def _expected_series(document: PostedDocument) -> str | None:
    try:
        return series_name(document.sender, document.kind, document.document_date.year)
    except ZioError:
        return None


def _credits(documents: Sequence[PostedDocument]) -> Iterator[str]:
    """A credit is the mirror of one document that was posted before it (the database lets it happen once)."""
    by_number = {document.number: document for document in documents}
    for document in documents:
        if document.credits is None:
            continue
        original = by_number.get(document.credits)
        if original is None or CREDIT_OF_KIND.get(original.kind) != document.kind:
            yield f"Document {document.number}: het crediteert {document.credits}, dat daar niet bij past."
        elif document.document_date < original.document_date:
            yield f"Document {document.number}: de datum ligt vóór die van {original.number}, dat het crediteert."
        elif _mirrored(original) != _mirrored(document):
            yield f"Document {document.number}: het neemt {original.number} niet in zijn geheel terug."


def _mirrored(document: PostedDocument) -> tuple[Any, ...]:
    return document.school_year, document.payer, document.period, document.debtor, document.sender, document.lines


def _one_per_place(documents: Sequence[PostedDocument]) -> Iterator[str]:
    places = Counter((d.school_year, d.payer, d.period) for d in standing_documents(documents))
    for (school_year, payer, period), count in sorted(places.items()):
        if count > 1:
            yield f"Betaler {payer}, {period} ({school_year}): er staan {count} documenten tegelijk."


def _loose_lines(connection: Connection, documents: Sequence[PostedDocument]) -> Iterator[str]:
    known = {document.number for document in documents}
    numbers = set(connection.scalars(select(LINES.c.number)))
    yield from (f"Er zijn regels van document {number}, dat niet bestaat." for number in sorted(numbers - known))


def _against_terms(connection: Connection, documents: Sequence[PostedDocument]) -> Iterator[str]:
    """Every document but a credit is the sum of the terms of its payer and period in its version."""
    owed: dict[tuple[Any, ...], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in connection.execute(select(PRODUCTS["terms"])):
        if row.amount_cents:
            owed[row.school_year, row.version, row.payer, row.period][row.order_id, row.stream] += row.amount_cents
    for document in documents:
        if document.credits is not None:
            continue
        terms = owed.get((document.school_year, document.version, document.payer, document.period), {})
        if terms != {(line.order_id, line.stream): line.amount_cents for line in document.lines}:
            yield f"Document {document.number}: de regels zijn niet de termijnen van deze betaler en periode."


def _against_shares(connection: Connection, documents: Sequence[PostedDocument]) -> Iterator[str]:
    """What a payer was billed up to and in a version, credits taken off, stays within the share that version gives it."""
    shares: dict[tuple[ShareKey, int], int] = {}
    for row in connection.execute(select(PRODUCTS["municipal_shares"])):
        shares[(row.school_year, row.order_id, row.stream, row.payer), row.version] = row.amount_cents
    billed: dict[ShareKey, Counter[int]] = defaultdict(Counter)
    for document in documents:
        for line in document.lines:
            share = (document.school_year, line.order_id, line.stream, document.payer)
            billed[share][document.version] += -line.amount_cents if document.credits else line.amount_cents
    for share, by_version in sorted(billed.items()):
        total = 0
        for version, cents in sorted(by_version.items()):
            total += cents
            if total > shares.get((share, version), 0):
                year, order_id, stream, payer = share
                yield (
                    f"Betaler {payer}, opdracht {order_id}, stroom {stream}: "
                    f"in {year} is meer geboekt dan het jaaraandeel van versie {version}."
                )
