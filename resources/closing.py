"""Closing a school year: the year statements of providers, and the row after which nothing of the year changes any more.

Belongs here: the two append-only tables and what may be added to them (SPEC section 5, `close`), and the check that others
make before they change a year. Does not belong here: whether a year may be closed (`zio_pipeline.year_statement`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from resources import establishments, register_chain
from resources.database import Database, lock
from resources.tables import CLOSURES, DOCUMENTS, PROVIDER_STATEMENTS
from zio_pipeline.errors import WarehouseError


@dataclass(frozen=True)
class ProviderStatement:
    """What a provider says it declared over a school year, in cents, and the document that says so."""

    school_year: str
    provider: str
    amount_cents: int
    source: str
    registered_by: str
    registered_on: date
    sequence: int = 1
    """The last one of a provider counts: an earlier one was corrected."""


@dataclass(frozen=True)
class Closure:
    """A closed school year; `detail` (JSON) says on which figures it was closed."""

    school_year: str
    version: int
    closed_by: str
    closed_on: date
    detail: str


def closed(connection: Connection, school_year: str) -> Closure | None:
    """The closure of a school year; None while it is open."""
    found = connection.execute(select(CLOSURES).where(CLOSURES.c.school_year == school_year)).mappings().one_or_none()
    return Closure(**found) if found else None


def require_not_closed(connection: Connection, school_year: str) -> None:
    """Stop before anything is proposed, approved or posted of a closed year; under the lock that its writer holds.

    Raises:
        WarehouseError: the year is closed.
    """
    standing = closed(connection, school_year)
    if standing is not None:
        raise WarehouseError(
            f"Schooljaar {school_year} is gesloten op {standing.closed_on:%d-%m-%Y}; "
            "er wordt niets meer voorgesteld, goedgekeurd of geboekt."
        )


class Closings:
    """The closures and the provider statements of a warehouse; every method is one transaction of its own."""

    def __init__(self, database: Database):
        self._database = database

    def closure(self, school_year: str) -> Closure | None:
        """The closure of a school year; None while it is open."""
        with self._database.reading() as connection:
            return closed(connection, school_year)

    def statements(self, school_year: str) -> dict[str, ProviderStatement]:
        """The year statements of a school year that count, by provider."""
        query = select(PROVIDER_STATEMENTS).where(PROVIDER_STATEMENTS.c.school_year == school_year)
        with self._database.reading() as connection:
            found = [ProviderStatement(**row) for row in connection.execute(query).mappings()]
        return {statement.provider: statement for statement in sorted(found, key=lambda s: s.sequence)}

    def register(self, statement: ProviderStatement) -> bool:
        """Register the year statement of a provider, in the place of what it said before.

        Returns:
            False when exactly this was registered before.

        Raises:
            WarehouseError: nobody or nothing is named, the amount is negative, or the year is closed.
        """
        if not statement.registered_by.strip() or not statement.source.strip():
            raise WarehouseError("Een jaaropgave heeft een naam nodig van wie haar registreert, en een vindplaats.")
        if statement.amount_cents < 0:
            raise WarehouseError("Een jaaropgave is nul of meer.")
        key = {"school_year": statement.school_year, "provider": statement.provider}
        query = select(PROVIDER_STATEMENTS).filter_by(**key).order_by(PROVIDER_STATEMENTS.c.sequence.desc()).limit(1)
        with self._database.writing() as connection:
            _lock_year(connection, statement.school_year)
            row = connection.execute(query).mappings().one_or_none()
            if row and (row["amount_cents"], row["source"]) == (statement.amount_cents, statement.source):
                return False
            require_not_closed(connection, statement.school_year)
            sequence = row["sequence"] + 1 if row else 1
            register_chain.append(connection, PROVIDER_STATEMENTS, [{**vars(statement), "sequence": sequence}])
        return True

    def close(self, closure: Closure, documents: Iterable[str]) -> bool:
        """Close a school year, when it still is what was judged.

        Args:
            closure: the version in force, and who closes it on which figures.
            documents: the numbers of every document of the year, as they were when it was judged.

        Returns:
            False when the same person closed it on the same figures before.

        Raises:
            WarehouseError: nobody is named, another person or other figures closed it before, or meanwhile another
                version was established or something was posted. Nothing has changed then.
        """
        if not closure.closed_by.strip():
            raise WarehouseError("Wie een schooljaar sluit heeft een naam nodig.")
        school_year = closure.school_year
        with self._database.writing() as connection:
            _lock_year(connection, school_year)
            standing = closed(connection, school_year)
            if standing is not None:
                if _same_content(standing, closure):
                    return False
                raise WarehouseError(
                    f"Schooljaar {school_year} is al gesloten op {standing.closed_on:%d-%m-%Y}, "
                    "door een ander of op andere cijfers; een gesloten jaar blijft zoals het is."
                )
            established = establishments.latest(connection, school_year)
            posted = connection.scalars(select(DOCUMENTS.c.number).where(DOCUMENTS.c.school_year == school_year))
            if established is None or established.version != closure.version or set(posted) != set(documents):
                raise WarehouseError(f"Schooljaar {school_year} is intussen veranderd; sluit het opnieuw.")
            register_chain.append(connection, CLOSURES, [vars(closure)])
        return True


def _lock_year(connection: Connection, school_year: str) -> None:
    """Hold what posting and establishing hold, in this order, so that neither happens beside a closing.

    The lock of the register chain comes after these, always last.
    """
    lock(connection, f"ledger:{school_year}")
    lock(connection, f"establish:{school_year}")


def _same_content(one: Closure, other: Closure) -> bool:
    same = (one.version, one.detail) == (other.version, other.detail)
    return same and establishments.same_person(one.closed_by, other.closed_by)
