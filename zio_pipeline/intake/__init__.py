"""The door: what one offered file comes to, whatever its bytes.

    bytes -> reading (workbook) -> headers -> layout -> judging (parsing) -> scope -> Delivery

Belongs here: `take_in` and the types it returns. It is pure: the same bytes and keys give the same delivery; no file,
no database, no clock, and never an exception about what is in the file (SPEC section 9).
Does not belong here: fetching files (inbox), keeping them (vault, manifest), writing back to the sender (terugmelding).
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import zip_longest

import pyarrow as pa

from zio_pipeline.contracts import sources
from zio_pipeline.intake.delivery import (
    RAW_SCHEMA,
    UNKNOWN,
    Delivery,
    QuarantinedRow,
    Reason,
    RefusedFileError,
    Status,
)
from zio_pipeline.intake.headers import Recognised, recognise, score
from zio_pipeline.intake.judging import Judged, Place, judge
from zio_pipeline.intake.layout import Table, lay_out
from zio_pipeline.intake.parsing import connect
from zio_pipeline.intake.reading import read
from zio_pipeline.intake.scope import NO_SCOPE, Scope, scope_of
from zio_pipeline.privacy import Keys

__all__ = ["PARSER_VERSION", "Delivery", "QuarantinedRow", "Reason", "take_in"]

PARSER_VERSION = "1"
"""Goes up whenever the same bytes may be read otherwise: part of a file's identity in the manifest."""


ALL_OR_NOTHING = "school_year_setup"
"""A tariff, class or contribution that is left out would move its cost to others: a workbook counts whole or not."""


def take_in(data: bytes, keys: Keys) -> Delivery:
    """Recognise, read, parse and judge one file. Never raises on what is in it; a refusal has its reason in Dutch."""
    sha = hashlib.sha256(data).hexdigest()
    try:
        return _take_in(data, sha, keys)
    except RefusedFileError as refused:
        return _delivery(sha, refused.source, refusal=str(refused))
    except Exception as error:  # the one place where an unforeseen fault of a reader must not stop the other files
        reason = f"Het bestand kan niet worden verwerkt ({type(error).__name__}); neem contact op met de beheerder."
        return _delivery(sha, UNKNOWN, refusal=reason)


def _take_in(data: bytes, sha: str, keys: Keys) -> Delivery:
    recognised = recognise(read(data, score))
    try:
        tables = _lay_out(recognised)
    except RefusedFileError as refused:
        return _delivery(sha, recognised.source, refusal=str(refused), warnings=recognised.warnings)
    judged = _judge(recognised, tables, keys)
    scope, refusal = _scope(recognised, judged)
    warnings = (*recognised.warnings, *(warning for table in tables for warning in table.warnings))
    return _delivery(
        sha, recognised.source, refusal=refusal, scope=scope, tables=tables, judged=judged, warnings=warnings
    )


def _lay_out(recognised: Recognised) -> list[Table]:
    tables: list[Table] = []
    for found in recognised.tables:
        tables.append(lay_out(found, rows_before=sum(len(t.rows) for t in tables if t.dataset is found.dataset)))
    if not any(table.rows for table in tables):
        raise RefusedFileError("Het bestand bevat geen enkele rij met gegevens.")
    return tables


def _judge(recognised: Recognised, tables: Sequence[Table], keys: Keys) -> list[Judged]:
    with closing(connect()) as connection:
        return [
            judge(connection, dataset, [table for table in tables if table.dataset is dataset], keys)
            for dataset in recognised.contract.datasets
        ]


def _scope(recognised: Recognised, judged: Sequence[Judged]) -> tuple[Scope, str | None]:
    """What the accepted rows cover, or why the file is refused after all."""
    accepted = {j.dataset.name: j.accepted for j in judged}
    bad = sum(j.rejected.num_rows for j in judged)
    if bad and recognised.source == ALL_OR_NOTHING:
        return (
            NO_SCOPE,
            f"De inrichting heeft {bad} onjuiste rij(en) en wordt in haar geheel geweigerd; de redenen staan per rij.",
        )
    if not any(table.num_rows for table in accepted.values()):
        return NO_SCOPE, "Geen enkele rij van het bestand is bruikbaar; de redenen staan per rij."
    try:
        return scope_of(recognised.source, recognised.contract, accepted), None
    except RefusedFileError as refused:
        return NO_SCOPE, str(refused)


