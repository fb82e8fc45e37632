"""One way to open a transaction on the warehouse, whatever database stands behind it.

Belongs here: the URL, how a connection is set up, transactions for reading and for writing, named locks, and the
translation of every driver error into `WarehouseError`. Does not belong here: what is read or written.

A transaction that writes takes the write lock at once on SQLite (BEGIN IMMEDIATE): one that begins by reading and then
wants to write fails with "locked" when another came first. On PostgreSQL it runs at READ COMMITTED and takes named
locks, so that what it reads under a lock is what others have committed.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.pool import NullPool

from zio_pipeline.errors import WarehouseError, ZioError

BUSY_SECONDS = 30
"""How long a connection waits for another one's lock before it gives up."""


def sqlite_url(path: Path) -> str:
    """URL of an embedded warehouse in that file."""
    return URL.create("sqlite", database=str(path.resolve())).render_as_string()


class Database:
    """A SQLite file or a PostgreSQL database. Every transaction has a connection of its own: safe over processes."""

    def __init__(self, url: str):
        """Args:
            url: `sqlite:///...file` or `postgresql+psycopg://...`; `postgresql://` is read as the latter.

        Raises:
            WarehouseError: another kind of database, SQLite in memory, or the driver is not installed.
        """
        self._url = _checked(url)
        self.path = Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None
        self._engine = _engine(self._url)
        self._writer = self._engine.execution_options(zio_begin="BEGIN IMMEDIATE")

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)})"

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def make_file(self) -> None:
        """Make the SQLite file when there is none, readable for its owner only; nothing on PostgreSQL."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its WAL the mode of the file, so the mode must be right before the first connection.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)
        except OSError as error:
            raise WarehouseError(f"Het warehouse {self.path} kan niet worden gemaakt: {error.strerror}.") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: committed when the block ends, undone as a whole when it raises.

        Raises:
            WarehouseError: the database refused something, could not be reached, or was locked too long.
        """
        with self._transaction(self._writer) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads: everything in the block is seen as of one moment.

        Raises:
            WarehouseError: as in `writing`.
        """
        engine = self._engine
        if self.dialect == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with self._transaction(engine) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        if self.path is not None and not self.path.exists():
            # SQLite would make an empty database, and everything would be gone without a word.
            raise WarehouseError(f"Het warehouse {self.path} bestaat nog niet; richt het eerst in.")
        dbapi = engine.dialect.loaded_dbapi
        try:
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, dbapi.Error, UnicodeDecodeError) as error:
            cause = error.orig if isinstance(error, StatementError) else error
            if isinstance(cause, ZioError):
                raise cause from None
            # The driver's own text may hold values of the row, so it is neither shown nor chained.
            raise WarehouseError(f"Het warehouse weigerde de opdracht: {_safe_text(cause)}") from None


def lock(connection: Connection, name: str) -> None:
    """Wait for the lock of that name and hold it until the transaction ends. A writer on SQLite has the only one."""
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(f"zio:{name}".encode()).digest()[:8], "big", signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise WarehouseError("De URL van het warehouse is onleesbaar.") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise WarehouseError(
            f"Het warehouse kan niet staan in {parsed.drivername!r}; gebruik sqlite:///bestand of postgresql+psycopg://..."
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise WarehouseError("Het warehouse moet in een bestand staan: sqlite:///pad/warehouse.db")
    return parsed


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    arguments = {"timeout": BUSY_SECONDS, "isolation_level": None} if sqlite else {"connect_timeout": BUSY_SECONDS}
    options: dict[str, Any] = {} if sqlite else {"isolation_level": "READ COMMITTED"}
    try:
        # No pool: nothing to share by accident with a forked process, nothing left open.
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments, **options)
    except ModuleNotFoundError as error:
        raise WarehouseError("Voor PostgreSQL is de extra 'postgres' van dit pakket nodig.") from error
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    _write_ahead(connection)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Changing the journal does not wait as a query does: of 360 openings of a new file, by six processes at once, one
    # failed with "locked".
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("zio_begin", "BEGIN"))


def _safe_text(error: BaseException | None) -> str:
    """What a driver says, without values: SQLite names rules only, PostgreSQL puts values in DETAIL and in class 22."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    state = getattr(error, "sqlstate", None) or ""
    if primary is not None:
        return f"foutcode {state}" if state.startswith("22") else f"{primary} ({state})"
    if isinstance(error, DBAPIError):
        return type(error).__name__
    return f"{type(error).__name__}: {error}".splitlines()[0]
