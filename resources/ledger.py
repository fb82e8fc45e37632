"""The ledger: posted documents, numbered without gaps, each tied to the one before by its hash, never changed.

Belongs here: posting in one transaction under the locks, and reading back. Does not belong here: what is posted and to
whom (`zio_pipeline.billing`), what becomes of a document afterwards (`resources.registers`), and proving the ledger
sound (`resources.ledger_proof`).

The rules (SPEC sections 5 and 9): numbers are given only at posting; whatever crashes leaves everything or nothing; two
runs at once post nothing twice. What another run has posted meanwhile is read again under the lock and skipped.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from resources import closing, establishments, registers, schema_proof, triggers
from resources.database import lock
from resources.registers import Release, Sending, locked_through
from resources.tables import DOCUMENTS, LINES, SERIES
from resources.warehouse import Warehouse
from zio_pipeline.billing import (
    GENESIS,
    Line,
    PostedDocument,
    ReadyDocument,
    posted_as,
    standing_documents,
)
from zio_pipeline.errors import WarehouseError, ZioError


class Ledger:
    """The posted documents of a warehouse."""

    def __init__(self, warehouse: Warehouse):
        self._database = warehouse.database

    def posted(self, school_year: str) -> list[PostedDocument]:
        """Every document of a school year, by series and sequence."""
        with self._database.reading() as connection:
            return read_documents(connection, school_year)

    def document(self, number: str) -> PostedDocument:
        """One document; ZioError when it is not there."""
        with self._database.reading() as connection:
            for document in read_documents(connection):
                if document.number == number:
                    return document
        raise ZioError(f"Document {number} staat niet in het grootboek.")

    def post(self, documents: Sequence[ReadyDocument], *, preview: bool = False) -> list[PostedDocument]:
        """Post documents in the given order: all of them in one transaction, or none.

        Args:
            documents: from a billing plan; a document that was posted meanwhile with the same lines, or credited meanwhile,
                is left out.
            preview: do all of it, and then undo it instead of committing it.

        Returns:
            What was posted now, in order; shorter than `documents` when another run was first.

        Raises:
            ZioError: a document date lies before the last one of its series or in a closed period, a document was posted
                meanwhile with other lines, or its version of the school year is not the one in force.
            WarehouseError: the school year is closed, the database refused, or a guard of the ledger does not stand.
        """
        if not documents:
            return []
        with self._database.writing() as connection:
            triggers.check(connection)
            schema_proof.check(connection)
            for school_year in sorted({d.school_year for d in documents}):
                # Two runs may post the same period in different series (another sender, another year's number).
                lock(connection, f"ledger:{school_year}")
                closing.require_not_closed(connection, school_year)
            for series in sorted({d.series for d in documents}):
                ledger_lock(connection, next(d for d in documents if d.series == series))
            # A lock may not fall between this look at it and the posting.
            lock(connection, "period_lock")
            fresh = _still_needed(connection, documents)
            _require_in_force(connection, fresh)
            _require_open(connection, fresh)
            posted = _numbered(connection, fresh)
            _store(connection, posted)
            if preview and (transaction := connection.get_transaction()):
                transaction.rollback()
        return posted

    def release(self, numbers: Sequence[str], by: str, on: date) -> list[str]:
        """Let posted documents go out; see `registers.release`."""
        with self._database.writing() as connection:
            lock(connection, "registers")
            return registers.release(connection, numbers, by, on)

    def deliver(self, sending: Sending) -> bool:
        """Record that a released document went out; see `registers.deliver`."""
        with self._database.writing() as connection:
            lock(connection, "registers")
            return registers.deliver(connection, sending)

    def lock_through(self, through: date, by: str, on: date) -> bool:
        """Close the books up to and including a day; see `registers.lock_through`."""
        with self._database.writing() as connection:
            lock(connection, "period_lock")
            return registers.lock_through(connection, through, by, on)

    def locked_through(self) -> date | None:
        """The day up to which the books are closed."""
        with self._database.reading() as connection:
            return locked_through(connection)

    def states(self) -> dict[str, tuple[Release | None, list[Sending]]]:
        """Per number its release and its deliveries, of documents that have any."""
        with self._database.reading() as connection:
            return registers.states(connection)


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


def _still_needed(connection: Connection, documents: Sequence[ReadyDocument]) -> list[ReadyDocument]:
    """What nobody has done since the plan was made: what stands is read again under the lock."""
    years = {d.school_year for d in documents}
    standing = [d for year in sorted(years) for d in standing_documents(read_documents(connection, year))]
    numbers = {d.number for d in standing}
    to_credit = {d.credits for d in documents if d.credits}
    at = {(d.school_year, d.payer, d.period): d for d in standing if d.number not in to_credit}
    fresh = []
    for document in documents:
        other = at.get((document.school_year, document.payer, document.period))
        if document.credits:
            if document.credits in numbers:
                fresh.append(document)
        elif other is None:
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


def _require_open(connection: Connection, documents: Iterable[ReadyDocument]) -> None:
    closed = locked_through(connection)
    dates = sorted({d.document_date for d in documents})
    if closed is not None and dates and dates[0] <= closed:
        raise ZioError(
            f"De boeken zijn gesloten tot en met {closed:%d-%m-%Y}; boek op een latere dag dan {dates[0]:%d-%m-%Y}. "
            "Er is niets geboekt."
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
        numbered = posted_as(document, sequence + 1, previous_hash)
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
