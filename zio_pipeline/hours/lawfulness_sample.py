"""A sample of approved lines for the accountant, that anybody can draw again.

Belongs here: which lines prove something and may be drawn, their lots, what to ask for about a line. Does not belong here: what
hours prove together (`lawfulness`), keeping a draw and its workbook (`stages.lawfulness`).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.hours.lawfulness import Period, Row, register_granted
from zio_pipeline.setup import SchoolYearSetup

SAMPLE_SIZE = 25

# One pass with a heap per order: ranking every line of a month to keep a few takes several times as long.
_SAMPLE = """
with lots as (
    select order_id, label as file_label,
           label || ':' || case when coalesce(sheet, '') = '' then '' else sheet || ':' end || row_number as row_ref,
           sha256($seed || chr(31) || row_ref) as draw, work_date, week, school, stated_class_code as class_code, activity,
           "function", minutes, handed_in_on, approved_on, forwarded_on
    from line join granted_class using (school, class_code)
    where granted and status = 'delivered' and approved_on <= $as_of and work_date <= $through
)
select unnest(lot), population_lines from (
    select unnest(arg_min(lots, draw, $size)) as lot, count(*) as population_lines from lots group by order_id
)
"""


def drawn(lines: duckdb.DuckDBPyConnection, setup: SchoolYearSetup, period: Period, seed: str, size: int) -> pa.Table:
    """Per order the lines with the lowest lots, and of how many: candidates for the sample, of the months at hand."""
    register_granted(lines, setup)
    parameters = {"seed": seed, "as_of": period.as_of, "through": period.through, "size": size}
    return lines.sql(_SAMPLE, params=parameters).to_arrow_table()


def sample_rows(candidates: Iterable[pa.Table], seed: str, size: int) -> list[Row]:
    """Rows of `lawfulness_sample`, but for what the draw is called: per order so many lines, fewer where there are fewer.

    The lot of a line is SHA-256 of the seed and its row reference, which holds the hash of its file. So the same seed and files
    give the same sample, whatever the order of rows, files or months. Who knows a seed beforehand can write a file of which a line
    is or is not drawn: the seed belongs to the accountant, and is named when the files are in.

    Args:
        candidates: what `drawn` gave, with the same seed and size, each month in one of them only.
        seed: any text.
        size: lines per order.
    """
    tables = [table.to_pylist() for table in candidates]
    population = Counter[str]()
    for table in tables:
        population.update({row["order_id"]: row["population_lines"] for row in table})
    found = [row for table in tables for row in table]
    rows: list[Row] = []
    for order_id in sorted(population):
        mine = sorted((row for row in found if row["order_id"] == order_id), key=lambda r: (r["draw"], r["row_ref"]))
        own = {"population_lines": population[order_id], "seed": seed}
        rows += [
            {name: value for name, value in row.items() if name != "draw"}
            | own
            | {"sample_number": number, "evidence": evidence(row)}
            for number, row in enumerate(mine[:size], start=1)
        ]
    return rows


def draw_id(rows: Iterable[Mapping[str, Any]], files: Iterable[str], through: date, seed: str) -> str:
    """Twelve hex digits by which a draw is known: the same seed, days, files and lines are the same draw.

    Args:
        rows: the lines that were drawn, in any order.
        files: SHA-256 of the content of every file that counts for those days.
        through: the last day.
        seed: of the draw.
    """
    parts = [through.isoformat(), seed, *sorted(files), "", *sorted(row["row_ref"] for row in rows)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


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
