"""What a file covers: one school year, and where its contract has them one school, provider, period and date of list.

A timesheet covers a week (its part in one month) when all its days lie in one, and else a month. A file of claims is about one
provider and one month in which it invoiced; its lines may be of any school and service month.

Belongs here: reading that from the accepted rows, and refusing a file that covers more than one.
Does not belong here: whether an earlier file of the same scope is replaced (the manifest in the warehouse).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from zio_pipeline.contracts import Contract
from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.headers import SETUP
from zio_pipeline.periods import month_of, periods_of
from zio_pipeline.school_year import SchoolYear

SCOPE_COLUMNS = ("school_year", "school", "provider", "list_date")
SEVERAL = {("provider_claims", "school")}
"""What a file of a source may have more than one of: it is then no part of what the file is about."""
WORKED_ON = "work_date"
INVOICED_ON = "invoice_date"
YEAR_SETTING = "schooljaar"
SHOWN = 6


@dataclass(frozen=True)
class Scope:
    """What the file is about; what its contract does not have is None."""

    school_year: str | None = None
    school: str | None = None
    provider: str | None = None
    period: str | None = None


NO_SCOPE = Scope()


def scope_of(
    source: str, contract: Contract, accepted: Mapping[str, pa.Table], rejected: Mapping[str, pa.Table]
) -> Scope:
    """The scope of the accepted rows (at least one). Rows that were set apart decide nothing, but for one thing: a file about one
    month is about more than a week of it when they are of another week.

    Raises:
        RefusedFileError: they cover more than one year, school, provider, period or list date, or another year's period.
    """
    if source == SETUP:
        return Scope(school_year=_year_of_setup(accepted["settings"]))
    (dataset,) = contract.datasets
    rows = accepted[dataset.name]
    names = {column.name: column.dutch for column in dataset.columns}
    present = [name for name in SCOPE_COLUMNS if name in names and (source, name) not in SEVERAL]
    values = {name: _single(rows[name].unique().to_pylist(), names[name]) for name in present}
    if WORKED_ON in names:
        days = set(rows[WORKED_ON].unique().to_pylist())
        months = {month_of(day) for day in days}
        if len(months) == 1:
            days |= {
                day for day in rejected[dataset.name][WORKED_ON].drop_null().to_pylist() if month_of(day) in months
            }
        values["period"] = _single(periods_of(days), "maand")
        _check_days(values["school_year"], days)
    if INVOICED_ON in names:  # an invoice may be sent, or corrected, after the school year
        values["period"] = _single({month_of(day) for day in rows[INVOICED_ON].unique().to_pylist()}, "factuurmaand")
    values.pop("list_date", None)
    return Scope(**values)


def _single(values: Iterable[str | date], dutch: str) -> str:
    found = sorted(f"{value:%d-%m-%Y}" if isinstance(value, date) else value for value in values)
    if len(found) > 1:
        shown = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
        reason = f"Het bestand bevat meer dan één {dutch}: {shown}. Lever per {dutch} een eigen bestand."
        raise RefusedFileError(reason)
    return found[0]


def _check_days(school_year: str, days: Iterable[date]) -> None:
    outside = sorted({month_of(day) for day in days if not SchoolYear.parse(school_year).contains(day)})
    if outside:
        reason = f"De maand {outside[0]} valt niet in het schooljaar {school_year} dat in het bestand staat."
        raise RefusedFileError(reason)


def _year_of_setup(settings: pa.Table) -> str:
    pairs = zip(settings["key"].to_pylist(), settings["value"].to_pylist(), strict=True)
    years = {value for key, value in pairs if key == YEAR_SETTING}
    if len(years) != 1:
        reason = f"Blad '{YEAR_SETTING}' moet de instelling '{YEAR_SETTING}' bevatten, met precies één waarde."
        raise RefusedFileError(reason)
    year = str(*years)
    if not re.fullmatch(r"20\d\d-20\d\d", year, re.ASCII) or int(year[:4]) + 1 != int(year[5:]):
        reason = f"De instelling '{YEAR_SETTING}' moet een schooljaar zijn, bijvoorbeeld 2025-2026."
        raise RefusedFileError(reason)
    return year
