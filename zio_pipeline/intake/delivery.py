"""What one offered file comes to: a verdict, its accepted rows, its quarantined rows, and every reason.

Belongs here: the result types of intake and the exception that refuses a whole file.
Does not belong here: how the verdict is reached (the other modules of intake) and where it is kept.

Nothing personal stands in a label, a reason or a `repr`; personal values are only in `accepted`, `known` (pupil keys as
pseudonyms) and, as the sender wrote them, in `raw_rows`. Those three go to the vault and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pyarrow as pa

from zio_pipeline.errors import ZioError

UNKNOWN = "unknown"
Status = Literal["accepted", "partly_accepted", "refused", "contradicting"]
CONTRADICTING: Status = "contradicting"
"""Offered together with another file of the same place: neither counts until a person says which is right."""

RAW_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("sheet", pa.string()),
        ("row_number", pa.int64()),
        ("position", pa.int64()),
        ("header", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
    ]
)
"""`raw_rows`: every row with a reason, as the sender wrote it: a line per header, and per filled cell beyond them.

`position` counts from 1; `column` is the name in the contract, '' when the header is unknown.
"""


class RefusedFileError(ZioError):
    """The whole file is refused, with a Dutch sentence for its sender; `source` is the contract it looks like."""

    def __init__(self, reason: str, source: str = UNKNOWN):
        self.source = source
        super().__init__(reason)


@dataclass(frozen=True)
class Reason:
    """Why a row, or something beside the rows, needs attention.

    `row_number` is the sender's own line (CSV) or row (XLSX), from 1; 0 speaks of a whole sheet. `column` is the name
    in the contract, '' for the whole row. `severity` is 'error' or 'warning'. `explanation` is Dutch, without values of
    cells.
    """

    dataset: str
    sheet: str
    row_number: int
    column: str
    rule: str
    severity: str
    explanation: str


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that was set apart: its reasons in column order, and in `known` the columns that could be read (typed)."""

    dataset: str
    sheet: str
    row_number: int
    row_ref: str
    reasons: tuple[Reason, ...]
    known: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """What one offered file comes to.

    records_in == records_beside + rows_in, where `records_beside` counts what is no data: blank lines, titles, headers,
    totals, notes, sheets that are not read. Unless the file is refused, rows_in == rows_accepted + rows_quarantined.
    A refused file has no accepted rows; its counts are 0 when it was refused before its rows were judged, and
    `quarantined` still holds the reasons of its bad rows when it was refused after that.

    An accepted table has the sender's `sheet` ('' for a text file) and `row_number`, and the columns of the contract.
    """

    content_sha256: str
    label: str
    source: str
    contract_fingerprint: str
    school_year: str | None
    school: str | None
    provider: str | None
    period: str | None
    status: Status
    reason: str | None
    records_in: int
    records_beside: int
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    accepted: Mapping[str, pa.Table] = field(repr=False)
    quarantined: tuple[QuarantinedRow, ...] = field(repr=False)
    warnings: tuple[Reason, ...]
    raw_rows: pa.Table = field(repr=False)
    final: bool = True
    """False for a refusal by a fault of ours or of the machine, or because of what else counts: the file is looked at again as long
    as it is offered, it is not known."""


def refusal_of(delivery: Delivery, reason: str) -> Delivery:
    """The same file, refused after its rows were judged."""
    return replace(delivery, status="refused", reason=reason, rows_accepted=0, accepted={})
