"""After posting: who let a document go out, how it went, and up to which day the books are closed.

Belongs here: choosing documents, the registers of the ledger, and the table finance reads of it.
Does not belong here: posting (`stages.billing`), how a document looks.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from resources.home import Home
from resources.registers import Sending
from zio_pipeline.errors import ZioError
from zio_pipeline.stages.publishing import publish


def release(home: Home, school_year: str, numbers: Sequence[str], by: str, on: date) -> list[str]:
    """Release the named documents of a school year, or every posted one when none is named.

    Returns:
        The numbers released now.

    Raises:
        ZioError: a number of another year or none at all.
        WarehouseError: as in `registers.release`.
    """
    posted = {document.number for document in home.ledger.posted(school_year)}
    if unknown := sorted(set(numbers) - posted):
        raise ZioError(f"In schooljaar {school_year} is niet geboekt: {', '.join(unknown)}.")
    released = home.ledger.release(sorted(numbers or posted), by, on)
    publish_states(home, school_year)
    return released


def deliver(home: Home, sending: Sending) -> bool:
    """Record that a document went out.

    Returns:
        False when this was recorded before.

    Raises:
        WarehouseError: as in `registers.deliver`.
    """
    fresh = home.ledger.deliver(sending)
    publish_states(home, home.ledger.document(sending.number).school_year)
    return fresh


def publish_states(home: Home, school_year: str) -> list[dict[str, Any]]:
    """Publish where every posted document of the year stands."""
    rows = state_rows(home, school_year)
    publish(home, {"document_states": rows}, {"school_year": school_year})
    return rows


def state_rows(home: Home, school_year: str) -> list[dict[str, Any]]:
    """Rows of `document_states` out of the ledger and its registers."""
    states, rows = home.ledger.states(), []
    for document in home.ledger.posted(school_year):
        released, sent = states.get(document.number, (None, []))
        rows.append(
            {
                "school_year": school_year,
                "document_number": document.number,
                "payer": document.payer,
                "state": "delivered" if sent else "released" if released else "posted",
                "released_by": released.released_by if released else None,
                "released_on": released.released_on if released else None,
                "channels": " ".join(sending.channel for sending in sent) or None,
                "delivered_on": min((sending.delivered_on for sending in sent), default=None),
                "amount_cents": document.signed_cents,
            }
        )
    return rows
