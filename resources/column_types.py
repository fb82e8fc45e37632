"""The four types a warehouse column can have, the same values on SQLite and PostgreSQL.

Belongs here: how text, whole numbers, dates and truth values are bound and read back. Does not belong here: tables.

SQLite STRICT tables know INTEGER and TEXT only, so a date is an ISO text there and a truth value 0 or 1; PostgreSQL has
types of its own for them. What one database would let through and the other not (NUL in text, an integer beyond 64
bits, a number for a text) is refused here, so both hold the same values or none. `where` names the column in an error.
"""

from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Boolean, Date, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from zio_pipeline.errors import WarehouseError

T = TypeVar("T")


class _Named(TypeDecorator[T]):
    """A column type that knows which column it stands in, for its errors."""

    def __init__(self, where: str):
        super().__init__()
        self.where = where


class TextType(_Named[str]):
    """Unicode text. NUL and half surrogate pairs are refused: PostgreSQL cannot hold them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise WarehouseError(f"{self.where}: hier hoort tekst, niet {type(value).__name__}.")
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise WarehouseError(
                f"{self.where}: de tekst bevat een teken dat niet bewaard kan worden (NUL of half teken)."
            )
        return str(value)


class WholeType(_Named[int]):
    """An integer of 64 bits; cents, counts, versions."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise WarehouseError(f"{self.where}: hier hoort een geheel getal, niet {type(value).__name__}.")
        if not -(2**63) <= value < 2**63:
            raise WarehouseError(f"{self.where}: het getal is te groot om te bewaren.")
        return int(value)


class DateType(_Named[date]):
    """A calendar date: DATE on PostgreSQL, ISO text on SQLite."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise WarehouseError(f"{self.where}: hier hoort een datum, niet {type(value).__name__}.")
        return value.isoformat() if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise WarehouseError(f"{self.where}: er staat iets dat geen datum is; voer 'zio verify' uit.") from None


class FlagType(_Named[bool]):
    """True or false: BOOLEAN on PostgreSQL, 1 or 0 on SQLite."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, bool):
            raise WarehouseError(f"{self.where}: hier hoort waar of niet waar, niet {type(value).__name__}.")
        return int(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        if value not in (None, 0, 1):
            raise WarehouseError(f"{self.where}: er staat iets dat waar noch niet waar is; voer 'zio verify' uit.")
        return None if value is None else bool(value)
