"""What one offered file comes to: a verdict, its accepted rows, its quarantined rows, and every reason.

Belongs here: the result types of intake and the exception that refuses a whole file.
Does not belong here: how the verdict is reached (the other modules of intake) and where it is kept.

Nothing personal stands in a label, a reason or a `repr`; personal values are only in `accepted`, `known` (pupil keys as
pseudonyms) and, as the sender wrote them, in `quarantined_raw`. Those three go to the vault and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from zio_pipeline.errors import ZioError

UNKNOWN = "unknown"
Status = Literal["accepted", "partly_accepted", "refused"]

RAW_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("sheet", pa.string()),
        ("row_number", pa.int64()),
        ("position", pa.int64()),
        ("header", pa.string()),
        ("value", pa.string()),
    ]
)
"""`quarantined_raw`: a line per filled cell of a quarantined row, as the sender wrote it; `position` counts from 1."""


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
    """What one offered file comes to. Unless it is refused, rows_in == rows_accepted + rows_quarantined.

    A refused file has no accepted rows; its `rows_in` is 0 when it was refused before its rows were judged, and
    `quarantined` still holds the reasons of its bad rows when it was refused after that.
    """

    content_sha256: str
    label: str
    source: str
    contract_fingerprint: str
    school_year: str | None
    school: str | None
    provider: str | None
    month: str | None
    status: Status
    reason: str | None
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    accepted: Mapping[str, pa.Table] = field(repr=False)
    quarantined: tuple[QuarantinedRow, ...] = field(repr=False)
    warnings: tuple[Reason, ...]
    quarantined_raw: pa.Table = field(repr=False)
