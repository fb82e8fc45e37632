"""Lawfulness (rechtmatigheid): is what was declared covered by hours that the school approved, and which lines to look at.

Belongs here: the value of approved hours beside the declared amount of each order, the verdict against a tolerance, and a sample
of lines that anybody can draw again. Does not belong here: reading timesheets, the workbook (`lawfulness_file`), any amount that
is billed: money follows the order, the hours only prove it (SPEC section 7).

The tolerance is a signal per order. The approval tolerance of a municipal audit is 2 % of its whole omvangsbasis (BADO from 2025,
DOMAIN 2.7), errors and uncertainties together; the accountant judges.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.money import format_euro, round_half_up
from zio_pipeline.setup import Order

TOLERANCE_PERMILLE = 20
SAMPLE_SIZE = 25
MINUTES_PER_HOUR = 60
Row = dict[str, Any]


@dataclass(frozen=True)
class Worked:
    """Direct minutes of one order, per function: approved by the school, and not yet (provisional)."""

    approved_care: int = 0
    approved_guidance: int = 0
    provisional_care: int = 0
    provisional_guidance: int = 0


@dataclass(frozen=True)
class Declared:
    """What one order may declare in the version in force. Amounts in cents.

    `year_cents` is what is declared over the whole year and `budget_cents` what the order costs; they differ by what the
    provider collects from pgb holders itself.
    """

    to_date_cents: int
    year_cents: int
    budget_cents: int
    granted_minutes: int


def through(as_of: date) -> date:
    """The last day of the last month that is over on a business date: declarations and hours are laid side by side up to then."""
    return (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)


_WORKED = """
select order_id, "function",
       coalesce(sum(minutes) filter (where status = 'delivered' and approved_on <= $as_of), 0)::bigint as approved,
       coalesce(sum(minutes) filter (where status = 'provisional' or approved_on > $as_of), 0)::bigint as provisional
