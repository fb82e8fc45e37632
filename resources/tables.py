"""Every table of the warehouse, once, for SQLite and PostgreSQL alike.

Belongs here: the tables generated from the product contracts (`PRODUCTS`), the tables the program
keeps for itself (manifest of the vault, verdicts, establishments, ledger), and the fingerprint of them all. Does not
belong here: column types (`resources.column_types`), triggers (`resources.triggers`), connections
(`resources.database`), reading and writing.
"""

import hashlib
import json
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from resources.column_types import DateType, FlagType, TextType, WholeType
from zio_pipeline.billing import CREDIT_OF_KIND, LETTER_OF_KIND
from zio_pipeline.contracts import Column as ContractColumn
from zio_pipeline.contracts import Dataset, products
from zio_pipeline.errors import ContractError

METADATA = MetaData()

REASONS_OF_A_NEW_VERSION = ("peildatum_error", "parameter_error", "objection", "order_change")
"""Why an established year may get a new version (SPEC section 5); a mutation is never a reason."""

TYPES: dict[str, type[TextType] | type[WholeType] | type[DateType] | type[FlagType]] = {
    "string": TextType,
    "integer": WholeType,
    "date": DateType,
    "boolean": FlagType,
}
"""Logical type of a contract -> type of the column."""


def _table(name: str, columns: dict[str, str], *rules: SchemaItem, append_only: bool = False) -> Table:
    """A table: `columns` maps a name to a logical type, with `?` behind it when the column may be empty."""
    made: list[SchemaItem] = []
    for column, spelled in columns.items():
        logical = spelled.removesuffix("?")
        where = f"{name}.{column}"
        made.append(Column(column, TYPES[logical](where), nullable=spelled.endswith("?")))
        if logical == "date":
            # An ISO text that is not a day of the calendar would come back as an error far from its cause.
            made.append(
                CheckConstraint(f'date("{column}") IS "{column}"', _name("ck", name, column, "date")).ddl_if("sqlite")
            )
        if logical == "boolean":
            made.append(CheckConstraint(f'"{column}" IN (0, 1)', _name("ck", name, column, "flag")).ddl_if("sqlite"))
    # Without a row id there is no second key by which INSERT OR REPLACE could reach a posted row.
    return Table(name, METADATA, *made, *rules, sqlite_strict=True, sqlite_with_rowid=not append_only)


def _name(*parts: str) -> str:
    name = "_".join(parts)
    if len(name) > 63:
        raise ContractError(f"De naam {name} is langer dan de 63 tekens die PostgreSQL toelaat.")
    return name


def _product(dataset: Dataset) -> Table:
    if not dataset.key:
        raise ContractError(f"Product {dataset.name} heeft geen sleutel.")
    columns = {c.name: c.logical_type + ("" if c.required else "?") for c in dataset.columns}
    checks = [check for column in dataset.columns for check in _checks(dataset.name, column)]
    return _table(dataset.name, columns, PrimaryKeyConstraint(*dataset.key, name=_name("pk", dataset.name)), *checks)


def _checks(table: str, column: ContractColumn) -> list[CheckConstraint]:
    if column.pattern is not None:
        raise ContractError(f"{table}.{column.name}: een patroon kan het warehouse niet bewaken.")
    checks = []
    if column.allowed:
        checks.append(
            CheckConstraint(
                _one_of(column.name, [v for v, _ in column.allowed]), _name("ck", table, column.name, "enum")
            )
        )
    if column.minimum is not None:
        checks.append(
            CheckConstraint(f'"{column.name}" >= {column.minimum:d}', _name("ck", table, column.name, "minimum"))
        )
    if column.maximum is not None:
        checks.append(
            CheckConstraint(f'"{column.name}" <= {column.maximum:d}', _name("ck", table, column.name, "maximum"))
        )
    return checks


def _one_of(column: str, values: list[str]) -> str:
    literals = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f'"{column}" IN ({literals})'


