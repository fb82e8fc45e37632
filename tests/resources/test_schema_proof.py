"""The tables are held against those the program would make, on both databases: what was dropped or changed has a name."""

import sqlite3

import pytest

from resources import schema_proof
from resources.ledger import Ledger
from resources.ledger_proof import verify
from resources.tables import METADATA
from resources.warehouse import Warehouse
from tests.resources.test_ledger import FIRST, establish, ready, run_sql
from zio_pipeline.errors import WarehouseError


def test_tables_as_made_have_nothing_to_say_and_every_rule_is_looked_at(warehouse: Warehouse):
    with warehouse.database.writing() as connection:
        assert schema_proof.findings(connection) == []
        names = {name for _, _, name in schema_proof._expected(connection)}
    assert {column.name for table in METADATA.tables.values() for column in table.columns} <= names
    assert {"ck_establishment_approvals_four_eyes", "uq_vault_manifest_active", "fk_documents_credits"} <= names


def test_what_postgresql_made_to_compare_is_gone_again(postgres_url: str):
    warehouse = Warehouse(postgres_url)
    warehouse.create()
    schema_proof._POSTGRES.clear()
    with warehouse.database.writing() as connection:
        assert schema_proof.findings(connection) == []
        path = connection.exec_driver_sql("SHOW search_path").scalar()
        assert "pg_temp" not in path
        assert not connection.exec_driver_sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").scalar()


ON_POSTGRESQL = [
    (
        "ALTER TABLE establishment_approvals DROP CONSTRAINT ck_establishment_approvals_four_eyes",
        "Tabel establishment_approvals: regel ck_establishment_approvals_four_eyes ontbreekt.",
    ),
    ("ALTER TABLE documents DROP CONSTRAINT uq_documents_credits", "regel uq_documents_credits ontbreekt"),
    (
        "ALTER TABLE document_releases DROP CONSTRAINT fk_document_releases_document, ADD CONSTRAINT"
        " fk_document_releases_document FOREIGN KEY (number) REFERENCES documents (number) NOT VALID",
        "fk_document_releases_document is gewijzigd",
    ),
    ("ALTER TABLE documents DISABLE TRIGGER ALL", "tabel documents is gewijzigd"),
    ("ALTER TABLE documents ALTER COLUMN address DROP NOT NULL", "kolom address is gewijzigd"),
    ("ALTER TABLE documents ALTER COLUMN version TYPE integer", "kolom version is gewijzigd"),
    ("ALTER TABLE documents ADD COLUMN own text", "kolom own hoort niet bij"),
    ("ALTER TABLE terms ALTER COLUMN amount_cents SET DEFAULT 0", "terms: kolom amount_cents is gewijzigd"),
    ("DROP INDEX uq_vault_manifest_active", "index uq_vault_manifest_active ontbreekt"),
    ("CREATE RULE own AS ON INSERT TO period_locks DO INSTEAD NOTHING", "tabel period_locks is gewijzigd"),
    ("ALTER TABLE terms ENABLE ROW LEVEL SECURITY", "tabel terms is gewijzigd"),
    ("DROP TABLE accruals", "tabel accruals ontbreekt"),
]


def test_what_an_owner_changed_on_postgresql_is_named(postgres_url: str):
    warehouse = Warehouse(postgres_url)
    warehouse.create()
    for sabotage, said in ON_POSTGRESQL:
        with warehouse.database.writing() as connection:
            connection.exec_driver_sql(sabotage)
            found = schema_proof.findings(connection)
            connection.rollback()
        assert any(said in finding for finding in found), (sabotage, found)
    assert verify(warehouse) == []


def rewrite(warehouse: Warehouse, table: str, old: str, new: str) -> None:
    """Change the definition of a table in place, as SQLite lets its owner do."""
    connection = sqlite3.connect(warehouse.database.path, isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    changed = connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)", (old, new, table, old)
    )
    assert changed.rowcount == 1
    connection.execute("PRAGMA writable_schema = RESET")
    connection.close()


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        (
            "establishment_approvals",
            "lower(trim(approved_by)) <> lower(trim(proposed_by))",
            "1 = 1",
            "Tabel establishment_approvals: regel ck_establishment_approvals_four_eyes is gewijzigd.",
        ),
        ("documents", "amount_cents > 0", "amount_cents > -1", "regel ck_documents_amount_cents is gewijzigd"),
        ("documents", "address TEXT NOT NULL", "address TEXT", "kolom address is gewijzigd"),
        ("terms", " STRICT", "", "tabel terms is gewijzigd"),
    ],
)
def test_a_definition_rewritten_on_sqlite_is_named(sqlite_url: str, table: str, old: str, new: str, said: str):
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    rewrite(warehouse, table, old, new)
    found = verify(warehouse)
    assert any(said in finding for finding in found), found


@pytest.mark.parametrize(
    ("sabotage", "said"),
    [
        ("DROP INDEX uq_vault_manifest_active", "index uq_vault_manifest_active ontbreekt"),
        ("DROP TABLE accruals", "Tabel accruals: tabel accruals ontbreekt."),
        (
            "CREATE TRIGGER own AFTER INSERT ON terms BEGIN UPDATE terms SET amount_cents = 0; END",
            "terms: trigger own hoort niet bij",
        ),
    ],
)
def test_what_an_owner_dropped_or_added_on_sqlite_is_named(sqlite_url: str, sabotage: str, said: str):
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    run_sql(warehouse, sabotage)
    found = verify(warehouse)
    assert [finding for finding in found if said in finding], found


def test_posting_stops_on_a_rule_of_the_ledger_that_is_gone(warehouse: Warehouse):
    establish(warehouse)
    if warehouse.database.dialect == "sqlite":
        rewrite(
            warehouse, "documents", "CONSTRAINT uq_documents_credits UNIQUE", "CONSTRAINT uq_documents_twice UNIQUE"
        )
    else:
        run_sql(warehouse, "ALTER TABLE documents DROP CONSTRAINT uq_documents_credits")
    with pytest.raises(WarehouseError, match="uq_documents_credits ontbreekt"):
        Ledger(warehouse).post(ready(FIRST))
    assert Ledger(warehouse).posted("2025-2026") == []


def test_a_row_that_refers_to_nothing_is_found_on_sqlite(sqlite_url: str):
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    connection = sqlite3.connect(warehouse.database.path)  # foreign keys are off unless one asks for them
    connection.execute("INSERT INTO document_releases VALUES ('X-1', 'Fin', '2026-01-01')")
    connection.commit()
    connection.close()
    assert "Tabel document_releases: een rij verwijst naar niets in documents." in verify(warehouse)