from line where status in ('delivered', 'provisional') and work_date <= $through
group by order_id, "function"
"""


def worked(lines: duckdb.DuckDBPyConnection, as_of: date) -> list[tuple[str, str, int, int]]:
    """(order, function, approved, provisional) in minutes, of direct lines up to `through(as_of)`.

    What the school approved after the business date was not approved yet on that day.
    """
    return lines.execute(_WORKED, {"as_of": as_of, "through": through(as_of)}).fetchall()


def added_up(parts: Iterable[tuple[str, str, int, int]]) -> dict[str, Worked]:
    """What `worked` gave, of several months, per order."""
    sums: dict[str, dict[str, int]] = {}
    for order_id, function, approved, provisional in parts:
        mine = sums.setdefault(order_id, dict.fromkeys(Worked.__dataclass_fields__, 0))
        mine[f"approved_{function}"] += approved
        mine[f"provisional_{function}"] += provisional
    return {order_id: Worked(**mine) for order_id, mine in sums.items()}


def lawfulness_row(order: Order, declared: Declared, hours: Worked, as_of: date, tolerance_permille: int) -> Row:
    """The row of `lawfulness` of one order, but for school year and version.

    The hours of each function are worth their own tariff. They were worked for every pupil, so only the declared part of the
    order is held against them. Coverage is rounded down: 1000 is said of a whole amount only.
    """
    part = Fraction(declared.year_cents, declared.budget_cents) if declared.budget_cents else Fraction(0)
    covered = _worth(order, hours.approved_care, hours.approved_guidance, part)
    with_provisional = _worth(
        order,
        hours.approved_care + hours.provisional_care,
        hours.approved_guidance + hours.provisional_guidance,
        part,
    )
    amount = declared.to_date_cents
    uncovered, after = max(0, amount - covered), max(0, amount - with_provisional)
    tolerance = amount * tolerance_permille // 1000
    status = _status(amount, uncovered, after, tolerance)
    figures = {
        "order_id": order.order_id,
        "provider": order.provider,
        "as_of": as_of,
        "through": through(as_of),
        "declared_cents": amount,
        "granted_minutes": declared.granted_minutes,
        "approved_minutes": hours.approved_care + hours.approved_guidance,
        "approved_care_minutes": hours.approved_care,
        "covered_cents": covered,
        "coverage_permille": covered * 1000 // amount if amount else None,
        "uncovered_cents": uncovered,
        "provisional_minutes": hours.provisional_care + hours.provisional_guidance,
        "provisional_cents": with_provisional - covered,
        "still_uncovered_cents": after,
        "tolerance_permille": tolerance_permille,
        "tolerance_cents": tolerance,
        "status": status,
    }
    return figures | {"conclusion": _conclusion(figures)}


def _worth(order: Order, care: int, guidance: int, part: Fraction) -> int:
    """Cents of the declared part that minutes prove, rounded half up once."""
    care_tariff = order.tariff_cents if order.care_tariff_cents is None else order.care_tariff_cents
    exact = Fraction(care * care_tariff + guidance * order.tariff_cents, MINUTES_PER_HOUR) * part
    return round_half_up(exact.numerator, exact.denominator)


def _status(amount: int, uncovered: int, after: int, tolerance: int) -> str:
    if not amount:
        return "nothing_declared"
    if not uncovered:
        return "covered"
    if uncovered <= tolerance:
        return "within_tolerance"
    return "after_approval" if after <= tolerance else "not_covered"


def _conclusion(row: Mapping[str, Any]) -> str:
    """What it comes to, in Dutch, for the contract manager and the accountant."""
    limit = (
        f"de tolerantie van {format_euro(row['tolerance_permille'] * 10)} % (€ {format_euro(row['tolerance_cents'])})"
    )
    lacking = f"Van € {format_euro(row['declared_cents'])} is € {format_euro(row['uncovered_cents'])} niet gedekt"
    hours = f"{row['provisional_minutes'] // MINUTES_PER_HOUR} uur waarop het akkoord van de school ontbreekt"
    left = f"€ {format_euro(row['still_uncovered_cents'])}"
    return {
        "nothing_declared": "Er is tot en met deze dag niets te declareren.",
        "covered": f"De goedgekeurde uren dekken het gedeclareerde bedrag van € {format_euro(row['declared_cents'])}.",
        "within_tolerance": f"{lacking} door goedgekeurde uren; dat blijft binnen {limit}.",
        "after_approval": (
            f"{lacking} door goedgekeurde uren, meer dan {limit}. Er staan {hours}; daarmee blijft {left} over. "
            "Vraag de school om haar akkoord."
        ),
        "not_covered": (
            f"{lacking} door goedgekeurde uren, meer dan {limit}. Ook met {hours} blijft {left} over. "
            "Ga met de aanbieder na of uren ontbreken of niet zijn geleverd."
        ),
    }[row["status"]]


# --- the sample ---------------------------------------------------------------------------------------------------------

# One pass with a heap per order: ranking every line of a month to keep a few takes several times as long.
_SAMPLE = """
with lots as (
    select order_id, label as file_label,
           label || ':' || case when coalesce(sheet, '') = '' then '' else sheet || ':' end || row_number as row_ref,
           sha256($seed || chr(31) || row_ref) as draw, work_date, week, school, stated_class_code as class_code, activity,
           "function", minutes, handed_in_on, approved_on, forwarded_on
    from line
    where status = 'delivered' and approved_on <= $as_of and work_date <= $through
)
select unnest(lot) from (select unnest(arg_min(lots, draw, $size)) as lot from lots group by order_id)
"""


def drawn(lines: duckdb.DuckDBPyConnection, as_of: date, seed: str, size: int) -> pa.Table:
    """Per order the lines with the lowest lots: candidates for the sample, of the months at hand."""
    parameters = {"seed": seed, "as_of": as_of, "through": through(as_of), "size": size}
    return lines.sql(_SAMPLE, params=parameters).to_arrow_table()


def sample_rows(candidates: Iterable[pa.Table], seed: str, size: int) -> list[Row]:
    """Rows of `lawfulness_sample`, but for school year and version: per order so many lines, fewer where there are fewer.

    The lot of a line is SHA-256 of the seed and its row reference, which holds the hash of its file. So the same seed and files
    give the same sample, whatever the order of rows, files or months, and nobody can draw until a line suits.

    Args:
        candidates: what `drawn` gave, with the same seed and size, each month in one of them only.
        seed: any text.
        size: lines per order.
    """
    found = [row for table in candidates for row in table.to_pylist()]
    rows: list[Row] = []
    for order_id in sorted({row["order_id"] for row in found}):
        mine = sorted((row for row in found if row["order_id"] == order_id), key=lambda r: (r["draw"], r["row_ref"]))
        rows += [
            {name: value for name, value in row.items() if name != "draw"}
            | {"sample_number": number, "seed": seed, "evidence": evidence(row)}
            for number, row in enumerate(mine[:size], start=1)
        ]
    return rows


def evidence(row: Mapping[str, Any]) -> str:
    """What to ask for about a line, in Dutch."""
    day, approved = f"{row['work_date']:%d-%m-%Y}", f"{row['approved_on']:%d-%m-%Y}"
    asked = [
        f"bij de aanbieder: rooster of tijdregistratie van {day} voor klas {row['class_code']}, met de bevoegdheid voor de functie",
        f"bij de school: de getekende urenstaat van week {row['week']} met het akkoord van {approved}",
    ]
    if row["handed_in_on"] is None:
        asked.append("bij de aanbieder: wanneer de urenstaat is ingeleverd (de datum ontbreekt)")
    if row["forwarded_on"] is None:
        asked.append("bij de school: waarom de urenstaat niet is doorgestuurd, of wanneer (de datum ontbreekt)")
    return f"Vraag {'; '.join(asked)}."


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The region: every amount and every minute added up, never rounded again."""
    return {
        name: sum(row[name] for row in rows)
        for name in (rows[0] if rows else {})
        if name.endswith(("_cents", "_minutes")) and name != "tolerance_cents"
    }
