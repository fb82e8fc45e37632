"""`zio verify`: prove from the warehouse alone that the ledger is whole, and re-add every sum.

Belongs here: findings, as Dutch sentences, over one moment of the warehouse. It repairs nothing. What it cannot see:
the last documents of a series removed together with their counter by whoever owns the database; only the last hash of
each series, kept elsewhere, shows that.
Does not belong here: posting, the chain of the registers (`resources.register_chain`), the tables (`resources.schema_proof`).
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from resources import register_chain, schema_proof, triggers
from resources.ledger import read_documents
from resources.tables import APPROVALS, LINES, MANIFEST, PRODUCTS, PROPOSALS, SERIES
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

    Proved: the guards, the tables and the file, the two signatures under every establishment, the chain of the registers,
    the places of the manifest, per series the numbering, dates, counter and chain of hashes, per document its sum, that a
    credit takes back exactly one document whole, that one document at most stands per payer and period, and that the lines
    re-add to the terms and stay within the shares of their version.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    unprepared = guarded("tabellen", lambda: schema_proof.prepare(warehouse.database))
    with warehouse.database.reading() as connection:
        return unprepared + findings(connection)


def findings(connection: Connection) -> list[str]:
    """What `verify` finds, as the given transaction sees the warehouse."""
    parts: dict[str, Callable[[Connection], Iterable[str]]] = {
        "beveiliging": triggers.findings,
        "tabellen": schema_proof.findings,
        "bestand": schema_proof.damage,
        "handtekeningen": _signatures,
        "registers": register_chain.findings,
        "manifest": _manifest,
        "reeksen": _series_names,
        "grootboek": _ledger,
    }
    return [found for name, part in parts.items() for found in guarded(name, lambda p=part: p(connection), connection)]  # type: ignore[misc]


def guarded(name: str, part: Callable[[], Iterable[str] | None], connection: Connection | None = None) -> list[str]:
    """The findings of a part of the proof; what makes it stop is a finding too, that names the part and never a value.

    Args:
        name: of the part.
        part: gives its findings, if it has any.
        connection: when it reads in a transaction that others go on with.
    """
    found: list[str] = []
    try:
        # On PostgreSQL nothing can be read any more after an error, but for what goes back to a savepoint.
        with connection.begin_nested() if connection else nullcontext():
            found += part() or ()
    except ZioError as error:
        found.append(f"Controle van {name} is gestopt. {error}")
    except Exception as error:
        # Damaged bytes can stop any reader in any way, and its own words may hold what it read.
        found.append(f"Controle van {name} is gestopt: {type(getattr(error, 'orig', None) or error).__name__}.")
    return found


def _ledger(connection: Connection) -> Iterator[str]:
    documents = read_documents(connection)
    yield from _series(connection, documents)
    yield from _documents(documents)
    yield from _credits(documents)
    yield from _one_per_place(documents)
    yield from _loose_lines(connection, documents)
    yield from _against_terms(connection, documents)
    yield from _against_shares(connection, documents)


def _manifest(connection: Connection) -> Iterator[str]:
    """A place in the manifest is what its file covers, one file counts per place, and the order of arrival has no gap."""
    active: Counter[tuple[str, str]] = Counter()
    for position, row in enumerate(connection.execute(select(MANIFEST).order_by(MANIFEST.c.sequence)), start=1):
        if row.sequence != position:
            yield f"Manifest: vóór volgnummer {row.sequence} ontbreekt er een, of het staat er twee keer."
            return
        if row.scope != json.dumps([row.school_year, row.school, row.provider, row.period]):
            yield f"Manifest, volgnummer {position}: de plaats past niet bij schooljaar, school, aanbieder en periode."
        if row.active and row.status == "refused":
            yield f"Manifest, volgnummer {position}: een geweigerd bestand telt mee."
        active[row.source, row.scope] += bool(row.active)
    for (source, scope), count in sorted(active.items()):
        if count > 1:
            yield f"Manifest: van {source} tellen voor {scope} {count} bestanden tegelijk."


def _series_names(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(SERIES)):
        if row.series != _name_of_series(row.sender, row.kind, row.calendar_year):
            yield f"Reeks {row.series}: afzender, soort of jaar past niet bij de naam."


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
        if document.series != _name_of_series(document.sender, document.kind, document.document_date.year):
            yield f"Document {document.number}: reeks {document.series} past niet bij afzender, soort en jaar."
        if document.amount_cents != sum(line.amount_cents for line in document.lines):
            yield f"Document {document.number}: de regels tellen niet op tot het bedrag."


def _name_of_series(sender: str, kind: str, calendar_year: int) -> str | None:
    try:
        return series_name(sender, kind, calendar_year)
    except (ZioError, KeyError):
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
    return document.school_year, document.payer, document.period, document.sender, document.lines


def _one_per_place(documents: Sequence[PostedDocument]) -> Iterator[str]:
    places = Counter((d.school_year, d.payer, d.period) for d in standing_documents(documents))
    for (school_year, payer, period), count in sorted(places.items()):
        if count > 1:
            yield f"Betaler {payer}, {period} ({school_year}): er staan {count} documenten tegelijk."


def _loose_lines(connection: Connection, documents: Sequence[PostedDocument]) -> Iterator[str]:
    known = {document.number for document in documents}
    positions: dict[str, list[int]] = defaultdict(list)
    for row in connection.execute(select(LINES.c.number, LINES.c.line_number)):
        positions[row.number].append(row.line_number)
    for number, found in sorted(positions.items()):
        if number not in known:
            yield f"Er zijn regels van document {number}, dat niet bestaat."
        elif sorted(found) != list(range(1, len(found) + 1)):
            yield f"Document {number}: de regels zijn niet doorlopend genummerd."


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
