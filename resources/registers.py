"""What people do with posted documents: release them, deliver them, and close the books up to a day.

Belongs here: the append-only registers beside the ledger and what may be added to them (SPEC section 5: posted, released
by a person, delivered; a period lock that only moves forward). Does not belong here: posting (`resources.ledger`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from resources import register_chain
from resources.tables import DOCUMENTS, PERIOD_LOCKS, RELEASES, SENDINGS
from zio_pipeline.errors import WarehouseError


@dataclass(frozen=True)
class Release:
    """A person let a document go out."""

    number: str
    released_by: str
    released_on: date


@dataclass(frozen=True)
class Sending:
    """A document went out: over which channel, on which day, and the SHA-256 of what was sent."""

    number: str
    channel: str
    content_sha256: str
    delivered_by: str
    delivered_on: date


def release(connection: Connection, numbers: Sequence[str], by: str, on: date) -> list[str]:
    """Release posted documents; those that were released before are left as they are.

    Returns:
        The numbers released now.

    Raises:
        WarehouseError: a number that is not posted, a day before the document, or no name. Nothing has changed then.
    """
    _require_name(by, "Wie vrijgeeft")
    dated = {row.number: row.document_date for row in connection.execute(select(DOCUMENTS))}
    unknown = sorted(set(numbers) - dated.keys())
    if unknown:
        raise WarehouseError(f"Niet geboekt, dus niet vrij te geven: {', '.join(unknown)}.")
    early = sorted(number for number in numbers if on < dated[number])
    if early:
        raise WarehouseError(f"Vrijgeven kan niet vóór de documentdatum: {', '.join(early)}.")
    before = {found.number for found in releases(connection)}
    fresh = sorted(set(numbers) - before)
    if fresh:
        rows = [{"number": number, "released_by": by.strip(), "released_on": on} for number in fresh]
        register_chain.append(connection, RELEASES, rows)
    return fresh


def deliver(connection: Connection, sending: Sending) -> bool:
    """Record that a released document went out.

    Returns:
        False when exactly this delivery was recorded before.

    Raises:
        WarehouseError: it was not released, not by that day, or other content went over this channel before.
    """
    _require_name(sending.delivered_by, "Wie bezorgt")
    released = {found.number: found.released_on for found in releases(connection)}
    if sending.number not in released:
        raise WarehouseError(f"Document {sending.number} is niet vrijgegeven en mag niet naar buiten.")
    if sending.delivered_on < released[sending.number]:
        raise WarehouseError(f"Document {sending.number} kan niet bezorgd zijn vóór de vrijgave.")
    for found in sendings(connection):
        if (found.number, found.channel) == (sending.number, sending.channel):
            if found.content_sha256 == sending.content_sha256:
                return False
            raise WarehouseError(f"Document {sending.number} ging al met andere inhoud langs kanaal {sending.channel}.")
    register_chain.append(connection, SENDINGS, [vars(sending)])
    return True


def lock_through(connection: Connection, through: date, by: str, on: date) -> bool:
    """Close the books up to and including a day: no document may carry a date up to it any more.

    Returns:
        False when they were closed up to that very day before.

    Raises:
        WarehouseError: the day lies before the one that stands (a lock only moves forward), or has not passed yet.
    """
    _require_name(by, "Wie afsluit")
    standing = locked_through(connection)
    if standing == through:
        return False
    if standing is not None and through < standing:
        raise WarehouseError(
            f"De boeken zijn gesloten tot en met {standing:%d-%m-%Y}; een slot gaat alleen vooruit, niet naar {through:%d-%m-%Y}."
        )
    if through >= on:
        raise WarehouseError(f"Sluiten tot en met {through:%d-%m-%Y} kan pas na die dag; nu is het {on:%d-%m-%Y}.")
    row = {"locked_through": through, "locked_by": by.strip(), "locked_on": on}
    register_chain.append(connection, PERIOD_LOCKS, [row])
    return True


def locked_through(connection: Connection) -> date | None:
    """The day up to which the books are closed; None when they are open."""
    last: date | None = connection.scalar(select(func.max(PERIOD_LOCKS.c.locked_through)))
    return last


def releases(connection: Connection) -> list[Release]:
    """Every release, by number."""
    return [Release(**row) for row in connection.execute(select(RELEASES).order_by(RELEASES.c.number)).mappings()]


def sendings(connection: Connection) -> list[Sending]:
    """Every delivery, by number and channel."""
    query = select(SENDINGS).order_by(SENDINGS.c.number, SENDINGS.c.channel)
    return [Sending(**row) for row in connection.execute(query).mappings()]


def states(connection: Connection) -> dict[str, tuple[Release | None, list[Sending]]]:
    """Per number its release and its deliveries, of documents that have any."""
    sent: dict[str, list[Sending]] = defaultdict(list)
    for sending in sendings(connection):
        sent[sending.number].append(sending)
    return {found.number: (found, sent[found.number]) for found in releases(connection)}


def _require_name(name: str, who: str) -> None:
    if not name.strip():
        raise WarehouseError(f"{who} heeft een naam nodig.")
