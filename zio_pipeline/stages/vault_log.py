"""The log of the vault: when rows about pupils left it, came back or were made thinner (SPEC sections 6 and 8).

Belongs here: adding to the log and reading it. Does not belong here: what is logged (residence, thinning).

A line is the commit: what was put into the vault counts from the moment its line stands here, and what leaves the vault leaves
it after its line was written.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from resources.home import Home
from zio_pipeline.errors import ZioError
from zio_pipeline.stages.publishing import publish


@dataclass(frozen=True)
class Entry:
    """One line to be added; `what` as in the contract of `vault_log`."""

    what: str
    content_sha256: str
    label: str
    municipality: str | None
    row_count: int
    done_by: str
    done_on: date


def lines(home: Home, school_year: str, what: str | None = None) -> list[dict[str, Any]]:
    """The lines of a school year in order, all or of one kind."""
    rows: list[dict[str, Any]] = home.warehouse.rows("vault_log", school_year=school_year)
    return [row for row in rows if what in (None, row["what"])]


def record(home: Home, school_year: str, entries: Sequence[Entry]) -> None:
    """Add lines; call it under the lock of the vault, so that two writers do not take the same number.

    Raises:
        ZioError: a line does not say who did it.
    """
    if any(not entry.done_by.strip() for entry in entries):
        raise ZioError("Geef met --by wie dit doet.")
    standing = lines(home, school_year)
    common = {"school_year": school_year, "key_id": home.keys.key_id}
    added = [
        asdict(e) | common | {"done_by": e.done_by.strip(), "sequence": n}
        for n, e in enumerate(entries, start=len(standing) + 1)
    ]
    publish(home, {"vault_log": [*standing, *added]}, {"school_year": school_year})
