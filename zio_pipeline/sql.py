"""DuckDB: how a database in memory is opened, and texts and names as its SQL writes them."""

import os
from functools import cache
from typing import Any

import duckdb

THREADS = 2
"""Used of a machine, in the database and outside: most of the work leaves the interpreter, and it is not alone."""
IN_MEMORY: dict[str, Any] = {"threads": THREADS, "enable_external_access": False, "temp_directory": ""}
"""Rows about people stay in memory: nothing goes to a disk, and what does not fit is an error (SPEC section 8)."""


def in_memory(**config: Any) -> duckdb.DuckDBPyConnection:
    """A connection to a database in memory that is made once per process: making one takes as long as forty small queries.

    Whoever uses it makes temporary tables and views only: nobody else sees them, and they go when it is closed.
    """
    return _database(os.getpid(), **config).cursor()


@cache
def _database(process: int, **config: Any) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={**IN_MEMORY, **config})


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