PRODUCTS: dict[str, Table] = {name: _product(dataset) for name, dataset in products().items()}
"""The finance tables, by dataset name; columns, keys and checks are those of the contract."""

FORMAT = _table(
    "warehouse_format",
    {"fingerprint": "string", "identity": "string"},
    PrimaryKeyConstraint("fingerprint", name="pk_warehouse_format"),
)
"""One row: what the tables look like, and which warehouse this is (its vault knows the same identity)."""

MANIFEST = _table(
    "vault_manifest",
    {
        "content_sha256": "string",
        "contract_fingerprint": "string",
        "parser_version": "string",
        "key_id": "string",
        "sequence": "integer",
        "label": "string",
        "source": "string",
        "school_year": "string?",
        "school": "string?",
        "provider": "string?",
        "period": "string?",
        "scope": "string",
        "status": "string",
        "received_on": "date",
        "active": "boolean",
    },
    PrimaryKeyConstraint(
        "content_sha256", "contract_fingerprint", "parser_version", "key_id", name="pk_vault_manifest"
    ),
    UniqueConstraint("sequence", name="uq_vault_manifest_sequence"),
    CheckConstraint(_one_of("status", ["accepted", "partly_accepted", "refused"]), name="ck_vault_manifest_status"),
)
Index(
    "uq_vault_manifest_active",
    MANIFEST.c.source,
    MANIFEST.c.scope,
    unique=True,
    sqlite_where=MANIFEST.c.active.is_(True),
    postgresql_where=MANIFEST.c.active.is_(True),
)

VERDICTS = _table(
    "verdicts",
    {"dataset": "string", "input_hash": "string", "ruleset_hash": "string", "ok": "boolean", "detail": "string"},
    PrimaryKeyConstraint("dataset", "input_hash", "ruleset_hash", name="pk_verdicts"),
)

PROPOSALS = _table(
    "establishment_proposals",
    {
        "school_year": "string",
        "version": "integer",
        "receipt_hash": "string",
        "receipt_json": "string",
        "reason": "string",
        "proposed_by": "string",
        "proposed_on": "date",
    },
    PrimaryKeyConstraint("school_year", "version", "receipt_hash", name="pk_establishment_proposals"),
    # The approval refers to the proposal together with its proposer, so the four eyes can be checked in one row.
    UniqueConstraint(
        "school_year", "version", "receipt_hash", "proposed_by", name="uq_establishment_proposals_proposer"
    ),
    CheckConstraint("version >= 1", name="ck_establishment_proposals_version"),
    CheckConstraint("length(trim(proposed_by)) > 0", name="ck_establishment_proposals_proposed_by"),
    CheckConstraint(
        "version = 1 OR " + _one_of("reason", list(REASONS_OF_A_NEW_VERSION)), name="ck_establishment_proposals_reason"
    ),
    append_only=True,
)

APPROVALS = _table(
    "establishment_approvals",
    {
        "school_year": "string",
        "version": "integer",
        "receipt_hash": "string",
        "proposed_by": "string",
        "approved_by": "string",
        "approved_on": "date",
    },
    PrimaryKeyConstraint("school_year", "version", name="pk_establishment_approvals"),
    ForeignKeyConstraint(
        ["school_year", "version", "receipt_hash", "proposed_by"],
        [PROPOSALS.c.school_year, PROPOSALS.c.version, PROPOSALS.c.receipt_hash, PROPOSALS.c.proposed_by],
        name="fk_establishment_approvals_proposal",
    ),
    CheckConstraint("length(trim(approved_by)) > 0", name="ck_establishment_approvals_approved_by"),
    CheckConstraint(
        "lower(trim(approved_by)) <> lower(trim(proposed_by))", name="ck_establishment_approvals_four_eyes"
    ),
    append_only=True,
)

