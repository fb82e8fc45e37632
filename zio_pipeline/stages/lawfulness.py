"""The lawfulness file of a school year: what was declared beside the hours that prove it, a sample, and the workbook of both.

Belongs here: reading the established year and the timesheets, publishing, and writing the workbook into the confidential outbox.
Does not belong here: the figures and the draw (`hours.lawfulness`), how the workbook looks (`hours.lawfulness_file`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.establishments import Establishment
from resources.home import Home, write_atomically
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.declarations import Term, monthly_declarations
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.establishment import require_signed
from zio_pipeline.figures import stamped
from zio_pipeline.hours import lawfulness as rules
from zio_pipeline.hours.lawfulness_file import Dossier, lawfulness_file
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages.hours import HoursYear, hours_year, read_lines
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.timesheets import months_with_lines

LAWFULNESS_TABLES = ("lawfulness", "lawfulness_sample")

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Draw:
    """How lines are drawn and from when an amount that is not covered matters.

    `seed`: any text, None is the school year; `size`: lines per order; `tolerance_permille`: of the declared amount.
    """

    seed: str | None = None
    size: int = rules.SAMPLE_SIZE
    tolerance_permille: int = rules.TOLERANCE_PERMILLE

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.tolerance_permille <= 1000:
            raise ZioError("Kies ten minste één regel per opdracht, en een tolerantie van 0 tot en met 1000 promille.")


def publish_lawfulness(home: Home, school_year: str, as_of: date, draw: Draw = Draw()) -> tuple[Path, Rows]:
    """Publish `lawfulness` and `lawfulness_sample` of an established year, and write the workbook; its path, and the rows.

    Raises:
        EstablishmentBlocked: the year is not established, so nothing may be declared yet.
        NotProved: the terms lack a valid verdict, or are not those that were signed for.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked([f"schooljaar {school_year} is nog niet vastgesteld; er is niets te declareren."])
    year, seed = hours_year(home, school_year), draw.seed or school_year
    setup = year.setup
    worked, candidates = _hours(home, year, as_of, seed, draw.size)
    declared = _declared(home, standing, setup, as_of)
    orders = [
        rules.lawfulness_row(
            o, declared[o.order_id], worked.get(o.order_id, rules.Worked()), as_of, draw.tolerance_permille
        )
        for o in setup.orders
    ]
    tables = {
        "lawfulness": stamped(orders, setup, standing.version),
        "lawfulness_sample": stamped(rules.sample_rows(candidates, seed, draw.size), setup, standing.version),
    }
    publish(home, tables, {"school_year": school_year, "version": standing.version})
    dossier = Dossier(
        school_year=school_year,
        version=standing.version,
        as_of=as_of,
        through=rules.through(as_of),
        tolerance_permille=draw.tolerance_permille,
        seed=seed,
        sample_size=draw.size,
        fictitious=setup.settings.fictitious,
    )
    path = dossier_path(home, school_year)
    write_atomically(path, lawfulness_file(dossier, *(tables[name] for name in LAWFULNESS_TABLES)))
    return path, tables


def dossier_path(home: Home, school_year: str) -> Path:
    """Where the workbook of a year is kept."""
    return home.outbox / school_year / "vertrouwelijk" / f"rechtmatigheid-{school_year}.xlsx"


def _hours(
    home: Home, year: HoursYear, as_of: date, seed: str, size: int
) -> tuple[dict[str, rules.Worked], list[pa.Table]]:
    """Hours per order and the lines with the lowest lots, of the months that are over."""
    key, last = year.setup.settings.school_year.key, f"{rules.through(as_of):%Y-%m}"
    parts: list[tuple[str, str, int, int]] = []
    candidates = []
    for month in months_with_lines(home, key):
        if month <= last:
            with read_lines(home, key, month, year) as lines:
                parts += rules.worked(lines, as_of)
                candidates.append(rules.drawn(lines, as_of, seed, size))
    return rules.added_up(parts), candidates


def _declared(home: Home, standing: Establishment, setup: SchoolYearSetup, as_of: date) -> dict[str, rules.Declared]:
    """What each order may declare, added up from the signed terms."""
    rows = trusted_rows(home, "terms", school_year=standing.school_year, version=standing.version)
    names = [field.name for field in fields(Term)]
    declarations = monthly_declarations(setup, [Term(**{name: row[name] for name in names}) for row in rows])
    require_signed(
        standing.receipt, {"terms": rows, "monthly_declarations": stamped(declarations, setup, standing.version)}
    )
    last = f"{rules.through(as_of):%Y-%m}"
    year, to_date = _per_order(declarations), _per_order(row for row in declarations if row["month"] <= last)
    budgets, granted = Counter[str](), Counter[str]()
    for budget in doelgroep_budgets(setup):
        budgets[budget.order_id] += budget.budget_cents
    for c in setup.classes:
        granted[c.order_id] += granted_minutes(setup, c)
    return {
        o.order_id: rules.Declared(
            to_date_cents=to_date[o.order_id],
            year_cents=year[o.order_id],
            budget_cents=budgets[o.order_id],
            granted_minutes=granted[o.order_id],
        )
        for o in setup.orders
    }


def _per_order(declarations: Iterable[dict[str, Any]]) -> Counter[str]:
    sums = Counter[str]()
    for row in declarations:
        sums[row["order_id"]] += row["amount_cents"]
    return sums
