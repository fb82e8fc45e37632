"""The ledger: posted documents, numbered without gaps, each tied to the one before by its hash, never changed.

Belongs here: posting in one transaction under the locks, and reading back. Does not belong here: what is posted and to
whom (`zio_pipeline.billing`), and proving the ledger sound (`resources.ledger_proof`).

The rules (SPEC sections 5 and 9): numbers are given only at posting; whatever crashes leaves everything or nothing; two
runs at once post nothing twice. What another run has posted meanwhile is read again under the lock and skipped.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from resources import establishments, triggers
from resources.database import lock
from resources.tables import DOCUMENTS, LINES, SERIES
from resources.warehouse import Warehouse
from zio_pipeline.billing import GENESIS, Line, PostedDocument, ReadyDocument, document_hash, document_number
from zio_pipeline.errors import WarehouseError, ZioError


class Ledger:
    """The posted documents of a warehouse."""

    def __init__(self, warehouse: Warehouse):
        self._database = warehouse.database

    def posted(self, school_year: str) -> list[PostedDocument]:
        """Every document of a school year, by series and sequence."""
        with self._database.reading() as connection:
            return read_documents(connection, school_year)

    def post(self, documents: Sequence[ReadyDocument]) -> list[PostedDocument]:
        """Post documents in the given order: all of them in one transaction, or none.

        Args:
            documents: from a billing plan; a document that was posted meanwhile with the same lines is left out.

        Returns:
            What was posted now, in order; shorter than `documents` when another run was first.

        Raises:
            ZioError: a document date lies before the last one of its series, a document was posted meanwhile with other
                lines, or its version of the school year is not the one in force.
            WarehouseError: the database refused, or a guard of the ledger does not stand.
        """
        if not documents:
            return []
        with self._database.writing() as connection:
            triggers.check(connection)
            for school_year in sorted({d.school_year for d in documents}):
                # Two runs may post the same period in different series (another sender, another year's number).
                lock(connection, f"ledger:{school_year}")
            for series in sorted({d.series for d in documents}):
                ledger_lock(connection, next(d for d in documents if d.series == series))
            fresh = _not_yet_posted(connection, documents)
            _require_in_force(connection, fresh)
            posted = _numbered(connection, fresh)
            _store(connection, posted)
        return posted


def ledger_lock(connection: Connection, document: ReadyDocument) -> None:
    """Hold the series of a document until the transaction ends; the first document of a series makes its counter."""
    row = {
        "series": document.series,
        "sender": document.sender,
        "kind": document.kind,
        "calendar_year": document.document_date.year,
    }
    connection.execute(
        text(
            f"INSERT INTO {SERIES.name} (series, sender, kind, calendar_year, last_sequence)"  # noqa: S608 - own table name
            " VALUES (:series, :sender, :kind, :calendar_year, 0) ON CONFLICT DO NOTHING"
        ),
        row,
    )
    connection.execute(select(SERIES.c.series).where(SERIES.c.series == document.series).with_for_update()).one()


def read_documents(connection: Connection, school_year: str | None = None) -> list[PostedDocument]:
    """The documents of a school year, or of all of them, by series and sequence."""
    documents, lines = select(DOCUMENTS), select(LINES)
    if school_year is not None:
        documents = documents.where(DOCUMENTS.c.school_year == school_year)
        lines = lines.where(
            LINES.c.number.in_(select(DOCUMENTS.c.number).where(DOCUMENTS.c.school_year == school_year))
        )
    lines_of: dict[str, list[Line]] = defaultdict(list)
    for line in connection.execute(lines.order_by(LINES.c.line_number)):
        lines_of[line.number].append(Line(line.order_id, line.stream, line.amount_cents))
    found = [
        PostedDocument(**row, lines=tuple(lines_of[row["number"]])) for row in connection.execute(documents).mappings()
    ]
    return sorted(found, key=lambda d: (d.series, d.sequence))


def _not_yet_posted(connection: Connection, documents: Sequence[ReadyDocument]) -> list[ReadyDocument]:
    years = {d.school_year for d in documents}
    standing = {
        (d.school_year, d.payer, d.period): d for year in sorted(years) for d in read_documents(connection, year)
    }
    fresh = []
    for document in documents:
        other = standing.get((document.school_year, document.payer, document.period))
        if other is None:
            fresh.append(document)
        elif other.lines != document.lines:
            raise ZioError(
                f"Betaler {document.payer} kreeg over {document.period} al document {other.number} met andere "
                "bedragen; er is niets geboekt. Maak het boekingsplan opnieuw."
            )
    return fresh


def _require_in_force(connection: Connection, documents: Iterable[ReadyDocument]) -> None:
    for school_year, version in sorted({(d.school_year, d.desired.version) for d in documents}):
        established = establishments.latest(connection, school_year)
        if established is None or established.version != version:
            raise ZioError(
                f"Versie {version} van schooljaar {school_year} is niet de vastgestelde versie die nu geldt; "
                "er is niets geboekt."
            )


def _numbered(connection: Connection, documents: Sequence[ReadyDocument]) -> list[PostedDocument]:
    """Give each document its number and its place in the chain of its series."""
    last: dict[str, tuple[int, date, str]] = {}
    posted = []
    for document in documents:
        sequence, on, previous_hash = last.get(document.series) or _last_of(connection, document.series)
        if document.document_date < on:
            raise ZioError(
                f"De documentdatum {document.document_date:%d-%m-%Y} ligt vóór de laatste van reeks {document.series}: "
                f"boek op {on:%d-%m-%Y} of later. Er is niets geboekt."
            )
        numbered = _as_posted(document, sequence + 1, previous_hash)
        posted.append(numbered)
        last[document.series] = (numbered.sequence, numbered.document_date, numbered.hash)
    return posted


def _last_of(connection: Connection, series: str) -> tuple[int, date, str]:
    counter = connection.scalar(select(SERIES.c.last_sequence).where(SERIES.c.series == series))
    query = select(DOCUMENTS).where(DOCUMENTS.c.series == series).order_by(DOCUMENTS.c.sequence.desc()).limit(1)
    document = connection.execute(query).one_or_none()
    if counter != (document.sequence if document else 0):
        raise WarehouseError(
            f"De teller van reeks {series} klopt niet met het laatste document; voer 'zio verify' uit."
        )
    if document is None:
        return 0, date.min, GENESIS
    return document.sequence, document.document_date, document.hash


def _as_posted(document: ReadyDocument, sequence: int, previous_hash: str) -> PostedDocument:
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
        amount_cents=desired.amount_cents,
        previous_hash=previous_hash,
        hash="",
        lines=desired.lines,
    )
    return replace(unsigned, hash=document_hash(previous_hash, unsigned.header(), unsigned.lines))


def _store(connection: Connection, posted: Sequence[PostedDocument]) -> None:
    if not posted:
        return
    connection.execute(insert(DOCUMENTS), [{c.name: getattr(d, c.name) for c in DOCUMENTS.c} for d in posted])
    lines: list[dict[str, Any]] = [
        {"number": d.number, "line_number": position, **vars(line)}
        for d in posted
        for position, line in enumerate(d.lines, start=1)
    ]
    connection.execute(insert(LINES), lines)
    for series, sequence in {d.series: d.sequence for d in posted}.items():
        connection.execute(update(SERIES).where(SERIES.c.series == series).values(last_sequence=sequence))
