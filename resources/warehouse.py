"""The warehouse: finance tables, verdicts, the manifest of the vault and established years, as plain Python values.

Belongs here: writing a product as a whole, reading it back in the types of its contract, exporting it, and the small
registers around it. Does not belong here: how a transaction works (`resources.database`), the ledger
(`resources.ledger`), and any calculation.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, inspect, select, update

from resources import closing, establishments, triggers
from resources.database import Database, lock, sqlite_url
from resources.establishments import Establishment, Proposal
from resources.tables import FORMAT, MANIFEST, METADATA, PRODUCTS, VERDICTS, fingerprint
from zio_pipeline.contracts import products
from zio_pipeline.errors import WarehouseError
from zio_pipeline.manifest import ManifestEntry

Row = dict[str, Any]

_AT_ONCE = 500  # values in one statement, well below what either database takes
_OF_SENDERS = ("deliveries", "quarantine")
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def default_url(home: Path) -> str:
    """The embedded warehouse of an installation: `<home>/warehouse.db`."""
    return sqlite_url(home / "warehouse.db")


class Warehouse:
    """All tables behind one URL; every method is one transaction of its own, and safe to call from any process."""

    def __init__(self, url: str):
        """Connects to nothing yet.

        Args:
            url: `sqlite:///pad/warehouse.db` or `postgresql+psycopg://...`.

        Raises:
            WarehouseError: the URL names something else.
        """
        self.database = Database(url)

    def __repr__(self) -> str:
        return f"Warehouse({self.database!r})"

    def create(self) -> None:
        """Make tables and guards where there are none, and check that they are what this program expects.

        Idempotent, also when two processes do it at once; on a warehouse that stands it needs no right to make tables.

        Raises:
            WarehouseError: the tables are those of another version, or a guard is missing or different.
        """
        self.database.make_file()
        with self.database.writing() as connection:
            lock(connection, "create")
            if not inspect(connection).has_table(FORMAT.name):
                METADATA.create_all(connection, checkfirst=False)
                triggers.create(connection)
                connection.execute(insert(FORMAT), {"fingerprint": fingerprint(), "identity": uuid4().hex})
            elif connection.scalars(select(FORMAT.c.fingerprint)).all() != [fingerprint()]:
                raise WarehouseError(
                    "De tabellen van dit warehouse zijn van een andere versie van het programma. "
                    "Gebruik die versie, of begin met een leeg warehouse."
                )
            triggers.check(connection)

    def identity(self) -> str:
        """Which warehouse this is: given once, when its tables were made, and kept by every backup."""
        with self.database.reading() as connection:
            return str(connection.scalars(select(FORMAT.c.identity)).one())

    def check_triggers(self) -> None:
        """Stop when a guard of an append-only table is missing or different (WarehouseError)."""
        with self.database.reading() as connection:
            triggers.check(connection)

    # --- products -----------------------------------------------------------------------------------------------------

    def replace(self, rows_by_dataset: Mapping[str, Sequence[Mapping[str, Any]]], **scope: Any) -> None:
        """Replace all rows in a scope by the given rows, in all datasets or in none. Doing it twice changes nothing.

        Args:
            rows_by_dataset: dataset name -> its rows, with the columns of its contract exactly.
            scope: column = value; rows of a dataset that match all of them are replaced. Without it, the whole table.

        Raises:
            WarehouseError: an unknown dataset, a column too many or too few, a row outside the scope, or a value that
                the contract does not allow. Nothing has changed then.
        """
        rows_by_dataset = {dataset: _storable(dataset, rows) for dataset, rows in rows_by_dataset.items()}
        for dataset, rows in rows_by_dataset.items():
            _check_rows(dataset, rows, scope)
        with self.database.writing() as connection:
            # In one order for everybody, so that two runs wait for each other instead of for ever.
            for dataset in sorted(rows_by_dataset):
                table = _table(dataset)
                lock(connection, f"product:{dataset}")
                connection.execute(delete(table).where(*_matches(table, scope)))
                if rows_by_dataset[dataset]:
                    connection.execute(insert(table), [dict(row) for row in rows_by_dataset[dataset]])

    def rows(self, dataset: str, **scope: Any) -> list[Row]:
        """The rows of a product in the scope, in the types of its contract, sorted by its key as Python sorts."""
        table = _table(dataset)
        with self.database.reading() as connection:
            found = connection.execute(select(table).where(*_matches(table, scope))).mappings().all()
        key = products()[dataset].key
        return sorted((dict(row) for row in found), key=lambda row: tuple(row[name] for name in key))

    def export_csv(self, dataset: str, *, without: AbstractSet[str] = frozenset(), **scope: Any) -> bytes:
        """The rows as CSV, byte-equal whatever the database: `;`, UTF-8 with BOM, CRLF, whole cents, ISO dates.

        True and false are `true` and `false`, an empty value is empty. A text that a spreadsheet would take for a
        formula gets an apostrophe before it (SPEC section 8).
        Columns of a classification in `without` are left out.
        """
        columns = products()[_table(dataset).name].columns
        names = [column.name for column in columns if column.classification not in without]
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows([_spelled(row[name]) for name in names] for row in self.rows(dataset, **scope))
        return out.getvalue().encode("utf-8-sig")

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def record_verdict(self, dataset: str, input_hash: str, ruleset_hash: str, ok: bool, detail: str) -> None:
        """Keep the judgement of a rule set over an input; a later one over the same two takes its place."""
        key = {"dataset": dataset, "input_hash": input_hash, "ruleset_hash": ruleset_hash}
        with self.database.writing() as connection:
            lock(connection, "verdicts")
            connection.execute(delete(VERDICTS).where(*_matches(VERDICTS, key)))
            connection.execute(insert(VERDICTS), {**key, "ok": ok, "detail": detail})

    def verdict(self, dataset: str, input_hash: str, ruleset_hash: str) -> bool | None:
        """True or False as recorded; None when nobody has judged, which is no permission."""
        key = {"dataset": dataset, "input_hash": input_hash, "ruleset_hash": ruleset_hash}
        with self.database.reading() as connection:
            return connection.scalars(select(VERDICTS.c.ok).where(*_matches(VERDICTS, key))).one_or_none()

    def verdict_details(self, **scope: Any) -> list[Row]:
        """The verdicts of a scope (`dataset`, `ruleset_hash`, `input_hash`), each with its detail as it was recorded."""
        with self.database.reading() as connection:
            found = connection.execute(select(VERDICTS).where(*_matches(VERDICTS, scope))).mappings().all()
        return sorted((dict(row) for row in found), key=lambda row: (row["dataset"], row["input_hash"]))

    def record_verdicts(self, dataset: str, ruleset_hash: str, found: Mapping[str, tuple[bool, str]]) -> None:
        """As `record_verdict` for many inputs of one rule set, in one transaction: by input, verdict and detail."""
        key = {"dataset": dataset, "ruleset_hash": ruleset_hash}
        rows = [{**key, "input_hash": content, "ok": ok, "detail": detail} for content, (ok, detail) in found.items()]
        with self.database.writing() as connection:
            lock(connection, "verdicts")
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                mine = VERDICTS.c.input_hash.in_([row["input_hash"] for row in some])
                connection.execute(delete(VERDICTS).where(*_matches(VERDICTS, key), mine))
                connection.execute(insert(VERDICTS), some)

    # --- manifest of the vault ----------------------------------------------------------------------------------------

    def register(self, entry: ManifestEntry) -> bool:
        """Commit a file version: from here on it is the one that counts for its source and scope.

        A refused file is registered too, but takes nobody's place.

        Returns:
            False when this content was registered before with the same contract, parser and key; nothing changes then.
        """
        return self.take_up([entry], {}) == [True]

    def take_up(self, entries: Sequence[ManifestEntry], shown: Mapping[str, Sequence[Row]]) -> list[bool]:
        """Commit file versions that were offered together, and what is shown of them, in one transaction.

        Args:
            entries: in the order in which they take effect.
            shown: rows by product, in place of those of the same `content_sha256`.

        Returns:
            Of each entry what `register` returns.
        """
        shown = {dataset: _storable(dataset, rows) for dataset, rows in shown.items()}
        for dataset, rows in shown.items():
            _check_rows(dataset, rows, {})
        with self.database.writing() as connection:
            lock(connection, "manifest")
            for dataset in sorted(shown):
                table = _table(dataset)
                lock(connection, f"product:{dataset}")
                contents = sorted({row["content_sha256"] for rows in shown.values() for row in rows})
                for start in range(0, len(contents), _AT_ONCE):
                    some = contents[start : start + _AT_ONCE]
                    connection.execute(delete(table).where(table.c.content_sha256.in_(some)))
                if shown[dataset]:
                    connection.execute(insert(table), [dict(row) for row in shown[dataset]])
            return [_register(connection, entry) for entry in entries]

    def withdraw(self, entry: ManifestEntry, back: ManifestEntry | None, shown: Sequence[Row]) -> None:
        """Take a file version out of force and put another one of its place in force, in one transaction.

        Args:
            entry: the one that counts now.
            back: the one that is to count from now on, if any.
            shown: rows of `deliveries`, in place of those of the same `content_sha256`.

        Raises:
            WarehouseError: the first does not count. Nothing has changed then.
        """
        shown = _storable("deliveries", shown)
        _check_rows("deliveries", shown, {})
        table = _table("deliveries")
        with self.database.writing() as connection:
            lock(connection, "manifest")
            lock(connection, "product:deliveries")
            standing = _matches(MANIFEST, {**_identity(entry), "active": True})
            if connection.execute(update(MANIFEST).where(*standing).values(active=False)).rowcount != 1:
                raise WarehouseError(f"Het bestand {entry.label} telt niet, dus valt er niets in te trekken.")
            if back:
                mine = _matches(MANIFEST, _identity(back))
                connection.execute(update(MANIFEST).where(*mine).values(active=True))
            for row in shown:
                content = {"content_sha256": row["content_sha256"]}
                connection.execute(delete(table).where(*_matches(table, content)))
                connection.execute(insert(table), row)

    def active(self, source: str, school_year: str | None) -> list[ManifestEntry]:
        """The file versions that count for a source and school year, in order of arrival."""
        return self.manifest(source=source, school_year=school_year, active=True)

    def manifest(self, **scope: Any) -> list[ManifestEntry]:
        """Every file version ever registered, superseded and refused ones too, in order of arrival."""
        with self.database.reading() as connection:
            found = connection.execute(select(MANIFEST).where(*_matches(MANIFEST, scope)).order_by(MANIFEST.c.sequence))
            return [ManifestEntry(**{k: v for k, v in row.items() if k != "scope"}) for row in found.mappings()]

    # --- establishments -----------------------------------------------------------------------------------------------

    def propose(
        self,
        school_year: str,
        version: int,
        receipt_hash: str,
        receipt_json: str,
        *,
        reason: str,
        proposed_by: str,
        proposed_on: date,
    ) -> bool:
        """Propose to fix a school year; see `establishments.propose`. False when this receipt was proposed before."""
        with self.database.writing() as connection:
            lock(connection, f"establish:{school_year}")
            closing.require_not_closed(connection, school_year)
            return establishments.propose(
                connection,
                school_year,
                version,
                receipt_hash,
                receipt_json,
                reason=reason,
                proposed_by=proposed_by,
                proposed_on=proposed_on,
            )

    def approve(
        self, school_year: str, version: int, receipt_hash: str, *, approved_by: str, approved_on: date
    ) -> bool:
        """Approve a proposal by its hash; see `establishments.approve`. False when this person approved it before.

        What posting, closing and taking in hold is held here too, in their order: what the proposal was computed from still
        stands when it is committed.
        """
        with self.database.writing() as connection:
            for name in (f"ledger:{school_year}", f"establish:{school_year}", "manifest"):
                lock(connection, name)
            closing.require_not_closed(connection, school_year)
            return establishments.approve(
                connection, school_year, version, receipt_hash, approved_by=approved_by, approved_on=approved_on
            )

    def establishment(self, school_year: str) -> Establishment | None:
        """The approved establishment with the highest version; None when nothing has been approved."""
        with self.database.reading() as connection:
            return establishments.latest(connection, school_year)

    def establishments(self, school_year: str | None = None) -> list[Establishment]:
        """Every approved establishment of a school year, or of all, by school year and version."""
        with self.database.reading() as connection:
            return establishments.history(connection, school_year)

    def proposals(self, school_year: str | None = None) -> list[Proposal]:
        """Every proposal of a school year, or of all, by version and then in order of proposing."""
        with self.database.reading() as connection:
            return establishments.proposals(connection, school_year)


def _table(dataset: str) -> Table:
    if dataset not in PRODUCTS:
        raise WarehouseError(f"Het warehouse kent geen tabel {dataset!r}.")
    return PRODUCTS[dataset]


def _matches(table: Table, scope: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    unknown = sorted(scope.keys() - table.c.keys())
    if unknown:
        raise WarehouseError(f"Tabel {table.name} heeft geen kolom {', '.join(unknown)}.")
    return [table.c[name] == value for name, value in scope.items()]


def _storable(dataset: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Of the registers of intake the texts without control characters and half surrogate pairs, which a sender may have put in
    the name of a sheet: one such file must not stop the others.
    """
    if dataset not in _OF_SENDERS:
        return [dict(row) for row in rows]
    return [{k: _UNSTORABLE.sub(" ", v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]


def _check_rows(dataset: str, rows: Sequence[Mapping[str, Any]], scope: Mapping[str, Any]) -> None:
    names = set(_table(dataset).c.keys())
    for index, row in enumerate(rows):
        if row.keys() != names:
            odd = ", ".join(sorted(row.keys() ^ names))
            raise WarehouseError(f"{dataset}, rij {index}: kolommen die ontbreken of te veel zijn: {odd}.")
        outside = sorted(name for name in scope.keys() & names if row[name] != scope[name])
        if outside:
            raise WarehouseError(f"{dataset}, rij {index}: valt bij {', '.join(outside)} buiten wat wordt vervangen.")


def _register(connection: Connection, entry: ManifestEntry) -> bool:
    if connection.execute(select(MANIFEST.c.sequence).where(*_matches(MANIFEST, _identity(entry)))).first():
        return False
    active = entry.status != "refused" and not _overtaken(connection, entry)
    if entry.status != "refused":
        # Read again a file may cover another period, and so have another place: of one content one reading counts.
        same = {"source": entry.source, "content_sha256": entry.content_sha256, "active": True}
        connection.execute(update(MANIFEST).where(*_matches(MANIFEST, same)).values(active=False))
    if active:
        earlier = {"source": entry.source, "scope": entry.scope, "active": True}
        connection.execute(update(MANIFEST).where(*_matches(MANIFEST, earlier)).values(active=False))
    last = connection.scalar(select(func.max(MANIFEST.c.sequence))) or 0
    row = asdict(replace(entry, active=active, sequence=last + 1)) | {"scope": entry.scope}
    connection.execute(insert(MANIFEST), row)
    return True


def _overtaken(connection: Connection, entry: ManifestEntry) -> bool:
    """Whether a content counts in this place that came after this one: a content read again keeps its place in the order."""
    here = _matches(MANIFEST, {"source": entry.source, "scope": entry.scope, "active": True})
    standing = connection.scalar(select(MANIFEST.c.content_sha256).where(*here))
    first, later = (
        connection.scalar(select(func.min(MANIFEST.c.sequence)).where(MANIFEST.c.content_sha256 == content))
        for content in (entry.content_sha256, standing)
    )
    return first is not None and later is not None and first < later


def _identity(entry: ManifestEntry) -> dict[str, str]:
    names = ("content_sha256", "contract_fingerprint", "parser_version", "key_id")
    return {name: getattr(entry, name) for name in names}


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return value.isoformat() if isinstance(value, date) else str(value)
