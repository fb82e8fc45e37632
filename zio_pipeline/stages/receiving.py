"""Receiving files: any bytes in the inbox end accepted, partly accepted or refused, with a reason and without loss.

Belongs here: what is stored of a file and in which order, so that a kill leaves the old state or the new one: first the vault,
then the audit, then one transaction that makes the files count.
Does not belong here: reading or judging (intake), comparing with other files (comparing, references), the workbook for
the sender (feedback).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.home import Home
from zio_pipeline.contracts import sources
from zio_pipeline.errors import SetupError, ZioError
from zio_pipeline.intake import PARSER_VERSION, Delivery, Reason, take_in_all
from zio_pipeline.intake.delivery import CONTRADICTING, UNKNOWN, refusal_of
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.setup import read_setup
from zio_pipeline.setup_checks import require_plausible_calendars
from zio_pipeline.stages.auditing import audit_deliveries, data_docs
from zio_pipeline.stages.comparing import Entry, settled
from zio_pipeline.stages.feedback import write_feedback
from zio_pipeline.stages.references import note_references
from zio_pipeline.stages.residence_answers import RESIDENCE
from zio_pipeline.stages.standing import DECISIONS, QUARANTINE_SCHEMA, QUARANTINED, RAW, vault_stem
from zio_pipeline.stages.withdrawing import WITHDRAWN

LAPSED = "Het bestand ligt niet meer tussen de aangeleverde bestanden. Lever het juiste bestand alleen aan."
"""Said of a file that contradicted another one and was taken away before one of the two counted."""
BYTES_AT_ONCE = 48_000_000
"""Files are read and judged together up to so many bytes: enough to be fast, and memory stays the same however many come."""


@dataclass(frozen=True)
class Received:
    """How one file ended. `name` is the sender's and is for the screen only: it is stored nowhere."""

    name: str
    label: str
    status: str
    reason: str | None
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    new: bool
    warnings: int = 0


def receive(home: Home, folder: Path, on: date, on_file: Callable[[], None] = lambda: None) -> list[Received]:
    """Take in every file of a folder. Their order does not matter.

    Same bytes under the same contract, reader and key: nothing happens. A newer file of the same sender, school and period
    supersedes the earlier one; both are kept. Files offered together that contradict each other count neither, until the wrong
    one is taken away. Everything is read and audited first; then all of it counts at once. A file that cannot be opened is
    reported and nothing is stored of it; the others go on.

    Args:
        home: where everything is kept.
        folder: the inbox; nothing in it is changed.
        on: the business date of reception.
        on_file: called after each file.
    """
    contents: dict[str, str] = {}
    unread: list[str] = []

    def offered() -> Iterator[tuple[str, bytes]]:
        for path in inbox_files(folder):
            try:
                # Read once: of a file that somebody is still writing, what is registered is what was read.
                data = path.read_bytes()
            except OSError:  # taken away since it was listed, or closed to us
                unread.append(path.name)
            else:
                contents[path.name] = hashlib.sha256(data).hexdigest()
                yield contents[path.name], data
            on_file()

    with home.vault.exclusive():
        since = {entry.content_sha256: entry.received_on for entry in reversed(home.warehouse.manifest())}
        new = {one.content_sha256 for one in take_up(home, offered(), lambda content: since.get(content, on))}
        if not unread and _lapse(home, set(contents.values())):
            write_feedback(home)
        rows = {row["content_sha256"]: row for row in home.warehouse.rows("deliveries")}
        warnings = Counter(row["content_sha256"] for row in home.warehouse.rows("quarantine", severity="warning"))
    found = [_received(name, rows[content], content in new, warnings[content]) for name, content in contents.items()]
    return sorted([*found, *map(_unreadable, unread)], key=lambda one: one.name)


def take_up(home: Home, files: Iterable[tuple[str, bytes]], received_on: Callable[[str], date]) -> list[Delivery]:
    """From bytes to what counts, for files that are offered together; call it under the lock of the vault.

    Args:
        home: where everything is kept.
        files: their SHA-256 and bytes, taken one by one; what was read as it would be read today is passed over.
        received_on: business date of reception of a content.

    Returns:
        The files that were not passed over, without their rows.
    """

    def entry_of(delivery: Delivery) -> ManifestEntry:
        return _entry(delivery, home, received_on(delivery.content_sha256))

    deliveries = settled(home, _take_in(home, files, entry_of), entry_of)
    _commit(home, deliveries, entry_of)
    _mark_superseded(home)
    note_references(home)
    write_feedback(home)
    _sweep(home)
    return deliveries


def inbox_files(folder: Path) -> list[Path]:
    """The files of an inbox, in order of name.

    Raises:
        ZioError: there is no such folder.
    """
    if not folder.is_dir():
        raise ZioError(f"De map {folder} bestaat niet; geef met --inbox de map met aangeleverde bestanden.")
    return sorted(path for path in _offered(folder) if path.is_file())


def inbox_folders(folder: Path) -> list[Path]:
    """The folders in an inbox, in order of name: what is in them is not read, so somebody must be told."""
    return sorted(path for path in _offered(folder) if path.is_dir())


