"""Who may do what in a warehouse on PostgreSQL, as SQL made from the contracts and the tables (SPEC section 8).

Belongs here: the rights of the three roles on every table. Does not belong here: making roles, a database or a schema (the
runbook tells), the guards against changing a posted row (triggers).

The program adds; it takes away only what it publishes anew, and changes only which file counts and the last number of a series.
The general finance reader sees no restricted column, and nothing of a table whose amounts are restricted too: an amount divided
by the price of a pupil is a count. Settlement and audit read every finance table, the ledger and the registers.
"""

from resources.tables import APPEND_ONLY, FORMAT, MANIFEST, METADATA, PRODUCTS, SERIES, VERDICTS
from zio_pipeline.contracts import Dataset, products
from zio_pipeline.sql import quoted

PROGRAM, READER, SETTLEMENT = "zio_program", "zio_reader", "zio_settlement"
_WITHHELD = ("restricted", "personal")
_PROGRAM_MAY = {
    "SELECT": (FORMAT,),
    "SELECT, INSERT": APPEND_ONLY,
    "SELECT, INSERT, UPDATE": (MANIFEST, SERIES),
    "SELECT, INSERT, DELETE": (*PRODUCTS.values(), VERDICTS),
}


def grants(schema: str = "public") -> list[str]:
    """The statements, to be given by the owner of the tables; what these roles had on tables before is taken back first."""
    everyone = ", ".join((PROGRAM, READER, SETTLEMENT))
    program = [_grant(what, table.name, PROGRAM) for what, tables in _PROGRAM_MAY.items() for table in tables]
    datasets = sorted(products().items())
    reader = [
        _grant(f"SELECT ({', '.join(map(quoted, columns))})", name, READER)
        for name, dataset in datasets
        if (columns := readable(dataset))
    ]
    books = (*(PRODUCTS[name] for name, _ in datasets), *APPEND_ONLY, SERIES, VERDICTS)
    return [
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;",
        f"GRANT USAGE ON SCHEMA {schema} TO {everyone};",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {everyone};",
        *program,
        *reader,
        *(_grant("SELECT", table.name, SETTLEMENT) for table in books),
    ]


def readable(dataset: Dataset) -> list[str]:
    """The columns of a finance table for the general reader; none where what is left would be no figure, or tell a count."""
    withheld = {column.name for column in dataset.columns if column.classification in _WITHHELD}
    measures = {column.name for column in dataset.columns if column.kind in ("euro", "minutes", "hours")}
    if withheld and ("amount_cents" in withheld or not measures - withheld):
        return []
    return [column.name for column in dataset.columns if column.name not in withheld]


def ungranted() -> list[str]:
    """Tables that no right of the program names; always empty."""
    named = {table.name for tables in _PROGRAM_MAY.values() for table in tables}
    return sorted(set(METADATA.tables) - named)


def _grant(what: str, table: str, role: str) -> str:
    return f"GRANT {what} ON {table} TO {role};"
