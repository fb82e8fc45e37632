"""The urenstaten as files: XLSX and CSV mixed, each with its own way of stating a duration.

Belongs here: columns, forms and encodings of the files, and where the planted lines ended up in them.
Does not belong here: the lines themselves (timesheets, timesheet_faults).
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path

from zio_pipeline.contracts import Dataset, sources
from zio_pipeline.demo.model import Draft
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK
from zio_pipeline.demo.setup_book import PROVIDERS
from zio_pipeline.demo.sheets import Cell, Sheet, header, label, write_csv, write_xlsx
from zio_pipeline.demo.timesheet_faults import (
    BAD,
    BEGIN_END,
    CLOCK,
    DECIMAL,
    MINUTES,
    add_bad_rows,
    add_odd_rows,
)
from zio_pipeline.demo.timesheets import WORKED_MONTHS, Line, School

XLSX, CSV_BOM, CSV_CP1252 = "xlsx", "utf-8-sig", "cp1252"

_FORMS = {
    LEIJPARK: (
        (CSV_BOM, CLOCK), (XLSX, CLOCK), (XLSX, MINUTES), (CSV_BOM, DECIMAL), (CSV_CP1252, CLOCK), (XLSX, BEGIN_END),
        (CSV_BOM, BEGIN_END), (XLSX, MINUTES), (CSV_CP1252, DECIMAL), (XLSX, BEGIN_END), (CSV_BOM, DECIMAL),
        (XLSX, CLOCK),
    ),
    DE_BODDE: (
        (XLSX, MINUTES), (CSV_CP1252, DECIMAL), (CSV_BOM, MINUTES), (XLSX, BEGIN_END), (CSV_BOM, DECIMAL), (CSV_CP1252, BEGIN_END),
        (XLSX, CLOCK), (CSV_BOM, DECIMAL), (XLSX, BEGIN_END), (CSV_CP1252, MINUTES), (XLSX, MINUTES),
        (CSV_BOM, CLOCK),
    ),
}  # fmt: skip
"""Per school, per month from August: kind of file and form of duration."""

_DURATION_COLUMNS = {
    DECIMAL: ("duration_minutes",),
    CLOCK: ("duration_minutes",),
    MINUTES: ("stated_minutes",),
    BEGIN_END: ("begin_minute", "end_minute", "pause_minutes"),
}
_BEFORE = ("school_year", "provider", "school", "class_code", "employee", "work_date")
_AFTER = ("activity", "function", "handed_in_on", "approved_on", "forwarded_on")
_ALIASES: dict[str, dict[str, str]] = {
    XLSX: {},
    CSV_BOM: {"employee": "Medewerkernummer", "class_code": "Groep", "stated_minutes": "Duur (min)"},
    CSV_CP1252: {"school": "BRIN", "duration_minutes": "Aantal uren", "activity": "Soort uren"},
}


@dataclass
class Written:
    """What came of it: files, planted lines by case as `file:row` (row as the sender sees it), and totals."""

    files: list[Path] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _File:
    """One urenstaat: school, month key, kind of file, form of duration."""

    school: str
    month: str
    kind: str
    form: str


def write_timesheets(out: Path, draft: Draft) -> Written:
    """Write the urenstaten of both schools, a file per month in which school is open."""
    written = Written()
    for school, forms in _FORMS.items():
        hours, rng = School(draft, school), draft.rng(f"fouten {school}")
        for number, (month, (kind, form)) in enumerate(zip(WORKED_MONTHS, forms, strict=True)):
            lines = hours.month(month)
            if not lines:
                continue
            written.counts["direct_minutes"] += sum(line.minutes for line in lines if line.activity == "direct")
            missing = add_odd_rows(lines, month, form) if school == LEIJPARK else None
            if missing:
                written.planted["hours_missing_week"] = [f"{school} {missing}"]
            add_bad_rows(lines, form, number, rng)
            lines.sort(key=lambda line: (line.day, line.class_code, line.begin, line.employee, line.tag or ""))
            path, first_row = _write_file(out, draft, _File(school, draft.year.month_key(month), kind, form), lines)
            _note(written, path, first_row, lines)
    return written


def _note(written: Written, path: Path, first_row: int, lines: list[Line]) -> None:
    written.files.append(path)
    written.counts["timesheet_rows"] += len(lines)
    for row_number, line in enumerate(lines, start=first_row):
        if line.tag:
            written.planted.setdefault(line.tag, []).append(f"{path.name}:{row_number}")
            written.counts["bad_timesheet_rows"] += line.tag == BAD


def _write_file(out: Path, draft: Draft, file: _File, lines: list[Line]) -> tuple[Path, int]:
    """Write one file; returns it with the row number of its first line, counted as the sender sees it."""
    dataset = sources()["provider_timesheets"].datasets[0]
    agb, provider = PROVIDERS[file.school]
    names = [*_BEFORE, *_DURATION_COLUMNS[file.form], *_AFTER]
    headers = [header(dataset, name, _ALIASES[file.kind].get(name)) for name in names]
    rows = [_row(dataset, names, (draft.year.key, agb, file.school), line, file.form) for line in lines]
    stem = f"urenstaat-{file.school}-{file.month}"
    if file.kind == XLSX:
        title = f"Urenstaat {provider}, vestiging {file.school}, {file.month} (fictief demobestand)"
        sheet = Sheet("Uren", (title,), headers, rows)
        write_xlsx(out / f"{stem}.xlsx", [sheet])
        return out / f"{stem}.xlsx", sheet.header_row + 1
    write_csv(out / f"{stem}.csv", [*headers, "opmerking"], ([*row, "fictief"] for row in rows), file.kind)
    return out / f"{stem}.csv", 2


def _row(dataset: Dataset, names: list[str], fixed: tuple[str, str, str], line: Line, form: str) -> list[Cell]:
    cells: dict[str, Cell] = {
        **dict(zip(("school_year", "provider", "school"), fixed, strict=True)),
        "class_code": line.class_code,
        "employee": line.employee,
        "work_date": line.day,
        "activity": label(dataset, "activity", line.activity),
        "function": label(dataset, "function", line.function),
        "handed_in_on": line.handed_in,
        "approved_on": line.approved,
        "forwarded_on": line.forwarded,
        **_duration(line, form),
        **line.raw,
    }
    return [cells[name] for name in names]


def _duration(line: Line, form: str) -> dict[str, Cell]:
    if form == DECIMAL:
        return {"duration_minutes": (Decimal(line.minutes) / 60).normalize()}
    if form == CLOCK:
        return {"duration_minutes": f"{line.minutes // 60}:{line.minutes % 60:02d}"}
    if form == MINUTES:
        return {"stated_minutes": line.minutes}
    end = line.begin + line.minutes + line.pause
    return {
        "begin_minute": time(line.begin // 60, line.begin % 60),
        "end_minute": time(end // 60, end % 60),
        "pause_minutes": line.pause or None,
    }
