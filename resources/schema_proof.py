"""Whether the tables of the warehouse really are those of this program: columns, keys, checks and indexes.

Belongs here: what the database says of each table beside what the code would make, on SQLite and PostgreSQL, and the
check of a SQLite file from page to page. Does not belong here: the tables (`resources.tables`), triggers
(`resources.triggers`).

SQLite keeps every definition as it was given, so the text is compared, blanks apart. PostgreSQL keeps its own reading of
it, which differs per release: there the same tables are made as temporary ones by the same server, read back and undone,
once per process and server (it needs the right TEMPORARY, which everybody has unless it was taken away). A table or index
of somebody else beside ours is not looked at; one on our tables is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from resources.database import Database
from resources.tables import APPEND_ONLY, METADATA, SERIES
from zio_pipeline.errors import WarehouseError

Item = tuple[str, str, str]
"""Table, what (tabel, kolom, regel, index, trigger), name."""

LEDGER = frozenset(table.name for table in (*APPEND_ONLY, SERIES))
"""The tables that posting looks at."""

_NAMED = re.compile(r'CONSTRAINT "?(\w+)')
_POSTGRES: dict[str, dict[Item, str]] = {}
"""What the tables look like to a server, by its version: made once per process."""


def prepare(database: Database) -> None:
    """Find out what the tables look like to this PostgreSQL server, where that is not known yet; a reading transaction cannot."""
    if database.dialect == "postgresql":
        with database.writing() as connection:
            _expected(connection)


def findings(connection: Connection, tables: Iterable[str] | None = None) -> list[str]:
    """Dutch sentences on all that is missing, different or strange in the tables (all of them, or the named ones).

    Args:
        connection: a transaction; on PostgreSQL one that writes, unless `prepare` went before it in this process.
        tables: names.
    """
    wanted = set(METADATA.tables if tables is None else tables)
    should = {item: ddl for item, ddl in _expected(connection).items() if item[0] in wanted}
    does = _sqlite(connection) if connection.dialect.name == "sqlite" else _postgres(connection, temporary=False)
    found = {item: ddl for item, ddl in does.items() if item[0] in wanted}
    return sorted(_differences(should, found))


def check(connection: Connection) -> None:
    """Stop before posting when a table of the ledger is not as the program makes it.

    Raises:
        WarehouseError: with every finding.
    """
    found = findings(connection, LEDGER)
    if found:
        raise WarehouseError("De tabellen van het grootboek kloppen niet: " + " ".join(found))


def damage(connection: Connection) -> Iterator[str]:
    """What SQLite itself finds wrong with its file, and rows that refer to nothing; PostgreSQL guards both by itself."""
    if connection.dialect.name != "sqlite":
        return
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if said != "ok":
            yield f"Het bestand van het warehouse is beschadigd: {said}."
    broken = {(row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    yield from (f"Tabel {table}: een rij verwijst naar niets in {other}." for table, other in sorted(broken))


def _differences(should: Mapping[Item, str], does: Mapping[Item, str]) -> Iterator[str]:
    different = {item for item in should.keys() | does.keys() if should.get(item) != does.get(item)}
    for item in different:
        table, what, name = item
        # A table that is gone says it all; of one that stands its parts are named, and itself only when they are right.
        gone = (table, "tabel", table) not in does
        if gone != (what == "tabel") and (gone or any(t == table and w != "tabel" for t, w, _ in different)):
            continue
        fate = "ontbreekt" if item not in does else "is gewijzigd" if item in should else "hoort niet bij dit programma"
        yield f"Tabel {table}: {what} {name} {fate}."


def _expected(connection: Connection) -> dict[Item, str]:
    if connection.dialect.name == "sqlite":
        return _made_on_sqlite()
    version = str(connection.scalar(text("SHOW server_version")))
    if version not in _POSTGRES:
        scratch = connection.begin_nested()
        try:
            connection.execute(text("SET LOCAL search_path = pg_temp"))
            METADATA.create_all(connection, checkfirst=False)
            _POSTGRES[version] = _postgres(connection, temporary=True)
        finally:
            scratch.rollback()
    return _POSTGRES[version]


@cache
def _made_on_sqlite() -> dict[Item, str]:
    dialect = sqlite.dialect()
    made: dict[Item, str] = {}
    for table in METADATA.tables.values():
        made |= _parts(table.name, str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            made[table.name, "index", str(index.name)] = _plain(str(CreateIndex(index).compile(dialect=dialect)))
    return made


def _sqlite(connection: Connection) -> dict[Item, str]:
    found: dict[Item, str] = {}
    guarded = {table.name for table in APPEND_ONLY}
    for kind, name, table, ddl in connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ):
        if kind == "table":
            found |= _parts(name, ddl)
        elif kind == "index" or (kind == "trigger" and table not in guarded):  # those are compared by `triggers`
            found[table, kind, name] = _plain(ddl)
    return found


def _parts(table: str, ddl: str) -> dict[Item, str]:
    """A table as a whole, and every line of its definition under the name of its column or rule."""
    found: dict[Item, str] = {(table, "tabel", table): _plain(ddl)}
    for line in ddl.strip().splitlines()[1:]:
        part = _plain(line).rstrip(", ")
        if part.startswith(")"):
            break
        rule = _NAMED.match(part)
        if part:
            found[table, "regel" if rule else "kolom", rule[1] if rule else part.split()[0].strip('"')] = part
    return found


def _plain(ddl: str) -> str:
    return " ".join(ddl.split())


_POSTGRES_QUERY = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY(:tables)
    AND c.relnamespace = CASE WHEN :temporary THEN pg_my_temp_schema()
        ELSE (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) END
)
SELECT relname, 'tabel', relname, concat_ws(' ', relkind, replace(relpersistence::text, 't', 'p'), relrowsecurity,
    relforcerowsecurity, (SELECT count(*) FROM pg_rewrite w WHERE w.ev_class = ours.oid),
    (SELECT count(*) FROM pg_inherits i WHERE ours.oid IN (i.inhrelid, i.inhparent)),
    (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = ours.oid AND t.tgisinternal AND t.tgenabled <> 'O')) FROM ours
UNION ALL
SELECT relname, 'kolom', a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation,
    a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT relname, 'regel', k.conname, concat_ws(' ', pg_get_constraintdef(k.oid, true), k.convalidated)
FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype NOT IN ('n', 't')
UNION ALL
SELECT relname, 'index', x.indexrelid::regclass::text,
    concat_ws(' ', pg_get_indexdef(x.indexrelid, 0, true), x.indisvalid, x.indisready)
FROM ours JOIN pg_index x ON x.indrelid = ours.oid
UNION ALL
SELECT relname, 'trigger', t.tgname, pg_get_triggerdef(t.oid, true)
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal AND relname <> ALL(:guarded)
"""


def _postgres(connection: Connection, *, temporary: bool) -> dict[Item, str]:
    names: dict[str, Any] = {"tables": list(METADATA.tables), "guarded": [table.name for table in APPEND_ONLY]}
    rows = connection.execute(text(_POSTGRES_QUERY), {**names, "temporary": temporary})
    return {(table, what, name): definition for table, what, name, definition in rows}
