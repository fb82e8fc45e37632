"""Timesheets in memory, so that a test states only what matters to it. Every figure is fictief.

Belongs here: rows of `provider_timesheets` as the vault holds them, and putting them where intake puts them.
Does not belong here: any expectation.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from tests.region import KEY, Region
from tests.year_builder import LEIJPARK, SIZA, contract_row
from zio_pipeline.contracts import sources
from zio_pipeline.figures import canonical
from zio_pipeline.hours.lines import Timesheet
from zio_pipeline.intake.parsing import schema
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.periods import month_of, periods_of
from zio_pipeline.stages.standing import vault_stem

SOURCE = "provider_timesheets"
SCHEMA = pa.schema(
    [("sheet", pa.string()), ("row_number", pa.int64()), *schema(sources()[SOURCE].dataset(SOURCE))]  # type: ignore[misc]
)

Row = Mapping[str, Any]


def line(day: date, minutes: int | None = None, class_code: str = "EMB1", **values: Any) -> dict[str, Any]:
    """One line of Siza at Leijpark: direct, begeleiding, approved a week later; `minutes` as stated hours."""
    default = {
        "school_year": "2025-2026",
        "provider": SIZA,
        "school": LEIJPARK,
        "class_code": class_code,
        "employee": "e1",
        "work_date": day,
        "duration_minutes": minutes,
        "activity": "direct",
        "function": "guidance",
        "approved_on": date(2026, 7, 20),
    }
    return contract_row(SOURCE, SOURCE, **default | values)


def table(rows: Iterable[Row]) -> pa.Table:
    """The rows as an accepted table."""
    placed = [{**row, "sheet": "", "row_number": number} for number, row in enumerate(rows, start=2)]
    return pa.Table.from_pylist(placed, schema=SCHEMA)


def timesheet(label: str, *rows: Row) -> Timesheet:
    return Timesheet(label, table(rows))


def deliver_hours(region: Region, rows: Sequence[Row]) -> str:
    """These rows count from now on for their provider, school and month (or week of two months); the label of the file."""
    content = hashlib.sha256(canonical(list(rows)).encode()).hexdigest()
    provider, school = rows[0]["provider"], rows[0]["school"]
    days = {row["work_date"] for row in rows}
    months = {month_of(day) for day in days}
    (period,) = months if len(months) == 1 else periods_of(days)
    label = f"{SOURCE}-{school}-{provider}-{KEY}-{period}-{content[:8]}"
    entry = ManifestEntry(
        content_sha256=content,
        contract_fingerprint="0" * 64,
        parser_version="test",
        key_id=region.home.keys.key_id,
        label=label,
        source=SOURCE,
        school_year=KEY,
        school=school,
        provider=provider,
        period=period,
        status="accepted",
        received_on=date(2026, 7, 21),
    )
    region.home.vault.put(f"{vault_stem(entry)}-{SOURCE}", table(rows))
    region.home.warehouse.register(entry)
    return label