SERIES = _table(
    "document_series",
    {"series": "string", "sender": "string", "kind": "string", "calendar_year": "integer", "last_sequence": "integer"},
    PrimaryKeyConstraint("series", name="pk_document_series"),
    UniqueConstraint("sender", "kind", "calendar_year", name="uq_document_series"),
    CheckConstraint("last_sequence >= 0", name="ck_document_series_last_sequence"),
)

DOCUMENTS = _table(
    "documents",
    {
        "number": "string",
        "series": "string",
        "sequence": "integer",
        "sender": "string",
        "kind": "string",
        "school_year": "string",
        "version": "integer",
        "payer": "string",
        "payer_kind": "string",
        "rhythm": "string",
        "period": "string",
        "due_on": "date",
        "document_date": "date",
        "debtor": "string",
        "debtor_name": "string",
        "address": "string",
        "buyer_reference": "string",
        "successor_of": "string?",
        "credits": "string?",
        "vat_category": "string",
        "amount_cents": "integer",
        "previous_hash": "string",
        "hash": "string",
    },
    PrimaryKeyConstraint("number", name="pk_documents"),
    UniqueConstraint("series", "sequence", name="uq_documents_sequence"),
    UniqueConstraint("school_year", "payer", "period", "version", "kind", name="uq_documents_period"),
    UniqueConstraint("credits", name="uq_documents_credits"),  # a document is credited once
    ForeignKeyConstraint(["credits"], ["documents.number"], name="fk_documents_credits"),
    CheckConstraint(
        f"({_one_of('kind', list(CREDIT_OF_KIND.values()))}) = (credits IS NOT NULL)", name="ck_documents_credits"
    ),
    ForeignKeyConstraint(["series"], [SERIES.c.series], name="fk_documents_series"),
    # Nothing is billed for a year that two people have not fixed.
    ForeignKeyConstraint(
        ["school_year", "version"], [APPROVALS.c.school_year, APPROVALS.c.version], name="fk_documents_establishment"
    ),
    CheckConstraint(_one_of("kind", sorted(LETTER_OF_KIND)), name="ck_documents_kind"),
    CheckConstraint(_one_of("rhythm", ["monthly", "half_year"]), name="ck_documents_rhythm"),
    CheckConstraint(
        _one_of("payer_kind", ["municipality", "zorgkantoor", "contributor"]), name="ck_documents_payer_kind"
    ),
    CheckConstraint(_one_of("vat_category", ["E", "O"]), name="ck_documents_vat_category"),
    CheckConstraint("sequence >= 1", name="ck_documents_sequence"),
    CheckConstraint("amount_cents > 0", name="ck_documents_amount_cents"),
    append_only=True,
)

LINES = _table(
    "document_lines",
    {
        "number": "string",
        "line_number": "integer",
        "order_id": "string",
        "stream": "string",
        "amount_cents": "integer",
    },
    PrimaryKeyConstraint("number", "line_number", name="pk_document_lines"),
    UniqueConstraint("number", "order_id", "stream", name="uq_document_lines_order_stream"),
    ForeignKeyConstraint(["number"], [DOCUMENTS.c.number], name="fk_document_lines_document"),
    CheckConstraint(
        _one_of("stream", ["jeugdwet", "wlz_zin", "wlz_pgb", "adult", "contribution"]), name="ck_document_lines_stream"
    ),
    CheckConstraint("line_number >= 1", name="ck_document_lines_line_number"),
    CheckConstraint("amount_cents > 0", name="ck_document_lines_amount_cents"),
    append_only=True,
)

RELEASES = _table(
    "document_releases",
    {"number": "string", "released_by": "string", "released_on": "date"},
    PrimaryKeyConstraint("number", name="pk_document_releases"),
    ForeignKeyConstraint(["number"], [DOCUMENTS.c.number], name="fk_document_releases_document"),
    CheckConstraint("length(trim(released_by)) > 0", name="ck_document_releases_released_by"),
    append_only=True,
)