def _offered(folder: Path) -> Iterator[Path]:
    """What is for us: no hidden files, nor those that an office program puts beside a file that is open."""
    return (path for path in folder.iterdir() if not path.name.startswith((".", "~$")))


def _take_in(home: Home, files: Iterable[tuple[str, bytes]], entry_of: Entry) -> list[Delivery]:
    """Read, judge, keep and audit what is new; what comes back has no rows any more, they are in the vault."""
    fresh: list[Delivery] = []
    for some in _portions(home, files):
        judged = [_workbook_judged(delivery) for delivery in take_in_all(list(some.values()), home.keys)]
        tables = {name: table for delivery in judged for name, table in _tables(entry_of(delivery), delivery)}
        home.vault.put_all(tables, some)
        audit_deliveries(home, judged, earlier=[entry_of(delivery) for delivery in fresh])
        fresh += [replace(delivery, accepted={}) for delivery in judged]
    return fresh


def _portions(home: Home, files: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The new contents, some at a time. What a person withdrew is never read again: it would come back by itself."""
    known = _known(home) | {row["content_sha256"] for row in home.warehouse.rows("deliveries", status=WITHDRAWN)}
    size = 0
    some: dict[str, bytes] = {}
    for content, data in files:
        if content not in known:
            known.add(content)
            some[content] = data
            size += len(data)
        if size > BYTES_AT_ONCE:
            yield some
            some, size = {}, 0
    if some:
        yield some


def _known(home: Home) -> set[str]:
    """The contents that were read as they would be read today."""
    fingerprints = {contract.fingerprint for contract in sources().values()} | {_no_contract()}
    entries = home.warehouse.manifest(parser_version=PARSER_VERSION, key_id=home.keys.key_id)
    return {e.content_sha256 for e in entries if e.contract_fingerprint in fingerprints}


def _no_contract() -> str:
    """Fingerprint of a file that no contract recognised: any newer one may, and then it is read anew."""
    return hashlib.sha256("".join(sorted(c.fingerprint for c in sources().values())).encode()).hexdigest()


def _workbook_judged(delivery: Delivery) -> Delivery:
    """A workbook that contradicts itself is refused here: once active it would stop the year, and the good one be gone."""
    if delivery.source != "school_year_setup" or not delivery.accepted:
        return delivery
    try:
        require_plausible_calendars(read_setup({name: table.to_pylist() for name, table in delivery.accepted.items()}))
    except SetupError as error:
        return refusal_of(delivery, str(error))
    return delivery


def _tables(entry: ManifestEntry, delivery: Delivery) -> Iterator[tuple[str, pa.Table]]:
    """For the vault: the accepted rows; and of the others what can be known of them, and how they were sent."""
    stem = vault_stem(entry)
    for dataset, table in delivery.accepted.items():
        yield f"{stem}-{dataset}", table
    if delivery.quarantined:
        yield f"{stem}-{QUARANTINED}", _quarantine_table(delivery)
    if delivery.raw_rows.num_rows:
        yield f"{stem}-{RAW}", delivery.raw_rows


def _commit(home: Home, deliveries: Sequence[Delivery], entry_of: Entry) -> None:
    """Show the files with their quarantine and register them: until then nothing of them counts."""
    if not deliveries:
        return
    # Looked at again as long as it lies in the inbox: what contradicts another file, and what was refused but may yet count.
    passing = {one.content_sha256 for one in deliveries if one.status == CONTRADICTING or not one.final}
    entries = [entry_of(delivery) for delivery in deliveries if delivery.content_sha256 not in passing]
    withdrawn = _withdrawn(home, entries, judged={delivery.content_sha256 for delivery in deliveries})
    rows = [_delivery_row(delivery, entry_of(delivery).received_on) for delivery in deliveries]
    reasons = [row for delivery in deliveries for row in _quarantine_rows(delivery)]
    for row, _ in withdrawn:
        rows.append(row)
        reasons += home.warehouse.rows("quarantine", content_sha256=row["content_sha256"])
    contents = {row["content_sha256"] for row in rows}
    before = [row for row in home.warehouse.rows("deliveries") if row["content_sha256"] in contents]
    for label in {row["label"] for row in [*rows, *before]}:
        # What is judged anew gets a new workbook. Before the commit, so that a run that is cut off never keeps the old one.
        (home.feedback / f"{label}.xlsx").unlink(missing_ok=True)
    shown = {"deliveries": rows, "quarantine": reasons}
    home.warehouse.take_up([*(entry for _, entry in withdrawn), *entries], shown)


def _withdrawn(
    home: Home, entries: Sequence[ManifestEntry], judged: Set[str]
) -> list[tuple[dict[str, Any], ManifestEntry]]:
    """A file that contradicted one that now counts was the wrong one: what is shown of it, and its entry as a refused file.

    Registered it is known, so it does not take the place of the right one when it lies in the inbox again. A file that is read
    again says nothing about it.
    """
    known = {entry.content_sha256 for entry in home.warehouse.manifest()}
    new = [entry for entry in entries if entry.status != "refused" and entry.content_sha256 not in known]
    places = {_place(entry.source, entry.label): entry for entry in new}
    reason = "Een ander bestand over dezelfde school en periode is in plaats van dit bestand aanvaard."
    result = []
    for row in home.warehouse.rows("deliveries"):
        right = places.get(_place(row["source"], row["label"]))
        open_still = row["status"] == CONTRADICTING or row["reason"] == LAPSED
        if right and open_still and row["content_sha256"] not in {*judged, *known}:
            mine = {name: row[name] for name in ("content_sha256", "label", "received_on")}
            result.append((row | {"status": "refused", "reason": reason}, replace(right, status="refused", **mine)))
    return result


def _lapse(home: Home, offered: Set[str]) -> bool:
    """End contradictions whose files lie in the inbox no more; True when there were any. They may be offered anew."""
    rows = [r for r in home.warehouse.rows("deliveries", status=CONTRADICTING) if r["content_sha256"] not in offered]
    for row in rows:
        changed = row | {"status": "refused", "reason": LAPSED}
        home.warehouse.replace({"deliveries": [changed]}, content_sha256=row["content_sha256"])
    return bool(rows)


def _place(source: str, label: str) -> tuple[str, str]:
    return source, label.rsplit("-", 1)[0]


def _received(name: str, row: Mapping[str, Any], new: bool, warnings: int) -> Received:
    counts = (row["rows_in"], row["rows_accepted"], row["rows_quarantined"])
    return Received(name, row["label"], row["status"], row["reason"], *counts, new=new, warnings=warnings)


def _unreadable(name: str) -> Received:
    return Received(
        name, UNKNOWN, "refused", "Het bestand is niet te lezen; de andere bestanden wel.", 0, 0, 0, new=True
    )


def _sweep(home: Home) -> None:
    """Remove what a run that was cut off left: tables of file versions that were never registered, and half files."""
    registered = tuple(f"{vault_stem(entry)}-" for entry in home.warehouse.manifest())
    home.vault.sweep({name for name in home.vault.names() if name.startswith((*registered, DECISIONS, RESIDENCE))})
    for folder in (home.feedback, data_docs(home)):
        for half in folder.glob(".*"):  # so `write_atomically` names a file that is not whole yet
            half.unlink(missing_ok=True)


def _mark_superseded(home: Home) -> None:
    """Show in `deliveries` which files have been superseded; derived from the manifest, so a run that was cut off is mended."""
    entries = home.warehouse.manifest()
    replaced = {e.content_sha256 for e in entries if not e.active and e.status != "refused"}
    replaced -= {e.content_sha256 for e in entries if e.active}
    for row in home.warehouse.rows("deliveries"):
        if row["content_sha256"] in replaced and row["status"] not in ("superseded", WITHDRAWN):
            changed = row | {"status": "superseded"}
            home.warehouse.replace({"deliveries": [changed]}, content_sha256=row["content_sha256"])


def _quarantine_table(delivery: Delivery) -> pa.Table:
    rows = [
        {
            "dataset": row.dataset,
            "row_ref": row.row_ref,
            "pupil": row.known.get("pupil"),
            "school": row.known.get("school") or delivery.school,
            "class_code": row.known.get("class_code"),
        }
        for row in delivery.quarantined
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)


def _quarantine_rows(delivery: Delivery) -> Iterator[dict[str, Any]]:
    for reason in _reasons(delivery):
        yield {
            "content_sha256": delivery.content_sha256,
            "label": delivery.label,
            "sheet": reason.sheet,
            "row_number": reason.row_number,
            "column": reason.column,
            "rule": reason.rule,
            "severity": reason.severity,
            "explanation": reason.explanation,
        }


def _reasons(delivery: Delivery) -> Iterable[Reason]:
    yield from (reason for row in delivery.quarantined for reason in row.reasons)
    yield from delivery.warnings


def _delivery_row(delivery: Delivery, on: date) -> dict[str, Any]:
    return {
        "content_sha256": delivery.content_sha256,
        "label": delivery.label,
        "source": delivery.source,
        "school_year": delivery.school_year,
        "scope": " ".join(filter(None, (delivery.school, delivery.provider, delivery.period))) or None,
        "status": delivery.status,
        "received_on": on,
        "records_in": delivery.records_in,
        "records_beside": delivery.records_beside,
        "rows_in": delivery.rows_in,
        "rows_accepted": delivery.rows_accepted,
        "rows_quarantined": delivery.rows_quarantined,
        "reason": delivery.reason,
    }


def _entry(delivery: Delivery, home: Home, on: date) -> ManifestEntry:
    return ManifestEntry(
        content_sha256=delivery.content_sha256,
        contract_fingerprint=delivery.contract_fingerprint or _no_contract(),
        parser_version=PARSER_VERSION,
        key_id=home.keys.key_id,
        label=delivery.label,
        source=delivery.source,
        school_year=delivery.school_year,
        school=delivery.school,
        provider=delivery.provider,
        period=delivery.period,
        status=delivery.status,
        received_on=on,
    )
