"""Receiving files: any bytes in the inbox end accepted, partly accepted or refused, with a reason and without loss.

Belongs here: what is stored of a file and in which order, so that a kill leaves the old state or the new one: first the vault,
then the audit, then the row that makes the file count. Does not belong here: reading or judging (intake).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.home import Home
from zio_pipeline.contracts import sources
from zio_pipeline.errors import SetupError, ZioError
from zio_pipeline.intake import PARSER_VERSION, Delivery, take_in
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.privacy import Keys
from zio_pipeline.setup import read_setup
from zio_pipeline.stages.publishing import require_verdict

QUARANTINED = "quarantined"
DECISIONS = "payer_decisions-"
"""How the tables in the vault begin that no file brought: who pays for whom, by school year and content."""
_QUARANTINE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("dataset", "row_ref", "pupil", "school", "class_code")]
)


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


def receive(home: Home, folder: Path, on_file: Callable[[], None] = lambda: None) -> list[Received]:
    """Take in every file of a folder, in order of name; files that begin with a dot are not for us.

    Same bytes under the same contract, reader and key: nothing happens. A newer file of the same sender, school and period
    supersedes the earlier one; both are kept. Everything is read first and audited per source; then each file counts in turn.
    """
    with home.vault.exclusive():
        results = _receive(home, folder, on_file)
        _mark_superseded(home)
        _sweep(home)
    return results


def _receive(home: Home, folder: Path, on_file: Callable[[], None]) -> list[Received]:
    paths: list[tuple[Path, str]] = []
    fresh: dict[str, Delivery] = {}
    for path in inbox_files(folder):
        data = path.read_bytes()
        content = hashlib.sha256(data).hexdigest()
        paths.append((path, content))
        if content not in fresh and _already_received(home, content) is None:
            fresh[content] = _workbook_judged(take_in(data, home.keys))
            _keep(home, fresh[content], data)
        on_file()
    _audit_accepted(home, list(fresh.values()))
    for content, delivery in fresh.items():
        fresh[content] = _commit(home, delivery)
    results = []
    for path, content in paths:
        row = (
            _delivery_row(fresh[content])
            if content in fresh
            else home.warehouse.rows("deliveries", content_sha256=content)[0]
        )
        counts = (row["rows_in"], row["rows_accepted"], row["rows_quarantined"])
        results.append(Received(path.name, row["label"], row["status"], row["reason"], *counts, new=content in fresh))
    return results


def _workbook_judged(delivery: Delivery) -> Delivery:
    """A workbook that contradicts itself is refused here: once active it would stop the year, and the good one be gone."""
    if delivery.source != "school_year_setup" or not delivery.accepted:
        return delivery
    try:
        read_setup({name: table.to_pylist() for name, table in delivery.accepted.items()})
    except SetupError as error:
        return _refused(delivery, str(error))
    return delivery


def _against_standing(home: Home, delivery: Delivery) -> Delivery:
    """Refuse a file that would take the place of a better one: an older Wlz list, or timesheets of fewer weeks."""
    refusal = {"wlz_statuses": _older_list, "provider_timesheets": _weeks_lost}.get(delivery.source)
    if refusal is None or not delivery.accepted:
        return delivery
    table, place = delivery.accepted[delivery.source], _entry(delivery, home.keys).scope
    for entry in home.warehouse.manifest(source=delivery.source, scope=place, active=True):
        reason = refusal(table, accepted_table(home, entry, delivery.source))
        if reason:
            return _refused(delivery, reason)
    return delivery


def _older_list(offered: pa.Table, standing: pa.Table) -> str | None:
    day, newest = max(offered["list_date"].to_pylist()), max(standing["list_date"].to_pylist())
    if day >= newest:
        return None
    return f"De lijst van {day:%d-%m-%Y} is ouder dan de lijst die nu geldt, van {newest:%d-%m-%Y}."


def _weeks_lost(offered: pa.Table, standing: pa.Table) -> str | None:
    """A later file of the month takes the place of the earlier one, so it must cover its weeks."""
    lost = _weeks(standing) - _weeks(offered)
    if not lost:
        return None
    weeks = ", ".join(str(week) for _, week in sorted(lost))
    return f"Het bestand mist week {weeks}, die eerder wel is aangeleverd. Lever de hele maand in één bestand aan."


def _weeks(table: pa.Table) -> set[tuple[int, int]]:
    return {day.isocalendar()[:2] for day in table["work_date"].to_pylist()}


def _refused(delivery: Delivery, reason: str) -> Delivery:
    return replace(delivery, status="refused", reason=reason, rows_accepted=0, accepted={})


def inbox_files(folder: Path) -> list[Path]:
    """The files of an inbox, in order of name.

    Raises:
        ZioError: there is no such folder.
    """
    if not folder.is_dir():
        raise ZioError(f"De map {folder} bestaat niet; geef met --inbox de map met aangeleverde bestanden.")
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _keep(home: Home, delivery: Delivery, data: bytes) -> None:
    """Into the vault: the bytes, the accepted rows, what can be known of the quarantined ones, and those as they were sent."""
    name = _stem(_entry(delivery, home.keys))
    home.vault.put_bytes(delivery.content_sha256, data)
    for dataset, table in delivery.accepted.items():
        home.vault.put(f"{name}-{dataset}", table)
    home.vault.put(f"{name}-{QUARANTINED}", _quarantine_table(delivery))
    home.vault.put(f"{name}-raw", delivery.quarantined_raw)


def _audit_accepted(home: Home, deliveries: Sequence[Delivery]) -> None:
    """Once per delivery: the accepted rows of each source against their contract. Rows judged good that fail here stop all."""
    for source in sorted({d.source for d in deliveries if d.accepted}):
        mine = [d for d in deliveries if d.source == source and d.accepted]
        keyed = any(dataset.key for dataset in sources()[source].datasets)
        # Rows of a keyed source are unique within a file only; the others are audited as one batch, which is far faster.
        for batch in [[d] for d in mine] if keyed else [mine]:
            identity = hashlib.sha256(",".join(sorted(d.content_sha256 for d in batch)).encode()).hexdigest()
            for dataset in sources()[source].datasets:
                table = pa.concat_tables([d.accepted[dataset.name] for d in batch])
                require_verdict(home, dataset, identity, table.to_pylist)


def _commit(home: Home, delivery: Delivery) -> Delivery:
    """Show the file and its quarantine, then register it: until the manifest row stands, nothing of this file counts."""
    delivery = _against_standing(home, delivery)
    for name, rows in (("quarantine", list(_quarantine_rows(delivery))), ("deliveries", [_delivery_row(delivery)])):
        home.warehouse.replace({name: rows}, content_sha256=delivery.content_sha256)
    home.warehouse.register(_entry(delivery, home.keys))
    return delivery


def _stem(entry: ManifestEntry) -> str:
    """How the vault names a file version: another name for other bytes, another contract, reader or key."""
    return f"{entry.content_sha256}-{entry.contract_fingerprint[:12]}-{entry.parser_version}-{entry.key_id}"


def accepted_rows(home: Home, entry: ManifestEntry, dataset: str) -> list[dict[str, Any]]:
    """Accepted rows of one dataset of a received file, or its quarantined rows with dataset `quarantined`."""
    return accepted_table(home, entry, dataset).to_pylist()  # type: ignore[no-any-return]


def accepted_table(home: Home, entry: ManifestEntry, dataset: str) -> pa.Table:
    """As `accepted_rows`, as an Arrow table."""
    return home.vault.get(f"{_stem(entry)}-{dataset}")


def _already_received(home: Home, content_sha256: str) -> dict[str, Any] | None:
    """What the warehouse knows of these bytes, when they were read as they would be read today."""
    rows = home.warehouse.rows("deliveries", content_sha256=content_sha256)
    if not rows or rows[0]["source"] not in sources():
        return None
    registered = home.warehouse.manifest(
        content_sha256=content_sha256,
        contract_fingerprint=sources()[rows[0]["source"]].fingerprint,
        parser_version=PARSER_VERSION,
        key_id=home.keys.key_id,
    )
    return rows[0] if registered else None


def _sweep(home: Home) -> None:
    """Remove what a run that was cut off left in the vault: tables of file versions that were never registered."""
    registered = tuple(f"{_stem(entry)}-" for entry in home.warehouse.manifest())
    home.vault.sweep({name for name in home.vault.names() if name.startswith((*registered, DECISIONS))})


def _mark_superseded(home: Home) -> None:
    """Show in `deliveries` which files have been superseded; derived from the manifest, so a run that was cut off is mended."""
    replaced = {e.content_sha256 for e in home.warehouse.manifest(active=False) if e.status != "refused"}
    replaced -= {e.content_sha256 for e in home.warehouse.manifest(active=True)}
    for row in home.warehouse.rows("deliveries"):
        if row["content_sha256"] in replaced and row["status"] != "superseded":
            home.warehouse.replace(
                {"deliveries": [row | {"status": "superseded"}]}, content_sha256=row["content_sha256"]
            )


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
    return pa.Table.from_pylist(rows, schema=_QUARANTINE_SCHEMA)


def _quarantine_rows(delivery: Delivery) -> Iterator[dict[str, Any]]:
    for reason in _reasons(delivery):
        yield {
            "content_sha256": delivery.content_sha256,
            "label": delivery.label,
            "sheet": reason.sheet or "",
            "row_number": reason.row_number,
            "column": reason.column,
            "rule": reason.rule,
            "severity": reason.severity,
            "explanation": reason.explanation,
        }


def _reasons(delivery: Delivery) -> Iterable[Any]:
    yield from (reason for row in delivery.quarantined for reason in row.reasons)
    yield from (warning for warning in delivery.warnings if warning.row_number)


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "content_sha256": delivery.content_sha256,
        "label": delivery.label,
        "source": delivery.source,
        "school_year": delivery.school_year,
        "scope": " ".join(filter(None, (delivery.school, delivery.provider, delivery.month))) or None,
        "status": delivery.status,
        "rows_in": delivery.rows_in,
        "rows_accepted": delivery.rows_accepted,
        "rows_quarantined": delivery.rows_quarantined,
        "reason": delivery.reason,
    }


def _entry(delivery: Delivery, keys: Keys) -> ManifestEntry:
    return ManifestEntry(
        content_sha256=delivery.content_sha256,
        contract_fingerprint=delivery.contract_fingerprint,
        parser_version=PARSER_VERSION,
        key_id=keys.key_id,
        label=delivery.label,
        source=delivery.source,
        school_year=delivery.school_year,
        school=delivery.school,
        provider=delivery.provider,
        month=delivery.month,
        status=delivery.status,
    )