SENDINGS = _table(
    "document_deliveries",
    {
        "number": "string",
        "channel": "string",
        "content_sha256": "string",
        "delivered_by": "string",
        "delivered_on": "date",
    },
    PrimaryKeyConstraint("number", "channel", name="pk_document_deliveries"),
    # Only what a person released may leave.
    ForeignKeyConstraint(["number"], [RELEASES.c.number], name="fk_document_deliveries_release"),
    CheckConstraint("length(content_sha256) = 64", name="ck_document_deliveries_content_sha256"),
    append_only=True,
)

PERIOD_LOCKS = _table(
    "period_locks",
    {"locked_through": "date", "locked_by": "string", "locked_on": "date"},
    PrimaryKeyConstraint("locked_through", name="pk_period_locks"),
    CheckConstraint("length(trim(locked_by)) > 0", name="ck_period_locks_locked_by"),
    append_only=True,
)

PROVIDER_STATEMENTS = _table(
    "provider_statements",
    {
        "school_year": "string",
        "provider": "string",
        "sequence": "integer",
        "amount_cents": "integer",
        "source": "string",
        "registered_by": "string",
        "registered_on": "date",
    },
    PrimaryKeyConstraint("school_year", "provider", "sequence", name="pk_provider_statements"),
    append_only=True,
)

CLOSURES = _table(
    "year_closures",
    {"school_year": "string", "version": "integer", "closed_by": "string", "closed_on": "date", "detail": "string"},
    PrimaryKeyConstraint("school_year", name="pk_year_closures"),
    ForeignKeyConstraint(
        ["school_year", "version"], [APPROVALS.c.school_year, APPROVALS.c.version], name="fk_year_closures_approval"
    ),
    append_only=True,
)

REGISTER_CHAIN = _table(
    "register_chain",
    {
        "sequence": "integer",
        "register": "string",
        "row_key": "string",
        "content_hash": "string",
        "previous_hash": "string",
        "hash": "string",
    },
    PrimaryKeyConstraint("sequence", name="pk_register_chain"),
    UniqueConstraint("register", "row_key", name="uq_register_chain_row"),
    CheckConstraint("sequence >= 1", name="ck_register_chain_sequence"),
    append_only=True,
)

CHAINED = (PROPOSALS, APPROVALS, RELEASES, SENDINGS, PERIOD_LOCKS, PROVIDER_STATEMENTS, CLOSURES)
"""Registers whose rows `resources.register_chain` ties together; documents have a chain per series of their own."""

APPEND_ONLY = (
    PROPOSALS,
    APPROVALS,
    DOCUMENTS,
    LINES,
    RELEASES,
    SENDINGS,
    PERIOD_LOCKS,
    PROVIDER_STATEMENTS,
    CLOSURES,
    REGISTER_CHAIN,
)
"""Tables whose rows are added and never changed; `resources.triggers` guards them."""


def unique_keys(table: Table) -> list[tuple[str, ...]]:
    """Every set of columns that is unique in the table, the primary key first."""
    keys = [tuple(column.name for column in table.primary_key.columns)]
    others = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return keys + [tuple(column.name for column in c.columns) for c in sorted(others, key=lambda c: str(c.name))]


def fingerprint() -> str:
    """SHA-256 over every table, column, key and check, by which a warehouse made by other tables is recognised."""
    described = [
        [table.name, [_described(c) for c in table.columns], _rules(table)] for table in METADATA.sorted_tables
    ]
    return hashlib.sha256(json.dumps(sorted(described)).encode()).hexdigest()


def _described(column: Column[Any]) -> list[str]:
    return [column.name, type(column.type).__name__, "null" if column.nullable else "not null"]


def _rules(table: Table) -> list[str]:
    rules = [f"{c.name}: {getattr(c, 'sqltext', '')}" for c in table.constraints]
    keys = [f"{c.name}: {[column.name for column in c.columns]}" for c in table.constraints if hasattr(c, "columns")]
    return sorted(rules + keys + [f"{index.name}" for index in table.indexes])
