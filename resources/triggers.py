"""The guards of the append-only tables: what they are, putting them up, and proving that they still stand.

Belongs here: trigger DDL for both databases, and the comparison of what the database really holds with what the code
says. Does not belong here: the tables themselves.

An UPDATE, DELETE or TRUNCATE on a posted row fails. So does INSERT OR REPLACE on SQLite, which otherwise removes the
old row without firing a DELETE trigger. A guard can be dropped by whoever owns the database; therefore it is compared
with the code when the warehouse is opened, before posting, and in `zio verify`: missing or different stops the program.
"""

import re

from sqlalchemy import Connection, Table, text

from resources.tables import APPEND_ONLY, unique_keys
from zio_pipeline.errors import WarehouseError

_FUNCTION = "zio_refuse_change"
_FUNCTION_BODY = (
    "BEGIN RAISE EXCEPTION '%: rijen worden alleen toegevoegd, nooit gewijzigd of verwijderd', TG_TABLE_NAME; END"
)


def expected(dialect: str) -> dict[str, str]:
    """Name of every guard -> its normalised definition, as the code says it."""
    if dialect == "sqlite":
        return {name: _normal(ddl) for table in APPEND_ONLY for name, ddl in _sqlite_triggers(table).items()}
    triggers = {f"{t.name}_append_only": f"{_normal(_postgres_trigger(t))} [A]" for t in APPEND_ONLY}
    return {**triggers, _FUNCTION: _normal(_FUNCTION_BODY)}


def create(connection: Connection) -> None:
    """Put up every guard, in the transaction that makes the tables."""
    if connection.dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for ddl in _sqlite_triggers(table).values():
                connection.exec_driver_sql(ddl)
        return
    body = _FUNCTION_BODY.replace("%", "%%")
    connection.exec_driver_sql(f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for table in APPEND_ONLY:
        connection.exec_driver_sql(_postgres_trigger(table))
        # ALWAYS: also for a session that has set itself up as a replica.
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {table.name}_append_only")


def findings(connection: Connection) -> list[str]:
    """Dutch sentences on every guard that is missing, different or unknown; empty when all stand."""
    should, does = expected(connection.dialect.name), _actual(connection)
    missing = [f"De beveiliging {name} ontbreekt." for name in should.keys() - does.keys()]
    unknown = [f"De trigger {name} hoort niet bij dit programma." for name in does.keys() - should.keys()]
    common = should.keys() & does.keys()
    different = [f"De beveiliging {name} is gewijzigd of staat uit." for name in common if should[name] != does[name]]
    return sorted(missing + unknown + different)


def check(connection: Connection) -> None:
    """Stop when a guard does not stand.

    Raises:
        WarehouseError: with every finding.
    """
    found = findings(connection)
    if found:
        raise WarehouseError("De beveiliging van het grootboek klopt niet: " + " ".join(found))


def _sqlite_triggers(table: Table) -> dict[str, str]:
    name = table.name
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {name} WHERE " + " AND ".join(f"{c} = NEW.{c}" for c in key) + ")"  # noqa: S608 - own names
        for key in unique_keys(table)
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name}: rijen worden alleen toegevoegd, nooit gewijzigd of verwijderd'); END"
    exists = f"BEGIN SELECT RAISE(ABORT, '{name}: deze rij bestaat al'); END"
    return {
        f"{name}_no_update": f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {refuse}",
        f"{name}_no_delete": f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {refuse}",
        f"{name}_no_replace": f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {taken} {exists}",
    }


def _postgres_trigger(table: Table) -> str:
    # In the words and the order in which PostgreSQL gives it back, so that the two texts can be compared.
    return (
        f"CREATE TRIGGER {table.name}_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {table.name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
    )


def _actual(connection: Connection) -> dict[str, str]:
    tables = [table.name for table in APPEND_ONLY]
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'trigger'"))
        return {row.name: _normal(row.sql) for row in rows if row.tbl_name in tables}
    triggers = connection.execute(
        text(
            "SELECT t.tgname, pg_get_triggerdef(t.oid, true) AS definition, t.tgenabled::text AS enabled"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE NOT t.tgisinternal AND n.nspname = current_schema() AND c.relname = ANY(:tables)"
        ),
        {"tables": tables},
    )
    functions = connection.execute(
        text(
            "SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = current_schema() AND p.proname = :name"
        ),
        {"name": _FUNCTION},
    )
    found = {row.tgname: f"{_normal(row.definition)} [{row.enabled}]" for row in triggers}
    return found | {row.proname: _normal(row.prosrc) for row in functions}


def _normal(ddl: str) -> str:
    return re.sub(r"\s+", " ", ddl).strip().rstrip(";").strip()
