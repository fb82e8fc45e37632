"""The retention period of what senders wrote: afterwards it is removed, and a record says so (SPEC section 8; AVG article 5).

Belongs here: which things of which files go, the order in which record and removal are written, and the record.
Does not belong here: the accepted rows and the facts of the quarantine. A settlement is recomputed from those; keys stand in
them as pseudonyms, and birth date and postcode only until the year is established and thinned (`stages.thinning`).

First all records, in one transaction; then the removals. A run that is cut off leaves at most a record of something that is
still there; the next run removes it, or takes the record back when the thing may no longer go. So nothing is ever gone without
a record.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from resources.home import Home
from resources.sealed import sync_folder
from zio_pipeline.contracts import products
from zio_pipeline.errors import ZioError
from zio_pipeline.intake.delivery import CONTRADICTING, UNKNOWN
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.standing import RAW

KEEP_DAYS = 400
"""Kept so many days after reception: from the files in June before a school year to the end of July after it, with some weeks to
object and redeliver. Our choice; the law (AVG article 5, first paragraph, e) says no longer than needed."""

Row = Mapping[str, Any]

RAW_BYTES, RAW_ROWS, TERUGMELDING = "raw_bytes", "raw_rows", "terugmelding"


@dataclass(frozen=True)
class _File:
    """A received file, as far as its retention goes. `held`: something about it is still open."""

    content: str
    label: str
    received_on: date
    held: bool


@dataclass(frozen=True)
class _Kept:
    """One thing of a file that is still here; `tables` of the vault hold its rows as they were sent."""

    file: _File
    what: str
    tables: tuple[str, ...] = ()

    @property
    def row(self) -> dict[str, Any]:
        """Its record, but for the day and the rule."""
        file = self.file
        return {
            "content_sha256": file.content,
            "label": file.label,
            "what": self.what,
            "received_on": file.received_on,
        }


def require_no_future(home: Home, as_of: date, today: date) -> None:
    """A removal cannot be undone, so its day may not have still to come; only a home of fictitious years may look ahead.

    Raises:
        ZioError: the business date lies after today.
    """
    fictitious = [bool(proposal.receipt.get("fictitious")) for proposal in home.warehouse.proposals()]
    if as_of > today and not (fictitious and all(fictitious)):
        raise ZioError(f"De datum {as_of:%d-%m-%Y} ligt in de toekomst; vandaag is het {today:%d-%m-%Y}.")


def remove_expired(home: Home, as_of: date, keep_days: int = KEEP_DAYS) -> list[dict[str, Any]]:
    """Remove what senders wrote of files that were received more than so many days ago; the records, as in `removals`.

    It goes for the bytes as they were sent, the rejected rows as they were sent, and the workbook for the sender. Files that
    contradict each other, and files with an open point on the worklist, are kept; a point that names no file keeps all files of
    its year. The same bytes offered again are still known, and no workbook is made of them.

    Args:
        home: where everything is kept.
        as_of: the business date of the removal.
        keep_days: the retention period.

    Raises:
        ZioError: the period is negative.
    """
    if keep_days < 0:
        raise ZioError("De bewaartermijn is een aantal dagen van 0 of meer.")
    stamp = {"removed_on": as_of, "rule": f"ontvangen meer dan {keep_days} dagen eerder"}
    with home.vault.exclusive():
        standing = list(_standing(home))
        due = [one for one in standing if not one.file.held and (as_of - one.file.received_on).days > keep_days]
        removed = [one.row | stamp for one in due]
        _record(home, standing, removed)
        _remove(home, due)
    return removed


def _standing(home: Home) -> Iterator[_Kept]:
    """Everything senders wrote that is still here."""
    raw_rows = defaultdict(list)
    for name in home.vault.names():
        if name.endswith(f"-{RAW}"):
            raw_rows[name.partition("-")[0]].append(name)
    for file in _files(home):
        if home.vault.has_bytes(file.content):
            yield _Kept(file, RAW_BYTES)
        if raw_rows[file.content]:
            yield _Kept(file, RAW_ROWS, tuple(raw_rows[file.content]))
        if _workbook(home, file.label).exists():
            yield _Kept(file, TERUGMELDING)


def _files(home: Home) -> Iterator[_File]:
    labels, years = _open_points(home)
    rows = home.warehouse.rows("deliveries")
    for row in rows:
        held = row["status"] == CONTRADICTING or row["label"] in labels or row["school_year"] in years
        yield _File(row["content_sha256"], row["label"], row["received_on"], held)
    # Bytes that a run stored which was cut off, and that nobody offered again: nothing refers to them.
    for content in set(home.vault.raw_names()) - {row["content_sha256"] for row in rows}:
        yield _File(content, f"{UNKNOWN}-{content[:8]}", home.vault.bytes_since(content), held=False)


def _open_points(home: Home) -> tuple[set[str], set[str]]:
    """Labels of the files that an open point of the worklist names, and the school years with an open point that names none."""
    points = [row for row in home.warehouse.rows("worklist") if row["decision_id"] is None]
    labels = {row["row_ref"].partition(":")[0] for row in points if row["row_ref"]}
    return labels, {row["school_year"] for row in points if not row["row_ref"]}


def _record(home: Home, standing: Iterable[_Kept], removed: Sequence[Row]) -> None:
    """Add the removals to the record. What was recorded and is still here was not removed: a run that was cut off."""
    here = {_key(one.row) for one in standing}
    recorded = home.warehouse.rows("removals")
    rows = [row for row in recorded if _key(row) not in here] + list(removed)
    if rows != recorded:
        publish(home, {"removals": rows}, {})


def _remove(home: Home, due: Sequence[_Kept]) -> None:
    for one in due:
        if one.what == TERUGMELDING:
            _workbook(home, one.file.label).unlink(missing_ok=True)
    if home.feedback.exists():
        sync_folder(home.feedback)
    tables = [name for one in due for name in one.tables]
    home.vault.remove(tables, [one.file.content for one in due if one.what == RAW_BYTES])


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in products()["removals"].key)


def _workbook(home: Home, label: str) -> Path:
    return home.feedback / f"{label}.xlsx"