def _delivery(
    sha: str,
    source: str,
    *,
    refusal: str | None,
    scope: Scope = NO_SCOPE,
    tables: Sequence[Table] = (),
    judged: Sequence[Judged] = (),
    warnings: Sequence[Reason] = (),
) -> Delivery:
    label = "-".join(filter(None, (source, scope.school, scope.provider, scope.school_year, scope.month, sha[:8])))
    quarantined = tuple(row for j in judged for row in _quarantined(j, label))
    rows_in, good = sum(len(table.rows) for table in tables), sum(j.accepted.num_rows for j in judged)
    if rows_in != good + len(quarantined):
        raise AssertionError("rows in must be accepted plus quarantined")
    status: Status = "refused" if refusal else "partly_accepted" if quarantined else "accepted"
    return Delivery(
        content_sha256=sha,
        label=label,
        source=source,
        contract_fingerprint=sources()[source].fingerprint if source in sources() else "",
        school_year=scope.school_year,
        school=scope.school,
        provider=scope.provider,
        month=scope.month,
        status=status,
        reason=refusal,
        rows_in=rows_in,
        rows_accepted=0 if refusal else good,
        rows_quarantined=len(quarantined),
        accepted={} if refusal else {j.dataset.name: _accepted(j, label) for j in judged},
        quarantined=quarantined,
        warnings=(*warnings, *(reason for j in judged for reason in _row_warnings(j))),
        quarantined_raw=_raw(tables, quarantined),
    )


def _row_ref(label: str, sheet: str, number: int) -> str:
    return f"{label}:{sheet}:{number}" if sheet else f"{label}:{number}"


def _places(rows: pa.Table) -> Iterator[Place]:
    return zip(rows["sheet"].to_pylist(), rows["row_number"].to_pylist(), strict=True)


def _accepted(judged: Judged, label: str) -> pa.Table:
    rows = judged.accepted.drop_columns(["sheet", "row_number"])
    if "row_ref" in rows.column_names:  # a besluit has a column of that name: the row it settles
        return rows
    references = [_row_ref(label, *place) for place in _places(judged.accepted)]
    return rows.append_column("row_ref", pa.array(references, pa.string()))


def _row_warnings(judged: Judged) -> Iterator[Reason]:
    for place in _places(judged.accepted):
        yield from judged.reasons.get(place, ())


def _quarantined(judged: Judged, label: str) -> Iterator[QuarantinedRow]:
    for row in judged.rejected.to_pylist():
        sheet, number = row.pop("sheet"), row.pop("row_number")
        known = {name: value for name, value in row.items() if value is not None}
        reasons = judged.reasons[sheet, number]
        yield QuarantinedRow(judged.dataset.name, sheet, number, _row_ref(label, sheet, number), reasons, known)


def _raw(tables: Sequence[Table], quarantined: Sequence[QuarantinedRow]) -> pa.Table:
    """The quarantined rows as they were sent, a line per filled cell (RAW_SCHEMA)."""
    wanted = {(row.dataset, row.sheet, row.row_number) for row in quarantined}
    cells: list[tuple[str, str, int, int, str, str]] = []
    for table in tables:
        header = table.found.header.cells
        for row in table.rows:
            place = (table.dataset.name, table.sheet, row.number)
            if place in wanted:
                named = zip_longest(row.cells, header[: len(row.cells)], fillvalue="")
                cells += [(*place, position, name, cell) for position, (cell, name) in enumerate(named, 1) if cell]
    columns = list(zip(*cells, strict=True)) or [()] * len(RAW_SCHEMA)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, RAW_SCHEMA, strict=True)], schema=RAW_SCHEMA)
