"""A delivery out of the judged rows of a file: its scope, its counts, its quarantine, its rows as they were sent.

Belongs here: putting the parts together and proving that no record was lost between the bytes and the verdict.
Does not belong here: reaching the verdict on a row (judging) or on the scope (scope).
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa

from zio_pipeline.contracts import sources
from zio_pipeline.intake.delivery import RAW_SCHEMA, Delivery, QuarantinedRow, Reason, RefusedFileError, Status
from zio_pipeline.intake.headers import SETUP, Recognised
from zio_pipeline.intake.judging import PLACE, Judged, Place
from zio_pipeline.intake.layout import Table
from zio_pipeline.intake.scope import NO_SCOPE, Scope, scope_of


def compose(sha: str, recognised: Recognised, tables: Sequence[Table], judged: Sequence[Judged]) -> Delivery:
    """The delivery of a file whose rows were judged."""
    scope, refusal = _scope(recognised, judged)
    label = _label(recognised.source, scope, sha)
    quarantined = tuple(row for j in judged for row in _quarantined(j, label))
    rows_in, good = sum(len(table.rows) for table in tables), sum(j.accepted.num_rows for j in judged)
    headers, listed = len(tables), sum(len(table.found.sheet) - len(table.rows) for table in tables)
    beside = recognised.records - rows_in
    if rows_in != good + len(quarantined) or not headers <= listed <= beside:
        raise AssertionError("records in must be rows accepted, rows quarantined and what is no data")
    status: Status = "refused" if refusal else "partly_accepted" if quarantined else "accepted"
    warnings = (
        *recognised.warnings,
        *(warning for table in tables for warning in table.warnings),
        *(warning for j in judged for warning in j.warnings),
        *(reason for j in judged for reason in _row_warnings(j)),
    )
    return Delivery(
        content_sha256=sha,
        label=label,
        source=recognised.source,
        contract_fingerprint=recognised.contract.fingerprint,
        school_year=scope.school_year,
        school=scope.school,
        provider=scope.provider,
        period=scope.period,
        status=status,
        reason=refusal,
        records_in=recognised.records,
        records_beside=beside,
        rows_in=rows_in,
        rows_accepted=0 if refusal else good,
        rows_quarantined=len(quarantined),
        accepted={} if refusal else {j.dataset.name: j.accepted for j in judged},
        quarantined=quarantined,
        warnings=warnings,
        raw_rows=_raw(tables, judged),
    )


def refused(sha: str, source: str, reason: str, warnings: Sequence[Reason] = ()) -> Delivery:
    """The delivery of a file that was refused before its rows were judged."""
    return Delivery(
        content_sha256=sha,
        label=_label(source, NO_SCOPE, sha),
        source=source,
        contract_fingerprint=sources()[source].fingerprint if source in sources() else "",
        school_year=None,
        school=None,
        provider=None,
        period=None,
        status="refused",
        reason=reason,
        records_in=0,
        records_beside=0,
        rows_in=0,
        rows_accepted=0,
        rows_quarantined=0,
        accepted={},
        quarantined=(),
        warnings=tuple(warnings),
        raw_rows=RAW_SCHEMA.empty_table(),
    )


def _scope(recognised: Recognised, judged: Sequence[Judged]) -> tuple[Scope, str | None]:
    """What the accepted rows cover, or why the file is refused after all."""
    refusal = next((j.refusal for j in judged if j.refusal), None)
    if refusal:
        return NO_SCOPE, refusal
    accepted, rejected = ({j.dataset.name: getattr(j, kind) for j in judged} for kind in ("accepted", "rejected"))
    bad = sum(j.rejected.num_rows for j in judged)
    if bad and recognised.source == SETUP:
        # A tariff, class or contribution that is left out would move its cost to others: a workbook counts whole or not.
        return (
            NO_SCOPE,
            f"De inrichting heeft {bad} onjuiste rij(en) en wordt in haar geheel geweigerd; de redenen staan per rij.",
        )
    if not any(table.num_rows for table in accepted.values()):
        return NO_SCOPE, "Geen enkele rij van het bestand is bruikbaar; de redenen staan per rij."
    try:
        return scope_of(recognised.source, recognised.contract, accepted, rejected), None
    except RefusedFileError as error:
        return NO_SCOPE, str(error)


def _label(source: str, scope: Scope, sha: str) -> str:
    return "-".join(filter(None, (source, scope.school, scope.provider, scope.school_year, scope.period, sha[:8])))


def row_ref(label: str, sheet: str, number: int) -> str:
    """How a row is named everywhere: by the label of its file, the sheet and the sender's number."""
    return f"{label}:{sheet}:{number}" if sheet else f"{label}:{number}"


def rows_with_refs(label: str, accepted: pa.Table) -> list[dict[str, Any]]:
    """Accepted rows as the rules of the payer want them: each with the `row_ref` of the sender's row in place of its place."""
    rows: list[dict[str, Any]] = accepted.to_pylist()
    for row in rows:
        sheet, number = row.pop("sheet"), row.pop("row_number")
        row.setdefault("row_ref", row_ref(label, sheet, number))  # a besluit names the row it settles by itself
    return rows


def _row_warnings(judged: Judged) -> Iterator[Reason]:
    rejected = _places(judged.rejected)
    for place, reasons in judged.reasons.items():
        if place not in rejected:
            yield from reasons


def _places(rows: pa.Table) -> set[Place]:
    return set(zip(*(rows[name].to_pylist() for name in PLACE.names), strict=True))


def _quarantined(judged: Judged, label: str) -> Iterator[QuarantinedRow]:
    for row in judged.rejected.to_pylist():
        sheet, number = row.pop("sheet"), row.pop("row_number")
        known = {name: value for name, value in row.items() if value is not None}
        reasons = judged.reasons[sheet, number]
        yield QuarantinedRow(judged.dataset.name, sheet, number, row_ref(label, sheet, number), reasons, known)


def _raw(tables: Sequence[Table], judged: Sequence[Judged]) -> pa.Table:
    """The rows with a reason as they were sent (RAW_SCHEMA)."""
    lines: list[tuple[str, str, int, int, str, str, str]] = []
    for table in tables:
        names = {place: column for column, places in table.found.positions.items() for place in places}
        reasons = next(j.reasons for j in judged if j.dataset is table.dataset)
        wanted = np.isin(table.numbers, [number for sheet, number in reasons if sheet == table.sheet])
        for index in table.rows[wanted].tolist():
            place = (table.dataset.name, table.sheet, int(table.found.sheet.numbers[index]))
            pairs = enumerate(zip_longest(table.found.header, table.found.sheet.row(index), fillvalue=""))
            lines += [
                (*place, position + 1, header, names.get(position, ""), cell)
                for position, (header, cell) in pairs
                if header or cell
            ]
    columns = list(zip(*lines, strict=True)) or [()] * len(RAW_SCHEMA)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, RAW_SCHEMA, strict=True)], schema=RAW_SCHEMA)
