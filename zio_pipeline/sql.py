"""DuckDB: how a database in memory is opened, and texts and names as its SQL writes them."""

from typing import Any

THREADS = 2
"""Used of a machine, in the database and outside: most of the work leaves the interpreter, and it is not alone."""
IN_MEMORY: dict[str, Any] = {"threads": THREADS, "enable_external_access": False, "temp_directory": ""}
"""Rows about people stay in memory: nothing goes to a disk, and what does not fit is an error (SPEC section 8)."""


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
